"""The report of tax as the API shows it."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from marketplace.edge.views import View
from marketplace.services.tax_reports import TaxReport


class TaxRowView(View):
    """Tax of one jurisdiction in one currency: `opening` and `collected` less `returned` is `due`."""

    jurisdiction: Annotated[str, Field(description="For example `us-ca.state.sales_tax` or `de.country.vat`.")]
    currency: str
    opening: int
    collected: int
    returned: Annotated[int, Field(description="By refunds and disputes, less what of them failed or was won.")]
    due: Annotated[int, Field(description="The ledger's balance of `tax_payable:{jurisdiction}` at `until`.")]


class TaxReportView(View):
    """Tax of a period. Where `is_complete` is false, what is left begins at `until`."""

    since: datetime
    until: datetime
    is_complete: bool
    data: list[TaxRowView]

    @classmethod
    def of_report(cls, report: TaxReport) -> Self:
        """From the use case's answer."""
        rows = [TaxRowView.of(row) for row in report.rows]
        return cls(since=report.since, until=report.until, is_complete=report.is_complete, data=rows)
