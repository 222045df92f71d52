"""Exports of a period, as far as one answer holds them: what is left begins where the last one ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Final, NamedTuple

from marketplace.domain.closings import Posting, rolled
from marketplace.domain.errors import InvalidPeriod
from marketplace.domain.exports import ledger_csv, transactions_csv
from marketplace.domain.ledger import EntryKind
from marketplace.domain.principals import Principal, Role
from marketplace.domain.transactions import Payment, Transaction
from marketplace.ports import Ports, Ref
from marketplace.services.ledger import require_past, trial_balance, up_to

LONGEST_PERIOD: Final = timedelta(days=31)  # of one answer: each day is some queries, though nothing was booked
MOST_ENTRIES: Final = 2_000
MOST_LINES: Final = 15_000  # of about 250 bytes each: an answer of Lambda has at most 6 MB
SALES_AT_ONCE: Final = 50  # with their payments: DynamoDB reads 100 items


class Export(NamedTuple):
    """A file of all that was booked from ``since`` to before ``until``, which may be earlier than was asked for."""

    text: str
    since: datetime
    until: datetime
    is_complete: bool


def export_ledger(ports: Ports, caller: Principal, since: datetime, until: datetime | None) -> Export:
    """The ledger's lines with opening and closing balances.

    Raises:
        NotAllowed, Unavailable.
        InvalidPeriod: it ends before it begins, or is ahead.
    """
    caller.require(Role.OPERATOR)
    end = require_period(ports, since, until)
    opening = trial_balance(ports, caller, since).balances
    found, reached = _fitting(*up_to(ports, since, min(end, since + LONGEST_PERIOD), most=MOST_ENTRIES))
    text = ledger_csv(since, reached, opening, found, rolled(opening, found))
    return Export(text, since, reached, reached == end)


def export_transactions(ports: Ports, caller: Principal, since: datetime, until: datetime | None) -> Export:
    """The sales whose money came in during a period, as they stand now.

    Raises:
        NotAllowed, Unavailable.
        InvalidPeriod: it ends before it begins, or is ahead.
    """
    caller.require(Role.OPERATOR)
    end = require_period(ports, since, until)
    found, reached = up_to(ports, since, min(end, since + LONGEST_PERIOD), most=MOST_ENTRIES)
    paid = (posting.entry.transaction_id for posting in found if posting.entry.kind is EntryKind.CHARGE)
    return Export(transactions_csv(_sales(ports, list(dict.fromkeys(paid)))), since, reached, reached == end)


def require_period(ports: Ports, since: datetime, until: datetime | None) -> datetime:
    """The end of a period that is over, or now. Raises InvalidPeriod."""
    end = require_past(ports, until)
    require_past(ports, since)
    if since >= end:
        raise InvalidPeriod("a period ends after it begins")
    return end


def _fitting(found: Sequence[Posting], reached: datetime) -> tuple[Sequence[Posting], datetime]:
    """The postings whose lines one file holds; what was booked at once stays together."""
    lines = 0
    for posting in found:
        lines += len(posting.entry.lines)
        if lines > MOST_LINES:
            return [each for each in found if each.booked_at < posting.booked_at], posting.booked_at
    return found, reached


def _sales(ports: Ports, ids: Sequence[str]) -> list[tuple[Transaction, Payment]]:
    sales = []
    for some in batched(ids, SALES_AT_ONCE, strict=False):
        refs = [(Ref(Transaction, sale), Ref(Payment, sale)) for sale in some]
        found = ports.store.get(*(ref for pair in refs for ref in pair))
        pairs = [(found(plan), found(payment)) for plan, payment in refs]
        sales += [(plan, payment) for plan, payment in pairs if plan is not None and payment is not None]
    return sales
