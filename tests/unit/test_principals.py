"""Whose what is: one rule, for the merchant's own and for nobody else."""

import pytest

from marketplace.domain.errors import NotAllowed
from marketplace.domain.principals import SYSTEM, Principal, Role

OWN, OTHER = "merchant-own", "merchant-other"


@pytest.mark.parametrize(
    ("caller", "own", "other"),
    [
        (SYSTEM, True, True),
        (Principal(role=Role.OPERATOR, subject="o"), True, True),
        (Principal(role=Role.MERCHANT, subject="m", merchant_id=OWN), True, False),
        (Principal(role=Role.MERCHANT, subject="m"), False, False),
        (Principal(role=Role.BUYER, subject=OWN), False, False),
        (Principal(role=Role.BUYER, subject="b", merchant_id=OWN), False, False),
    ],
)
def test_a_merchant_sees_its_own_and_a_buyer_no_merchants(caller: Principal, *, own: bool, other: bool) -> None:
    assert (caller.sees_merchant(OWN), caller.sees_merchant(OTHER)) == (own, other)


def test_another_role_is_refused() -> None:
    caller = Principal(role=Role.BUYER, subject="b")
    caller.require(Role.OPERATOR, Role.BUYER)
    with pytest.raises(NotAllowed):
        caller.require(Role.OPERATOR)
