"""Webhook endpoints: where events go, for the account itself or for its connected accounts.

https://docs.stripe.com/api/webhook_endpoints
"""

from typing import Any, Final
from urllib.parse import urlsplit

from ..context import Context
from ..endpoints import WEBHOOK_ENDPOINTS
from ..errors import InvalidParameterError
from ..metadata import merged
from ..routing import Routes
from ..values import Object
from ..versions import check_version

routes = Routes(WEBHOOK_ENDPOINTS)
SECRET_LENGTH: Final = 32


@routes.api("POST", "/v1/webhook_endpoints")
def create(context: Context) -> Object:
    """Create an endpoint; only this answer shows its secret."""
    params = context.params
    endpoint = {
        "id": context.ids.new("we"),
        "object": "webhook_endpoint",
        "api_version": check_version(params["api_version"]) if "api_version" in params else None,
        "application": None,
        "created": context.clock.now(),
        "description": params.get("description") or None,
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "status": "enabled",
        "url": checked_url(params["url"], "url"),
        "_connect": params.get("connect", False),
        "_secret": context.ids.new("whsec", SECRET_LENGTH),
    }
    context.state.insert(WEBHOOK_ENDPOINTS, endpoint)
    return {**endpoint, "secret": endpoint["_secret"]}


@routes.api("GET", "/v1/webhook_endpoints/{endpoint}")
def retrieve(context: Context, endpoint: str) -> Object:
    """The endpoint, without its secret."""
    return context.state.get(WEBHOOK_ENDPOINTS, endpoint)


@routes.api("POST", "/v1/webhook_endpoints/{endpoint}")
def update(context: Context, endpoint: str) -> Object:
    """Change where or what it hears, or whether it does."""
    before = context.state.get(WEBHOOK_ENDPOINTS, endpoint)
    params = context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "description" in params:
        changes["description"] = params["description"] or None
    if "enabled_events" in params:
        changes["enabled_events"] = params["enabled_events"]
    if "url" in params:
        changes["url"] = checked_url(params["url"], "url")
    if "disabled" in params:
        changes["status"] = "disabled" if params["disabled"] else "enabled"
    return context.state.update(WEBHOOK_ENDPOINTS, before, changes)


@routes.api("DELETE", "/v1/webhook_endpoints/{endpoint}")
def delete(context: Context, endpoint: str) -> Object:
    """Forget the endpoint; what waits for it is given up."""
    context.state.get(WEBHOOK_ENDPOINTS, endpoint)
    context.state.delete(WEBHOOK_ENDPOINTS, endpoint)
    return {"id": endpoint, "object": "webhook_endpoint", "deleted": True}


@routes.api("GET", "/v1/webhook_endpoints")
def list_endpoints(context: Context) -> Object:
    """Endpoints, newest first."""
    return context.list(WEBHOOK_ENDPOINTS)


def checked_url(url: str, param: str) -> str:
    """A URL that can be called; in test mode Stripe takes plain HTTP too.

    Raises:
        InvalidParameterError: it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise InvalidParameterError(message, code="url_invalid", param=param)
    return url
