"""Keeping a record, and telling of what changed in it: thin events of API v2, and ``account.updated`` of API v1.

Both belong to the connected account: thin events have it as their ``context``, snapshots as their ``account``.
https://docs.stripe.com/api/v2/core/accounts/event-types
"""

from collections.abc import Iterator
from typing import Any, Final

from ..context import Context
from ..state import public
from ..values import Object
from . import capability_views, standing
from .record import ACCOUNTS, GONE
from .v1_view import v1_view
from .v2_view import EVERYTHING, v2_view

_PREFIX: Final = "v2.core.account"
_TOP_LEVEL: Final = (
    "contact_email",
    "contact_phone",
    "dashboard",
    "display_name",
    "metadata",
    "applied_configurations",
)
_PARTS: Final = ("identity", "defaults", "requirements")
_CONFIGURATIONS: Final = ("customer", "merchant", "recipient")

type Told = tuple[str, dict[str, Any] | None]


def insert(context: Context, record: Object) -> Object:
    """Keep the record of a new account and tell of it."""
    record = _stamped(context, record)
    context.on_platform().state.insert(ACCOUNTS, _stored(record))
    view = v2_view(record, EVERYTHING)
    own = context.on(record["id"])
    own.emit(f"{_PREFIX}.created", view)
    for event_type, data in _capability_changes({}, record):
        own.emit(event_type, view, data=data)
    _tell_of_banks(own, [], record["bank_accounts"])
    return record


def save(context: Context, before: Object, after: Object) -> Object:
    """Keep the next version of a record and tell of every part that changed; nothing is told when nothing did."""
    state, after = context.on_platform().state, _stamped(context, after)
    state.update(ACCOUNTS, {"id": before["id"]}, _stored(after))
    own = context.on(after["id"])
    view, previous = v2_view(after, EVERYTHING), v2_view(before, EVERYTHING)
    for event_type, data in _changes(previous, view, before, after):
        own.emit(event_type, view, data=data)
    shown = v1_view(after)
    if not after["closed"] and shown != v1_view(before):
        own.emit("account.updated", public(shown), previous=public(v1_view(before)))
    if not after["closed"]:
        _tell_of_capabilities(own, before, after)
        _tell_of_banks(own, before["bank_accounts"], after["bank_accounts"])
    return after


def _tell_of_banks(own: Context, before: list[Object], after: list[Object]) -> None:
    old, new = ({each["id"]: public(each) for each in banks} for banks in (before, after))
    for bank in [*old, *(bank for bank in new if bank not in old)]:
        if bank not in new:
            own.emit("account.external_account.deleted", old[bank])
        elif bank not in old:
            own.emit("account.external_account.created", new[bank])
        elif old[bank] != new[bank]:
            own.emit("account.external_account.updated", new[bank], previous=old[bank])


def _tell_of_capabilities(own: Context, before: Object, after: Object) -> None:
    for name in capability_views.named(after):
        old, new = capability_views.shown(before, name), capability_views.shown(after, name)
        if old["status"] != new["status"]:
            own.emit("capability.updated", new, previous=old)


def _stamped(context: Context, record: Object) -> Object:
    """The record with the moment at which each capability was requested."""
    names = [f"{configuration}.{name}" for configuration, name in standing.capabilities(record)]
    moments = {name: record["requested_at"].get(name, context.clock.now()) for name in names}
    return {**record, "requested_at": moments}


def _stored(record: Object) -> Object:
    """What stands in the collection: a closed account is kept for API v2, one that left the platform for nobody."""
    return {**v1_view(record), "_closed": GONE if record["deauthorized"] else record["closed"], "_record": record}


def _changes(previous: Object, view: Object, before: Object, after: Object) -> Iterator[Told]:
    if view["closed"] and not previous["closed"]:
        yield f"{_PREFIX}.closed", None
        return
    if any(view[name] != previous[name] for name in _TOP_LEVEL):
        yield f"{_PREFIX}.updated", None
    for part in _PARTS:
        if view[part] != previous[part]:
            yield f"{_PREFIX}[{part}].updated", None
    for name in _CONFIGURATIONS:
        if _settings(view, name) != _settings(previous, name):
            yield f"{_PREFIX}[configuration.{name}].updated", None
    yield from _capability_changes(before, after)


def _settings(view: Object, configuration: str) -> Object:
    """The configuration with which capabilities it has, whatever their status: that has an event of its own."""
    found = view["configuration"][configuration] or {}
    return {**found, "capabilities": _names(found.get("capabilities") or {})}


def _names(tree: Object) -> Object:
    return {name: None if "status" in each else _names(each) for name, each in tree.items() if each}


def _capability_changes(before: Object, after: Object) -> Iterator[Told]:
    requested = dict.fromkeys([*(standing.capabilities(before) if before else ()), *standing.capabilities(after)])
    for configuration, capability in requested:
        old = standing.status(before, configuration, capability) if before else None
        new = standing.status(after, configuration, capability)
        if old != new and new is not None:
            event_type = f"{_PREFIX}[configuration.{configuration}].capability_status_updated"
            yield event_type, {"updated_capability": capability}
