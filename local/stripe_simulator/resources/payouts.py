"""Payouts, asked for and automatic. https://docs.stripe.com/api/payouts

POST /_simulator/payouts/{payout}/fail    {"failure_code": "account_closed"}, also after it was paid
"""

from typing import Any, Final

from .. import money
from ..accounts import ACCOUNTS, banks, payout_terms, save, standing
from ..accounts.payout_terms import PAYOUT_RUNS, PLATFORM_TERMS
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..funds import payouts
from ..funds.balance_view import instantly_available, own_instant_fee
from ..funds.balances import BALANCES, spendable
from ..funds.payouts import ARRIVALS, PAYOUTS, Order
from ..lists import moment_bounds
from ..metadata import merged
from ..routing import Routes
from ..state import public
from ..values import Object

routes = Routes(PAYOUTS, ARRIVALS, PLATFORM_TERMS, PAYOUT_RUNS)

_WHOLE_UNITS: Final = frozenset({"huf", "twd"})  # paid out in whole units only, that is in hundreds
_DEBITED_COUNTRIES: Final = frozenset(
    """
    AT AU BE BG CA CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IT LI LT LU LV MT NL NO NZ PL PT RO SE SI SK US
    """.split()
)
"""https://docs.stripe.com/connect/account-balances#automatically-debit-connected-accounts"""
_REVERSIBLE_COUNTRIES: Final = frozenset({"CA", "US"})


@routes.api("POST", "/v1/payouts")
def create(context: Context) -> Object:
    """Pay out from the available balance."""
    context.unsupported("payout_method")
    params = context.params
    if params.get("source_type", "card") != "card":
        context.unsupported("source_type")
    currency, amount = money.currency_code(params["currency"]), params["amount"]
    _check(amount, currency)
    _require_allowed(context)
    bank = banks.bank_for(context, currency, params.get("destination"))
    is_instant = params.get("method") == "instant"
    if is_instant and "instant" not in bank["available_payout_methods"]:
        raise InvalidRequestError(
            "The bank account or debit card is not eligible for instant payouts.",
            code="instant_payouts_unsupported",
            param="method",
        )
    if is_instant:
        _require_instant_funds(context, currency, amount)
    else:
        _require_funds(context, currency, amount)
    order = Order(
        is_instant=is_instant,
        description=params.get("description"),
        metadata=params.get("metadata"),
        statement_descriptor=params.get("statement_descriptor"),
    )
    return payouts.pay_out(context, amount, currency, bank, order)


@routes.api("GET", "/v1/payouts/{payout}")
def retrieve(context: Context, payout: str) -> Object:
    """The payout as it stands."""
    return context.state.get(PAYOUTS, payout)


@routes.api("GET", "/v1/payouts")
def list_payouts(context: Context) -> Object:
    """Payouts, newest first."""
    where: dict[str, Any] = {name: context.params.get(name) for name in ("destination", "status")}
    if "arrival_date" in context.params:
        after, before = moment_bounds(context.params["arrival_date"])
        moments = context.state.select(ARRIVALS, after=after, before=before)
        where["arrival_date"] = frozenset(each["created"] for each in moments)
    return context.list(PAYOUTS, where)


@routes.api("POST", "/v1/payouts/{payout}")
def update(context: Context, payout: str) -> Object:
    """Change its metadata."""
    before = context.state.get(PAYOUTS, payout)
    metadata = merged(before["metadata"], context.params.get("metadata"))
    after = context.state.update(PAYOUTS, before, {"metadata": metadata})
    if after != before:
        context.emit("payout.updated", after, previous=before)
    return after


@routes.api("POST", "/v1/payouts/{payout}/cancel")
def cancel(context: Context, payout: str) -> Object:
    """Take back a payout that has not left."""
    found = context.state.get(PAYOUTS, payout)
    if found["status"] != "pending" or found["method"] == "instant":
        raise InvalidRequestError("Payouts can only be canceled while they are pending.", param="payout")
    return payouts.come_back(context, found, None)


@routes.api("POST", "/v1/payouts/{payout}/reverse")
def reverse(context: Context, payout: str) -> Object:
    """Debit the bank of a connected account for what was paid out to it."""
    found = context.state.get(PAYOUTS, payout)
    bank = next((each for each in banks.banks_of(context) if each["id"] == found["destination"]), None)
    if context.is_platform or bank is None or bank["country"] not in _REVERSIBLE_COUNTRIES:
        raise InvalidRequestError("Only payouts of connected accounts to banks in the US and Canada can be reversed.")
    if found["status"] != "paid" or found["amount"] < 0 or found["reversed_by"]:
        raise InvalidRequestError("Only payouts that were paid can be reversed, and only once.", param="payout")
    order = Order(metadata=context.params.get("metadata"), original_payout=payout)
    made = payouts.pay_out(context, -found["amount"], found["currency"], bank, order)
    context.state.update(PAYOUTS, found, {"reversed_by": made["id"]})
    return made


