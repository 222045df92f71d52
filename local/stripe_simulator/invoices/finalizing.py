"""Finalizing: a draft gets its number, its payment and its page, and can no longer be changed.

https://docs.stripe.com/invoicing/integration/workflow-transitions
"""

from decimal import Decimal
from typing import Any

from .. import money
from ..accounts.checks import check_destination
from ..context import Context
from ..errors import InvalidRequestError
from ..funds import intents
from ..resources.customers import CUSTOMERS
from ..values import Object
from . import balance, watching
from .drafts import require_draft
from .moments import now_for
from .records import INVOICE_PAYMENTS, INVOICES, OPEN, PAID, TRANSITIONS, customer_of, of_customer

WATCHER = "invoice"


def finalize(context: Context, invoice: Object, *, paid_by: Object | None = None) -> Object:
    """A draft as an open invoice; one of nothing is paid at once.

    ``paid_by`` is a PaymentIntent that was made before it, as at checkout: the invoice gets no other, the customer's
    balance is left alone, and ``collecting.follow`` tells the invoice how that payment stands.

    Raises:
        InvalidRequestError: it is no draft, has no lines, or its automatic tax does not know where the customer is;
            the customer is deleted.
    """
    require_draft(invoice)
    if not invoice["lines"]["data"] and not invoice["parent"]:
        raise InvalidRequestError(
            "Nothing to invoice: you cannot finalize an invoice without lines.", code="invoice_no_customer_line_items"
        )
    if invoice["automatic_tax"]["status"] == "requires_location_inputs":
        raise InvalidRequestError(
            "The customer's location isn't recognized. Set a valid customer address in order to automatically "
            "calculate tax.",
            code="customer_tax_location_invalid",
        )
    customer = customer_of(context, invoice["customer"])
    if "deleted" in customer:
        raise InvalidRequestError(
            f"No such customer: '{customer['id']}'; a deleted customer is not billed.", code="resource_missing"
        )
    now = now_for(context, customer)
    page = f"{context.settings.base_url}/i/{invoice['id']}"
    changes = {
        **of_customer(context.state, customer),
        **(_as_paid(invoice) if paid_by else _settled(context, invoice, customer)),
        "automatically_finalizes_at": None,
        "effective_at": invoice["effective_at"] or now,
        "hosted_invoice_url": page,
        "invoice_pdf": f"{page}/pdf",
        "next_payment_attempt": None,
        "number": invoice["number"] or _next_number(context, customer),
        "status": OPEN,
        "status_transitions": {**invoice["status_transitions"], "finalized_at": now},
        "last_finalization_error": None,
    }
    opened = context.state.update(INVOICES, invoice, changes)
    if opened["amount_due"]:
        opened = _joined(context, opened, paid_by) if paid_by else _with_payment(context, opened)
    context.emit("invoice.finalized", opened)
    watching.tell(context, opened, watching.FINALIZED)
    if not opened["amount_due"]:
        return mark_paid(context, context.state.get(INVOICES, opened["id"]))
    return context.state.get(INVOICES, opened["id"])


def check_destination_of(context: Context, invoice: Object) -> None:
    """Refuse an invoice whose payment would go to an account that takes none. Raises InvalidRequestError."""
    sent = invoice["_fees"].get("transfer_data")
    if sent and invoice["total"] > 0:
        check_destination(context, sent["destination"], "transfer_data[destination]")


def keep_as_draft(context: Context, invoice: Object, error: InvalidRequestError) -> Object:
    """An invoice that could not be finalized by itself: whoever mends what was wrong finalizes it."""
    why = error.body()["error"]
    changes = {"last_finalization_error": why, "automatically_finalizes_at": None}
    kept = context.state.update(INVOICES, invoice, changes)
    context.emit("invoice.finalization_failed", kept)
    return kept


def mark_paid(context: Context, invoice: Object, *, off_stripe: bool = False) -> Object:
    """An invoice whose money has come: by its payment, by nothing being due, or outside of Stripe."""
    require_transition(invoice, PAID)
    now = now_for(context, customer_of(context, invoice["customer"]))
    remaining = invoice["amount_remaining"]
    changes: dict[str, Any] = {
        "amount_paid": invoice["amount_paid"] + remaining,
        "amount_remaining": 0,
        "attempted": True,
        "next_payment_attempt": None,
        "status": PAID,
        "status_transitions": {**invoice["status_transitions"], "paid_at": now},
    }
    if off_stripe:
        changes["amount_paid_off_stripe"] = remaining
    paid = context.state.update(INVOICES, invoice, changes)
    context.emit("invoice.updated", paid, previous=invoice)
    context.emit("invoice.paid", paid)
    context.emit("invoice.payment_succeeded", paid)
    watching.tell(context, paid, watching.PAID)
    return context.state.get(INVOICES, paid["id"])


