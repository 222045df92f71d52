"""Merchants: connected accounts and their onboarding."""

import os
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BeforeValidator, Field

from marketplace.adapters import wiring
from marketplace.domain.fees import FeePolicy
from marketplace.edge.fields import DEFAULT_PAGE, Currency, Cursor, Limit, Name, Reason, RequestModel, Url
from marketplace.edge.idempotency import IdempotencyKey, OptionalIdempotencyKey, key_or_new, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing, View
from marketplace.services import debts, merchants
from marketplace.services.merchants import NewMerchant

MOST_CURRENCIES = 200  # more than there are

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RETURNS, Part.OWN_URL)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve

Amounts = Annotated[dict[Currency, int], Field(max_length=MOST_CURRENCIES)]


class FeePolicyBody(RequestModel):
    """`percent` of the amount plus `fixed`, kept between `minimum` and `maximum`: amounts by currency."""

    percent: Annotated[str, Field(max_length=10)] = "0"
    fixed: Amounts = Field(default_factory=dict)
    minimum: Amounts = Field(default_factory=dict)
    maximum: Amounts = Field(default_factory=dict)


class MerchantBody(RequestModel):
    """A merchant to be. Without a fee policy the platform's default holds."""

    name: Name
    contact_email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
    country: Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 3166 in lower case.")]
    currencies: Annotated[list[Currency], Field(min_length=1, max_length=MOST_CURRENCIES)]
    fee_policy: FeePolicyBody | None = None

    def as_wanted(self) -> NewMerchant:
        """As the use case takes it. Raises InvalidFeePolicy."""
        return NewMerchant(
            name=self.name,
            contact_email=self.contact_email,
            country=self.country,
            currencies=tuple(dict.fromkeys(self.currencies)),
            fee_policy=None if self.fee_policy is None else FeePolicy.of(self.fee_policy.model_dump()),
        )


class WriteOffBody(RequestModel):
    """Why a debt is given up."""

    reason: Reason


class OnboardingLinkBody(RequestModel):
    """Where the merchant's browser goes afterwards."""

    return_url: Url


def _policy_data(policy: FeePolicy | None) -> dict[str, Any] | None:
    return None if policy is None else policy.as_data()


class MerchantView(View):
    """A merchant."""

    id: str
    name: str
    country: str
    currencies: list[str]
    fee_policy: Annotated[dict[str, Any] | None, BeforeValidator(_policy_data)]
    status: str
    account_id: str | None
    requirements_due: list[str]
    restriction: str | None
    created_at: datetime


class OnboardingLinkView(View):
    """`url` is Stripe's page, good once and for minutes; until `expires_at` it sends a late browser to a new one."""

    url: str
    expires_at: datetime


class DebtView(View):
    """What a merchant should have given back for `cause`, a refund or dispute, and could not.

    Of `amount`, `netted` was kept of later shares, `collected` taken from its balance, `written_off` given up; `rest`
    is owed, and `collecting` on its way.
    """

    id: str
    merchant_id: str
    transaction_id: str
    cause: str
    amount: int
    currency: str
    status: str
    rest: int
    netted: int
    collecting: int
    collected: int
    written_off: int
    reason: Annotated[str | None, Field(description="Of the write-off.")]
    created_at: datetime


@app.post("/merchants", status_code=HTTPStatus.CREATED)
def create_merchant(body: MerchantBody, caller: Caller, key: OptionalIdempotencyKey = None) -> MerchantView:
    """Make a merchant and its connected account."""
    wanted = once(caller, "POST /merchants", key_or_new(key), body)
    return MerchantView.of(merchants.create_merchant(ports, caller, body.as_wanted(), wanted))


@app.get("/merchants")
def list_merchants(caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE) -> Listing[MerchantView]:
    """All merchants, newest first."""
    page = merchants.list_merchants(ports, caller, cursor=cursor, limit=limit)
    return Listing(data=[MerchantView.of(merchant) for merchant in page.items], cursor=page.cursor)


@app.get("/merchants/<merchant_id>")
def read_merchant(merchant_id: str, caller: Caller) -> MerchantView:
    """A merchant, with what its account still lacks."""
    return MerchantView.of(merchants.read_merchant(ports, caller, merchant_id))


@app.get("/merchants/<merchant_id>/debts")
def list_debts(
    merchant_id: str, caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[DebtView]:
    """What a merchant owes for refunds and disputes that its balance did not cover, newest first."""
    page = debts.list_debts(ports, caller, merchant_id, cursor=cursor, limit=limit)
    return Listing(data=[DebtView.of(debt) for debt in page.items], cursor=page.cursor)


@app.get("/debts")
def list_open_debts(caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE) -> Listing[DebtView]:
    """What all merchants owe now, newest first."""
    page = debts.list_open_debts(ports, caller, cursor=cursor, limit=limit)
    return Listing(data=[DebtView.of(debt) for debt in page.items], cursor=page.cursor)


@app.get("/debts/<debt_id>")
def read_debt(debt_id: str, caller: Caller) -> DebtView:
    """A debt."""
    return DebtView.of(debts.read_debt(ports, caller, debt_id))


@app.post("/debts/<debt_id>/write-off")
def write_off(debt_id: str, body: WriteOffBody, key: IdempotencyKey, caller: Caller) -> DebtView:
    """Give up what is left of a debt: it becomes the platform's loss."""
    wanted = once(caller, f"POST /debts/{debt_id}/write-off", key, body)
    return DebtView.of(debts.write_off(ports, caller, debt_id, body.reason, wanted))


@app.post("/merchants/<merchant_id>/onboarding-links", status_code=HTTPStatus.CREATED)
def create_onboarding_link(merchant_id: str, body: OnboardingLinkBody, caller: Caller) -> OnboardingLinkView:
    """A link to Stripe's onboarding."""
    url, link = merchants.begin_onboarding(
        ports, caller, merchant_id, return_url=body.return_url, onboarding_url=_onboarding_url()
    )
    return OnboardingLinkView(url=url, expires_at=link.expires_at)


@app.get("/onboarding/<token>", enable_validation=False)
def continue_onboarding(token: str) -> Response[Any]:
    """Send a browser that comes back from a used link on to a new one."""
    url = merchants.continue_onboarding(ports, token, onboarding_url=_onboarding_url())
    return Response(HTTPStatus.SEE_OTHER, headers={"Location": url}, body="")


def _onboarding_url() -> str:
    return f"{settings.api_base_url or app.own_url}/onboarding"
