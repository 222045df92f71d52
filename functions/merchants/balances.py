"""What a merchant has: its balance, payouts and their schedule, and what it looks at its account with."""

import os
from http import HTTPStatus

from marketplace.adapters import wiring
from marketplace.edge.fields import DEFAULT_PAGE, Cursor, Limit
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.payout_views import (
    ComponentSessionBody,
    ComponentSessionView,
    DashboardLinkView,
    MerchantBalancesView,
    MerchantBalanceView,
    PayoutBody,
    PayoutScheduleBody,
    PayoutScheduleView,
    PayoutView,
)
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing
from marketplace.services import dashboards, merchant_balances, payout_schedules, payouts

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RIGHTS)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


@app.post("/merchants/<merchant_id>/dashboard-links", status_code=HTTPStatus.CREATED)
def create_dashboard_link(merchant_id: str, caller: Caller) -> DashboardLinkView:
    """A link into the merchant's Express dashboard."""
    return DashboardLinkView(url=dashboards.dashboard_link(ports, caller, merchant_id))


@app.post("/merchants/<merchant_id>/component-sessions", status_code=HTTPStatus.CREATED)
def create_component_session(merchant_id: str, body: ComponentSessionBody, caller: Caller) -> ComponentSessionView:
    """A session of Stripe's embedded components. Refunds by the merchant are always off."""
    return ComponentSessionView.of(dashboards.component_session(ports, caller, merchant_id, body.components))


@app.get("/merchants/<merchant_id>/payout-schedule")
def read_payout_schedule(merchant_id: str, caller: Caller) -> PayoutScheduleView:
    """When the merchant's balance is paid out by itself."""
    return PayoutScheduleView.of(payout_schedules.read_schedule(ports, caller, merchant_id))


@app.put("/merchants/<merchant_id>/payout-schedule")
def change_payout_schedule(merchant_id: str, body: PayoutScheduleBody, caller: Caller) -> PayoutScheduleView:
    """Set all of the schedule: a merchant within what the operator leaves to it (docs/policies.md)."""
    return PayoutScheduleView.of(payout_schedules.change_schedule(ports, caller, merchant_id, body.as_wanted()))


@app.post("/merchants/<merchant_id>/payouts", status_code=HTTPStatus.CREATED)
def create_payout(merchant_id: str, body: PayoutBody, key: IdempotencyKey, caller: Caller) -> PayoutView:
    """Pay out from the merchant's balance now."""
    wanted = once(caller, f"POST /merchants/{merchant_id}/payouts", key, body)
    return PayoutView.of(payouts.request_payout(ports, caller, merchant_id, body.as_wanted(), wanted))


@app.get("/merchants/<merchant_id>/payouts")
def list_payouts(
    merchant_id: str, caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[PayoutView]:
    """The merchant's payouts, whoever made them, newest first."""
    page = payouts.list_payouts(ports, caller, merchant_id, cursor=cursor, limit=limit)
    return Listing(data=[PayoutView.of(payout) for payout in page.items], cursor=page.cursor)


@app.get("/merchants/<merchant_id>/payouts/<payout_id>")
def read_payout(merchant_id: str, payout_id: str, caller: Caller) -> PayoutView:
    """A payout."""
    return PayoutView.of(payouts.read_payout(ports, caller, merchant_id, payout_id))


@app.get("/merchants/<merchant_id>/balance")
def read_balance(merchant_id: str, caller: Caller) -> MerchantBalancesView:
    """What the merchant has at Stripe now, and what it owes the platform, by currency."""
    found = merchant_balances.merchant_balance(ports, caller, merchant_id)
    return MerchantBalancesView(balances=[MerchantBalanceView.of(each) for each in found])
