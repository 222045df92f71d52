"""The way of a subscription through its periods: renewed, its payments followed, its trial and its time ended.

https://docs.stripe.com/billing/subscriptions/overview
"""

from collections.abc import Callable
from typing import Any, Final

from ..context import Context
from ..invoices import collecting, finalizing, watching
from ..invoices.moments import now_for, schedule_for
from ..invoices.records import INVOICES, OPEN
from ..resources.customers import before_deletion
from ..values import Object
from . import billing
from .records import (
    ACTIVE,
    CANCELED,
    ENDED,
    INCOMPLETE,
    INCOMPLETE_EXPIRED,
    PAST_DUE,
    PAUSED,
    RENEWING,
    SUBSCRIPTION_ITEMS,
    SUBSCRIPTIONS,
    TRANSITIONS,
    TRIALING,
    UNPAID,
    cycle_at,
    first_end,
    items_of,
    with_items,
)

type Listener = Callable[[Context, Object], None]

_LISTENERS: Final[list[Listener]] = []
INCOMPLETE_SECONDS: Final = 23 * 3_600  # https://docs.stripe.com/billing/subscriptions/overview#payment-window
TRIAL_WARNING_SECONDS: Final = 3 * 24 * 3_600


def after_end(listener: Listener) -> Listener:
    """Let a function hear of every subscription that has ended."""
    _LISTENERS.append(listener)
    return listener


def move(context: Context, subscription: Object, status: str, changes: dict[str, Any] | None = None) -> Object:
    """Let a subscription change its status, with whatever else changes, and tell of it."""
    if status == subscription["status"] and not changes:
        return subscription
    if status != subscription["status"] and status not in TRANSITIONS[subscription["status"]]:
        raise LookupError(f"a subscription cannot go from {subscription['status']} to {status}")
    moved = context.state.update(SUBSCRIPTIONS, subscription, {"status": status, **(changes or {})})
    context.emit("customer.subscription.updated", moved, previous=subscription)
    return moved


def plan(context: Context, subscription: Object) -> Object:
    """Note when the current period ends, and what is told before that."""
    if subscription["status"] in ENDED:
        return subscription
    customer = context.state.find("customer", subscription["customer"])
    turn = subscription["_turn"] + 1
    subscription = context.state.update(SUBSCRIPTIONS, subscription, {"_turn": turn})
    items = items_of(context.state, subscription)
    moments = {"subscription.cycle": first_end(items)}
    if subscription["cancel_at"]:
        moments["subscription.cancel"] = subscription["cancel_at"]
    if subscription["status"] == TRIALING and subscription["trial_end"]:
        warned = subscription["trial_end"] - TRIAL_WARNING_SECONDS
        moments["subscription.trial_will_end"] = max(warned, now_for(context, customer))
    for name, at in moments.items():
        schedule_for(context, customer, name, at=at, subscription=subscription["id"], turn=turn)
    return subscription


def cycle(context: Context, subscription: Object) -> Object:
    """A period is over: the next one begins and is billed, or the subscription ends."""
    customer = context.state.find("customer", subscription["customer"])
    now = now_for(context, customer)
    if subscription["cancel_at_period_end"]:
        return end(context, subscription, reason="cancellation_requested")
    if subscription["status"] == TRIALING and _lacks_payment(context, subscription):
        ending = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if ending == "cancel":
            return end(context, subscription, reason="payment_failed")
        if ending == "pause":
            paused = move(context, subscription, PAUSED)
            context.emit("customer.subscription.paused", paused)
            return paused
    subscription = advance_items(context, subscription, now)
    lines = [
        billing.period_line(context, subscription, item)
        for item in items_of(context.state, subscription)
        if item["current_period_start"] == now or item["current_period_start"] <= now < item["current_period_end"]
    ]
    invoice = billing.invoice(context, subscription, lines, "subscription_cycle", now, **_kept_back(subscription))
    _give_up_while_paused(context, subscription, invoice)
    changes: dict[str, Any] = {"latest_invoice": invoice["id"]}
    status = ACTIVE if subscription["status"] == TRIALING else subscription["status"]
    before = context.state.get(SUBSCRIPTIONS, subscription["id"])
    after = move(context, before, status, changes)
    return plan(context, after)


def advance_items(context: Context, subscription: Object, now: int) -> Object:
    """The items whose period is over with their next one."""
    for item in items_of(context.state, subscription):
        if item["current_period_end"] <= now:
            begin, finish = cycle_at(subscription, item["price"], now)
            moved = {"current_period_start": begin, "current_period_end": finish, "billed_until": finish}
            context.state.update(SUBSCRIPTION_ITEMS, item, moved)
    return with_items(context, subscription)


