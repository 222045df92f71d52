"""A payment is the join of what was said of it: any order, any repetition, one end."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.transactions import (
    TRANSITIONS,
    ContradictoryFacts,
    Payment,
    PaymentFacts,
    TransactionStatus,
    join,
)

from .samples import FACTS, LEG, NOW, PLAN, PLANNED, SETTLED, settled_payment


def joined(*facts: PaymentFacts) -> Payment:
    payment = PLANNED
    for fact in facts:
        payment = join(payment, fact)
    return payment


@given(facts=st.lists(FACTS, max_size=6), shuffled=st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(facts: list[PaymentFacts], shuffled: object) -> None:
    again = [*facts, *facts]
    shuffled.shuffle(again)  # type: ignore[attr-defined]  # hypothesis' random
    assert joined(*facts) == joined(*again)


@given(before=st.lists(FACTS, max_size=4), facts=FACTS)
def test_a_status_is_never_gone_back_to(before: list[PaymentFacts], facts: PaymentFacts) -> None:
    earlier = joined(*before)
    later = join(earlier, facts)
    assert later.status is earlier.status or later.status in TRANSITIONS[earlier.status]


@given(facts=st.lists(FACTS, max_size=4))
def test_what_is_known_already_changes_nothing(facts: list[PaymentFacts]) -> None:
    known = joined(*facts)
    assert all(join(known, fact) is known for fact in facts)


@pytest.mark.parametrize("field", ["checkout_session_id", "payment_intent_id", "charge_id", "captured", "transfer_id"])
def test_two_answers_to_one_question_are_not_applied(field: str) -> None:
    other = 9_999 if field == "captured" else "other_1"
    with pytest.raises(ContradictoryFacts):
        join(settled_payment(), PaymentFacts(**{field: other}))  # type: ignore[arg-type]  # one field at a time


def test_money_that_is_there_wins_over_an_expiry() -> None:
    expired = PaymentFacts(checkout_session_status="expired")
    for order in permutations([expired, SETTLED]):
        assert joined(*order).status is TransactionStatus.PAID


def test_an_older_webhook_never_overwrites_a_newer_state() -> None:
    """mozilla/fxa#10934, pay-rails/pay#371."""
    paid = joined(SETTLED)
    late = PaymentFacts(checkout_session_status="open", payment_intent_status="requires_payment_method")
    assert join(paid, late) is paid


def test_a_failed_asynchronous_payment_is_not_undone_by_its_late_processing_event() -> None:
    failed = PaymentFacts(async_payment_failed=True, payment_intent_status="payment_failed")
    processing = PaymentFacts(checkout_session_status="complete", payment_intent_status="processing")
    for order in permutations([processing, failed]):
        assert joined(*order).status is TransactionStatus.FAILED


def test_the_statuses_of_a_sale_as_it_goes() -> None:
    seen = [PLANNED]
    for facts in (
        PaymentFacts(checkout_session_id="cs_1", checkout_session_status="open"),
        PaymentFacts(checkout_session_status="complete"),
        SETTLED,
    ):
        seen.append(join(seen[-1], facts))
    assert [str(payment.status) for payment in seen] == ["requested", "open", "processing", "paid"]
    assert [payment.waits_for is None for payment in seen] == [False, False, False, True]


def test_a_charge_without_its_balance_transaction_is_paid_and_not_settled() -> None:
    payment = joined(PaymentFacts(charge_id="ch_1", captured=10_000, application_fee_amount=1_000, paid_at=NOW))
    assert payment.status is TransactionStatus.PAID
    assert not payment.is_settled
    assert not payment.is_final
    assert payment.refundable == 10_000


@pytest.mark.parametrize(
    ("caller", "sees"),
    [
        (Principal(role=Role.OPERATOR, subject="o"), True),
        (SYSTEM, True),
        (Principal(role=Role.MERCHANT, subject="m", merchant_id=LEG.merchant_id), True),
        (Principal(role=Role.MERCHANT, subject="m", merchant_id="merchant-of-somebody-else"), False),
        (Principal(role=Role.MERCHANT, subject=str(PLAN.customer_id)), False),
        (Principal(role=Role.BUYER, subject=str(PLAN.customer_id)), True),
        (Principal(role=Role.BUYER, subject="somebody else"), False),
        (Principal(role=Role.BUYER, subject=LEG.merchant_id, merchant_id=LEG.merchant_id), False),
    ],
)
def test_a_sale_is_seen_by_those_it_concerns(caller: Principal, *, sees: bool) -> None:
    """omi#6840, service-bot#407: anyone could act on any account."""
    assert PLAN.is_visible_to(caller) is sees
