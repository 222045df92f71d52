"""Splits lose nothing, and amounts are what a currency can pay."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import InvalidAmount, UnknownCurrency
from marketplace.domain.money import (
    CURRENCIES,
    LARGEST_AMOUNT,
    THREE_DECIMAL,
    ZERO_DECIMAL,
    allocate,
    major_units,
    part_of,
    require_payable,
    smallest_payable,
)

amounts = st.integers(0, 10**9)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any)


@given(total=amounts, weights=weights)
def test_a_split_loses_nothing_and_no_part_is_off_by_a_unit(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(Fraction(total * w, whole) - part) < 1 for part, w in zip(parts, weights, strict=True))


@given(units=st.integers(0, 10**6), weights=weights, step=st.sampled_from([1, 10, 100]))
def test_every_part_is_a_multiple_of_the_step_and_none_is_negative(units: int, weights: list[int], step: int) -> None:
    parts = allocate(units * step, weights, step=step)
    assert sum(parts) == units * step
    assert all(part >= 0 and part % step == 0 for part in parts)


@given(total=amounts, weights=weights)
def test_nobody_with_no_weight_gets_anything(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_ties_go_to_the_earlier() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(2, [1, 1, 1]) == [1, 1, 0]


@pytest.mark.parametrize(
    ("total", "weights", "step"), [(-1, [1], 1), (1, [0], 1), (1, [], 1), (1, [2, -1], 1), (15, [1], 10)]
)
def test_what_cannot_be_split_is_refused(total: int, weights: list[int], step: int) -> None:
    with pytest.raises(InvalidAmount):
        allocate(total, weights, step=step)


@given(whole=amounts, numerator=amounts, denominator=st.integers(1, 10**9), step=st.sampled_from([1, 10, 100]))
def test_a_part_is_the_nearest_multiple_of_the_step(whole: int, numerator: int, denominator: int, step: int) -> None:
    part = part_of(whole, numerator, denominator, step=step)
    assert part % step == 0
    assert abs(Fraction(whole * numerator, denominator) - part) <= Fraction(step, 2)


def test_halves_go_to_the_even_neighbor() -> None:
    assert [part_of(1, n, 2) for n in (1, 3, 5, 7)] == [0, 2, 2, 4]


@given(whole=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 10**6), max_size=20))
def test_the_running_total_closes(whole: int, cuts: list[int]) -> None:
    """What polar shipped: 90 of 100, refunded 33, 33 and 34, must give back 90 in the end, not 88."""
    total, given_back, done = sum(cuts) or 1, 0, 0
    for cut in cuts:
        done += cut
        step = part_of(whole, done, total) - given_back
        assert step >= 0
        given_back += step
    assert given_back == (whole if cuts and sum(cuts) else 0)


def test_polar_90_of_100_refunded_as_33_33_34_reverses_90() -> None:
    back: list[int] = []
    for so_far in (33, 66, 100):
        back.append(part_of(90, so_far, 100) - sum(back))
    assert back == [30, 29, 31]


@pytest.mark.parametrize("currency", ["isk", "ugx"])
def test_two_decimals_that_must_be_zero(currency: str) -> None:
    require_payable(500, currency)
    with pytest.raises(InvalidAmount):
        require_payable(550, currency)


@pytest.mark.parametrize("currency", ["bhd", "jod", "kwd", "omr", "tnd"])
def test_three_decimals_of_which_the_last_must_be_zero(currency: str) -> None:
    require_payable(1230, currency)
    with pytest.raises(InvalidAmount):
        require_payable(1234, currency)


def test_paymenter_1258_a_yen_is_a_yen() -> None:
    require_payable(1, "jpy")
    assert smallest_payable("jpy") == 1


@pytest.mark.parametrize("amount", [0, -1, LARGEST_AMOUNT + 1, 10**30])
@pytest.mark.parametrize("currency", ["usd", "jpy", "kwd"])
def test_no_payment_is_zero_negative_or_huge(amount: int, currency: str) -> None:
    with pytest.raises(InvalidAmount):
        require_payable(amount, currency)


@pytest.mark.parametrize("currency", ["xyz", "USD", "", "us", "eur "])
def test_a_currency_that_stripe_has_not_is_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        require_payable(100, currency)


def test_every_currency_has_a_payable_amount() -> None:
    for currency in CURRENCIES:
        require_payable(1000, currency)


@given(amount=st.integers(-(10**12), 10**12), currency=st.sampled_from(sorted(CURRENCIES)))
def test_major_units_are_the_amount_with_the_currency_s_decimals(amount: int, currency: str) -> None:
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    written = major_units(amount, currency)
    assert Decimal(written).scaleb(decimals) == amount
    assert len(written.partition(".")[2]) == decimals
