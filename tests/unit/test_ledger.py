"""The books of a sale, computed here by hand: what each side has in the end, and that nothing is in between."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.ledger import (
    EntryKind,
    JournalEntry,
    Line,
    UnbalancedEntry,
    balances,
    merchant_payable,
)
from marketplace.domain.postings import fee_refund_entry, payment_entries, refund_entries
from marketplace.domain.refunds import FeeRefund, Recovery, RefundFacts, RefundStatus, join
from marketplace.domain.transactions import Leg, PaymentFacts
from marketplace.domain.transactions import join as join_payment

from .samples import LEG, NOW, PLANNED, SETTLED, TRANSACTION_ID, refund, settled_payment

PAYABLE = merchant_payable(LEG.merchant_id)


def test_a_sale_of_100_with_a_fee_of_10_and_3_20_for_stripe() -> None:
    entries = payment_entries(LEG, PLANNED, settled_payment())
    assert [entry.kind for entry in entries] == [EntryKind.CHARGE, EntryKind.PROCESSING_FEE, EntryKind.SETTLEMENT]
    assert balances(entries) == {
        ("stripe_balance", "usd"): 1_000 - 320,
        ("platform_revenue", "usd"): -1_000,
        ("processor_fees", "usd"): 320,
    }


def test_money_that_is_not_split_yet_stands_in_clearing() -> None:
    paid = join_payment(PLANNED, PaymentFacts(charge_id="ch_1", captured=10_000, paid_at=NOW))
    assert balances(payment_entries(LEG, PLANNED, paid)) == {
        ("stripe_balance", "usd"): 10_000,
        ("charge_clearing", "usd"): -10_000,
    }


def test_the_same_entries_come_whether_facts_come_together_or_apart() -> None:
    first = join_payment(PLANNED, PaymentFacts(charge_id="ch_1", captured=10_000, paid_at=SETTLED.paid_at))
    apart = (*payment_entries(LEG, PLANNED, first), *payment_entries(LEG, first, settled_payment()))
    assert apart == payment_entries(LEG, PLANNED, settled_payment())


@given(amount=st.integers(1, 10**8), data=st.data())
def test_a_settled_sale_leaves_the_fee_less_stripes_fee_with_the_platform(amount: int, data: st.DataObject) -> None:
    fee = data.draw(st.integers(0, amount))
    processing_fee = data.draw(st.integers(0, amount))
    leg = Leg(merchant_id="m", account_id="a", amount=amount, fee=fee)
    payment = replace(settled_payment(), captured=amount, application_fee_amount=fee, processing_fee=processing_fee)
    sums = balances(payment_entries(leg, PLANNED, payment))
    assert sums.get(("stripe_balance", "usd"), 0) == fee - processing_fee
    assert ("charge_clearing", "usd") not in sums
    assert (merchant_payable("m"), "usd") not in sums


def refunded(
    amount: int, fee: int, *, reversed_: int, status: RefundStatus = RefundStatus.SUCCEEDED
) -> list[JournalEntry]:
    before = refund(1, amount, fee)
    facts = RefundFacts(
        stripe_refund_id="re_1",
        status=status,
        created=NOW,
        recovery=Recovery(transfer_reversal_id="trr_1", reversed=reversed_),
    )
    return list(refund_entries(LEG, before, join(before, facts)))


def test_a_refund_of_40_takes_36_from_the_merchant_and_4_from_the_platform() -> None:
    entries = refunded(4_000, 400, reversed_=4_000)
    entries.append(fee_refund_entry(LEG, TRANSACTION_ID, "usd", FeeRefund(id="fr_1", amount=400, created=NOW)))
    assert balances(entries) == {("stripe_balance", "usd"): -400, ("platform_revenue", "usd"): 400}


def test_what_stripe_rounded_off_the_fee_is_owed_to_the_merchant() -> None:
    entries = refunded(3_333, 334, reversed_=3_333)
    entries.append(fee_refund_entry(LEG, TRANSACTION_ID, "usd", FeeRefund(id="fr_1", amount=333, created=NOW)))
    assert balances(entries)[PAYABLE, "usd"] == -1


def test_money_that_went_back_and_is_not_recovered_stands_in_clearing() -> None:
    before = refund(1, 4_000, 400)
    facts = RefundFacts(stripe_refund_id="re_1", status=RefundStatus.PENDING, created=NOW)
    assert balances(refund_entries(LEG, before, join(before, facts)))["refund_clearing", "usd"] == 4_000


def test_a_refund_that_comes_back_is_owed_to_the_merchant_again() -> None:
    entries = refunded(4_000, 400, reversed_=4_000, status=RefundStatus.FAILED)
    entries.append(fee_refund_entry(LEG, TRANSACTION_ID, "usd", FeeRefund(id="fr_1", amount=400, created=NOW)))
    assert balances(entries) == {("stripe_balance", "usd"): 3_600, (PAYABLE, "usd"): -3_600}


def test_an_entry_that_does_not_balance_cannot_be_made() -> None:
    lines = (Line(account="stripe_balance", currency="usd", amount=1), Line(account="x", currency="eur", amount=-1))
    with pytest.raises(UnbalancedEntry):
        JournalEntry(
            transaction_id="t", object_id="o", kind=EntryKind.CHARGE, occurred_at=datetime.now(UTC), lines=lines
        )


def test_no_float_gets_into_the_books() -> None:
    lines = tuple(Line(account="a", currency="usd", amount=amount) for amount in (0.5, -0.5))  # type: ignore[arg-type]
    with pytest.raises(UnbalancedEntry):
        JournalEntry(transaction_id="t", object_id="o", kind=EntryKind.CHARGE, occurred_at=NOW, lines=lines)
