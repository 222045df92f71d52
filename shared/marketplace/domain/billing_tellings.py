"""What events tell of subscriptions and invoices, and when they do."""

from typing import Any, Final

from marketplace.domain.invoices import Invoice, InvoiceStatus
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus

type Facts = dict[str, Any]

AGREED: Final = ("price_id", "quantity", "merchant_id", "paused", "cancel_at_period_end", "cancel_at")
UNPAID: Final = frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID})


def subscription_facts(subscription: Subscription) -> Facts:
    """Of a subscription."""
    end, trial_end = subscription.current_period_end, subscription.trial_end
    return {
        "id": subscription.id,
        "merchant_id": subscription.merchant_id,
        "price_id": subscription.price_id,
        "quantity": subscription.quantity,
        "status": subscription.status.value,
        "current_period_end": end and end.isoformat(),
        "trial_end": trial_end and trial_end.isoformat(),
        "cancel_at_period_end": subscription.cancel_at_period_end,
        "paused": subscription.paused,
        "refund_due": subscription.refund_due,
        "refund_failure": subscription.refund_failure,
        "stripe_subscription_id": subscription.stripe_subscription_id,
    }


def invoice_facts(invoice: Invoice) -> Facts:
    """Of an invoice."""
    return {
        "id": invoice.id,
        "merchant_id": invoice.merchant_id,
        "subscription_id": invoice.subscription_id,
        "transaction_id": invoice.transaction_id,
        "status": invoice.status.value,
        "number": invoice.number,
        "total": invoice.total,
        "amount_due": invoice.amount_due,
        "amount_paid": invoice.amount_paid,
        "currency": invoice.currency,
        "attempt_count": invoice.attempt_count,
        "next_payment_attempt": invoice.next_payment_attempt and invoice.next_payment_attempt.isoformat(),
        "stripe_invoice_id": invoice.stripe_invoice_id,
    }


def has_started(before: Subscription | None, after: Subscription) -> bool:
    """Whether it was heard of at Stripe for the first time."""
    return after.started_at is not None and (before is None or before.started_at is None)


def has_changed(before: Subscription | None, after: Subscription) -> bool:
    """Whether a subscription that had begun costs something else, or comes to another end."""
    if before is None or before.started_at is None or not after.is_running:
        return False
    return any(getattr(before, name) != getattr(after, name) for name in AGREED)


def has_recovered(before: Subscription | None, after: Subscription) -> bool:
    """Whether what was past due is paid."""
    return before is not None and before.status in UNPAID and after.status is SubscriptionStatus.ACTIVE


def is_finalized(before: Invoice | None, after: Invoice) -> bool:
    """Whether it got its number."""
    return after.number is not None and (before is None or before.number is None)


def has_failed(before: Invoice | None, after: Invoice) -> bool:
    """Whether one more try to collect it failed."""
    tries = 0 if before is None else before.attempt_count
    return after.status is InvoiceStatus.OPEN and after.attempt_count > tries
