"""Subscriptions paused, resumed and ended, as somebody asks."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.principals import Principal, Role
from marketplace.domain.stripe_objects import Object
from marketplace.domain.subscriptions import Subscription
from marketplace.operations import Operation
from marketplace.ports import Ports
from marketplace.services.idempotency import Once
from marketplace.services.subscription_commands import (
    CANCEL_SUBSCRIPTION,
    UPDATE_SUBSCRIPTION,
    answered,
    perform,
    require_running,
)
from marketplace.services.subscription_previews import preview
from marketplace.services.subscription_refunds import refund_unused
from marketplace.services.subscriptions import read_subscription


class WhilePaused(StrEnum):
    """What becomes of the invoices of a subscription while nothing is collected, on Stripe's words."""

    VOID = "void"
    DRAFT = "keep_as_draft"
    UNCOLLECTIBLE = "mark_uncollectible"


def pause_subscription(
    ports: Ports, caller: Principal, subscription_id: str, behavior: WhilePaused, resumes_at: datetime | None,
    once: Once,
) -> Subscription:  # fmt: skip
    """Collect nothing for now: the subscription goes on, and what becomes of its invoices is said by ``behavior``.

    Raises:
        NotAllowed, NotFound, SubscriptionNotChangeable, StripeRefused, IdempotencyKeyReused, RequestUnderWay,
        OutcomeUnknown.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT, Role.SYSTEM)
    before = read_subscription(ports, caller, subscription_id)
    if again := answered(ports, UPDATE_SUBSCRIPTION, before, once):
        return again
    require_running(before)
    pause = {"behavior": behavior.value, **({"resumes_at": int(resumes_at.timestamp())} if resumes_at else {})}
    return perform(ports, UPDATE_SUBSCRIPTION, before, before, {"pause_collection": pause}, once)


def resume_subscription(ports: Ports, caller: Principal, subscription_id: str, once: Once) -> Subscription:
    """Collect again, and take back an end that was asked for at the end of the period.

    Raises as ``pause_subscription`` does. What a buyer ended only he takes back, or an operator.
    """
    before = read_subscription(ports, caller, subscription_id)
    if again := answered(ports, UPDATE_SUBSCRIPTION, before, once):
        return again
    require_running(before)
    params: dict[str, Any] = {}
    if caller.role is not Role.BUYER:
        params["pause_collection"] = ""
    if caller.role is not Role.MERCHANT:
        params["cancel_at_period_end"] = False
    return perform(ports, UPDATE_SUBSCRIPTION, before, before, params, once)


def cancel_subscription(
    ports: Ports, caller: Principal, subscription_id: str, *, at_period_end: bool, prorates: bool, once: Once
) -> Subscription:
    """End a subscription: with its period, or at once; then, if ``prorates``, what is not used any more is refunded.

    Raises as ``pause_subscription`` does.
    """
    before = read_subscription(ports, caller, subscription_id)
    handler = UPDATE_SUBSCRIPTION if at_period_end else CANCEL_SUBSCRIPTION
    if again := answered(ports, handler, before, once):
        return again if at_period_end else refund_unused(ports, again.id)
    require_running(before)
    if at_period_end:
        return perform(ports, UPDATE_SUBSCRIPTION, before, before, {"cancel_at_period_end": True}, once)
    unused = _unused(ports, before) if prorates else 0
    after = replace(before, refund_due=unused, refund_since=ports.clock.now() if unused else None)
    canceled = perform(ports, CANCEL_SUBSCRIPTION, before, after, {"invoice_now": False, "prorate": False}, once)
    return refund_unused(ports, canceled.id)


def _unused(ports: Ports, subscription: Subscription) -> int:
    """Minor units that were paid for time which an end at once leaves unused.

    Stripe credits that time whether it was paid or not, so that what the latest invoice lacks is taken off.
    """
    credit = -preview(ports, subscription, {"cancel_now": True}).total
    expand = {"expand": ["latest_invoice"]}
    found = ports.stripe.read(Operation.READ_SUBSCRIPTION, str(subscription.stripe_subscription_id), params=expand)
    latest: Object = found.get("latest_invoice") or {"status": InvoiceStatus.PAID}
    unpaid = 0 if latest["status"] == InvoiceStatus.PAID else latest["total"] - latest["amount_paid"]
    return max(0, credit - unpaid)
