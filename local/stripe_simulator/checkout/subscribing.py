"""Subscriptions that a session sells: begun after the payment, with their first invoice paid by it.

https://docs.stripe.com/payments/subscriptions
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, StripeError, UnsupportedError
from ..funds.intents import PAYMENT_INTENTS
from ..money import Rounding
from ..setups.intents import SETUP_INTENTS
from ..subscriptions import beginning, terms
from ..values import Object
from . import line_items

_SHORTEST_TRIAL_SECONDS: Final = 48 * 3_600
_COPIED: Final = (
    *("application_fee_percent", "billing_mode", "default_tax_rates", "description", "invoice_settings", "metadata"),
    *("on_behalf_of", "transfer_data", "trial_end", "trial_period_days", "trial_settings"),
)
_UNSUPPORTED: Final = ("billing_cycle_anchor", "billing_cycle_anchor_config", "pending_invoice_item_interval")


def check(context: Context, session: Object, items: Sequence[Mapping[str, Any]]) -> None:
    """Refuse at creation what the subscription would be refused for once it is paid.

    Raises:
        InvalidParameterError: a trial, percentage or account that Stripe refuses.
        UnsupportedError: what the simulator's subscriptions do not do.
    """
    given = context.params.get("subscription_data", {})
    for name in _UNSUPPORTED:
        if name in given:
            raise UnsupportedError(f"the parameter subscription_data[{name}] of {context.path}")
    if given.get("invoice_settings", {}).keys() - {"issuer"}:
        raise UnsupportedError(f"the parameter subscription_data[invoice_settings] of {context.path}")
    for item in items:
        if item["quantity"] is None:
            raise UnsupportedError("metered prices at checkout")
        if item["price"]["currency"] != session["currency"]:
            raise UnsupportedError("subscriptions in another currency than their prices'")
    now = context.clock.now()
    if given.get("trial_period_days", 1) < 1 or given.get("trial_end", now + _SHORTEST_TRIAL_SECONDS) < (
        now + _SHORTEST_TRIAL_SECONDS
    ):
        raise InvalidParameterError(
            "A trial lasts at least a day, and one that ends at a given time at least 48 hours.",
            param="subscription_data[trial_end]" if "trial_end" in given else "subscription_data[trial_period_days]",
        )
    try:
        terms.trial_end_of(given, now)
        terms.fee_percent(given)
        terms.transfer_data(context, given.get("transfer_data"))
        terms.on_behalf_of(context, given.get("on_behalf_of"))
    except StripeError as error:
        first, bracket, rest = (error.param or "").partition("[")
        error.param = f"subscription_data[{first}]{bracket}{rest}"
        raise


def begin(context: Context, session: Object, discounts: Sequence[Object]) -> Object:
    """The subscription of a completed session, with what its buyer paid or saved."""
    items = line_items.of_session(context.state, session)
    attempt = session["_attempt"] or ""
    payment = context.state.find(PAYMENT_INTENTS, attempt)
    saved = payment or context.state.find(SETUP_INTENTS, attempt)
    given = _terms(session)
    params: dict[str, Any] = {
        **{name: given[name] for name in _COPIED if name in given},
        "add_invoice_items": [_sold(each) for each in items if not _recurs(each)],
        "automatic_tax": {name: session["automatic_tax"][name] for name in ("enabled", "liability")},
        "customer": session["customer"],
        "discounts": [{"discount": each["id"]} for each in discounts],
        "items": [{**_sold(each), "metadata": each["metadata"]} for each in items if _recurs(each)],
    }
    if saved:
        params["default_payment_method"] = saved["payment_method"]
    return beginning.begin(context, params, first_payment="paid_elsewhere", payment=payment)


def payment_of(session: Object, amount: int) -> dict[str, Any]:
    """The parameters of the PaymentIntent for what is due at once, with percentages resolved as for an invoice."""
    given, currency = _terms(session), session["currency"]
    asked: dict[str, Any] = {"description": "Subscription creation", "setup_future_usage": "off_session"}
    if given.get("on_behalf_of"):
        asked["on_behalf_of"] = given["on_behalf_of"]
    if given.get("application_fee_percent") is not None:
        asked["application_fee_amount"] = _share(amount, given["application_fee_percent"], currency)
    sent = given.get("transfer_data")
    if sent:
        asked["transfer_data"] = {"destination": sent["destination"]}
        if sent.get("amount_percent") is not None:
            asked["transfer_data"]["amount"] = _share(amount, sent["amount_percent"], currency)
    return asked


def _terms(session: Object) -> dict[str, Any]:
    """``subscription_data`` with its percentages exact; they are kept as text."""
    given = dict(session["_subscription"])
    if "application_fee_percent" in given:
        given["application_fee_percent"] = Decimal(given["application_fee_percent"])
    if "amount_percent" in given.get("transfer_data", {}):
        sent = given["transfer_data"]
        given["transfer_data"] = {**sent, "amount_percent": Decimal(sent["amount_percent"])}
    return given


def _share(amount: int, percent: Decimal, currency: str) -> int:
    return Rounding.HALF_UP.whole(amount * percent / 100, currency)


def _recurs(item: Object) -> bool:
    return bool(item["price"]["recurring"])


def _sold(item: Object) -> dict[str, Any]:
    return {"price": item["price"]["id"], "quantity": item["quantity"], "tax_rates": item["_tax_rates"]}
