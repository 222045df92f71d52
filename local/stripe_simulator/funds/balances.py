"""Balances: every movement is a balance transaction on one account, and each balance is their exact sum.

A movement is pending until the clock passes its ``available_on``. Sums are kept as movements are booked, with what
matures when, so that reading a balance or passing a day never walks the transactions.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..accounts import checks, payout_terms
from ..context import Context
from ..errors import InvalidRequestError
from ..shelves import Collection, Expansion, Index
from ..state import State, public
from ..values import Json, Object
from . import exchange
from .business_days import DAY_SECONDS, days_later
from .exchange import Settlement

REPORTING_CATEGORIES: Final[Mapping[str, str]] = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "payout_minimum_balance_hold": "payout_minimum_balance_hold",
    "payout_minimum_balance_release": "payout_minimum_balance_release",
    "topup": "topup",
    "reserve_transaction": "connect_reserved_funds",
    "connect_collection_transfer": "connect_collection_transfer",
    "adjustment": "fee",  # disputes say otherwise
    "stripe_fee": "fee",
}
"""https://docs.stripe.com/reports/reporting-categories"""

_COLLECTION_OF_PREFIX: Final = {
    "ch": "charge",
    "py": "charge",
    "re": "refund",
    "pyr": "refund",
    "tr": "transfer",
    "trr": "transfer_reversal",
    "fee": "application_fee",
    "fr": "fee_refund",
    "du": "dispute",
    "po": "payout",
    "tu": "topup",
    "connct": "connect_collection_transfer",
}


def anywhere(state: State, object_id: str | None) -> Object | None:
    """The object of an id with a prefix of the table, whichever account has it: a payment's parts lie on two."""
    if object_id is None:
        return None
    collection = state.collection_of(_COLLECTION_OF_PREFIX[object_id.partition("_")[0]])
    if collection is None:
        return None
    return state.holder_of(collection, object_id).find(collection, object_id)


def expand_anywhere(field: str) -> Expansion:
    """The expansion of a field whose object may be another account's."""
    return lambda state, item: anywhere(state, item.get(field))


def expand_balance_transaction(field: str = "balance_transaction") -> Expansion:
    """The expansion of a field that names a balance transaction, shown as it stands now."""

    def expansion(state: State, item: Object) -> Json:
        if item[field] is None:
            return None
        found = state.holder_of(BALANCE_TRANSACTIONS, item[field]).find(BALANCE_TRANSACTIONS, item[field])
        return found and shown(found, state.transaction.store.clock.now())

    return expansion


BALANCE_TRANSACTIONS: Final = Collection(
    "balance_transaction",
    path="/v1/balance_transactions",
    indexes=(
        *("type", "source", "currency"),
        Index("payout", lambda movement: (movement["_payout"],) if movement["_payout"] else ()),
        Index("_unpaid", lambda movement: () if movement["_payout"] else (movement["currency"],)),
    ),
    expands={"source": expand_anywhere("source")},
    found_anywhere=True,
)
"""``_payout``: the automatic payout that took it along; ``_presented``: what was converted, less application fees."""

BALANCES: Final = Collection("_balance")
"""By currency: ``{id, available, pending, maturing, owes_since}``; ``maturing`` has what becomes available at each
moment, ``owes_since`` when a connected account came to have less than nothing."""

WAITING_REFUNDS: Final = Collection("_waiting_refund", indexes=("currency",))
"""``{id, currency}``: refunds that the balance in that currency does not cover yet."""

RESERVES: Final = Collection("_reserve", indexes=("currency",))
"""On the platform ``{id, account, currency, amount}``: what is kept of its balance for what an account owes."""


