"""Subscription schedules, as they are kept. https://docs.stripe.com/api/subscription_schedules/object"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..shelves import Collection, Index
from ..values import Object

NOT_STARTED, ACTIVE, COMPLETED, RELEASED, CANCELED = "not_started", "active", "completed", "released", "canceled"
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    NOT_STARTED: frozenset({ACTIVE, RELEASED, CANCELED}),
    ACTIVE: frozenset({COMPLETED, RELEASED, CANCELED}),
    COMPLETED: frozenset(),
    RELEASED: frozenset(),
    CANCELED: frozenset(),
}
"""https://docs.stripe.com/billing/subscriptions/subscription-schedules"""

SCHEDULES: Final = Collection(
    "subscription_schedule",
    path="/v1/subscription_schedules",
    indexes=(
        "customer",
        Index("scheduled", lambda schedule: (schedule["status"] == NOT_STARTED,)),
        Index("_subscription", lambda schedule: (schedule["subscription"],)),
    ),
    expands={
        "customer": "customer",
        "default_settings.default_payment_method": "payment_method",
        "phases.items.price": "price",
        "subscription": "subscription",
        "test_clock": "test_helpers.test_clock",
    },
)
"""``_turn``: the number of the task that ends its current phase; an older one that comes due is void."""


def move(context: Context, schedule: Object, status: str, changes: Mapping[str, Any], event: str) -> Object:
    """Let a schedule change its status, and tell of it."""
    if status not in TRANSITIONS[schedule["status"]]:
        raise LookupError(f"a schedule cannot go from {schedule['status']} to {status}")
    turn = schedule["_turn"] + 1
    moved = context.state.update(SCHEDULES, schedule, {"status": status, "_turn": turn, **changes})
    context.emit(f"subscription_schedule.{event}", moved)
    return moved


def is_open(schedule: Object) -> bool:
    """Whether it still has something to do."""
    return bool(TRANSITIONS[schedule["status"]])
