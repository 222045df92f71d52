"""Refunds: never more than came in, and every part closes at zero."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.books import Books
from marketplace.domain.errors import InvalidAmount, RefundExceedsRest, TooManyRefunds, TransactionNotRefundable
from marketplace.domain.refund_plans import part_to_return
from marketplace.domain.refunds import (
    Recovery,
    Refund,
    RefundFacts,
    RefundStatus,
    join,
    mark,
    release,
    require_refundable,
    reserve,
)
from marketplace.domain.transactions import MOST_REFUNDS, Payment

from .samples import LEG, NOW, PLANNED, books_of, refund, settled_payment


@st.composite
def cuts(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """A sale, its fee, and refunds that add up to all of it."""
    amount = draw(st.integers(1, 100_000))
    fee = draw(st.integers(0, amount))
    points = sorted(draw(st.sets(st.integers(1, amount), max_size=12)) | {amount})
    return amount, fee, [b - a for a, b in zip([0, *points], points, strict=False)]


@given(sale=cuts())
def test_the_fee_goes_back_in_full_when_everything_is_refunded(sale: tuple[int, int, list[int]]) -> None:
    amount, fee, parts = sale
    leg, payment = replace(LEG, amount=amount, fee=fee), replace(settled_payment(), amount=amount, captured=amount)
    refunds: list[Refund] = []
    for number, part in enumerate(parts):
        payment = reserve(payment, part)
        returned = fee_of(books_of(leg, payment, refunds), leg.merchant_id, part)
        assert 0 <= returned <= part
        refunds.append(refund(number, part, returned))
    assert sum(made.fee for made in refunds) == fee
    assert payment.refundable == 0


def fee_of(books: Books, merchant_id: str, amount: int) -> int:
    return part_to_return(books, merchant_id, amount, returns_fee=True).fee


def test_99_refunded_in_thirds_gives_back_3_4_and_3_of_10() -> None:
    leg, payment = replace(LEG, amount=99, fee=10), replace(settled_payment(), captured=99)
    refunds: list[Refund] = []
    for number in range(3):
        refunds.append(refund(number, 33, fee_of(books_of(leg, payment, refunds), leg.merchant_id, 33)))
    assert [made.fee for made in refunds] == [3, 4, 3]


def test_a_refund_that_kept_the_fee_keeps_its_part_of_it() -> None:
    kept = refund(1, 5_000, 0, returns_fee=False)
    assert fee_of(books_of(LEG, settled_payment(), [kept]), LEG.merchant_id, 5_000) == 500


def test_a_refund_that_did_not_happen_does_not_count() -> None:
    refused = refund(1, 5_000, 500, status=RefundStatus.REFUSED)
    assert fee_of(books_of(LEG, settled_payment(), [refused]), LEG.merchant_id, 10_000) == 1_000


def test_two_equal_partial_refunds_are_two() -> None:
    """saleor/apps#2446 swallowed the second."""
    payment = reserve(reserve(settled_payment(), 2_500), 2_500)
    assert payment.refundable == 5_000


@pytest.mark.parametrize(
    ("payment", "amount", "error"),
    [
        (PLANNED, 100, TransactionNotRefundable),
        (settled_payment(), 10_001, RefundExceedsRest),
        (reserve(settled_payment(), 9_000), 1_001, RefundExceedsRest),
        (reserve(settled_payment(), 10_000), 1, TransactionNotRefundable),
        (replace(settled_payment(), refund_count=MOST_REFUNDS), 1, TooManyRefunds),
        (settled_payment(), 0, InvalidAmount),
        (settled_payment(), -5, InvalidAmount),
        (replace(settled_payment(), currency="kwd"), 15, InvalidAmount),
    ],
)
def test_what_cannot_be_refunded_is_refused(payment: Payment, amount: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        require_refundable(payment, amount)


STORIES = [
    [RefundStatus.PENDING, RefundStatus.SUCCEEDED],
    [RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED],
    [RefundStatus.REQUIRES_ACTION, RefundStatus.PENDING, RefundStatus.SUCCEEDED],
    [RefundStatus.REQUIRES_ACTION, RefundStatus.PENDING, RefundStatus.CANCELED],
]


@pytest.mark.parametrize("story", STORIES)
def test_the_order_of_a_refunds_events_does_not_matter(story: list[RefundStatus]) -> None:
    """solidus_stripe#265: a refund that failed later stayed refunded."""
    said = [RefundFacts(stripe_refund_id="re_1", status=status, created=NOW) for status in story]
    for order in permutations([*said, *said], len(said)):
        known = refund(1, 100, 10)
        for facts in order:
            known = join(known, facts)
        expected = refund(1, 100, 10)
        for facts in sorted(order, key=said.index):
            expected = join(expected, facts)
        assert known == expected


def test_a_recovery_is_learned_once() -> None:
    recovery = Recovery(transfer_reversal_id="trr_1", reversed=100)
    facts = RefundFacts(stripe_refund_id="re_1", status=RefundStatus.SUCCEEDED, created=NOW, recovery=recovery)
    known = join(refund(1, 100, 10), facts)
    assert known.recovery == recovery
    assert join(known, facts) is known


def test_a_refund_that_comes_back_is_refundable_again_once() -> None:
    before = refund(1, 4_000, 400, status=RefundStatus.SUCCEEDED, stripe_refund_id="re_1")
    payment = reserve(settled_payment(), 4_000)
    failed = join(before, RefundFacts(stripe_refund_id="re_1", status=RefundStatus.FAILED, created=NOW))
    released = release(payment, before, failed)
    assert released.refundable == 10_000
    assert release(released, failed, failed) is released


def test_an_unknown_refund_stays_reserved_and_a_refused_one_does_not() -> None:
    asked = refund(1, 4_000, 400)
    assert mark(asked, RefundStatus.UNKNOWN).is_reserved
    assert not mark(asked, RefundStatus.REFUSED).is_reserved
