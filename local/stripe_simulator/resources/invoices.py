"""Invoices. https://docs.stripe.com/api/invoices"""

from collections.abc import Mapping
from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import CardError, InvalidParameterError, InvalidRequestError
from ..funds.intents import PAYMENT_INTENTS
from ..funds.methods import PAYMENT_METHODS
from ..invoices import collecting, drafts, finalizing
from ..invoices.records import DRAFT, INVOICE_ITEMS, INVOICE_LINES, INVOICE_PAYMENTS, INVOICES, OPEN, customer_of
from ..metadata import merged
from ..pricing import discounts
from ..pricing.tax_rates import TAX_RATES
from ..routing import Routes
from ..state import public
from ..values import Object

routes = Routes(INVOICES, INVOICE_LINES, INVOICE_PAYMENTS)
_PATH: Final = "/v1/invoices"
_UNSUPPORTED: Final = (
    *("account_tax_ids", "customer_account", "default_source", "from_invoice", "rendering", "shipping_cost"),
    "automatically_finalizes_at",
)
_KEPT: Final = (
    *("collection_method", "custom_fields", "default_payment_method", "description", "due_date", "effective_at"),
    *("footer", "issuer", "number", "on_behalf_of", "shipping_details", "statement_descriptor"),
)
_FEES: Final = ("application_fee_amount", "transfer_data")
_AFTER_FINALIZING: Final = frozenset({"metadata", "auto_advance", "default_payment_method", "expand"})


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """A draft for a customer, of nothing or of its pending items."""
    context.unsupported(*_UNSUPPORTED, "subscription")
    params = context.params
    if "customer" not in params:
        raise InvalidParameterError("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = _customer(context, params["customer"])
    currency = _currency(context, customer)
    _check_due(params)
    applied = discounts.resolve(
        context, params.get("discounts") or (), customer=customer, currency=currency, subtotal=0
    )
    automatic = params.get("automatic_tax") or {}
    invoice = drafts.draft(
        context,
        customer=customer,
        currency=currency,
        discounts=applied,
        automatic_tax=bool(automatic.get("enabled")),
        liability=automatic.get("liability"),
        auto_advance=params.get("auto_advance", False),
        days_until_due=params.get("days_until_due"),
        tells=False,
        **_members(context),
    )
    if params.get("pending_invoice_items_behavior") == "include":
        lines = drafts.take_items(context, invoice, drafts.pending_items(context, customer["id"], currency))
        invoice = drafts.reprice(context, invoice, lines)
    context.emit("invoice.created", invoice)
    return invoice


@routes.api("GET", _PATH + "/{invoice}")
def retrieve(context: Context, invoice: str) -> Object:
    """The invoice as it stands."""
    return context.state.get(INVOICES, invoice)


@routes.api("POST", _PATH + "/{invoice}")
def update(context: Context, invoice: str) -> Object:
    """Change a draft; of a finalized invoice only what does not say what is owed."""
    context.unsupported(*_UNSUPPORTED)
    before, params = context.state.get(INVOICES, invoice), context.params
    if set(params) - _AFTER_FINALIZING:
        drafts.require_draft(before)
    changes = _members(context, before)
    changes["metadata"] = merged(before["metadata"], params.get("metadata"))
    changes["_fees"] = {**before["_fees"], **{name: changes.pop(name) for name in _FEES if name in changes}}
    changes["_fees"] = {name: value for name, value in changes["_fees"].items() if value not in (None, "")}
    if "discounts" in params:
        customer = customer_of(context, before["customer"])
        given = params["discounts"] or ()
        applied = discounts.resolve(
            context, given, customer=customer, currency=before["currency"], subtotal=before["subtotal"]
        )
        changes["discounts"] = [each["id"] for each in discounts.keep(context, applied, invoice=invoice)]
    if "automatic_tax" in params:
        changes["automatic_tax"] = _automatic_tax(context, before)
    after = context.state.update(INVOICES, before, changes)
    if after["status"] == DRAFT:
        after = drafts.reprice(context, after)
    if "auto_advance" in params:
        after = drafts.set_advance(context, after, on=params["auto_advance"])
    context.emit("invoice.updated", after, previous=before)
    return after


@routes.api("DELETE", _PATH + "/{invoice}")
def delete(context: Context, invoice: str) -> Object:
    """Delete a draft; its items are pending again."""
    found = drafts.require_draft(context.state.get(INVOICES, invoice))
    if found["parent"]:
        raise InvalidRequestError("You can't delete invoices created by subscriptions.", code="invoice_not_editable")
    for item in list(context.state.select(INVOICE_ITEMS, {"invoice": invoice})):
        context.state.update(INVOICE_ITEMS, item, {"invoice": None})
    context.emit("invoice.deleted", found)
    context.state.update(INVOICES, found, {"deleted": True})
    return {"id": invoice, "object": "invoice", "deleted": True}


@routes.api("POST", _PATH + "/{invoice}/finalize")
def finalize(context: Context, invoice: str) -> Object:
    """Give a draft its number and its payment."""
    found = context.state.get(INVOICES, invoice)
    if "auto_advance" in context.params:
        found = context.state.update(INVOICES, found, {"auto_advance": context.params["auto_advance"]})
    opened = finalizing.finalize(context, found)
    _collect_soon(context, opened)
    return opened


@routes.api("POST", _PATH + "/{invoice}/send")
def send(context: Context, invoice: str) -> Object:
    """Mail an invoice to its customer; nothing leaves this simulator, but the event."""
    found = context.state.get(INVOICES, invoice)
    if found["collection_method"] != "send_invoice":
        raise InvalidRequestError(
            "You can only manually send an invoice if its collection method is 'send_invoice'.", param="invoice"
        )
    opened = finalizing.finalize(context, found) if found["status"] == DRAFT else found
    if opened["status"] == OPEN:
        context.emit("invoice.sent", opened)
    return opened


@routes.api("POST", _PATH + "/{invoice}/pay")
def pay(context: Context, invoice: str) -> Object:
    """Pay now, or say that it was paid elsewhere."""
    context.unsupported("source", "forgive", "mandate")
    found, params = context.state.get(INVOICES, invoice), context.params
    if found["status"] == DRAFT:
        found = finalizing.finalize(context, found)
    if found["status"] == "paid":
        raise InvalidRequestError("Invoice is already paid", code="invoice_already_paid")
    if params.get("paid_out_of_band"):
        collecting.cancel_payment(context, found)
        return finalizing.mark_paid(context, found, off_stripe=True)
    method = None
    if "payment_method" in params:
        method = context.state.get(PAYMENT_METHODS, params["payment_method"], param="payment_method")
    paid = collecting.collect(context, found, method=method, off_session=params.get("off_session", True))
    intent = context.state.get(PAYMENT_INTENTS, paid["_payment_intent"])
    if intent["status"] == "requires_action":
        raise CardError(
            "The invoice's payment requires the customer's action.",
            code="invoice_payment_intent_requires_action",
            payment_intent=public(intent),
        )
    return paid


@routes.api("POST", _PATH + "/{invoice}/void")
def void(context: Context, invoice: str) -> Object:
    """Take an open invoice back."""
    return collecting.void(context, context.state.get(INVOICES, invoice))


@routes.api("POST", _PATH + "/{invoice}/mark_uncollectible")
def mark_uncollectible(context: Context, invoice: str) -> Object:
    """Give up on an open invoice."""
    return collecting.mark_uncollectible(context, context.state.get(INVOICES, invoice))


@routes.api("GET", _PATH)
def list_invoices(context: Context) -> Object:
    """Invoices, newest first."""
    context.unsupported("customer_account")
    params = context.params
    where = {name: params.get(name) for name in ("collection_method", "customer", "status", "subscription")}
    if isinstance(params.get("due_date"), Mapping):
        context.unsupported("due_date")
    return context.list(INVOICES, {**where, "due_date": params.get("due_date")})


@routes.due("invoice.advance")
def advance(context: Context, invoice: str) -> None:
    """The draft window is over: finalize, and collect. What cannot be finalized stays a draft, and is told of."""
    found = context.state.find(INVOICES, invoice)
    if found and "deleted" not in found and found["status"] == DRAFT and _goes_on(context, found):
        try:
            finalizing.check_destination_of(context, found)
        except InvalidRequestError as error:
            finalizing.keep_as_draft(context, found, error)
            return
        opened = finalizing.finalize(context, found)
        if opened["status"] == OPEN:
            collect_now(context, opened)


@routes.due("invoice.retry")
def retry(context: Context, invoice: str) -> None:
    """The next try of a payment that failed."""
    found = context.state.get(INVOICES, invoice)
    if found["status"] == OPEN and found["next_payment_attempt"] is not None and _goes_on(context, found):
        collecting.collect_by_itself(context, found)


def collect_now(context: Context, invoice: Object) -> Object:
    """Charge an open invoice that advances by itself, or send it."""
    if invoice["collection_method"] == "send_invoice":
        context.emit("invoice.sent", invoice)
        return invoice
    return collecting.collect_by_itself(context, invoice)


@routes.due("invoice.collect")
def collect_in_time(context: Context, invoice: str) -> None:
    """An invoice that was finalized by hand and advances by itself is charged after the answer."""
    found = context.state.get(INVOICES, invoice)
    if found["status"] == OPEN and not found["attempted"] and _goes_on(context, found):
        collect_now(context, found)


def _goes_on(context: Context, invoice: Object) -> bool:
    """Whether an invoice still advances by itself: none of a deleted customer does."""
    return bool(invoice["auto_advance"]) and "deleted" not in customer_of(context, invoice["customer"])


def _collect_soon(context: Context, invoice: Object) -> None:
    if invoice["status"] == OPEN and invoice["auto_advance"]:
        context.schedule("invoice.collect", at=context.clock.now(), invoice=invoice["id"])


def _members(context: Context, before: Object | None = None) -> dict[str, Any]:
    """The invoice's members that a request names."""
    params = context.params
    members: dict[str, Any] = {name: params[name] or None for name in _KEPT if name in params}
    members |= {name: params[name] for name in _FEES if name in params}
    if "metadata" in params and before is None:
        members["metadata"] = merged({}, params["metadata"])
    if "payment_settings" in params:
        current = before["payment_settings"] if before else {}
        blank = dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types"))
        members["payment_settings"] = {**blank, **current, **params["payment_settings"]}
    if "default_tax_rates" in params:
        given = params["default_tax_rates"] or ()
        found = [context.state.get(TAX_RATES, each, param=f"default_tax_rates[{at}]") for at, each in enumerate(given)]
        members["default_tax_rates"] = [public(rate) for rate in found]
    if params.get("default_payment_method"):
        method = context.state.find(PAYMENT_METHODS, params["default_payment_method"])
        if method is None:
            raise InvalidParameterError(
                f"No such PaymentMethod: '{params['default_payment_method']}'",
                code="resource_missing",
                param="default_payment_method",
            )
    return members


def _customer(context: Context, customer_id: str) -> Object:
    found = context.state.find("customer", customer_id)
    if found is None or "deleted" in found:
        raise InvalidParameterError(f"No such customer: '{customer_id}'", code="resource_missing", param="customer")
    return found


def _currency(context: Context, customer: Object) -> str:
    given = context.params.get("currency") or customer["currency"] or context.settings.default_currency
    return money.currency_code(given)


def _check_due(params: Mapping[str, Any]) -> None:
    method = params.get("collection_method", "charge_automatically")
    named = [name for name in ("days_until_due", "due_date") if name in params]
    if method == "charge_automatically" and named:
        raise InvalidParameterError(
            f"You can only set `{named[0]}` when the collection method is 'send_invoice'.", param=named[0]
        )
    if method == "send_invoice" and not named:
        raise InvalidParameterError(
            "You must specify `days_until_due` or `due_date` when the collection method is 'send_invoice'.",
            code="parameter_missing",
            param="days_until_due",
        )


def _automatic_tax(context: Context, invoice: Object) -> dict[str, Any]:
    given = context.params["automatic_tax"]
    liability = given.get("liability") or invoice["automatic_tax"]["liability"] or {"type": "self"}
    return {
        "disabled_reason": None,
        "enabled": given["enabled"],
        "liability": liability if given["enabled"] else None,
        "provider": "stripe" if given["enabled"] else None,
        "status": "requires_location_inputs" if given["enabled"] else None,
    }
