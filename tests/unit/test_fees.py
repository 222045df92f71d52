"""The platform's fee follows its policy, within the amount."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import FeeExceedsAmount, InvalidFeePolicy
from marketplace.domain.fees import FeePolicy, require_fee_within
from marketplace.domain.money import CURRENCIES, smallest_payable

percents = st.decimals("0", "100", places=4)
currencies = st.sampled_from(sorted(CURRENCIES))


@given(percent=percents, units=st.integers(1, 999_999), currency=currencies)
def test_a_fee_is_payable_and_within_the_amount(percent: Decimal, units: int, currency: str) -> None:
    step = smallest_payable(currency)
    fee = FeePolicy(percent=percent).fee(units * step, currency)
    assert 0 <= fee <= units * step
    assert fee % step == 0
    assert abs(fee - units * step * percent / 100) <= Decimal(step) / 2


def test_percent_and_fixed_add_up() -> None:
    policy = FeePolicy.of({"percent": "12.5", "fixed": {"usd": 30}})
    assert policy.fee(1000, "usd") == 155
    assert policy.fee(1000, "eur") == 125


def test_the_minimum_and_the_maximum_bound_it() -> None:
    policy = FeePolicy.of({"percent": "10", "minimum": {"usd": 50}, "maximum": {"usd": 200}})
    assert [policy.fee(amount, "usd") for amount in (100, 1000, 10_000)] == [50, 100, 200]


def test_a_minimum_never_exceeds_the_sale() -> None:
    assert FeePolicy.of({"minimum": {"usd": 500}}).fee(120, "usd") == 120


@given(percent=percents, fixed=st.integers(0, 500))
def test_a_policy_is_recorded_as_it_was_given(percent: Decimal, fixed: int) -> None:
    policy = FeePolicy.of({"percent": str(percent), "fixed": {"usd": fixed}})
    assert FeePolicy.of(policy.as_data()) == policy


@pytest.mark.parametrize(
    "data",
    [
        {"percent": 12.5},
        {"percent": "101"},
        {"percent": "-1"},
        {"percent": "1.00001"},
        {"percent": "NaN"},
        {"percent": "Infinity"},
        {"percent": "a lot"},
        {"percent": True},
        {"fixed": {"xyz": 1}},
        {"fixed": {"usd": 1.5}},
        {"fixed": {"usd": -1}},
        {"fixed": {"kwd": 5}},
        {"fixed": {"usd": True}},
        {"minimum": 5},
        {"fee": "10"},
    ],
)
def test_a_policy_that_no_amount_could_follow_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(InvalidFeePolicy):
        FeePolicy.of(data)


@pytest.mark.parametrize(
    ("fee", "amount", "currency"), [(-1, 100, "usd"), (101, 100, "usd"), (5, 1000, "kwd"), (50, 500, "isk")]
)
def test_a_fee_asked_for_by_hand_must_fit(fee: int, amount: int, currency: str) -> None:
    with pytest.raises(FeeExceedsAmount):
        require_fee_within(fee, amount, currency)


def test_no_fee_and_the_whole_amount_are_fees() -> None:
    require_fee_within(0, 100, "usd")
    require_fee_within(100, 100, "usd")
