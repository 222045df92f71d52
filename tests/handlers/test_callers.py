"""Who a caller is: from the claims of a checked token, and from nothing else."""

from typing import Any

import pytest

from marketplace.domain.errors import NotAllowed
from marketplace.domain.principals import Principal, Role
from marketplace.edge.principal import NotAuthenticated, principal_of

MERCHANT = "merchant-" + 26 * "0"


def caller(**claims: Any) -> Principal:
    event = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}
    return principal_of(event, role_claim="role", merchant_claim="merchant")


@pytest.mark.parametrize(
    "claim", ["operator", ["operator"], "[operator]", "[buyer operator]", ["merchant", "operator"]]
)
def test_a_role_is_read_from_a_string_a_list_and_what_api_gateway_makes_of_a_list(claim: Any) -> None:
    assert caller(sub="u", role=claim) == Principal(role=Role.OPERATOR, subject="u")


@pytest.mark.parametrize(
    "claim",
    [None, "", "[]", [], "admin", "system", "[system]", "not operator", "Operator", "[Operator]", "operator,buyer",
     {"operator": True}, [["operator"]], 5, True, "[[operator]]"],
)  # fmt: skip
def test_an_unknown_or_missing_role_is_refused(claim: Any) -> None:
    with pytest.raises(NotAllowed):
        caller(sub="u", role=claim)


@pytest.mark.parametrize("merchant", [None, "", "m", "merchant-1", [MERCHANT], f"{MERCHANT} ", 5])
def test_a_merchant_s_user_without_a_merchant_is_refused(merchant: Any) -> None:
    with pytest.raises(NotAllowed):
        caller(sub="u", role="merchant", merchant=merchant)


def test_a_merchant_s_user_acts_for_the_merchant_of_its_token() -> None:
    assert caller(sub="u", role="merchant", merchant=MERCHANT).merchant_id == MERCHANT
    assert caller(sub="u", role="buyer", merchant=MERCHANT).merchant_id is None


@pytest.mark.parametrize(
    "event",
    [
        {}, {"requestContext": None}, {"requestContext": {}}, {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {"jwt": None}}}, {"requestContext": {"authorizer": {"jwt": {"claims": []}}}},
        {"requestContext": {"authorizer": {"claims": {"sub": "u", "role": "operator"}}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {"role": "operator"}}}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {"sub": "", "role": "operator"}}}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {"sub": 256 * "u", "role": "operator"}}}}},
        {"headers": {"authorization": "Bearer operator"}, "requestContext": {}},
    ],
)  # fmt: skip
def test_without_the_claims_of_a_checked_token_nobody_calls(event: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        principal_of(event, role_claim="role", merchant_claim="merchant")
