"""Event destinations of API v2: thin events or snapshots, from the account itself or from its connected accounts.

https://docs.stripe.com/api/v2/core/event_destinations
"""

from typing import Any

from ..context import Context
from ..endpoints import ACCOUNT_EVENTS, EVENT_DESTINATIONS, EVENTBRIDGE, OWN_EVENTS, SNAPSHOT, WEBHOOK
from ..errors import InvalidParameterError, UnsupportedError
from ..metadata import merged
from ..routing import Routes
from ..state import public
from ..values import Object
from .webhook_endpoints import SECRET_LENGTH, checked_url

routes = Routes(EVENT_DESTINATIONS)
_PATH = "/v2/core/event_destinations"
_TYPES = {WEBHOOK: "we", EVENTBRIDGE: "ed"}  # with what their ids begin


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a destination; a ``webhook_endpoint`` shows its secret when ``include`` asks for it here.

    To ``amazon_eventbridge`` nothing is delivered: its partner event source is only named.
    """
    params = context.params
    kind = params["type"]
    if kind not in _TYPES:
        raise UnsupportedError(f"event destinations of type {kind}")
    if kind not in params:
        raise InvalidParameterError(f"Missing required param: {kind}.", code="parameter_missing", param=kind)
    sources = params.get("events_from", [OWN_EVENTS])
    if not set(sources) <= {OWN_EVENTS, ACCOUNT_EVENTS}:
        raise UnsupportedError(f"events_from other than {OWN_EVENTS} and {ACCOUNT_EVENTS}")
    version = params.get("snapshot_api_version", context.settings.api_version)
    now = context.clock.timestamp()
    destination = {
        "id": context.ids.new(_TYPES[kind]),
        "object": "v2.core.event_destination",
        "created": now,
        "description": params.get("description", ""),
        "enabled_events": params["enabled_events"],
        "event_payload": params["event_payload"],
        "events_from": sources,
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "name": params["name"],
        "snapshot_api_version": version if params["event_payload"] == SNAPSHOT else None,
        "status": "enabled",
        "status_details": None,
        "type": kind,
        "updated": now,
    }
    destination |= _endpoint(context) if kind == WEBHOOK else _event_source(destination["id"], params[kind])
    context.state.insert(EVENT_DESTINATIONS, destination)
    return _shown(context, destination)


@routes.api("GET", _PATH + "/{destination}")
def retrieve(context: Context, destination: str) -> Object:
    """The destination."""
    return _shown(context, context.state.get(EVENT_DESTINATIONS, destination))


@routes.api("POST", _PATH + "/{destination}")
def update(context: Context, destination: str) -> Object:
    """Change its name, address or events."""
    before = context.state.get(EVENT_DESTINATIONS, destination)
    params = context.params
    kept = ("description", "enabled_events", "name")
    changes: dict[str, Any] = {name: params[name] for name in kept if name in params}
    if "webhook_endpoint" in params:
        changes["_url"] = checked_url(params["webhook_endpoint"]["url"], "webhook_endpoint[url]")
    changes["metadata"] = merged(before["metadata"], params.get("metadata"))
    return _shown(context, _update(context, before, changes))


@routes.api("POST", _PATH + "/{destination}/disable")
def disable(context: Context, destination: str) -> Object:
    """Let it hear nothing until it is enabled."""
    changes = {"status": "disabled", "status_details": {"disabled": {"reason": "user"}}}
    return _shown(context, _update(context, context.state.get(EVENT_DESTINATIONS, destination), changes))


@routes.api("POST", _PATH + "/{destination}/enable")
def enable(context: Context, destination: str) -> Object:
    """Let it hear events again."""
    changes = {"status": "enabled", "status_details": None}
    return _shown(context, _update(context, context.state.get(EVENT_DESTINATIONS, destination), changes))


@routes.api("POST", _PATH + "/{destination}/ping")
def ping(context: Context, destination: str) -> Object:
    """Send it a ``v2.core.event_destination.ping``."""
    found = context.state.get(EVENT_DESTINATIONS, destination)
    return context.emit("v2.core.event_destination.ping", found)


@routes.api("DELETE", _PATH + "/{destination}")
def delete(context: Context, destination: str) -> Object:
    """Forget the destination."""
    context.state.get(EVENT_DESTINATIONS, destination)
    context.state.delete(EVENT_DESTINATIONS, destination)
    return {"id": destination, "object": "v2.core.event_destination"}


@routes.api("GET", _PATH)
def list_destinations(context: Context) -> Object:
    """Destinations, newest first."""
    page = context.list_v2(EVENT_DESTINATIONS)
    stored = (context.state.get(EVENT_DESTINATIONS, each["id"]) for each in page["data"])
    return {**page, "data": [_shown(context, each) for each in stored]}


def _update(context: Context, before: Object, changes: dict[str, Any]) -> Object:
    return context.state.update(EVENT_DESTINATIONS, before, {**changes, "updated": context.clock.timestamp()})


def _endpoint(context: Context) -> Object:
    url = checked_url(context.params[WEBHOOK]["url"], "webhook_endpoint[url]")
    return {"_url": url, "_secret": context.ids.new("whsec", SECRET_LENGTH)}


def _event_source(destination: str, place: Object) -> Object:
    """In the region of the AWS account, from the start; AWS activates it when a bus is made of it."""
    source = f"aws.partner/stripe.com/{destination}"
    arn = f"arn:aws:events:{place['aws_region']}::event-source/{source}"
    return {
        EVENTBRIDGE: {
            "aws_account_id": place["aws_account_id"],
            "aws_event_source_arn": arn,
            "aws_event_source_status": "pending",
        }
    }


def _shown(context: Context, destination: Object) -> Object:
    """With the URL and, at creation, the secret, where ``include`` asks for them."""
    if destination["type"] == EVENTBRIDGE:
        return {**public(destination), WEBHOOK: None}
    included = context.params.get("include", ())
    asked = {"url": destination["_url"], "signing_secret": destination["_secret"]}
    endpoint = {name: asked[name] if f"webhook_endpoint.{name}" in included else None for name in asked}
    return {**public(destination), "webhook_endpoint": endpoint}
