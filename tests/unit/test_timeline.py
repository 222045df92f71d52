"""A transaction's story is told in the order in which it happened."""

from dataclasses import replace
from datetime import timedelta

from marketplace.domain.books import Books
from marketplace.domain.commands import CommandKind, record, succeed
from marketplace.domain.postings import payment_entries
from marketplace.domain.refunds import RefundStatus
from marketplace.domain.timeline import timeline

from .samples import LEG, NOW, PLAN, PLANNED, refund, settled_payment


def test_what_stripe_says_in_whole_seconds_is_not_put_before_what_it_followed_from() -> None:
    planned = replace(PLAN, created_at=NOW + timedelta(milliseconds=100))
    recorded = record(
        command_id="command-1", subject=PLAN.id, kind=CommandKind.CREATE_CHECKOUT_SESSION, params={}, result=PLAN.id,
        now=planned.created_at,
    )  # fmt: skip
    session = succeed(recorded, "cs_1", NOW + timedelta(milliseconds=300))
    paid = replace(settled_payment(), paid_at=NOW)
    given_back = refund(
        1, 10_000, 1_000, status=RefundStatus.SUCCEEDED, stripe_refund_id="re_1", at_stripe_since=NOW,
        created_at=NOW + timedelta(milliseconds=500),
    )  # fmt: skip
    books = Books(
        transaction=planned, payment=paid, refunds={"refund-1": given_back}, commands={"command-1": session},
        entries=payment_entries(LEG, PLANNED, paid)[::-1], idempotency={},
    )  # fmt: skip
    assert [moment.what for moment in timeline(books)] == [
        "sale planned",
        "checkout session created",
        "paid by the buyer",
        "split and transferred to the merchant",
        "refund requested",
        "refund succeeded",
    ]
