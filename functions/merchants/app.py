"""Merchants: connected accounts and their onboarding."""

import os
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from marketplace.adapters import wiring
from marketplace.edge.fields import DEFAULT_PAGE, Cursor, Limit, Reason, RequestModel
from marketplace.edge.idempotency import IdempotencyKey, OptionalIdempotencyKey, key_or_new, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.merchant_views import (
    MerchantBody,
    MerchantChangeBody,
    MerchantView,
    OnboardingLinkBody,
    OnboardingLinkView,
    merchant_view,
)
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing, View
from marketplace.services import debts, merchants, onboarding

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RETURNS, Part.OWN_URL, Part.ACCOUNTS)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class WriteOffBody(RequestModel):
    """Why a debt is given up."""

    reason: Reason


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
    asked = body.as_wanted(ports.policy.accounts)
    return merchant_view(merchants.create_merchant(ports, caller, asked, wanted))


@app.get("/merchants")
def list_merchants(caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE) -> Listing[MerchantView]:
    """All merchants, newest first."""
    page = merchants.list_merchants(ports, caller, cursor=cursor, limit=limit)
    return Listing(data=[merchant_view(merchant) for merchant in page.items], cursor=page.cursor)


@app.get("/merchants/<merchant_id>")
def read_merchant(merchant_id: str, caller: Caller) -> MerchantView:
    """A merchant, with what it can do, what its account lacks and until when."""
    return merchant_view(merchants.read_merchant(ports, caller, merchant_id))


@app.patch("/merchants/<merchant_id>")
def change_merchant(merchant_id: str, body: MerchantChangeBody, caller: Caller) -> MerchantView:
    """Change how a merchant is sold for from now on; sales that were made keep the terms they were made under."""
    return merchant_view(merchants.change_merchant(ports, caller, merchant_id, body.as_changes()))


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
    url, link = onboarding.begin_onboarding(
        ports,
        caller,
        merchant_id,
        return_url=body.return_url,
        onboarding_url=_onboarding_url(),
        use=body.type,
        collect=body.collect,
    )
    return OnboardingLinkView(url=url, expires_at=link.expires_at)


@app.get("/onboarding/<token>", enable_validation=False)
def continue_onboarding(token: str) -> Response[Any]:
    """Send a browser that comes back from a used link on to a new one."""
    url = onboarding.continue_onboarding(ports, token, onboarding_url=_onboarding_url())
    return Response(HTTPStatus.SEE_OTHER, headers={"Location": url}, body="")


def _onboarding_url() -> str:
    return f"{settings.api_base_url or app.own_url}/onboarding"
