"""Time that was paid and is not used any more: refunded like anything else, when a subscription was ended at once.

Stripe would keep it as a credit of the customer, which lowers his next invoice whoever sells it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.errors import Refused, Unavailable
from marketplace.domain.principals import SYSTEM
from marketplace.domain.refunds import reserve
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.ports import Change, Conflict, Create, Ports, Ref, Replace, one
from marketplace.services.commands import MOST_COMMIT_TRIES, follow_up
from marketplace.services.recovery import refund_made
from marketplace.services.refunds import RefundRequest, plan_refund

MOST_INVOICES: Final = 100  # of the customer, the newest, among which the paid ones are looked for
REASON: Final = "requested_by_customer"  # of the three that Stripe knows


def refund_unused(ports: Ports, subscription_id: str) -> Subscription:
    """Refund what is due, of the newest paid invoice first; what is not refundable any more is given up.

    Each refund is one commit with what is left: a crash delays the rest and repeats nothing.

    Raises:
        Unavailable: the records kept moving, or the store did not answer; it stays due.
    """
    for _ in range(MOST_COMMIT_TRIES):
        before = one(ports.store, Ref(Subscription, subscription_id))
        if before is None:
            raise Unavailable("the subscription is not readable")
        if not before.refund_due or before.status is not SubscriptionStatus.CANCELED:
            return before
        amount, changes = next(_refunds(ports, before), (before.refund_due, ()))
        after = replace(before, refund_due=before.refund_due - amount)
        try:
            ports.store.commit(Replace(before, after if after.refund_due else replace(after, due_at=None)), *changes)
        except Conflict:
            continue
        follow_up(ports, changes)
    raise Unavailable("the subscription keeps changing")


def _refunds(ports: Ports, subscription: Subscription) -> Iterator[tuple[int, Sequence[Change]]]:
    """What can be refunded of one paid invoice after another (minor units), and what is written for it."""
    page = ports.store.invoices(
        merchant_id=None, customer_id=subscription.customer_id, cursor=None, limit=MOST_INVOICES
    )
    for invoice in page.items:
        if invoice.subscription_id == subscription.id and invoice.transaction_id is not None:
            books = ports.store.books(invoice.transaction_id, visible_to=SYSTEM)
            if books is not None and books.payment.refundable:
                amount = min(subscription.refund_due, books.payment.refundable)
                try:
                    yield amount, _changes(ports, books, amount)
                except Refused:  # it is disputed, for example: the buyer's bank decides
                    continue


def _changes(ports: Ports, books: Books, amount: int) -> Sequence[Change]:
    request = RefundRequest(transaction_id=books.transaction.id, amount=amount, reason=REASON)
    refund, command = plan_refund(ports, SYSTEM, books, request)
    reserved = Replace(books.payment, reserve(books.payment, refund.amount))
    return [*refund_made(refund, books.transaction), Create(command), reserved]
