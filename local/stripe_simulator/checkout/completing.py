"""Completing a Checkout Session: by its payment, by what it saves, or because nothing is due; and what follows.

https://docs.stripe.com/checkout/fulfillment
"""

from typing import Final

from ..context import Context
from ..funds import intents as payments
from ..funds import method_options
from ..funds.methods import PAYMENT_METHODS
from ..invoices import collecting
from ..pricing import discounts
from ..setups import intents as setups
from ..values import Object
from . import customers, invoicing, line_items, subscribing
from .checks import SUBSCRIPTION
from .line_items import ITEMS
from .sessions import COMPLETE, EXPIRED, NOTHING_DUE, OPEN, PAID, SESSIONS, TRANSITIONS, UNPAID, WATCHER

_COMPLETING: Final = {"succeeded": PAID, "processing": UNPAID, "requires_capture": UNPAID}
"""Statuses of the PaymentIntent that complete an open session, and what the session then says of the payment."""


def complete(context: Context, session: Object, payment_status: str) -> Object:
    """End an open session with success, after whatever else comes of it."""
    if COMPLETE not in TRANSITIONS[session["status"]]:
        raise LookupError(f"the session {session['id']} is {session['status']} and cannot be completed")
    changes = {"status": COMPLETE, "payment_status": payment_status, "url": None, "client_secret": None}
    completed = context.state.update(SESSIONS, session, changes)
    _forget_what_was_taken_out(context, completed)
    customers.update(context, completed)
    completed = _with_what_comes_of_it(context, completed)
    context.emit("checkout.session.completed", completed)
    return completed


@payments.watches(WATCHER)
def follow_payment(context: Context, intent: Object) -> None:
    """Let the session go where its PaymentIntent goes, also when that happens days later."""
    session = context.state.first(SESSIONS, {"_attempt": intent["id"]})
    if session is None or session["status"] == EXPIRED:
        return
    status = intent["status"]
    if session["status"] == OPEN:
        if status in _COMPLETING:
            complete(context, session, _COMPLETING[status])
    elif status == "succeeded":
        collecting.follow(context, intent)
        paid = context.state.update(SESSIONS, session, {"payment_status": PAID})
        method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
        if method_options.capture_method(intent, method["type"]) != "manual":
            context.emit("checkout.session.async_payment_succeeded", paid)
    elif status == "requires_payment_method":
        collecting.follow(context, intent)
        context.emit("checkout.session.async_payment_failed", session)


@setups.watches(WATCHER)
def follow_setup(context: Context, intent: Object) -> None:
    """Complete a session that only saves a payment method when it is saved."""
    session = context.state.first(SESSIONS, {"_attempt": intent["id"]})
    if session and session["status"] == OPEN and intent["status"] == "succeeded":
        complete(context, session, NOTHING_DUE)


def _with_what_comes_of_it(context: Context, session: Object) -> Object:
    """The session with the subscription or invoice that its payment leads to; its discounts are redeemed."""
    kept = discounts.keep(context, session["_discounts"], checkout_session=session["id"], customer=session["customer"])
    if session["mode"] == SUBSCRIPTION:
        begun = subscribing.begin(context, session, kept)
        made = {"subscription": begun["id"], "invoice": begun["latest_invoice"]}
        return context.state.update(SESSIONS, session, made)
    attempt = session["_attempt"] or ""
    payment = context.state.get(payments.PAYMENT_INTENTS, attempt) if attempt.startswith("pi_") else None
    if not (session["invoice_creation"] or {}).get("enabled"):
        return session
    invoice = invoicing.of_payment(context, session, payment, kept)
    return context.state.update(SESSIONS, session, {"invoice": invoice["id"]})


def _forget_what_was_taken_out(context: Context, session: Object) -> None:
    """Items of which the buyer wanted none are not bought."""
    for item in line_items.of_session(context.state, session):
        if item["quantity"] == 0:
            context.state.delete(ITEMS, item["id"])
