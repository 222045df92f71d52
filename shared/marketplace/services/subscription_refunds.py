"""Time that was paid and is not used any more: refunded like anything else, when a subscription was ended at once.

Stripe would keep it as a credit of the customer, which lowers his next invoice whoever sells it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from marketplace.domain import subscriptions
from marketplace.domain.books import Books
from marketplace.domain.errors import Refused, Unavailable
from marketplace.domain.principals import SYSTEM
from marketplace.domain.refunds import Refund, RefundStatus, reserve
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.ports import Change, Conflict, Create, Ports, Ref, Replace, one
from marketplace.services.commands import MOST_COMMIT_TRIES, follow_up
from marketplace.services.recovery import refund_made
from marketplace.services.refunds import RefundRequest, plan_refund

MOST_INVOICES: Final = 100  # of the customer, the newest, among which the paid ones are looked for
REASON: Final = "requested_by_customer"  # of the three that Stripe knows
NOT_REFUNDABLE: Final = "not_refundable"  # by our own rules: disputed, or refunded too often


class _Step(NamedTuple):
    """The subscription after one look at its sales; ``refund`` is asked for with ``changes``."""

    after: Subscription
    refund: Refund | None = None
    changes: Sequence[Change] = ()


def refund_unused(ports: Ports, subscription_id: str) -> Subscription:
    """Refund what is due, of the newest paid invoice first, until the buyer has it or all that he paid is refunded.

    What was refunded since the end counts, whoever asked for it, so that a crash delays the rest and repeats nothing.
    What Stripe or the bank refused is told, and asked for again after growing pauses.

    Raises:
        Unavailable: the records kept moving, or the store did not answer; it stays due.
    """
    asked: Refund | None = None
    for _ in range(MOST_COMMIT_TRIES):
        before = one(ports.store, Ref(Subscription, subscription_id))
        if before is None:
            raise Unavailable("the subscription is not readable")
        if not before.refund_due or before.status is not SubscriptionStatus.CANCELED:
            return before
        after, refund, changes = _step(ports, before, asked)
        change = Replace(before, after)
        try:
            ports.store.commit(change, *changes)
        except Conflict:
            continue
        if refund is None:
            return change.stored
        follow_up(ports, changes)
        asked = refund
    raise Unavailable("the subscription keeps changing")


def _step(ports: Ports, before: Subscription, asked: Refund | None) -> _Step:
    """What one look at the sales decides; ``asked`` is the refund that was asked for just now."""
    now, sales = ports.clock.now(), _sales(ports, before)
    refunds = {each.id: each for books in sales for each in books.refunds.values()}
    since = [each for each in refunds.values() if subscriptions.refunds_unused(before, each.created_at)]
    ended = refunds[asked.id] if asked else None
    if ended is not None and not ended.is_reserved:
        return _Step(subscriptions.refund_put_off(before, now, failure=ended.failure or ended.status.value))
    rest = before.refund_due - sum(each.amount for each in since if each.is_reserved)
    refundable = [books for books in sales if books.payment.refundable]
    if rest > 0 and refundable:
        return _ask(ports, before, refundable, rest)
    if all(each.status is RefundStatus.SUCCEEDED for each in since if each.is_reserved):
        return _Step(subscriptions.unused_refunded(before))
    return _Step(subscriptions.refund_put_off(before, now, failure=before.refund_failure))


def _ask(ports: Ports, before: Subscription, refundable: Sequence[Books], rest: int) -> _Step:
    """The first refund of up to ``rest`` minor units that can be asked for."""
    now = ports.clock.now()
    for books in refundable:
        request = RefundRequest(
            transaction_id=books.transaction.id, amount=min(rest, books.payment.refundable), reason=REASON
        )
        try:
            refund, command = plan_refund(ports, SYSTEM, books, request)
        except Refused:  # it is disputed, for example: the buyer's bank decides
            continue
        reserved = Replace(books.payment, reserve(books.payment, refund.amount))
        after = subscriptions.refund_put_off(before, now, failure=before.refund_failure)
        return _Step(after, refund, [*refund_made(refund, books.transaction), Create(command), reserved])
    return _Step(subscriptions.refund_put_off(before, now, failure=NOT_REFUNDABLE))


def _sales(ports: Ports, subscription: Subscription) -> list[Books]:
    """The books of its paid invoices, the newest first."""
    page = ports.store.invoices(
        merchant_id=None, customer_id=subscription.customer_id, cursor=None, limit=MOST_INVOICES
    )
    paid = [each.transaction_id for each in page.items if each.subscription_id == subscription.id]
    found = [ports.store.books(each, visible_to=SYSTEM) for each in paid if each is not None]
    return [books for books in found if books is not None]
