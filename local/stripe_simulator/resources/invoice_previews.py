"""Previews: a customer's next invoice, or what a change or a new subscription would bill.

https://docs.stripe.com/api/invoices/create_preview
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..invoices.records import INVOICE_ITEMS, INVOICES
from ..pricing import discounts
from ..pricing.tax_ids import add_tax_id
from ..routing import Routes
from ..subscriptions import beginning, changing, previews
from ..subscriptions.records import SUBSCRIPTIONS
from ..values import Object
from . import customers, invoice_items, subscriptions

routes = Routes()
_UNSUPPORTED: Final = ("customer_account", "schedule", "schedule_details", "issuer", "on_behalf_of")
_OF_BOTH: Final = (
    *("billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "default_tax_rates", "items", "metadata"),
    *("proration_behavior", "trial_end"),
)
_OF_A_CHANGE: Final = (*_OF_BOTH, "proration_date")
_OF_A_BEGINNING: Final = (*_OF_BOTH, "billing_mode")
_INSTEAD_OF_A_CHANGE: Final = ("cancel_now", "resume_at")


@routes.api("POST", "/v1/invoices/create_preview")
def create(context: Context) -> Object:
    """The invoice as it would be; nothing is kept, told or charged."""
    context.unsupported(*_UNSUPPORTED)
    if context.params.get("preview_mode", "next") != "next":
        raise UnsupportedError("preview_mode recurring")
    with context.state.transaction.tried():
        customer = _customer(context)
        items: Sequence[Mapping[str, Any]] = context.params.get("invoice_items") or ()
        for item in items:
            _add(context, customer, item)
        made = _made(context, customer)
        if made is None:
            raise previews.nothing_to_come(customer["id"])
        if any(item.get("currency", made["currency"]) != made["currency"] for item in items):
            raise InvalidParameterError(
                f"The invoice is in {made['currency']}, and so are its items.", param="invoice_items"
            )
        return previews.shown(context, made, customer)


def _made(context: Context, customer: Object) -> Object | None:
    params = context.params
    details: Mapping[str, Any] = params.get("subscription_details") or {}
    if "subscription" in params:
        found = context.state.get(SUBSCRIPTIONS, params["subscription"], param="subscription")
        if found["customer"] != customer["id"]:
            raise InvalidParameterError("The subscription is another customer's.", param="subscription")
        return _changed(context, found, details)
    if details.get("items"):
        return _begun(context, customer, details)
    found_next = previews.next_to_bill(context, customer)
    if found_next is not None:
        return _changed(context, found_next, details)
    if details:
        raise InvalidParameterError(
            "subscription_details belong to a subscription, or have items for a new one.", param="subscription_details"
        )
    currency = _currency(context, customer)
    given = params.get("discounts") or ()
    applied = discounts.resolve(context, given, customer=customer, currency=currency, subtotal=0)
    made = previews.of_pending(context, customer, currency, applied, params.get("automatic_tax"))
    return made if made["lines"]["data"] else None


def _changed(context: Context, subscription: Object, details: Mapping[str, Any]) -> Object | None:
    """What a subscription bills once it is changed: at once where the change does that, else with its next period."""
    _check_details(details, (*_OF_A_CHANGE, *_INSTEAD_OF_A_CHANGE))
    changing.require_running(subscription)
    if context.params.get("currency", subscription["currency"]) != subscription["currency"]:
        raise InvalidParameterError(
            f"The subscription is billed in {subscription['currency']}, and in nothing else.", param="currency"
        )
    if "resume_at" in details:
        anchor = details.get("billing_cycle_anchor", {}).get("type")
        changing.resume(context, subscription, anchor_now=anchor != "unchanged")
        return _latest(context, subscription) or _next(context, subscription)
    if details.get("cancel_now"):
        prorates = details.get("proration_behavior", changing.PRORATIONS) != changing.NONE
        changing.cancel(context, subscription, invoice_now=True, prorate=prorates, details=None)
        return _latest(context, subscription)
    asked = {name: details[name] for name in _OF_A_CHANGE if name in details}
    if asked.get("billing_cycle_anchor", {}).get("type") == "unchanged":
        del asked["billing_cycle_anchor"]
    asked |= {name: context.params[name] for name in ("automatic_tax", "discounts") if name in context.params}
    if asked:
        subscriptions.update(replace(context, params=asked), subscription["id"])
    return _latest(context, subscription) or _next(context, subscription)


def _next(context: Context, subscription: Object) -> Object | None:
    """The invoice of its next period, as it now is."""
    return previews.of_next_period(context, context.state.get(SUBSCRIPTIONS, subscription["id"]))


def _latest(context: Context, subscription: Object) -> Object | None:
    """The invoice that a subscription got since, if it got one."""
    latest = context.state.get(SUBSCRIPTIONS, subscription["id"])["latest_invoice"]
    return context.state.get(INVOICES, latest) if latest != subscription["latest_invoice"] else None


def _begun(context: Context, customer: Object, details: Mapping[str, Any]) -> Object:
    _check_details(details, _OF_A_BEGINNING)
    params = {name: details[name] for name in _OF_A_BEGINNING if name in details}
    params |= {name: context.params[name] for name in ("automatic_tax", "discounts") if name in context.params}
    params["customer"] = customer["id"]
    anchor = params.pop("billing_cycle_anchor", {})
    if "timestamp" in anchor:
        params["billing_cycle_anchor"] = anchor["timestamp"]
    begun = beginning.begin(context, params, first_payment="pending")
    return context.state.get(INVOICES, begun["latest_invoice"])


def _check_details(details: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in details:
        if name not in known:
            raise UnsupportedError(f"subscription_details[{name}] of this preview")


def _customer(context: Context) -> Object:
    """The customer who is named, or whose subscription is, or somebody with these details."""
    params = context.params
    if "customer_details" in params and "customer" not in params and "subscription" not in params:
        details = {name: value for name, value in params["customer_details"].items() if name != "tax_ids"}
        given = params["customer_details"].get("tax_ids")
        return customers.create(replace(context, params={**details, **({"tax_id_data": given} if given else {})}))
    named = params.get("customer")
    if named is None and "subscription" in params:
        named = context.state.get(SUBSCRIPTIONS, params["subscription"], param="subscription")["customer"]
    if named is None:
        raise InvalidParameterError(
            "You must pass one of `customer`, `customer_details` or `subscription`.",
            code="parameter_missing",
            param="customer",
        )
    found = context.state.find("customer", named)
    if found is None or "deleted" in found:
        raise InvalidParameterError(f"No such customer: '{named}'", code="resource_missing", param="customer")
    if "customer_details" not in params:
        return found
    details = {name: value for name, value in params["customer_details"].items() if name != "tax_ids"}
    owner = {"customer": found["id"], "type": "customer"}
    for at, held in enumerate(params["customer_details"].get("tax_ids") or ()):
        add_tax_id(context, held["type"], held["value"], owner, param=f"customer_details[tax_ids][{at}][value]")
    return customers.update(replace(context, params=details), found["id"])


def _add(context: Context, customer: Object, given: Mapping[str, Any]) -> None:
    """One more item that is pending, or another form of one, as its own route would take it."""
    params = {name: value for name, value in given.items() if name not in ("invoiceitem", "price", "unit_amount")}
    if "price" in given:
        params["pricing"] = {"price": given["price"]}
    if "unit_amount" in given:
        params["unit_amount_decimal"] = Decimal(given["unit_amount"])
    if "invoiceitem" not in given:
        invoice_items.create(replace(context, params={**params, "customer": customer["id"]}))
        return
    item = context.state.find(INVOICE_ITEMS, given["invoiceitem"])
    if item is None or item["customer"] != customer["id"] or item["invoice"]:
        raise InvalidParameterError(
            f"No such pending invoice item of this customer: '{given['invoiceitem']}'",
            code="resource_missing",
            param="invoice_items",
        )
    params.pop("currency", None)
    invoice_items.update(replace(context, params=params), item["id"])


def _currency(context: Context, customer: Object) -> str:
    items: Sequence[Mapping[str, Any]] = context.params.get("invoice_items") or ()
    named = context.params.get("currency") or next((each["currency"] for each in items if "currency" in each), None)
    return money.currency_code(named or customer["currency"] or context.settings.default_currency)
