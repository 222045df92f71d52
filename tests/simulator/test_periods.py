"""Billing periods and proration: no drift, no gap, no cent too much."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.stripe_simulator.subscriptions.periods import Interval, boundary, period_at
from local.stripe_simulator.subscriptions.proration import share

intervals = st.builds(Interval, st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 4))
moments = st.integers(1_000_000_000, 2_500_000_000)


def moment(*day: int) -> int:
    year, month, date = day
    return int(datetime(year, month, date, tzinfo=UTC).timestamp())


def days(anchor: int, interval: Interval, count: int) -> list[str]:
    found = (boundary(anchor, interval, number) for number in range(count))
    return [datetime.fromtimestamp(each, UTC).strftime("%m-%d") for each in found]


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ((2025, 1, 31), ["01-31", "02-28", "03-31", "04-30", "05-31"]),
        ((2024, 1, 30), ["01-30", "02-29", "03-30", "04-30", "05-30"]),
        ((2025, 11, 30), ["11-30", "12-30", "01-30", "02-28", "03-30"]),
    ],
)
def test_a_month_end_is_come_back_to(begin: tuple[int, ...], expected: list[str]) -> None:
    assert days(moment(*begin), Interval("month"), 5) == expected


def test_a_leap_day_is_kept_every_four_years_and_the_53rd_week_follows_the_52nd() -> None:
    assert days(moment(2024, 2, 29), Interval("year"), 5) == ["02-29", "02-28", "02-28", "02-28", "02-29"]
    weeks = [boundary(moment(2026, 1, 5), Interval("week"), number) for number in range(54)]
    assert {after - before for before, after in pairwise(weeks)} == {7 * 86_400}


@given(anchor=moments, interval=intervals, at=moments)
def test_every_moment_lies_in_one_period_that_begins_where_the_last_ended(
    anchor: int, interval: Interval, at: int
) -> None:
    begin, end = period_at(anchor, interval, at)
    assert begin <= at < end
    assert period_at(anchor, interval, end)[0] == end
    assert period_at(anchor, interval, begin - 1)[1] == begin
    assert period_at(anchor, interval, anchor)[0] == anchor


@given(amount=st.integers(0, 10_000_000), begin=moments, length=st.integers(1, 40_000_000), part=st.floats(0, 1))
def test_what_is_credited_is_never_more_than_was_charged_and_shrinks_with_time(
    amount: int, begin: int, length: int, part: float
) -> None:
    period = begin, begin + length
    at = begin + int(length * part)
    assert 0 <= share(amount, period, at, "usd") <= amount
    assert share(amount, period, at + 1, "usd") <= share(amount, period, at, "usd")
    assert (share(amount, period, begin, "usd"), share(amount, period, begin + length, "usd")) == (amount, 0)


def test_a_third_of_a_month_is_a_third_of_its_price() -> None:
    period = moment(2026, 11, 1), moment(2026, 12, 1)
    assert share(3_000, period, moment(2026, 11, 11), "usd") == 2_000
    assert share(1_000, period, moment(2026, 11, 2), "kwd") % 10 == 0
