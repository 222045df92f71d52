"""What a merchant has: its balance, payouts and their schedule, and what it looks at its account with."""

import os
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import AwareDatetime

from marketplace.adapters import wiring
from marketplace.domain.statement_csv import statement_csv
from marketplace.edge.fields import DEFAULT_PAGE, LONGEST_URL, Cursor, Limit
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
from marketplace.edge.statement_views import StatementLineView, StatementView
from marketplace.edge.views import Listing
from marketplace.services import dashboards, merchant_balances, payout_schedules, payouts, statements

CSV: Final = "text/csv"
Since = Annotated[AwareDatetime, Query(description="ISO 8601 with a zone.")]
Until = Annotated[AwareDatetime | None, Query(description="ISO 8601 with a zone; now when absent.")]
Format = Annotated[
    Literal["json", "csv"] | None, Query(alias="format", description="Otherwise as `Accept` says, or JSON.")
]
Accept = Annotated[str | None, Header(max_length=LONGEST_URL, include_in_schema=False)]
STATEMENT: Final[dict[int, OpenAPIResponse]] = {
    HTTPStatus.OK: {
        "description": "A statement. It may end earlier than asked for: `Export-Until` says where the next one begins.",
        "content": {"application/json": {"model": StatementView}, CSV: {"schema": {"type": "string"}}},
    }
}

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RIGHTS, Part.RECONCILIATION)
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


@app.get("/merchants/<merchant_id>/payouts/<payout_id>/transactions")
def list_payout_transactions(
    merchant_id: str, payout_id: str, caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[StatementLineView]:
    """What an automatic payout is made of, itself included, newest first; their sum is zero."""
    page = statements.payout_lines(ports, caller, merchant_id, payout_id, cursor=cursor, limit=limit)
    return Listing(data=[StatementLineView.of(line) for line in page.items], cursor=page.cursor)


@app.get("/merchants/<merchant_id>/balance")
def read_balance(merchant_id: str, caller: Caller) -> MerchantBalancesView:
    """What the merchant has at Stripe now, and what it owes the platform, by currency."""
    found = merchant_balances.merchant_balance(ports, caller, merchant_id)
    return MerchantBalancesView(balances=[MerchantBalanceView.of(each) for each in found])


@app.get("/merchants/<merchant_id>/statement", responses=STATEMENT)
def read_statement(
    merchant_id: str, caller: Caller, since: Since, until: Until = None, form: Format = None, accept: Accept = None
) -> Response[str]:
    """What happened to the merchant's balance and debt in a period, with opening and closing balances that add up."""
    settled_after = timedelta(seconds=settings.settled_after_seconds or 0)
    made = statements.statement(ports, caller, merchant_id, since, until, settled_after=settled_after)
    headers = {
        "Export-Until": made.until.isoformat(),
        "Export-Complete": "true" if made.is_complete else "false",
    }
    if (form or ("csv" if CSV in (accept or "") else "json")) == "json":
        body = StatementView.of(made).model_dump_json()
        return Response(HTTPStatus.OK, content_type="application/json", body=body, headers=headers)
    name = f"statement-{made.since.date().isoformat()}-{made.until.date().isoformat()}.csv"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(HTTPStatus.OK, content_type=f"{CSV}; charset=utf-8", body=statement_csv(made), headers=headers)
