"""Deliveries of events: queued in the transaction of the event, signed, tried, tried again, and kept on record.

Nothing here speaks HTTP: ``dispatch`` sends what falls due, or a test takes deliveries and plays them in any order.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from .endpoints import address, good_secrets
from .faults import deliveries as faults
from .shelves import Collection
from .state import State
from .values import Object
from .versions import lowered
from .world import World

DELIVERIES: Final = Collection("_delivery", indexes=("status", "event"))
"""On the platform: ``{id, event, event_type, account, endpoint, holder, status, attempts, due}``; of one that met
an ordered fault also ``fault``, ``effect`` and ``held_until``, before which nobody gets it."""

FINISHED_DELIVERIES_KEPT: Final = 10_000
PENDING, SUCCEEDED, FAILED, TAKEN = "pending", "succeeded", "failed", "taken"
LOST: Final = "lost"  # on order, and never tried
_FINISHED: Final = frozenset({SUCCEEDED, FAILED, TAKEN, LOST})
_ONLY_WHEN_RETRIEVED: Final = frozenset({"data", "changes", "snapshot_event"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint, as it goes over the wire; it may be played any number of times."""

    id: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    event_id: str
    event_type: str
    account: str  # whose event it is
    endpoint: str
    attempts: int  # made before this one


def signature(secrets: Iterable[str], body: bytes, at: int) -> str:
    """The ``Stripe-Signature`` of these bytes at that second, with each secret that is good at the moment.

    https://docs.stripe.com/webhooks#verify-manually
    """
    signed = f"{at}.".encode() + body
    made = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join((f"t={at}", *(f"v1={each}" for each in made)))


def enqueue(state: State, world: World, event: Object, holder: State, endpoint: Object) -> None:
    """Let ``endpoint``, which the account of ``holder`` has, hear of ``event`` once the transaction is kept."""
    fault = faults.meet_delivery(state.of(world.platform), state.account, event)
    for number in range(1 + faults.copies(fault)):
        _enqueue_one(state, world, event, holder, endpoint, fault, is_copy=number > 0)


def _enqueue_one(
    state: State, world: World, event: Object, holder: State, endpoint: Object, fault: Object | None, *, is_copy: bool
) -> None:
    now = world.clock.now()
    delivery: dict[str, Any] = {
        "id": world.ids.new("_delivery"),
        "event": event["id"],
        "event_type": event["type"],
        "event_object": event["object"],
        "account": state.account,
        "endpoint": endpoint["id"],
        "endpoint_object": endpoint["object"],
        "holder": holder.account,
        "status": LOST if faults.is_lost(fault) else PENDING,
        "attempts": [],
        "due": now,
        "is_copy": is_copy,
        **faults.marks(fault, now),
    }
    platform = state.of(world.platform)
    platform.insert(DELIVERIES, delivery)
    if delivery["status"] == LOST:
        _forget_oldest(platform)
    else:
        due, delivery_id = delivery["due"], delivery["id"]
        state.transaction.after_commit.append(lambda: world.deliveries.note(due, world.platform, delivery_id))


def is_awaited(platform: State, event: Object) -> bool:
    """Whether any delivery of the event is still to come."""
    return platform.first(DELIVERIES, {"event": event["id"], "status": PENDING}) is not None


def held(delivery: Object, now: int) -> bool:
    """Whether a fault keeps it back until later."""
    return bool(delivery.get("held_until", 0) > now)


def wire_form(state: State, delivery: Object, signed_at: int, now: int) -> Delivery | None:
    """The delivery with its body and signature; None when the endpoint or the event is gone.

    ``signed_at`` is what the receiver's clock shows, ``now`` what the simulator's does.
    """
    event = state.of(delivery["account"]).find(delivery["event_object"], delivery["event"])
    endpoint = state.of(delivery["holder"]).find(delivery["endpoint_object"], delivery["endpoint"])
    if event is None or endpoint is None or endpoint["status"] != "enabled":
        return None
    body = json.dumps(faults.payload(delivery, _payload(state.of(delivery["account"]), event, endpoint))).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(faults.secrets(delivery, good_secrets(endpoint, now)), body, signed_at),
    }
    return Delivery(
        delivery["id"],
        address(endpoint),
        body,
        headers,
        event["id"],
        event["type"],
        delivery["account"],
        endpoint["id"],
        len(delivery["attempts"]),
    )


def _payload(state: State, event: Object, endpoint: Object) -> Object:
    """What an endpoint is sent: the event as its version has it."""
    if event["object"] == "v2.core.event":
        return {name: value for name, value in event.items() if name not in _ONLY_WHEN_RETRIEVED}
    version = endpoint.get("api_version") or endpoint.get("snapshot_api_version") or event["api_version"]
    told = {**event["data"], "object": lowered(version, event["data"]["object"], state)}
    return {**event, "api_version": version, "data": told}


def finish_attempt(state: State, world: World, delivery: Object, status: int | None, error: str | None) -> None:
    """Record what came of an attempt and, unless it was a 2xx, when the next one is due."""
    now = world.clock.now()
    attempts: list[Any] = [*delivery["attempts"], {"at": now, "status": status, "error": error}]
    delivered = status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    if delivered:
        _close(state, delivery, {"status": SUCCEEDED, "attempts": attempts})
    elif len(attempts) > len(world.settings.webhook_retry_delays_seconds):
        _close(state, delivery, {"status": FAILED, "attempts": attempts})
    else:
        due = now + world.settings.webhook_retry_delays_seconds[len(attempts) - 1]
        state.update(DELIVERIES, delivery, {"attempts": attempts, "due": due})
        state.transaction.after_commit.append(lambda: world.deliveries.note(due, world.platform, delivery["id"]))


def abandon(state: State, delivery: Object) -> None:
    """Give up a delivery that has nowhere to go any more."""
    _close(state, delivery, {"status": FAILED})


def take(state: State, delivery: Object) -> None:
    """Hand a delivery to the caller: the simulator will not send it."""
    _close(state, delivery, {"status": TAKEN})


def _close(state: State, delivery: Object, changes: Mapping[str, Any]) -> None:
    state.update(DELIVERIES, delivery, changes)
    holder = state.of(delivery["account"])
    collection = state.collection_of(delivery["event_object"])
    event = holder.find(collection, delivery["event"]) if collection else None
    counts = changes["status"] != FAILED and not delivery.get("is_copy")
    if collection and event and event.get("pending_webhooks") and counts:
        holder.update(collection, event, {"pending_webhooks": event["pending_webhooks"] - 1})
    _forget_oldest(state)


def _forget_oldest(state: State) -> None:
    if state.count(DELIVERIES, {"status": _FINISHED}) > FINISHED_DELIVERIES_KEPT:
        oldest = next(state.select(DELIVERIES, {"status": _FINISHED}, ascending=True))
        state.delete(DELIVERIES, oldest["id"])