@routes.page("POST", "/_simulator/payouts/{payout}/fail")
def order_failure(context: Context, payout: str) -> Object:
    """Let the bank send a payout back, before or after it was paid."""
    code = context.params.get("failure_code", "could_not_process")
    holder = context.on(context.state.holder_of(PAYOUTS, payout).account)
    found = holder.state.get(PAYOUTS, payout)
    if code not in banks.FAILURES or "failed" not in payouts.TRANSITIONS[found["status"]]:
        raise InvalidParameterError(
            f"A {found['status']} payout cannot fail with this code; codes are {', '.join(banks.FAILURES)}.",
            param="failure_code",
        )
    return public(_fail(holder, found, code))


@routes.due("payout.leave")
def leave(context: Context, payout: str) -> None:
    """A payout is on its way."""
    found = context.state.get(PAYOUTS, payout)
    if found["status"] == "pending":
        payouts.move(context, found, "in_transit", "payout.updated")


@routes.due("payout.arrive")
def arrive(context: Context, payout: str) -> None:
    """A payout arrives, or its bank has no such account."""
    found = context.state.get(PAYOUTS, payout)
    if "paid" not in payouts.TRANSITIONS[found["status"]]:
        return
    if found["_failure"]:
        _fail(context, found, found["_failure"])
        return
    trace = {"status": "supported", "value": found["id"].removeprefix("po_")[:15]}
    payouts.move(context, found, "paid", "payout.paid", trace_id=trace)


@routes.due("payout.run")
def run(context: Context) -> None:
    """The nightly look at an account: what is available leaves on its payout days, what is owed is asked for."""
    terms = payout_terms.begin_run(context)
    closed = not context.is_platform and context.on_platform().state.get(ACCOUNTS, context.account)["_closed"]
    if closed:
        return
    is_due = payout_terms.is_payout_day(terms, context.clock.now())
    waits = False
    for balance in list(context.state.select(BALANCES)):
        owed = balance["available"] + balance["pending"]
        bank = _usable_bank(context, balance["id"])
        if owed < 0 and terms["debit_negative_balances"] and bank and bank["country"] in _DEBITED_COUNTRIES:
            payouts.pay_out(context, owed, balance["id"], bank, Order())
        elif is_due and owed > 0 and bank and _may_be_paid(context):
            _pay_automatically(context, terms, balance, bank)
        else:
            waits = waits or balance["available"] > 0
    if waits and terms["interval"] not in (payout_terms.MANUAL, payout_terms.DAILY):
        payout_terms.expect_run(context)


def _pay_automatically(context: Context, terms: Object, balance: Object, bank: Object) -> None:
    currency, available = balance["id"], min(balance["available"], balance["available"] + balance["pending"])
    kept = (terms["minimum_balance_by_currency"] or {}).get(currency, 0)
    unit = 100 if currency in _WHOLE_UNITS else money.step(currency)
    amount = (available - kept) // unit * unit
    if amount > 0:
        payouts.pay_out_automatically(context, currency, balance["available"], balance["available"] - amount, bank)


def _usable_bank(context: Context, currency: str) -> Object | None:
    try:
        return banks.bank_for(context, currency)
    except InvalidRequestError:
        return None


def _fail(context: Context, payout: Object, code: str) -> Object:
    """Book a payout back and stop paying to its bank until that is changed."""
    after = payouts.come_back(context, payout, code)
    if not context.is_platform:
        record = context.on_platform().state.get(ACCOUNTS, context.account)["_record"]
        kept = record["bank_accounts"]
        for bank in kept:
            if bank["id"] == payout["destination"] and bank["status"] != banks.ERRORED:
                errored = {**bank, "status": banks.ERRORED}
                listed = [errored if each is bank else each for each in kept]
                save(context, record, {**record, "bank_accounts": listed})
    return after


def _check(amount: int, currency: str) -> None:
    money.check_amount(amount, currency)
    if amount < 1:
        raise InvalidParameterError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if currency in _WHOLE_UNITS and amount % 100:
        raise InvalidParameterError(
            f"Payouts in {currency} must be evenly divisible by 100.", code="parameter_invalid_integer", param="amount"
        )


def _may_be_paid(context: Context) -> bool:
    if context.is_platform:
        return True
    record: dict[str, Any] = context.on_platform().state.get(ACCOUNTS, context.account)["_record"]
    return standing.can_be_paid_out(record)


def _require_allowed(context: Context) -> None:
    if not _may_be_paid(context):
        raise InvalidRequestError(
            "Payouts have been disabled on the connected account. Check its status to see whether anything is due.",
            code="payouts_not_allowed",
        )


def _require_instant_funds(context: Context, currency: str, amount: int) -> None:
    """Refuse more than can leave at once, with the fee of it that the account pays itself."""
    reach = instantly_available(context, currency)
    if amount + own_instant_fee(context, amount, currency) > reach:
        raise InvalidRequestError(
            f"You have insufficient funds for this instant payout: {reach} {currency} are available instantly.",
            code="balance_insufficient",
            param="amount",
        )


def _require_funds(context: Context, currency: str, amount: int) -> None:
    """Refuse more than is available, and anything while the account owes more than it has, pending money included."""
    now = context.clock.now()
    if amount > spendable(context, currency, at=now) or spendable(context, currency, at=now + 1) < 0:
        raise InvalidRequestError(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You "
            "can use the the /v1/balance endpoint to view your Stripe balance (for more details, see "
            "stripe.com/docs/api#balance).",
            code="balance_insufficient",
        )
