"""Top-ups: money that the platform adds to its balance from its bank. https://docs.stripe.com/connect/top-ups"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..shelves import Collection
from ..values import Object
from . import exchange
from .balances import book, expand_balance_transaction

TOPUPS: Final = Collection(
    "topup",
    path="/v1/topups",
    indexes=("status",),
    expands={"balance_transaction": expand_balance_transaction()},
    found_anywhere=True,
)
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({"succeeded", "failed", "canceled"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""https://docs.stripe.com/api/topups/object#topup_object-status; reversals are Stripe's own and do not happen here."""


def move(context: Context, topup: Object, status: str, **changes: Any) -> Object:  # noqa: ANN401 - JSON of any kind
    """Let a top-up change its status and tell of it.

    Raises:
        LookupError: the table has no such change.
    """
    if status not in TRANSITIONS[topup["status"]]:
        raise LookupError(f"a top-up cannot go from {topup['status']} to {status}")
    after = context.state.update(TOPUPS, topup, {"status": status, **changes})
    context.emit(f"topup.{status}", after)
    return after


def arrive(context: Context, topup: Object) -> Object:
    """Let the money of a top-up arrive."""
    now = context.clock.now()
    amount, currency = topup["amount"], topup["currency"]
    movement = book(
        context,
        "topup",
        amount,
        currency,
        source=topup["id"],
        available_on=now,
        settlement=exchange.incoming(context, currency),
        description="Top-up",
    )
    return move(context, topup, "succeeded", balance_transaction=movement["id"])
