"""What an operator leaves to merchants, as its parameter says it."""

from typing import Any

import pytest

from marketplace.domain.components import COMPONENTS, NEVER_ON, SHOWN, session_components
from marketplace.domain.merchant_rights import MerchantRights
from marketplace.domain.payout_schedules import Interval


def test_what_is_not_said_is_as_it_is_usual() -> None:
    usual = MerchantRights.of({})
    assert usual == MerchantRights()
    assert Interval.MANUAL not in usual.intervals
    assert (usual.payouts, usual.instant_payouts) == (False, False)
    assert usual.components == SHOWN
    assert not any(SHOWN.values())  # nothing that moves money


def test_what_is_said_is_so() -> None:
    given = {
        "intervals": ["manual"],
        "least_delay_days": 7,
        "minimum_balances": False,
        "payouts": True,
        "components": {"payouts": ["standard_payouts"], "documents": []},
    }
    found = MerchantRights.of(given)
    assert (found.intervals, found.least_delay_days, found.minimum_balances) == ((Interval.MANUAL,), 7, False)
    assert (found.payouts, found.instant_payouts) == (True, False)
    assert found.components == {"payouts": frozenset({"standard_payouts"}), "documents": frozenset()}


@pytest.mark.parametrize(
    "given",
    [
        {"interval": ["daily"]},
        {"intervals": "daily"},
        {"intervals": ["hourly"]},
        {"least_delay_days": 32},
        {"least_delay_days": True},
        {"least_delay_days": "7"},
        {"minimum_balances": "yes"},
        {"payouts": 1},
        {"components": ["payouts"]},
        {"components": {"payout": []}},
        {"components": {"payouts": "standard_payouts"}},
        {"components": {"payments": ["refund_management"]}},
    ],
    ids=str,
)
def test_what_says_something_else_lets_no_function_start(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"known are|is a list|is null|true or false|is an object"):
        MerchantRights.of(given)


@pytest.mark.parametrize("name", COMPONENTS)
def test_no_component_lets_a_merchant_refund(name: str) -> None:
    made = session_components({name: sorted(COMPONENTS[name])})[name]
    assert made["enabled"] is True
    features = made.get("features", {})
    assert not any(features.get(each, False) for each in NEVER_ON)
    assert not COMPONENTS[name] & set(NEVER_ON)
    if "dispute_management" in features:
        assert dict.fromkeys(NEVER_ON, False).items() <= features.items()
