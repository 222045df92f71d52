"""Payouts: money that leaves a balance for a bank, arrives, or comes back; and debits of a bank for what is owed.

https://docs.stripe.com/payouts https://docs.stripe.com/connect/payouts-connected-accounts
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..accounts import banks
from ..context import Context
from ..metadata import merged
from ..shelves import Collection
from ..state import State, public
from ..values import Object
from .balance_view import bill_platform, own_instant_fee
from .balances import BALANCE_TRANSACTIONS, book, expand_anywhere, expand_balance_transaction, fee_detail
from .business_days import DAY_SECONDS, days_later


def _destination(state: State, item: Object) -> Object:
    """The bank as it is now; the platform's own never change, and one that was removed leaves its stub."""
    gone = {"id": item["destination"], "object": "bank_account", "deleted": True}
    return public(item["_own_bank"] or banks.find_bank(state, item["destination"]) or gone)


PAYOUTS: Final = Collection(
    "payout",
    path="/v1/payouts",
    indexes=("destination", "status", "arrival_date"),
    expands={
        "balance_transaction": expand_balance_transaction(),
        "destination": _destination,
        "failure_balance_transaction": expand_balance_transaction("failure_balance_transaction"),
        "original_payout": expand_anywhere("original_payout"),
        "reversed_by": expand_anywhere("reversed_by"),
    },
    found_anywhere=True,
)
ARRIVALS: Final = Collection("_arrival")
"""The moments at which payouts arrive, in their order, for the filter on them."""

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({"in_transit", "paid", "failed", "canceled"}),
    "in_transit": frozenset({"paid", "failed"}),
    "paid": frozenset({"failed"}),  # the bank may return it days later
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""https://docs.stripe.com/api/payouts/object#payout_object-status"""

GONE: Final = frozenset({"pending", "in_transit", "paid"})
"""The statuses in which the money is not on the balance."""

INSTANT_SECONDS: Final = 1_800


class Order(NamedTuple):
    """What a payout is made for, apart from how much; negative amounts are debits of the bank."""

    is_automatic: bool = False
    is_instant: bool = False
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    statement_descriptor: str | None = None
    original_payout: str | None = None


def pay_out(context: Context, amount: int, currency: str, bank: Object, order: Order) -> Object:
    """Take money off the balance for a bank; what a bank is debited for arrives on the balance when it is paid."""
    payout_id, now = context.ids.new("po"), context.clock.now()
    arrival = _arrival(context, order, amount)
    fee = own_instant_fee(context, amount, currency) if order.is_instant else 0
    movement = book(
        context,
        "payout",
        -amount,
        currency,
        source=payout_id,
        available_on=now if amount > 0 else arrival,
        fees=[fee_detail("stripe_fee", fee, currency, description="Instant payout fee")] if fee else [],
        description="STRIPE PAYOUT" if order.description is None else order.description,
        reporting_category="payout_reversal" if order.original_payout else None,
    )
    leaves_at_once = order.is_automatic or amount < 0
    payout = {
        "id": payout_id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": arrival,
        "automatic": order.is_automatic,
        "balance_transaction": movement["id"],
        "created": now,
        "currency": currency,
        "description": order.description,
        "destination": bank["id"],
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged({}, order.metadata),
        "method": "instant" if order.is_instant else "standard",
        "original_payout": order.original_payout,
        "payout_method": None,
        "reconciliation_status": "completed" if order.is_automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": order.statement_descriptor,
        "status": "in_transit" if leaves_at_once else "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
        "_failure": banks.failure_of(bank),
        "_own_bank": bank if context.is_platform else None,
    }
    context.state.insert(PAYOUTS, payout)
    if context.state.find(ARRIVALS, str(arrival)) is None:
        context.state.insert(ARRIVALS, {"id": str(arrival), "created": arrival})
    context.emit("payout.created", payout)
    if payout["status"] == "pending" and not order.is_instant:
        context.schedule("payout.leave", at=_next_midnight(now), payout=payout_id)
    context.schedule("payout.arrive", at=arrival, payout=payout_id)
    if order.is_instant:
        bill_platform(context, amount, currency, payout_id)
    return payout


def pay_out_automatically(context: Context, currency: str, available: int, kept: int, bank: Object) -> Object:
    """Pay out all that is available but ``kept``, and note which movements make up the payout.

    What is kept is held and released again, so that the movements of each payout sum up to it.
    """
    listed = list(context.state.select(BALANCE_TRANSACTIONS, {"_unpaid": currency}))
    now = context.clock.now()
    settled = [each for each in listed if each["available_on"] <= now]
    if kept:
        hold = ("payout_minimum_balance_hold", -kept, currency)
        settled.append(book(context, *hold, source=None, available_on=now))
        book(context, "payout_minimum_balance_release", kept, currency, source=None, available_on=now)
    payout = pay_out(context, available - kept, currency, bank, Order(is_automatic=True))
    settled.append(context.state.get(BALANCE_TRANSACTIONS, payout["balance_transaction"]))
    for movement in settled:
        context.state.update(BALANCE_TRANSACTIONS, movement, {"_payout": payout["id"]})
    context.emit("payout.reconciliation_completed", payout)
    return payout


def move(context: Context, payout: Object, status: str, event_type: str, **changes: Any) -> Object:  # noqa: ANN401 - JSON
    """Let a payout change its status and tell of it."""
    if status not in TRANSITIONS[payout["status"]]:
        raise LookupError(f"a payout cannot go from {payout['status']} to {status}")
    after = context.state.update(PAYOUTS, payout, {"status": status, **changes})
    context.emit(event_type, after, previous=payout if event_type == "payout.updated" else None)
    return after


def come_back(context: Context, payout: Object, code: str | None) -> Object:
    """Book back a payout that was canceled (no code) or that its bank returned; the bank is not paid to any more."""
    kind = "payout_failure" if code else "payout_cancel"
    now, amount = context.clock.now(), payout["amount"]
    movement = book(
        context,
        kind,
        amount,
        payout["currency"],
        source=payout["id"],
        available_on=now if amount > 0 else payout["arrival_date"],
        description=f"STRIPE PAYOUT {'FAILURE' if code else 'CANCEL'}",
    )
    trace = {"status": "unsupported", "value": None}
    changes = {"failure_balance_transaction": movement["id"], "trace_id": trace}
    if code is None:
        return move(context, payout, "canceled", "payout.canceled", **changes)
    changes |= {"failure_code": code, "failure_message": banks.FAILURES[code]}
    return move(context, payout, "failed", "payout.failed", **changes)


def _arrival(context: Context, order: Order, amount: int) -> int:
    now = context.clock.now()
    if order.is_instant:
        return now + INSTANT_SECONDS
    leaves = now // DAY_SECONDS * DAY_SECONDS if order.is_automatic or amount < 0 else _next_midnight(now)
    transit = context.settings.payout_transit_seconds
    if context.settings.business_days:
        return max(days_later(context, leaves, transit // DAY_SECONDS), now)
    return max(leaves + transit, now)


def _next_midnight(now: int) -> int:
    return (now // DAY_SECONDS + 1) * DAY_SECONDS