def book(
    context: Context,
    kind: str,
    amount: int,
    currency: str,
    *,
    source: str | None,
    available_on: int,
    settlement: Settlement | None = None,
    fees: Sequence[Object] = (),
    application_fee: int = 0,
    description: str | None = None,
    reporting_category: str | None = None,
) -> Object:
    """Move ``amount`` minor units less ``fees`` onto (or off) the balance of the context's account.

    With a settlement they are converted; ``fees`` are in its currency, and ``application_fee`` says how much of the
    amount is one.
    """
    now = context.clock.now()
    fee = sum(detail["amount"] for detail in fees)
    presented = None
    if settlement and settlement.rate is not None:
        presented = {"amount": amount - application_fee, "currency": currency}
        amount, currency = settlement.of(amount), settlement.currency
    movement = {
        "id": context.ids.new("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": max(available_on, now),
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": description,
        "exchange_rate": settlement and settlement.shown_rate,
        "fee": fee,
        "fee_details": list(fees),
        "net": amount - fee,
        "reporting_category": reporting_category or REPORTING_CATEGORIES[kind],
        "source": source,
        "status": "pending" if available_on > now else "available",
        "type": kind,
        "_payout": None,
        "_presented": presented,
    }
    context.state.insert(BALANCE_TRANSACTIONS, movement)
    _add(context, currency, movement["net"], available_on)
    if not context.is_platform:
        _mind_debt(context, currency)
        _reserve(context, currency)
    return movement


def fee_detail(
    kind: str, amount: int, currency: str, *, application: str | None = None, description: str | None = None
) -> Object:
    """One member of ``fee_details``: ``stripe_fee`` or ``application_fee``."""
    usual = "Stripe processing fees" if kind == "stripe_fee" else "application fee"
    return {
        "amount": amount,
        "application": application,
        "currency": currency,
        "description": description or usual,
        "type": kind,
    }


def shown(movement: Object, now: int) -> Object:
    """The balance transaction as it stands at ``now``: its status follows the clock."""
    return {**public(movement), "status": "pending" if movement["available_on"] > now else "available"}


def settles_on(context: Context) -> int:
    """When a payment of now becomes available: at the beginning of that day, UTC."""
    override = payout_terms.read(context)["delay_days_override"]
    delay = context.settings.settlement_delay_seconds if override is None else override * DAY_SECONDS
    now = context.clock.now()
    if not context.settings.business_days:
        return (now + delay) // DAY_SECONDS * DAY_SECONDS
    return days_later(context, now // DAY_SECONDS * DAY_SECONDS, delay // DAY_SECONDS)


def spendable(context: Context, currency: str, *, at: int) -> int:
    """What the account can give away at that moment: pending money only for what is itself still pending."""
    balance = context.state.find(BALANCES, currency)
    if balance is None:
        return 0
    available: int = balance["available"]
    return available + balance["pending"] if at > context.clock.now() else available


def require(context: Context, currency: str, amount: int, *, at: int, message: str) -> None:
    """Refuse what the account's balance does not cover.

    Raises:
        InvalidRequestError: ``balance_insufficient``.
    """
    if amount > spendable(context, currency, at=at):
        raise InvalidRequestError(message, code="balance_insufficient")


def reserved(context: Context, currency: str) -> int:
    """What is kept of the platform's balance for the debts of all accounts."""
    return sum(each["amount"] for each in context.state.select(RESERVES, {"currency": currency}))


def mature(context: Context, currency: str, moment: int) -> None:
    """Make available what was pending until ``moment``."""
    before = context.state.get(BALANCES, currency)
    amount = before["maturing"][str(moment)]
    rest = {at: sum_then for at, sum_then in before["maturing"].items() if at != str(moment)}
    changes = {
        "available": before["available"] + amount,
        "pending": before["pending"] - amount,
        "maturing": rest,
    }
    context.state.update(BALANCES, before, changes)
    payout_terms.expect_run(context)
    _wake_refunds(context, currency)


def _wake_refunds(context: Context, currency: str) -> None:
    """Let refunds that wait for money see what there is now."""
    if context.state.first(WAITING_REFUNDS, {"currency": currency}):
        context.schedule("refund.fund", at=context.clock.now(), currency=currency)


def _add(context: Context, currency: str, net: int, available_on: int) -> None:
    payout_terms.expect_run(context)
    if net > 0:
        _wake_refunds(context, currency)
    before = context.state.find(BALANCES, currency)
    if before is None:
        before = {"id": currency, "available": 0, "pending": 0, "maturing": {}, "owes_since": None}
        context.state.insert(BALANCES, before)
    if available_on <= context.clock.now():
        context.state.update(BALANCES, before, {"available": before["available"] + net})
        return
    moment = str(available_on)
    maturing = before["maturing"]
    if moment not in maturing:
        context.schedule("balance.mature", at=available_on, currency=currency, moment=available_on)
    changed = {**maturing, moment: maturing.get(moment, 0) + net}
    context.state.update(BALANCES, before, {"pending": before["pending"] + net, "maturing": changed})


def _mind_debt(seller: Context, currency: str) -> None:
    """Note since when the account owes, and look again when the platform has to pay for it."""
    kept, now = seller.state.get(BALANCES, currency), seller.clock.now()
    owes = kept["available"] + kept["pending"] < 0
    if owes == (kept["owes_since"] is not None):
        return
    seller.state.update(BALANCES, kept, {"owes_since": now if owes else None})
    if owes:
        seller.schedule("balance.collect", at=now + seller.settings.collection_seconds, currency=currency)


def _reserve(seller: Context, currency: str) -> None:
    """Keep as much of the platform's balance as an account owes whose losses the platform bears.

    https://docs.stripe.com/connect/account-balances#understanding-connected-reserve-balances
    """
    kept = seller.state.get(BALANCES, currency)
    owed = max(0, -kept["available"] - kept["pending"])
    platform = seller.on_platform()
    reserve_id = f"{seller.account}:{currency}"
    before = platform.state.find(RESERVES, reserve_id)
    change = owed - (before["amount"] if before else 0)
    if not change or not checks.platform_bears_losses(seller):
        return
    if before:
        platform.state.update(RESERVES, before, {"amount": owed})
    else:
        reserve = {"id": reserve_id, "account": seller.account, "currency": currency, "amount": owed}
        platform.state.insert(RESERVES, reserve)
    why = f"Connect reserve for {seller.account}"
    now = seller.clock.now()
    settlement = exchange.outgoing(platform, currency) if change > 0 else exchange.incoming(platform, currency)
    booked: Any = {"source": None, "available_on": now, "settlement": settlement, "description": why}
    book(platform, "reserve_transaction", -change, currency, **booked)
