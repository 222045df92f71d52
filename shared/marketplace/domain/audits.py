"""Audits: the invariants over the books of every sale that something was booked for, and what broke where."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.deferred import dataclass
from marketplace.domain.invariants import Violation
from marketplace.domain.ledger import CLEARING, JournalEntry, balances
from marketplace.domain.reconciliation import booked, differences

RECONCILED: Final = "I12 the ledger is what Stripe says"
AT_REST: Final = "I9 clearing accounts come to rest"
RESTS_WITHIN: Final = timedelta(hours=1)  # of the last entry: what follows from it takes seconds, or a sweep or two


@dataclass(frozen=True, kw_only=True)
class Audit:
    """A run over what was booked from ``since`` to before ``until``; ``cursor`` is where it goes on."""

    id: str
    since: datetime
    until: datetime
    cursor: str | None = None
    is_done: bool = False
    entries: int = 0
    transactions: int = 0
    findings: int = 0
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An invariant that did not hold for a sale; ``resolved_at`` is when it did again."""

    id: str
    transaction_id: str
    invariant: str
    what: str
    found_at: datetime
    resolved_at: datetime | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it still does not hold."""
        return self.resolved_at is None


def unreconciled(books: Books, entries: Iterable[JournalEntry]) -> Iterator[Violation]:
    """What of these entries of a sale Stripe's balance transactions of the platform do not say as well.

    The entries are ones that Stripe must have told of by now: its balance transactions up to then were taken in.
    """
    differing = differences(books.entries, books.balance_transactions, of_platform=True)
    for key in sorted(booked(entries).keys() & differing.keys()):
        found = differing[key]
        what = f"{key.object_id} {key.kind}: booked {found.booked} {key.currency}, at Stripe {found.at_stripe}"
        yield Violation(RECONCILED, books.transaction.id, what)


def not_at_rest(books: Books, now: datetime) -> Iterator[Violation]:
    """The clearing accounts of a sale that should rest at zero by now, and since when each of them does not."""
    for (account, currency), amount in balances(books.entries).items():
        if account not in CLEARING:
            continue
        since = max(
            entry.occurred_at
            for entry in books.entries
            if any((line.account, line.currency) == (account, currency) for line in entry.lines)
        )
        if now - since > RESTS_WITHIN:
            what = f"{account} {amount} {currency} since {since.isoformat(timespec='seconds')}"
            yield Violation(AT_REST, books.transaction.id, what)
