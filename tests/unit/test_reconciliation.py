"""The matcher by itself: what Stripe says of its balances, as lines by hand, against entries by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.balance_transactions import (
    BalanceTransaction,
    Movement,
    MovementKind,
    alone,
    balance_transaction,
)
from marketplace.domain.ledger import PLATFORM, EntryKind, JournalEntry, balances, lines_of
from marketplace.domain.reconciliation import (
    Difference,
    Key,
    LineStatus,
    Tally,
    differences,
    processing_fee,
    resolved,
    status_of,
    tallied,
)

AT = datetime(2026, 11, 23, tzinfo=UTC)


def line(
    kind: str, amount: int, source: Mapping[str, Any], *, fee: int = 0, account: str = PLATFORM, **more: Any
) -> BalanceTransaction:
    """A balance transaction as Stripe sends it, its source expanded."""
    said = {
        "id": f"txn_{source.get('id')}", "type": kind, "reporting_category": kind, "amount": amount, "fee": fee,
        "fee_details": [], "currency": "usd", "created": int(AT.timestamp()), "source": dict(source), **more,
    }  # fmt: skip
    return balance_transaction(said, account)


def entry(kind: EntryKind, object_id: str, *movements: tuple[str, int, str | None]) -> JournalEntry:
    return JournalEntry(
        transaction_id="t", object_id=object_id, kind=kind, occurred_at=AT, lines=lines_of("usd", *movements)
    )


CHARGE = entry(EntryKind.CHARGE, "ch_1", ("stripe_balance", 100, "ch_1"), ("charge_clearing", -100, None))
FEE = entry(EntryKind.PROCESSING_FEE, "ch_1", ("processor_fees", 3, None), ("stripe_balance", -3, "ch_1"))
SPLIT = entry(
    EntryKind.SETTLEMENT, "ch_1",
    ("charge_clearing", 100, None), ("stripe_balance", -100, "tr_1"), ("stripe_balance", 10, "fee_1"),
    ("platform_revenue", -10, None),
)  # fmt: skip
PAID = line("charge", 100, {"id": "ch_1"}, fee=3)
SENT = line("transfer", -100, {"id": "tr_1", "source_transaction": "ch_1", "destination": "acct_1"})
EARNED = line("application_fee", 10, {"id": "fee_1", "originating_transaction": "ch_1"})
ARRIVED = line(
    "payment", 100, {"id": "py_1", "source_transfer": "tr_1", "application_fee": "fee_1"}, fee=10, account="acct_1",
    fee_details=[{"type": "application_fee", "amount": 10}],
)  # fmt: skip
ENTRIES, LINES = [CHARGE, FEE, SPLIT], [PAID, SENT, EARNED, ARRIVED]


def test_a_destination_charge_matches_on_the_platform_and_with_the_merchant() -> None:
    assert {status_of(each, ENTRIES, LINES) for each in LINES} == {LineStatus.MATCHED}
    for of_platform in (True, False):
        assert differences(ENTRIES, LINES, of_platform=of_platform) == {}


@given(st.sampled_from(LINES), st.integers(-50, 50).filter(bool))
def test_a_line_that_is_off_by_anything_is_unmatched_and_no_other_is(wrong: BalanceTransaction, by: int) -> None:
    moved = wrong.movements[0]
    changed = Movement(object_id=moved.object_id, kind=moved.kind, amount=moved.amount + by)
    off = BalanceTransaction(**{**wrong.__dict__, "movements": (changed, *wrong.movements[1:])})
    known = [off if each is wrong else each for each in LINES]
    assert [each.id for each in known if status_of(each, ENTRIES, known) is not LineStatus.MATCHED] == [wrong.id]


def test_what_only_one_side_knows_is_left_over_on_that_side() -> None:
    assert differences([CHARGE], [], of_platform=True) == {
        Key("ch_1", MovementKind.CHARGE, "usd"): Difference(Key("ch_1", MovementKind.CHARGE, "usd"), 100, 0)
    }
    (left,) = differences([], [SENT], of_platform=True).values()
    assert (left.key.object_id, left.booked, left.at_stripe) == ("tr_1", 0, -100)
    assert differences([CHARGE], [], of_platform=False) == {}  # the buyer's money is no merchant's


@pytest.mark.parametrize("lines", [[PAID, PAID], [PAID, line("charge", 100, {"id": "ch_1"}, currency="eur")]])
def test_twice_the_same_or_another_currency_does_not_match(lines: list[BalanceTransaction]) -> None:
    assert LineStatus.UNMATCHED in {status_of(each, [CHARGE], lines) for each in lines}


def test_a_refund_and_its_failure_do_not_cancel_each_other_out() -> None:
    lines = [line("refund", -40, {"id": "re_1"}), line("refund_failure", 40, {"id": "re_1"})]
    assert [status_of(each, [], lines) for each in lines] == [LineStatus.UNMATCHED] * 2


@pytest.mark.parametrize(
    "strange",
    [
        line("topup", 500, {"id": "tu_1"}),
        line("a_type_of_next_year", -1, {"id": "xy_1"}),
        line("adjustment", -7, {"id": "du_1"}, reporting_category="other_adjustment"),
        line("payment", 5, {"id": "py_9"}, account="acct_1"),
    ],
)
def test_what_is_not_understood_is_unexplained(strange: BalanceTransaction) -> None:
    assert status_of(strange, ENTRIES, [strange]) is LineStatus.UNEXPLAINED
    assert alone(strange) is None


def test_a_dispute_is_of_its_own_and_its_win_as_well() -> None:
    taken = line("adjustment", -60, {"id": "du_1", "charge": "ch_1"}, fee=15, reporting_category="dispute")
    back = line("adjustment", 60, {"id": "du_1", "charge": "ch_1"}, reporting_category="dispute_reversal")
    lost = entry(EntryKind.DISPUTE, "du_1", ("dispute_clearing", 75, None), ("stripe_balance", -75, "du_1"))
    won = entry(EntryKind.REINSTATEMENT, "du_1", ("stripe_balance", 60, "du_1"), ("losses", -60, None))
    assert [status_of(each, [lost, won], [taken, back]) for each in (taken, back)] == [LineStatus.MATCHED] * 2
    assert status_of(back, [lost], [taken, back]) is LineStatus.UNMATCHED


def test_of_a_capture_in_part_the_fee_is_known_once_the_rest_was_turned_back() -> None:
    whole = line("charge", 100, {"id": "ch_1"}, fee=5)
    rest = line("refund", -40, {"id": "re_1", "charge": "ch_1"}, fee=-2, reporting_category="partial_capture_reversal")
    assert processing_fee("ch_1", [whole], is_partial=True) is None
    assert processing_fee("ch_1", [whole, rest], is_partial=True) == (3, "usd")
    assert processing_fee("ch_1", [whole], is_partial=False) == (5, "usd")
    assert processing_fee("ch_2", [whole], is_partial=False) is None


@pytest.mark.parametrize(
    ("kind", "amount", "fee", "expected"),
    [
        ("payout", -500, 0, {"bank": 500, "stripe_balance": -500}),
        ("payout_failure", 500, 0, {"bank": -500, "stripe_balance": 500}),
        ("payout", -500, 5, {"bank": 500, "processor_fees": 5, "stripe_balance": -505}),
        ("stripe_fee", -2, 0, {"processor_fees": 2, "stripe_balance": -2}),
        ("reserve_transaction", -30, 0, {"stripe_reserves": 30, "stripe_balance": -30}),
        ("connect_collection_transfer", -30, 0, {"losses": 30, "stripe_balance": -30}),
    ],
)
def test_what_is_of_no_sale_is_booked_by_itself(kind: str, amount: int, fee: int, expected: dict[str, int]) -> None:
    made = alone(line(kind, amount, {"id": "po_1"}, fee=fee))
    assert made is not None
    assert balances([made]) == {(account, "usd"): sums for account, sums in expected.items()}


def test_metadata_that_a_merchant_wrote_names_no_sale() -> None:
    named = {"id": "py_1", "metadata": {"transaction_id": "transaction-01jd2k8m6wq3v5x7y9zabcdefg"}}
    assert line("payment", 5, named, account="acct_1").transaction_id is None
    assert line("charge", 5, named).transaction_id == "transaction-01jd2k8m6wq3v5x7y9zabcdefg"


def test_a_line_that_is_resolved_is_counted_as_what_it_turned_out_to_be() -> None:
    first = tallied((), [(LineStatus.MATCHED, PAID), (LineStatus.UNMATCHED, SENT)])
    assert resolved(first, SENT, LineStatus.UNMATCHED, LineStatus.MATCHED) == (
        Tally(status=LineStatus.MATCHED, currency="usd", count=2, net=-3),
    )
