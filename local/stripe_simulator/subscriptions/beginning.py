"""How a subscription begins: its items, its trial, its first invoice. https://docs.stripe.com/api/subscriptions/create"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from ..context import Context
from ..errors import CardError, InvalidParameterError, InvalidRequestError, StripeError, UnsupportedError
from ..invoices import collecting, finalizing
from ..invoices.lines import DraftLine
from ..invoices.moments import now_for, schedule_for
from ..invoices.records import INVOICES, OPEN
from ..metadata import merged
from ..pricing import discounts
from ..pricing.tax_rates import TAX_RATES
from ..state import public
from ..values import Object
from . import billing, cycling, selling, terms
from .records import (
    ACTIVE,
    INCOMPLETE,
    SUBSCRIPTION_ITEMS,
    SUBSCRIPTIONS,
    TRIALING,
    cycle_at,
    items_of,
    with_items,
)

type FirstPayment = Literal["charge", "pending", "paid_elsewhere"]

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
    customer = buyer(context, params["customer"])
    now = now_for(context, customer)
    behavior = params.get("payment_behavior", "allow_incomplete")
    way = first_payment or _FIRST_PAYMENT.get(behavior)
    if way is None:
        raise UnsupportedError(f"payment_behavior {behavior}")
    trial_end = terms.trial_end_of(params, now)
    if trial_end and {"billing_cycle_anchor", "billing_cycle_anchor_config"} & set(params):
        raise UnsupportedError("a billing cycle anchor after a trial")
    is_sold = way == "paid_elsewhere"
    prices = [
        selling.recurring_price(context, each, f"items[{at}]", is_sold=is_sold)
        for at, each in enumerate(params["items"])
    ]
    currency = selling.one_currency(prices)
    anchor = trial_end or terms.anchor_of(params, prices, now)
    subscription = context.state.insert(
        SUBSCRIPTIONS, terms.blank(context, params, customer, currency, now, anchor, trial_end)
    )
    end = trial_end or None
    for given, price in zip(params["items"], prices, strict=True):
        first = (now, anchor) if anchor > now else cycle_at(subscription, price, now)
        period = (now, end) if end else first
        add_item(context, subscription, given, price, period)
    subscription = with_items(context, subscription, _applied(context, params, customer, currency, subscription))
    context.emit("customer.subscription.created", subscription)
    subscription = _bill_first(context, subscription, params, way, behavior, payment)
    cycling.plan(context, subscription)
    return context.state.get(SUBSCRIPTIONS, subscription["id"])


def buyer(context: Context, customer_id: str) -> Object:
    """Who subscribes.

    Raises:
        InvalidParameterError: nobody, or one that was deleted.
    """
    customer = context.state.find("customer", customer_id)
    if customer is None or "deleted" in customer:
        raise InvalidParameterError(f"No such customer: '{customer_id}'", code="resource_missing", param="customer")
    return customer


def add_item(
    context: Context,
    subscription: Object,
    given: Mapping[str, Any],
    price: Object,
    period: tuple[int, int],
) -> Object:
    """One more item of a subscription."""
    customer = context.state.find("customer", subscription["customer"])
    item_id = context.ids.new("si", 14)
    rates = [public(context.state.get(TAX_RATES, each)) for each in given.get("tax_rates") or ()]
    item = {
        "id": item_id,
        "object": "subscription_item",
        "billed_until": period[1],
        "billing_thresholds": None,
        "created": now_for(context, customer),
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": item_discounts(context, subscription, item_id, given.get("discounts") or ()),
        "metadata": merged({}, given.get("metadata")),
        "price": public(price),
        "quantity": given.get("quantity", 1),
        "subscription": subscription["id"],
        "tax_rates": rates,
    }
    return context.state.insert(SUBSCRIPTION_ITEMS, item)


def item_discounts(
    context: Context, subscription: Object, item_id: str, given: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The discounts of an item, kept; by id."""
    customer, currency = context.state.find("customer", subscription["customer"]), subscription["currency"]
    resolved = discounts.resolve(context, given, customer=customer, currency=currency, subtotal=0)
    kept = discounts.keep(context, resolved, customer=subscription["customer"], subscription_item=item_id)
    return [each["id"] for each in kept]


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
    lines = _first_lines(context, subscription, free=free, behavior=params.get("proration_behavior"))
    for at, given in enumerate(params.get("add_invoice_items") or ()):
        lines.append(selling.extra_line(context, given, f"add_invoice_items[{at}]", now))
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


def _first_lines(context: Context, subscription: Object, *, free: bool, behavior: str | None) -> list[DraftLine]:
    """The first period: whole, free during a trial, or the part before an anchor that is ahead."""
    items = items_of(context.state, subscription)
    now, anchor = subscription["start_date"], subscription["billing_cycle_anchor"]
    if free or anchor <= now or behavior == "none":
        is_free = free or anchor > now
        return [billing.period_line(context, subscription, item, free=is_free) for item in items]
    return [
        billing.proration_line(
            context, subscription, item, now, sign=1, period=cycle_at(subscription, item["price"], now)
        )
        for item in items
    ]


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


def _applied(
    context: Context, params: Mapping[str, Any], customer: Object, currency: str, subscription: Object
) -> dict[str, Any]:
    resolved = discounts.resolve(
        context, params.get("discounts") or (), customer=customer, currency=currency, subtotal=0
    )
    kept = discounts.keep(context, resolved, customer=customer["id"], subscription=subscription["id"])
    return {"discounts": [each["id"] for each in kept]}
