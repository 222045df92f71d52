"""Closings: the balance of every account at a moment, so that a balance at any time is one closing and what came after.

https://en.wikipedia.org/wiki/Trial_balance
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from marketplace.domain.deferred import dataclass
from marketplace.domain.ledger import JournalEntry

type Balances = Mapping[tuple[str, str], int]  # (account, currency) -> minor units, a debit positive


@dataclass(frozen=True, kw_only=True)
class Posting:
    """A journal entry, and when it was written: what was booked before a moment never changes after it."""

    booked_at: datetime
    entry: JournalEntry


@dataclass(frozen=True, kw_only=True)
class Closing:
    """All that was booked before ``at``; ``entries`` are those since the closing before."""

    at: datetime
    entries: int


@dataclass(frozen=True, kw_only=True)
class AccountBalance:
    """Minor units on an account at a closing; accounts at rest have none."""

    at: datetime
    account: str
    currency: str
    balance: int


def name_of(at: datetime) -> str:
    """What a closing is named by; names sort as their moments do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def rolled(balances: Balances, postings: Iterable[Posting]) -> Balances:
    """The balances after more was booked; what is zero is left out."""
    sums: Counter[tuple[str, str]] = Counter(balances)
    for posting in postings:
        for line in posting.entry.lines:
            sums[line.account, line.currency] += line.amount
    return {key: sums[key] for key in sorted(sums) if sums[key]}
