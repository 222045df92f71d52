"""How a subscription begins: its items, its trial, its first invoice. https://docs.stripe.com/api/subscriptions/create"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from .. import accounts, money
from ..catalog import PRICES, PRODUCTS, add_price
from ..context import Context
from ..errors import CardError, InvalidParameterError, InvalidRequestError, StripeError, UnsupportedError
from ..funds.fees import application_id
from ..funds.methods import PAYMENT_METHODS
from ..invoices import collecting, finalizing
from ..invoices.lines import DraftLine, of_price
from ..invoices.moments import now_for, schedule_for
from ..invoices.records import INVOICES, OPEN
from ..lists import list_object
from ..metadata import merged
from ..pricing import discounts
from ..pricing.tax_rates import TAX_RATES
from ..state import public
from ..values import Object
from . import billing, cycling
from .periods import period_at
from .records import (
    ACTIVE,
    INCOMPLETE,
    SUBSCRIPTION_ITEMS,
    SUBSCRIPTIONS,
    TRIALING,
    interval_of,
    items_of,
    with_items,
)

type FirstPayment = Literal["charge", "pending", "paid_elsewhere"]

MOST_ITEMS: Final = 20  # https://docs.stripe.com/billing/subscriptions/multiple-products
_DAY_SECONDS: Final = 24 * 3_600
_LONGEST_TRIAL_DAYS: Final = 730
_FIRST_PAYMENT: Final[Mapping[str, FirstPayment]] = {
    "allow_incomplete": "charge",
    "default_incomplete": "pending",
    "error_if_incomplete": "charge",
}


def begin(
    context: Context,
    params: Mapping[str, Any],
    *,
    first_payment: FirstPayment | None = None,
    payment: Object | None = None,
) -> Object:
    """A subscription from the API's parameters, with its first invoice.

    ``charge`` tries to pay it, ``pending`` leaves that to the buyer, ``paid_elsewhere`` is for a Checkout Session whose
    ``payment``, a PaymentIntent, has been made already for all of the first invoice, and which may sell what it
    described on the spot.

    Raises:
        InvalidRequestError: items, a trial or accounts that Stripe refuses; nothing to pay with.
        CardError: 402, the first payment was declined and ``payment_behavior`` is ``error_if_incomplete``.
    """
    customer = context.state.find("customer", params["customer"])
    if customer is None or "deleted" in customer:
        raise InvalidParameterError(
            f"No such customer: '{params['customer']}'", code="resource_missing", param="customer"
        )
    now = now_for(context, customer)
    behavior = params.get("payment_behavior", "allow_incomplete")
    way = first_payment or _FIRST_PAYMENT.get(behavior)
    if way is None:
        raise UnsupportedError(f"payment_behavior {behavior}")
    start = params.get("backdate_start_date", now)
    trial_end = trial_end_of(params, now)
    is_sold = way == "paid_elsewhere"
    prices = [_price(context, each, f"items[{at}]", is_sold=is_sold) for at, each in enumerate(params["items"])]
    currency = _one_currency(prices)
    anchor = trial_end or _anchor(params, start)
    subscription = context.state.insert(
        SUBSCRIPTIONS, _blank(context, params, customer, currency, now, start, anchor, trial_end)
    )
    end = trial_end or None
    for given, price in zip(params["items"], prices, strict=True):
        period = (start, end) if end else _first_period(price, start, anchor)
        add_item(context, subscription, given, price, period, currency=currency)
    subscription = with_items(context, subscription, _applied(context, params, customer, currency, subscription))
    context.emit("customer.subscription.created", subscription)
    subscription = _bill_first(context, subscription, params, way, behavior, payment)
    cycling.plan(context, subscription)
    return context.state.get(SUBSCRIPTIONS, subscription["id"])


def add_item(
    context: Context,
    subscription: Object,
    given: Mapping[str, Any],
    price: Object,
    period: tuple[int, int],
    *,
    currency: str,
) -> Object:
    """One more item of a subscription."""
    customer = context.state.find("customer", subscription["customer"])
    resolved = discounts.resolve(
        context, given.get("discounts") or (), customer=customer, currency=currency, subtotal=0
    )
    item_id = context.ids.new("si", 14)
    kept = discounts.keep(context, resolved, customer=subscription["customer"], subscription_item=item_id)
    rates = [public(context.state.get(TAX_RATES, each)) for each in given.get("tax_rates") or ()]
    item = {
        "id": item_id,
        "object": "subscription_item",
        "billed_until": period[1],
        "billing_thresholds": None,
        "created": now_for(context, customer),
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [each["id"] for each in kept],
        "metadata": merged({}, given.get("metadata")),
        "price": public(price),
        "quantity": given.get("quantity", 1),
        "subscription": subscription["id"],
        "tax_rates": rates,
    }
    return context.state.insert(SUBSCRIPTION_ITEMS, item)


def price_given(context: Context, given: Mapping[str, Any], param: str) -> Object:
    """The recurring price that an item names or describes.

    Raises:
        InvalidParameterError: none, an inactive one, or one that does not recur.
    """
    return _price(context, given, param)


def trial_end_of(params: Mapping[str, Any], now: int) -> int | None:
    """When the trial that is asked for ends; None without one.

    Raises:
        InvalidParameterError: both ways of saying it, or one that is over or over two years away.
    """
    days, at = params.get("trial_period_days"), params.get("trial_end")
    if days is not None and at is not None:
        raise InvalidParameterError("You can only set one of `trial_end` and `trial_period_days`.", param="trial_end")
    if at == "now" or (days is None and at is None):
        return None
    end: int = now + days * _DAY_SECONDS if days is not None else int(at or 0)
    if not now < end <= now + _LONGEST_TRIAL_DAYS * _DAY_SECONDS:
        raise InvalidParameterError(
            "Invalid timestamp: a trial ends in the future, at most two years ahead.",
            param="trial_period_days" if days is not None else "trial_end",
        )
    return end


def _bill_first(
    context: Context,
    subscription: Object,
    params: Mapping[str, Any],
    way: FirstPayment,
    behavior: str,
    payment: Object | None,
) -> Object:
    now = now_for(context, context.state.find("customer", subscription["customer"]))
    free = subscription["trial_end"] is not None
    lines = [
        billing.period_line(context, subscription, item, free=free) for item in items_of(context.state, subscription)
    ]
    for at, given in enumerate(params.get("add_invoice_items") or ()):
        lines.append(_added(context, given, f"add_invoice_items[{at}]", now))
    is_sold = way == "paid_elsewhere"
    invoice = billing.invoice(context, subscription, lines, "subscription_create", now, takes_pending=not is_sold)
    subscription = context.state.update(SUBSCRIPTIONS, subscription, {"latest_invoice": invoice["id"]})
    if subscription["collection_method"] == "send_invoice":
        return cycling.move(context, subscription, TRIALING if free else ACTIVE)
    invoice = finalizing.finalize(context, invoice, paid_by=payment)
    if is_sold:
        if payment:
            collecting.follow(context, payment)
        return context.state.get(SUBSCRIPTIONS, subscription["id"])
    subscription = context.state.get(SUBSCRIPTIONS, subscription["id"])
    if invoice["status"] == OPEN and way == "charge":
        _pay_first(context, invoice, behavior)
    subscription = context.state.get(SUBSCRIPTIONS, subscription["id"])
    if subscription["status"] == INCOMPLETE:
        at = now + cycling.INCOMPLETE_SECONDS
        customer = context.state.find("customer", subscription["customer"])
        schedule_for(context, customer, "subscription.expire", at=at, subscription=subscription["id"])
    return subscription


def _pay_first(context: Context, invoice: Object, behavior: str) -> None:
    try:
        collecting.collect(context, context.state.get(INVOICES, invoice["id"]), off_session=False)
    except CardError:
        if behavior == "error_if_incomplete":
            raise
    except StripeError as error:
        if error.code == "resource_missing":
            raise InvalidRequestError(
                "This customer has no attached payment source or default payment method. Please consider adding a "
                "default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/"
                "payment-methods-setting#payment-method-priority.",
                code="resource_missing",
            ) from error
        raise


def _added(context: Context, given: Mapping[str, Any], param: str, now: int) -> DraftLine:
    price = _one_time(context, given, param)
    line = of_price(context, price, given.get("quantity", 1))
    return replace(line, period=(now, now), tax_rates=tuple(given.get("tax_rates") or ()))


def _one_time(context: Context, given: Mapping[str, Any], param: str) -> Object:
    if "price" in given:
        price = context.state.get(PRICES, given["price"], param=f"{param}[price]")
    else:
        described = given["price_data"]
        product = context.state.get(PRODUCTS, described["product"], param=f"{param}[price_data][product]")
        shown = {name: each for name, each in described.items() if name != "product"}
        price = add_price(context, {**shown, "active": False}, product["id"])
    if price["type"] != "one_time":
        raise InvalidParameterError("Only one-time prices can be added to an invoice.", param=f"{param}[price]")
    return price


def _price(context: Context, given: Mapping[str, Any], param: str, *, is_sold: bool = False) -> Object:
    if ("price" in given) == ("price_data" in given):
        raise InvalidParameterError(
            f"You must specify either `price` or `price_data` for each item: see `{param}`.",
            code="parameter_missing",
            param=f"{param}[price]",
        )
    if "price_data" in given:
        described = given["price_data"]
        product = context.state.get(PRODUCTS, described["product"], param=f"{param}[price_data][product]")
        shown = {name: each for name, each in described.items() if name != "product"}
        return add_price(context, {**shown, "active": False}, product["id"])
    price = context.state.get(PRICES, given["price"], param=f"{param}[price]")
    if not price["active"] and not is_sold:
        raise InvalidParameterError(
            "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
        )
    if price["type"] != "recurring":
        raise InvalidParameterError(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{param}[price]",
        )
    if price["recurring"]["usage_type"] == "metered":
        raise UnsupportedError("metered prices")
    return price


def _one_currency(prices: Sequence[Object]) -> str:
    if not 0 < len(prices) <= MOST_ITEMS:
        raise InvalidParameterError(f"A subscription has 1 to {MOST_ITEMS} items.", param="items")
    currencies = {price["currency"] for price in prices}
    if len(currencies) > 1:
        raise InvalidParameterError("All prices on a subscription must have the same currency.", param="items")
    return money.currency_code(currencies.pop())


def _anchor(params: Mapping[str, Any], start: int) -> int:
    if "billing_cycle_anchor_config" in params:
        raise UnsupportedError("billing_cycle_anchor_config")
    anchor: int = params.get("billing_cycle_anchor", start)
    if anchor < start:
        raise InvalidParameterError(
            "billing_cycle_anchor cannot be earlier than the subscription's start.", param="billing_cycle_anchor"
        )
    if anchor > start and params.get("proration_behavior", "create_prorations") != "none":
        raise UnsupportedError("a first period that is shorter than the others, with prorations")
    return anchor


def _first_period(price: Object, start: int, anchor: int) -> tuple[int, int]:
    return (start, anchor) if anchor > start else period_at(anchor, interval_of(price), start)


def _applied(
    context: Context, params: Mapping[str, Any], customer: Object, currency: str, subscription: Object
) -> dict[str, Any]:
    resolved = discounts.resolve(
        context, params.get("discounts") or (), customer=customer, currency=currency, subtotal=0
    )
    kept = discounts.keep(context, resolved, customer=customer["id"], subscription=subscription["id"])
    return {"discounts": [each["id"] for each in kept]}


def _blank(
    context: Context,
    params: Mapping[str, Any],
    customer: Object,
    currency: str,
    now: int,
    start: int,
    anchor: int,
    trial_end: int | None,
) -> dict[str, Any]:
    subscription_id = context.ids.new("sub")
    method = params.get("default_payment_method")
    if method:
        context.state.get(PAYMENT_METHODS, method, param="default_payment_method")
    collection = params.get("collection_method", "charge_automatically")
    if (collection == "send_invoice") != ("days_until_due" in params):
        raise InvalidParameterError(
            "`days_until_due` goes with the collection method 'send_invoice', and with no other.",
            param="days_until_due",
        )
    given = params.get("invoice_settings") or {}
    rates = [public(context.state.get(TAX_RATES, each)) for each in params.get("default_tax_rates") or ()]
    at_end = params.get("cancel_at_period_end", False)
    absent = (
        *("billing_cycle_anchor_config", "billing_thresholds", "canceled_at", "customer_account", "default_source"),
        *("ended_at", "latest_invoice", "managed_payments", "next_pending_invoice_item_invoice", "pause_collection"),
        *("pending_invoice_item_interval", "pending_setup_intent", "pending_update", "schedule"),
    )
    return {
        "id": subscription_id,
        "object": "subscription",
        **dict.fromkeys(absent),
        "application": None if context.is_platform else application_id(context),
        "application_fee_percent": fee_percent(params),
        "automatic_tax": automatic_tax(params.get("automatic_tax")),
        "billing_cycle_anchor": anchor,
        "billing_mode": {"flexible": None, "type": "flexible", **(params.get("billing_mode") or {})},
        "billing_schedules": [],
        "cancel_at": params.get("cancel_at") or None,
        "cancel_at_period_end": at_end,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": collection,
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": method or None,
        "default_tax_rates": rates,
        "description": params.get("description") or None,
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": given.get("issuer") or {"type": "self"}},
        "items": list_object([], f"/v1/subscription_items?subscription={subscription_id}"),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "on_behalf_of": on_behalf_of(context, params.get("on_behalf_of")),
        "payment_settings": payment_settings(params.get("payment_settings")),
        "start_date": start,
        "status": TRIALING if trial_end else INCOMPLETE,
        "test_clock": customer.get("test_clock"),
        "transfer_data": transfer_data(context, params.get("transfer_data")),
        "trial_end": trial_end,
        "trial_settings": params.get("trial_settings")
        or {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": start if trial_end else None,
        "_turn": 0,
    }


def fee_percent(params: Mapping[str, Any]) -> float | None:
    """The fee, in percent with at most two decimals."""
    percent = params.get("application_fee_percent")
    return _percent(percent, "application_fee_percent")


def transfer_data(context: Context, given: Mapping[str, Any] | str | None) -> dict[str, Any] | None:
    """Where the payments go, and how much of each."""
    if not isinstance(given, Mapping):
        return None
    accounts.check_destination(context, given["destination"], "transfer_data[destination]")
    percent = _percent(given.get("amount_percent"), "transfer_data[amount_percent]")
    return {"amount_percent": percent, "destination": given["destination"]}


def on_behalf_of(context: Context, account: str | None) -> str | None:
    """The settlement merchant."""
    if account:
        accounts.check_settlement_merchant(context, account)
    return account or None


def automatic_tax(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """``automatic_tax`` of a subscription."""
    enabled = bool((given or {}).get("enabled"))
    liability = (given or {}).get("liability") or {"type": "self"}
    return {"disabled_reason": None, "enabled": enabled, "liability": liability if enabled else None}


def payment_settings(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """``payment_settings`` of a subscription."""
    blank = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}
    return {**blank, **(given or {})}


def _percent(value: Any, param: str) -> float | None:  # noqa: ANN401 - a number, empty, or absent
    if value in (None, ""):
        return None
    if not 0 <= value <= 100 or -int(value.as_tuple().exponent) > 2:  # noqa: PLR2004 - as documented
        raise InvalidParameterError("A percentage is from 0 to 100, with at most two decimal places.", param=param)
    return float(value)
