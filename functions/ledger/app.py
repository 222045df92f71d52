"""The ledger for operators: balances, what was reconciled and audited, files for the bookkeeper. Reads only."""

import os
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import AwareDatetime

from marketplace.adapters import wiring
from marketplace.domain.principals import Role
from marketplace.domain.tax_reports import tax_csv
from marketplace.edge.fields import DEFAULT_PAGE, Cursor, Filter, Limit
from marketplace.edge.invocation import Invocation
from marketplace.edge.ledger_views import (
    AccountView,
    AuditView,
    BalanceView,
    DiscrepancyView,
    FindingView,
    PayoutReconciliationView,
    ReconciliationView,
    TrialBalanceView,
    balances,
)
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.tax_views import TaxReportView
from marketplace.edge.views import Listing
from marketplace.services import exports
from marketplace.services.exports import Export
from marketplace.services.ledger import trial_balance
from marketplace.services.tax_reports import tax_report

CSV: Final = "text/csv; charset=utf-8"
Moment = Annotated[AwareDatetime | None, Query(description="ISO 8601 with a zone; now when absent.")]
Since = Annotated[AwareDatetime, Query(description="ISO 8601 with a zone: what was booked from then on.")]
FILE: Final[dict[int, OpenAPIResponse]] = {
    HTTPStatus.OK: {
        "description": "A file. It may end earlier than asked for: `Export-Until` says where the next one begins.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}

settings = Settings.of(os.environ, Part.TABLE, Part.CALLERS)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


@app.get("/ledger/trial-balance")
def read_trial_balance(caller: Caller, at: Moment = None) -> TrialBalanceView:
    """The balance of every account that is not at rest, counting what was booked before a moment."""
    return TrialBalanceView.of_balances(trial_balance(ports, caller, at))


@app.get("/ledger/accounts")
def list_accounts(
    caller: Caller, at: Moment = None, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[BalanceView]:
    """The accounts that are not at rest at a moment, by name."""
    found = [row for row in balances(trial_balance(ports, caller, at).balances) if _name(row) > (cursor or "")]
    return Listing(data=found[:limit], cursor=_name(found[limit - 1]) if len(found) > limit else None)


@app.get("/ledger/accounts/<account>")
def read_account(account: str, caller: Caller, at: Moment = None) -> AccountView:
    """The balance of an account at a moment; none when it is at rest, or nothing was ever booked to it."""
    found = trial_balance(ports, caller, at, account=account)
    return AccountView(account=account, at=found.at, balances=balances(found.balances))


@app.get("/reconciliations")
def list_reconciliations(
    caller: Caller, account: Filter = None, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[ReconciliationView]:
    """What was reconciled, by account and day: of one account (`platform` is the platform's own), or of all."""
    caller.require(Role.OPERATOR)
    page = ports.store.reconciliations(account, cursor=cursor, limit=limit)
    return Listing(data=[ReconciliationView.of_day(day) for day in page.items], cursor=page.cursor)


@app.get("/reconciliations/discrepancies")
def list_discrepancies(caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE) -> Listing[DiscrepancyView]:
    """Balance transactions of all accounts that the ledger does not explain."""
    caller.require(Role.OPERATOR)
    page = ports.store.discrepancies(cursor=cursor, limit=limit)
    return Listing(data=[DiscrepancyView.of_discrepancy(each) for each in page.items], cursor=page.cursor)


@app.get("/reconciliations/payouts")
def list_payout_reconciliations(
    caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[PayoutReconciliationView]:
    """Automatic payouts of all accounts, and what they are made of."""
    caller.require(Role.OPERATOR)
    page = ports.store.payout_reconciliations(cursor=cursor, limit=limit)
    return Listing(data=[PayoutReconciliationView.of_payout(each) for each in page.items], cursor=page.cursor)


@app.get("/audits")
def list_audits(caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE) -> Listing[AuditView]:
    """The audits of the invariants."""
    caller.require(Role.OPERATOR)
    page = ports.store.audits(cursor=cursor, limit=limit)
    return Listing(data=[AuditView.of(each) for each in page.items], cursor=page.cursor)


@app.get("/audits/findings")
def list_findings(caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE) -> Listing[FindingView]:
    """What audits found and still is so."""
    caller.require(Role.OPERATOR)
    page = ports.store.findings(cursor=cursor, limit=limit)
    return Listing(data=[FindingView.of(each) for each in page.items], cursor=page.cursor)


@app.get("/exports/ledger", responses=FILE)
def export_ledger(caller: Caller, since: Since, until: Moment = None) -> Response[str]:
    """The ledger of a period as CSV: opening balances, each line, closing balances."""
    return _file("ledger", exports.export_ledger(ports, caller, since, until))


@app.get("/exports/transactions", responses=FILE)
def export_transactions(caller: Caller, since: Since, until: Moment = None) -> Response[str]:
    """The transactions that were paid in a period as CSV, one in a row."""
    return _file("transactions", exports.export_transactions(ports, caller, since, until))


@app.get("/tax/report")
def read_tax_report(caller: Caller, since: Since, until: Moment = None) -> TaxReportView:
    """Tax collected, returned and due in a period, by jurisdiction."""
    return TaxReportView.of_report(tax_report(ports, caller, since, until))


@app.get("/exports/tax", responses=FILE)
def export_tax(caller: Caller, since: Since, until: Moment = None) -> Response[str]:
    """The report of tax as CSV, one jurisdiction and currency in a row."""
    made = tax_report(ports, caller, since, until)
    return _file("tax", Export(tax_csv(made.rows), made.since, made.until, made.is_complete))


def _name(row: BalanceView) -> str:
    return f"{row.account} {row.currency}"


def _file(what: str, made: Export) -> Response[str]:
    name = f"{what}-{_day(made.since)}-{_day(made.until)}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Export-Until": made.until.isoformat(),
        "Export-Complete": "true" if made.is_complete else "false",
    }
    return Response(status_code=HTTPStatus.OK, content_type=CSV, body=made.text, headers=headers)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