def end(context: Context, subscription: Object, *, reason: str, details: dict[str, Any] | None = None) -> Object:
    """End a subscription now."""
    now = now_for(context, context.state.find("customer", subscription["customer"]))
    said = {**subscription["cancellation_details"], "reason": reason, **(details or {})}
    changes = {
        "cancel_at": subscription["cancel_at"],
        "canceled_at": subscription["canceled_at"] or now,
        "cancellation_details": said,
        "ended_at": now,
        "status": CANCELED,
        "_turn": subscription["_turn"] + 1,
    }
    ended = context.state.update(SUBSCRIPTIONS, subscription, changes)
    context.emit("customer.subscription.deleted", ended)
    _tell(context, ended)
    return ended


def expire(context: Context, subscription: Object) -> Object:
    """Nobody paid the first invoice in time."""
    if subscription["status"] != INCOMPLETE:
        return subscription
    invoice = context.state.get(INVOICES, subscription["latest_invoice"])
    now = now_for(context, context.state.find("customer", subscription["customer"]))
    moved = move(context, subscription, INCOMPLETE_EXPIRED, {"ended_at": now, "_turn": subscription["_turn"] + 1})
    if invoice["status"] == OPEN:
        collecting.void(context, invoice)
    _tell(context, moved)
    return moved


@before_deletion
def end_all(context: Context, customer: Object) -> None:
    """Deleting a customer cancels its subscriptions at once. https://docs.stripe.com/api/customers/delete"""
    for subscription in list(context.state.select(SUBSCRIPTIONS, {"customer": customer["id"], "_running": True})):
        end(context, subscription, reason="cancellation_requested")


@watching.watches
def follow(context: Context, invoice: Object, outcome: str) -> None:
    """Let a subscription go where the payment of its latest invoice goes."""
    details = (invoice["parent"] or {}).get("subscription_details")
    subscription = context.state.find(SUBSCRIPTIONS, details["subscription"]) if details else None
    if subscription is None or subscription["status"] in ENDED:
        return
    if outcome == watching.PAID:
        _paid(context, subscription, invoice)
    elif outcome == watching.PAYMENT_FAILED:
        _failed(context, subscription, invoice)
    elif outcome == watching.UNCOLLECTIBLE and subscription["status"] == PAST_DUE:
        move(context, subscription, ACTIVE)


def _paid(context: Context, subscription: Object, invoice: Object) -> None:
    saved = _saved_method(context, subscription, invoice)
    is_first = invoice["billing_reason"] == "subscription_create"
    was_late = subscription["status"] in (PAST_DUE, UNPAID) and invoice["id"] == subscription["latest_invoice"]
    is_pending = is_first and subscription["status"] == INCOMPLETE
    if is_pending or was_late:
        move(context, subscription, ACTIVE, saved)
    elif saved:
        context.state.update(SUBSCRIPTIONS, subscription, saved)


def _failed(context: Context, subscription: Object, invoice: Object) -> None:
    """A renewal was not paid: past due while it is tried again, then as the settings say."""
    if subscription["status"] == INCOMPLETE:
        return
    if invoice["next_payment_attempt"] is not None or subscription["collection_method"] == "send_invoice":
        if subscription["status"] == ACTIVE:
            move(context, subscription, PAST_DUE)
        return
    last = context.settings.subscription_ends_as
    if last == CANCELED:
        end(context, subscription, reason="payment_failed")
    elif subscription["status"] != last:
        move(context, subscription, last)


def _saved_method(context: Context, subscription: Object, invoice: Object) -> dict[str, Any]:
    if (subscription["payment_settings"] or {}).get("save_default_payment_method") != "on_subscription":
        return {}
    intent = context.state.find("payment_intent", invoice["_payment_intent"]) if invoice["_payment_intent"] else None
    return {"default_payment_method": intent["payment_method"]} if intent else {}


def _tell(context: Context, ended: Object) -> None:
    for listener in _LISTENERS:
        listener(context, ended)


def _lacks_payment(context: Context, subscription: Object) -> bool:
    if subscription["collection_method"] == "send_invoice" or subscription["default_payment_method"]:
        return False
    customer = context.state.find("customer", subscription["customer"]) or {}
    return not (customer.get("invoice_settings") or {}).get("default_payment_method")


def _give_up_while_paused(context: Context, subscription: Object, invoice: Object) -> None:
    """Collection is paused: the invoice is finalized and given up as was asked, or stays a draft."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior not in ("void", "mark_uncollectible"):
        return
    opened = finalizing.finalize(context, context.state.update(INVOICES, invoice, {"auto_advance": False}))
    if opened["status"] == OPEN:
        (collecting.void if behavior == "void" else collecting.mark_uncollectible)(context, opened)


def _kept_back(subscription: Object) -> dict[str, Any]:
    """Nothing is collected while collection is paused, and unpaid subscriptions' invoices stay drafts."""
    return {"auto_advance": False} if subscription["status"] == UNPAID else {}


def is_current(subscription: Object, turn: int) -> bool:
    """Whether a task that came due is the newest of its subscription, which still goes on."""
    return bool(subscription["_turn"] == turn) and subscription["status"] in RENEWING