def require_transition(invoice: Object, status: str) -> None:
    """Refuse what an invoice's status does not allow.

    Raises:
        InvalidRequestError.
    """
    if status not in TRANSITIONS[invoice["status"]]:
        said = "Invoice is already paid" if invoice["status"] == PAID else f"This invoice is {invoice['status']}"
        raise InvalidRequestError(f"{said}; it cannot become {status}.", code="invoice_not_editable")


def set_off(total: int, before: int, currency: str) -> tuple[int, int]:
    """What is due of a total, and the customer's balance after it, which takes what is too little or much to charge.

    https://docs.stripe.com/billing/customer/balance#types
    """
    due = total + before
    smallest = money.MINIMUM_CHARGE.get(currency, money.step(currency))
    if 0 < due < smallest or due > money.maximum(currency):
        return 0, due
    return max(0, due), min(0, due)


def _settled(context: Context, invoice: Object, customer: Object) -> dict[str, Any]:
    """What is due after the customer's balance is set off."""
    currency, before = invoice["currency"], customer.get("balance", 0)
    due, ending = set_off(invoice["total"], before, currency)
    if ending != before:
        carried = "invoice_too_large" if ending > money.maximum(currency) else "invoice_too_small"
        kind = carried if ending > 0 else "applied_to_invoice"
        balance.adjust(context, customer, ending - before, currency, kind, invoice=invoice["id"])
    return {"amount_due": due, "amount_remaining": due, "ending_balance": ending, "starting_balance": before}


def _as_paid(invoice: Object) -> dict[str, Any]:
    """What is due of an invoice that a payment was made for."""
    before = invoice["starting_balance"]
    return {"amount_due": invoice["total"], "amount_remaining": invoice["total"], "ending_balance": before}


def _next_number(context: Context, customer: Object) -> str:
    current = context.state.get(CUSTOMERS, customer["id"])
    sequence = current["next_invoice_sequence"]
    context.state.update(CUSTOMERS, current, {"next_invoice_sequence": sequence + 1})
    return f"{current['invoice_prefix']}-{sequence:04d}"


def _with_payment(context: Context, invoice: Object) -> Object:
    """The invoice with its PaymentIntent, and the InvoicePayment that joins the two."""
    about = f"Payment for Invoice {invoice['number']}" if not invoice["parent"] else "Subscription update"
    params: dict[str, Any] = {
        "amount": invoice["amount_due"],
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": invoice["description"] or about,
        **({"on_behalf_of": invoice["on_behalf_of"]} if invoice["on_behalf_of"] else {}),
        **({"setup_future_usage": "off_session"} if invoice["parent"] else {}),
        **fees_of(invoice),
    }
    return _joined(context, invoice, intents.open_intent(context, params, watcher=WATCHER))


def _joined(context: Context, invoice: Object, intent: Object) -> Object:
    context.state.insert(INVOICE_PAYMENTS, _payment(context, invoice, intent["id"]))
    secret = {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return context.state.update(INVOICES, invoice, {"confirmation_secret": secret, "_payment_intent": intent["id"]})


def _payment(context: Context, invoice: Object, intent: str) -> Object:
    return {
        "id": context.ids.new("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": context.clock.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent, "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }


def fees_of(invoice: Object) -> dict[str, Any]:
    """Transfer and fee of what is due; percentages of it, tax included, to the half up."""
    given, due, currency = invoice["_fees"], invoice["amount_due"], invoice["currency"]
    fees: dict[str, Any] = {}
    if "application_fee_amount" in given:
        fees["application_fee_amount"] = min(given["application_fee_amount"], due)
    elif "application_fee_percent" in given:
        fees["application_fee_amount"] = _share(due, given["application_fee_percent"], currency)
    sent = given.get("transfer_data")
    if sent:
        fees["transfer_data"] = {"destination": sent["destination"]}
        if sent.get("amount") is not None:
            fees["transfer_data"]["amount"] = min(sent["amount"], due)
        elif sent.get("amount_percent") is not None:
            fees["transfer_data"]["amount"] = _share(due, sent["amount_percent"], currency)
    return fees


def _share(due: int, percent: float | Decimal, currency: str) -> int:
    return money.Rounding.HALF_UP.whole(due * Decimal(str(percent)) / 100, currency)
