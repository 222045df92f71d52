"""Who a caller is: from the claims of a checked token, and from nothing else."""

from typing import Any

import pytest

from marketplace.domain.errors import NotAllowed
from marketplace.domain.principals import Principal, Role
from marketplace.edge.principal import NotAuthenticated, authorized_claims, principal_of

MERCHANT = "merchant-" + 26 * "0"


def caller(**claims: Any) -> Principal:
    event = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}
    return principal_of(authorized_claims(event), role_claim="role", merchant_claim="merchant")


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
        principal_of(authorized_claims(event), role_claim="role", merchant_claim="merchant")


# As API Gateway delivers them: every value a text, a list in brackets, an object as Go prints a map.
AUTH0 = {
    "iss": "https://shop.eu.auth0.com/", "sub": "auth0|5fe435b5cbbc85006b071eba", "aud": "[https://payments.example]",
    "azp": "FT6TMjfHI2lkxjpAbG5tCjEdiEkyvMCA", "iat": "1.795422e+09", "exp": "1.795429e+09", "scope": "openid profile",
}  # fmt: skip
CLERK = {
    "iss": "https://clerk.shop.example", "sub": "user_2aZ9QkX0n1pM4", "aud": "payments", "azp": "https://shop.example",
    "iat": "1795422000", "exp": "1795422060", "jti": "5f1c", "nbf": "1795421990",
}  # fmt: skip
SUPABASE = {
    "iss": "https://shop.supabase.co/auth/v1", "sub": "6b4f5c1e-9d55-4a6e-8a53-1d9b6f0f7a11", "aud": "authenticated",
    "role": "authenticated", "aal": "aal1", "session_id": "d1f7", "is_anonymous": "false", "email": "ann@example.com",
    "app_metadata": "map[marketplace_role:operator provider:email providers:[email]]",
    "user_metadata": "map[marketplace_role:operator name:Ann]", "amr": "[map[method:password timestamp:1795422000]]",
}  # fmt: skip
COGNITO = {
    "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a1B2c3D4e", "sub": "13a4a8a2-90b1-70c8",
    "aud": "3n4b5urk1ft4fl3mg5e62d9ado", "token_use": "id", "cognito:username": "13a4a8a2-90b1-70c8",
}  # fmt: skip
PROVIDERS: dict[str, tuple[dict[str, str], str, str]] = {
    "Auth0": (AUTH0, "https://shop.example/role", "https://shop.example/merchant_id"),
    "Clerk": (CLERK, "marketplace_role", "merchant_id"),
    "Supabase": (SUPABASE, "marketplace_role", "merchant_id"),
    "Cognito": (COGNITO, "cognito:groups", "custom:merchant_id"),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_s_claims_make_a_caller_as_docs_identity_says(provider: str) -> None:
    usual, role_claim, merchant_claim = PROVIDERS[provider]

    def made(**claims: str) -> Principal:
        event = {"requestContext": {"authorizer": {"jwt": {"claims": usual | claims}}}}
        return principal_of(authorized_claims(event), role_claim=role_claim, merchant_claim=merchant_claim)

    subject = usual["sub"]
    assert made(**{role_claim: "[operator]"}) == Principal(role=Role.OPERATOR, subject=subject)
    assert made(**{role_claim: "buyer"}) == Principal(role=Role.BUYER, subject=subject)
    seller = made(**{role_claim: "merchant", merchant_claim: MERCHANT})
    assert seller == Principal(role=Role.MERCHANT, subject=subject, merchant_id=MERCHANT)
    with pytest.raises(NotAllowed):
        made()


@pytest.mark.parametrize(
    "claim",
    [
        "map[role:operator]",
        "[map[role:operator]]",
        "[map[name:an operator or so]]",
        "map[name:x operator y]",
        "map[operator]",
        "[operator",
        "operator]",
    ],
)
def test_an_object_s_text_could_be_forged_by_any_value_in_it_and_names_no_role(claim: str) -> None:
    with pytest.raises(NotAllowed):
        caller(sub="u", role=claim)
    with pytest.raises(NotAllowed):
        caller(sub="u", role="merchant", merchant=f"map[merchant_id:{MERCHANT}]")


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "ann@example.com", "email_verified": "true"}, "ann@example.com"),
        ({"email": "ann@example.com", "email_verified": True}, "ann@example.com"),
        ({"email": "ann@example.com", "email_verified": "false"}, None),
        ({"email": "ann@example.com", "email_verified": "1"}, None),
        ({"email": "ann@example.com"}, None),
        ({"email_verified": "true"}, None),
        ({"email": ["ann@example.com"], "email_verified": "true"}, None),
        ({"email": 255 * "a", "email_verified": "true"}, None),
    ],
)
def test_an_e_mail_is_a_caller_s_where_its_issuer_has_verified_it(claims: dict[str, object], email: str | None) -> None:
    event = {"requestContext": {"authorizer": {"jwt": {"claims": {"sub": "ann", "role": "buyer", **claims}}}}}
    assert principal_of(authorized_claims(event), role_claim="role", merchant_claim="merchant").email == email
