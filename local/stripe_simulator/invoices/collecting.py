"""Collecting: an open invoice's payment is tried, tried again, or given up.

https://docs.stripe.com/invoicing/automatic-collection
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import CardError, InvalidRequestError, StripeError
from ..funds import captures, intents
from ..funds.methods import PAYMENT_METHODS
from ..values import Object
from . import balance, watching
from .finalizing import WATCHER, mark_paid, require_transition
from .moments import now_for, schedule_for
from .records import INVOICE_PAYMENTS, INVOICES, OPEN, UNCOLLECTIBLE, VOID, customer_of

_DAY_SECONDS: Final = 24 * 3_600


def collect(
    context: Context,
    invoice: Object,
    *,
    method: Object | None = None,
    off_session: bool = True,
    return_url: str | None = None,
) -> Object:
    """Try to pay an open invoice; gives it as it then stands. ``return_url`` is where a challenge leads back to.

    Raises:
        CardError: 402, declined; the attempt is recorded all the same.
        InvalidRequestError: it is not open, or there is nothing to pay it with.
    """
    require_transition(invoice, "paid")
    chosen = method or default_method(context, invoice)
    if chosen is None:
        raise InvalidRequestError(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a "
            "`default_payment_method`.",
            code="resource_missing",
            param="payment_method",
        )
    intent = context.state.get(intents.PAYMENT_INTENTS, invoice["_payment_intent"])
    counted = {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    context.state.update(INVOICES, invoice, counted)
    intents.confirm_with(context, intent, chosen, off_session=off_session, return_url=return_url)
    return context.state.get(INVOICES, invoice["id"])


def collect_by_itself(context: Context, invoice: Object) -> Object:
    """Try to pay without anybody there; a failure is told of by events, and tried again."""
    try:
        return collect(context, invoice)
    except CardError:
        return context.state.get(INVOICES, invoice["id"])
    except StripeError:
        changes = {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
        return failed(context, context.state.update(INVOICES, invoice, changes))


def failed(context: Context, invoice: Object) -> Object:
    """An attempt has failed: the next one is noted, if there is one left."""
    customer = customer_of(context, invoice["customer"])
    delays = context.settings.invoice_retry_days
    tries = invoice["attempt_count"]
    is_automatic = invoice["collection_method"] == "charge_automatically" and invoice["auto_advance"]
    at = None
    if is_automatic and 0 < tries <= len(delays):
        at = now_for(context, customer) + delays[tries - 1] * _DAY_SECONDS
        schedule_for(context, customer, "invoice.retry", at=at, invoice=invoice["id"])
    after = context.state.update(INVOICES, invoice, {"next_payment_attempt": at})
    context.emit("invoice.updated", after, previous=invoice)
    context.emit("invoice.payment_failed", after)
    watching.tell(context, after, watching.PAYMENT_FAILED)
    return context.state.get(INVOICES, invoice["id"])


def void(context: Context, invoice: Object) -> Object:
    """Take an invoice back as if it had never been; its payment is canceled."""
    return _given_up(context, invoice, VOID, "voided_at", watching.VOIDED, "invoice.voided")


def mark_uncollectible(context: Context, invoice: Object) -> Object:
    """Give up on an invoice; it can still be paid."""
    return _given_up(
        context,
        invoice,
        UNCOLLECTIBLE,
        "marked_uncollectible_at",
        watching.UNCOLLECTIBLE,
        "invoice.marked_uncollectible",
    )


def cancel_payment(context: Context, invoice: Object) -> None:
    """Cancel the payment of an invoice that needs none any more."""
    if not invoice["_payment_intent"]:
        return
    intent = context.state.get(intents.PAYMENT_INTENTS, invoice["_payment_intent"])
    if intent["status"] not in ("succeeded", "canceled", "processing"):
        captures.cancel(context, intent, "void_invoice")
    for payment in list(context.state.select(INVOICE_PAYMENTS, {"invoice": invoice["id"], "status": "open"})):
        moved = {"status": "canceled", "status_transitions": {"canceled_at": context.clock.now(), "paid_at": None}}
        context.state.update(INVOICE_PAYMENTS, payment, moved)


def default_method(context: Context, invoice: Object) -> Object | None:
    """What an invoice is paid with unless told: its own, else its customer's."""
    customer = customer_of(context, invoice["customer"])
    settings: Mapping[str, Any] = customer.get("invoice_settings") or {}
    named = invoice["default_payment_method"] or settings.get("default_payment_method")
    return context.state.find(PAYMENT_METHODS, named) if named else None


@intents.watches(WATCHER)
def follow(context: Context, intent: Object) -> None:
    """Let an invoice go where its payment goes."""
    payment = context.state.first(INVOICE_PAYMENTS, {"payment.payment_intent": intent["id"]})
    invoice = context.state.find(INVOICES, payment["invoice"]) if payment else None
    if payment is None or invoice is None or invoice["status"] not in (OPEN, UNCOLLECTIBLE):
        return
    if intent["status"] == "succeeded":
        moved = {
            "amount_paid": intent["amount_received"],
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": context.clock.now()},
        }
        paid = context.state.update(INVOICE_PAYMENTS, payment, moved)
        mark_paid(context, invoice)
        context.emit("invoice_payment.paid", paid)
    elif intent["status"] == "requires_payment_method" and intent["last_payment_error"]:
        failed(context, invoice)
    elif intent["status"] == "requires_action":
        context.emit("invoice.payment_action_required", invoice)
        watching.tell(context, invoice, watching.ACTION_REQUIRED)


def _return_balance(context: Context, invoice: Object) -> None:
    """What was set off against an invoice is the customer's, or owed by it, as before."""
    applied = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    customer = customer_of(context, invoice["customer"])
    if applied and "deleted" not in customer:
        balance.adjust(
            context, customer, -applied, invoice["currency"], "unapplied_from_invoice", invoice=invoice["id"]
        )


def _given_up(context: Context, invoice: Object, status: str, moment: str, outcome: str, event: str) -> Object:
    require_transition(invoice, status)
    now = now_for(context, customer_of(context, invoice["customer"]))
    changes = {
        "next_payment_attempt": None,
        "status": status,
        "status_transitions": {**invoice["status_transitions"], moment: now},
    }
    after = context.state.update(INVOICES, invoice, changes)
    if status == VOID:
        cancel_payment(context, invoice)
        _return_balance(context, invoice)
    context.emit("invoice.updated", after, previous=invoice)
    context.emit(event, after)
    watching.tell(context, after, outcome)
    return context.state.get(INVOICES, invoice["id"])
