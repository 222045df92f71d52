"""What an ordered fault does to a delivery, decided when it is queued: each of its attempts is the same."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..state import State
from ..values import Object
from .matching import chance, meet
from .orders import DELIVERY, Effect

_OF_SOMEBODY_ELSE: Final = "_of_somebody_else"


def meet_delivery(platform: State, account: str, event: Object) -> Object | None:
    """The order that a delivery of this event meets."""
    return meet(platform, DELIVERY, {"account": account, "event_type": event["type"]})


def copies(order: Object | None) -> int:
    """How many more times the event is delivered."""
    return int(order["copies"]) if order and order["effect"] == Effect.DUPLICATE else 0


def is_lost(order: Object | None) -> bool:
    """Whether it is never tried."""
    return order is not None and order["effect"] == Effect.LOSE


def marks(order: Object | None, now: int) -> Mapping[str, Any]:
    """What a delivery's record says of its fault: which it is, and until when it is held."""
    if order is None:
        return {}
    marked: dict[str, Any] = {"fault": order["id"], "effect": order["effect"]}
    if order["effect"] in (Effect.POSTPONE, Effect.REORDER):
        share = chance(order, order["seen"], "hold") if order["effect"] == Effect.REORDER else 1.0
        marked["held_until"] = marked["due"] = now + math.ceil(order["seconds"] * share)
    return marked


def secrets(delivery: Object, true_ones: Sequence[str]) -> Sequence[str]:
    """What signs the delivery."""
    if delivery.get("effect") == Effect.SIGN_WRONGLY:
        return [each + _OF_SOMEBODY_ELSE for each in true_ones]
    return true_ones


def payload(delivery: Object, event: Object) -> Object:
    """What the delivery says."""
    return {**event, "livemode": True} if delivery.get("effect") == Effect.DELIVER_AS_LIVE else event
