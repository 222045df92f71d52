"""Events: recorded in the transaction of the change that they tell of, never without it.

A v1 event holds the object as it stood at that moment. A v2 event refers to it; for a v1 object
(``v1.charge.succeeded``) one is recorded when a thin destination wants it.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from .endpoints import SNAPSHOT, THIN, subscribers
from .shelves import Collection, Index
from .state import State, public
from .values import Object
from .webhooks import enqueue, is_awaited
from .world import World


def _type_and_groups(event: Object) -> Iterable[str]:
    """``customer.source.created`` is also found as ``customer.*`` and ``customer.source.*``."""
    parts = event["type"].split(".")
    return (event["type"], *(".".join(parts[:length]) + ".*" for length in range(1, len(parts))))


EVENTS: Final = Collection(
    "event",
    path="/v1/events",
    indexes=(
        Index("type", _type_and_groups),
        Index("delivery_success", lambda event: (event["pending_webhooks"] == 0,)),
    ),
)
THIN_EVENTS: Final = Collection("v2.core.event", path="/v2/core/events", indexes=("type", "related_object.id"))


RETENTION_SECONDS: Final = 30 * 24 * 3_600
_FORGOTTEN_AT_ONCE: Final = 2  # two leave for each one that comes, so that the old never pile up


class Origin(NamedTuple):
    """The request that an event comes of; hosted pages and due work have none."""

    request_id: str | None = None
    idempotency_key: str | None = None


def record(
    state: State,
    world: World,
    origin: Origin,
    event_type: str,
    item: Object,
    *,
    previous: Object | None,
    data: Object | None,
) -> Object:
    """Record what happened to ``item`` on the account of ``state``, and queue it for whoever subscribes.

    ``previous`` is the version before an update; ``data`` belongs to some v2 events.
    """
    if event_type.startswith("v2."):
        return _record_thin(state, world, origin, event_type, item, data, snapshot_event=None)
    event_id = world.ids.new("evt")
    told: dict[str, Any] = {"object": public(item)}
    if previous is not None:
        told["previous_attributes"] = changed_attributes(public(previous), told["object"])
    listeners = list(subscribers(state, world.platform, event_type, SNAPSHOT))
    event: dict[str, Any] = {
        "id": event_id,
        "object": "event",
        "api_version": world.settings.api_version,
        "created": world.clock.now(),
        "data": told,
        "livemode": False,
        "pending_webhooks": len(listeners),
        "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key},
        "type": event_type,
    }
    if state.account != world.platform:
        event["account"] = state.account
    state.insert(EVENTS, event)
    _forget_old(state, EVENTS, world)
    for holder, endpoint in listeners:
        enqueue(state, world, event, holder, endpoint)
    if any(True for _ in subscribers(state, world.platform, f"v1.{event_type}", THIN)):
        _record_thin(state, world, origin, f"v1.{event_type}", item, None, snapshot_event=event_id)
    return event


def _record_thin(
    state: State,
    world: World,
    origin: Origin,
    event_type: str,
    item: Object,
    data: Object | None,
    *,
    snapshot_event: str | None,
) -> Object:
    reason = {"type": "request", "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key or ""}}
    event: dict[str, Any] = {
        "id": world.ids.new("evt_test"),
        "object": "v2.core.event",
        "context": state.account if state.account != world.platform else None,
        "created": world.clock.timestamp(),
        "livemode": False,
        "reason": reason if origin.request_id else None,
        "related_object": _reference(state, item),
        "type": event_type,
    }
    if data is not None:
        event["data"] = data
    if snapshot_event:
        event["snapshot_event"] = snapshot_event
    state.insert(THIN_EVENTS, event)
    _forget_old(state, THIN_EVENTS, world)
    for holder, destination in subscribers(state, world.platform, event_type, THIN):
        enqueue(state, world, event, holder, destination)
    return event


def _forget_old(state: State, collection: Collection, world: World) -> None:
    """Let go of events that can no longer be read, unless they still wait to be delivered."""
    last_second = world.clock.now() - RETENTION_SECONDS
    for event in list(islice(state.select(collection, before=(last_second,), ascending=True), _FORGOTTEN_AT_ONCE)):
        if not is_awaited(state.of(world.platform), event):
            state.delete(collection, event["id"])


def _reference(state: State, item: Object) -> Object | None:
    """What a thin event refers to; an account link has no id, and nothing refers to it."""
    if "id" not in item:
        return None
    collection = state.collection_of(item["object"])
    path = collection.path if collection else ""
    return {"id": item["id"], "type": item["object"], "url": item.get("_url", f"{path}/{item['id']}")}


def changed_attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The old values of what changed; hashes are compared member by member, and what was not there was null."""
    changed: dict[str, Any] = {}
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        if old != new:
            nested = isinstance(old, Mapping) and isinstance(new, Mapping)
            changed[name] = changed_attributes(old, new) if nested else old  # type: ignore[arg-type]  # both are mappings
    return changed
