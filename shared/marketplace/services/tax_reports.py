"""The report of tax collected, returned and due: sums of the ledger, as far as one answer holds them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from marketplace.domain.principals import Principal, Role
from marketplace.domain.tax_reports import TaxRow, tax_rows
from marketplace.ports import Ports
from marketplace.services.exports import LONGEST_PERIOD, MOST_ENTRIES, require_period
from marketplace.services.ledger import trial_balance, up_to


class TaxReport(NamedTuple):
    """What was booked from ``since`` to before ``until``, which may be earlier than was asked for."""

    rows: Sequence[TaxRow]
    since: datetime
    until: datetime
    is_complete: bool


def tax_report(ports: Ports, caller: Principal, since: datetime, until: datetime | None) -> TaxReport:
    """Tax by jurisdiction and currency; the rows' ``due`` are the ledger's balances of their accounts at ``until``.

    Raises:
        NotAllowed, Unavailable.
        InvalidPeriod: it ends before it begins, or is ahead.
    """
    caller.require(Role.OPERATOR)
    end = require_period(ports, since, until)
    opening = trial_balance(ports, caller, since).balances
    found, reached = up_to(ports, since, min(end, since + LONGEST_PERIOD), most=MOST_ENTRIES)
    return TaxReport(tax_rows(opening, found), since, reached, reached == end)
