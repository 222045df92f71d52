"""The template with an OIDC issuer of one's own: its tokens are checked, and its claims say who calls."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from local.cloud import Ports, Stack
from local.cloud.running import deploy
from local.cloud.sam import build
from local.cloud.stripe_account import simulator
from marketplace.domain.ids import ALPHABET
from tests.e2e.oidc_issuer import Issuer, new_key, running_issuer
from tests.e2e.shop import Caller, done, problem

NAME = "foreign-issuer"
AUDIENCE = "https://payments.example"
ROLE, MERCHANT = "https://shop.example/role", "https://shop.example/merchant_id"
SOME_MERCHANT = "merchant-" + 26 * ALPHABET[1]
OPERATOR = {"sub": "auth0|olga", ROLE: "operator"}
BUYER = {"sub": "auth0|ann", ROLE: "buyer"}


@dataclass(frozen=True)
class Site:
    """A second stack in the local cloud, whose callers come from the issuer."""

    issuer: Issuer
    http: httpx.Client

    def caller(self, token: str) -> Caller:
        return Caller(self.http, token)

    def user(self, **claims: object) -> Caller:
        return self.caller(self.issuer.token(claims))


@pytest.fixture(scope="module")
def site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("foreign")
    log = folder / "sam.log"
    with running_issuer(AUDIENCE) as issuer, simulator(port=Ports.free().stripe, folder=folder) as account:
        users = {"JwtIssuer": issuer.url, "JwtAudience": AUDIENCE, "RoleClaim": ROLE, "MerchantClaim": MERCHANT}
        beside = deploy(build(log), stack.aws_endpoint, account, log, stack_name=NAME, api_id=NAME, more=users)
        assert (beside.user_pool_id, beside.tokens) == ("", {})
        with httpx.Client(base_url=beside.api, timeout=60) as http:
            yield Site(issuer, http)


def test_each_role_comes_from_the_claims_that_the_parameters_name(site: Site) -> None:
    assert done(site.user(**OPERATOR).get("/merchants"))["data"] == []
    assert done(site.user(sub="auth0|olga", **{ROLE: ["operator", "buyer"]}).get("/merchants"))["data"] == []
    merchant = site.user(sub="user_2x", **{ROLE: "merchant", MERCHANT: SOME_MERCHANT})
    assert done(merchant.get("/transactions"))["data"] == []
    assert problem(merchant.get(f"/merchants/{SOME_MERCHANT}")) == (404, "not-found")
    assert problem(merchant.get("/merchants")) == (403, "not-allowed")
    buyer = site.user(**BUYER)
    assert done(buyer.post("/customers", {"name": "Ann"}))["id"] == "auth0|ann"
    assert done(buyer.get("/customers/auth0%7Cann"))["name"] == "Ann"
    assert problem(buyer.get("/customers/auth0%7Cben")) == (404, "not-found")


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"role": "operator"},
        {"cognito:groups": ["operator"]},
        {ROLE: "authenticated"},
        {ROLE: "not operator"},
        {ROLE: {"operator": True}},
        {"app_metadata": {"role": "operator"}},
        {ROLE: "merchant"},
        {ROLE: "merchant", MERCHANT: "acct_1"},
    ],
    ids=repr,
)
def test_a_token_that_names_no_role_or_no_merchant_may_do_nothing(site: Site, claims: dict[str, object]) -> None:
    assert problem(site.user(sub="auth0|eve", **claims).get("/transactions")) == (403, "not-allowed")


def test_only_the_issuer_s_own_current_tokens_for_this_api_are_taken(site: Site) -> None:
    issuer, now = site.issuer, int(time.time())
    forged = (
        issuer.token(OPERATOR, signed_by=new_key()),
        issuer.token(OPERATOR, algorithm="none"),
        issuer.token(OPERATOR | {"iss": "https://evil.example"}),
        issuer.token(OPERATOR | {"iss": f"{issuer.url}/"}),
        issuer.token(OPERATOR | {"aud": "https://other.example"}),
        issuer.token(OPERATOR | {"exp": now - 60}),
        issuer.token(OPERATOR | {"nbf": now + 600}),
    )
    for token in forged:
        assert site.caller(token).get("/merchants").status_code == 401, token
    assert site.user(**OPERATOR).get("/merchants").status_code == 200
