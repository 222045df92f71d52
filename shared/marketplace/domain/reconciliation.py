"""The ledger against Stripe's balance transactions: what matches, and what is left over on either side.

Both sides are sums by (Stripe object, kind, currency): one object may be booked in several entries, and Stripe may book
one thing twice, what was captured in part for example.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from marketplace.domain.balance_transactions import (
    BETWEEN_PLATFORM_AND_MERCHANT,
    PARTIAL_CAPTURE,
    BalanceTransaction,
    MovementKind,
    kind_of_booked,
)
from marketplace.domain.deferred import dataclass
from marketplace.domain.ledger import STRIPE_BALANCE, JournalEntry


class LineStatus(StrEnum):
    """What a balance transaction turned out to be."""

    MATCHED = "matched"  # the ledger says the same
    MERCHANTS_OWN = "merchants_own"  # of a connected account, and no affair of the platform: its payouts for example
    UNMATCHED = "unmatched"  # of a sale of ours, of which the ledger says something else, or nothing yet
    UNEXPLAINED = "unexplained"  # of nothing that we know


OPEN: Final = frozenset({LineStatus.UNMATCHED, LineStatus.UNEXPLAINED})


class Key(NamedTuple):
    """What is compared."""

    object_id: str
    kind: MovementKind
    currency: str


class Difference(NamedTuple):
    """Minor units that the ledger and Stripe say of one thing; one of them is 0 where that side does not know it."""

    key: Key
    booked: int
    at_stripe: int


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many balance transactions of a status there were in a currency, and their sum (net minor units)."""

    status: LineStatus
    currency: str
    count: int
    net: int


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The balance transactions of an account that Stripe made on one day (UTC), counted as they were matched."""

    id: str
    account: str
    day: datetime
    tallies: tuple[Tally, ...] = ()
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class PayoutReconciliation:
    """The balance transactions that an automatic payout is made of, its own among them; their sum is 0 when all are in.

    ``amount`` is what went to the bank. ``cursor`` is the balance transaction after which the next page begins.
    """

    id: str
    account: str
    payout_id: str
    amount: int
    currency: str
    created: datetime
    tallies: tuple[Tally, ...] = ()
    cursor: str | None = None
    is_done: bool = False
    due_at: datetime | None = None
    version: int = 1

    @property
    def difference(self) -> int:
        """Minor units that the payout differs from what it is made of."""
        return sum(tally.net for tally in self.tallies)


@dataclass(frozen=True, kw_only=True)
class Discrepancy:
    """A balance transaction that was open when it was taken in; ``resolved_at`` is when it no longer was."""

    id: str
    line: BalanceTransaction
    status: LineStatus
    resolved_at: datetime | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look, or an event to come."""
        return self.resolved_at is None


@dataclass(frozen=True, kw_only=True)
class Walk:
    """How far the balance transactions of an account were taken in: all before ``since``.

    From there to ``until`` is being read, the newest first, and ``cursor`` is the last one that was. ``until`` is None
    between two walks.
    """

    account: str
    since: datetime
    until: datetime | None = None
    cursor: str | None = None
    is_idle: bool = False  # whether the last walk found nothing
    due_at: datetime | None = None
    version: int = 1


def booked(entries: Iterable[JournalEntry]) -> Mapping[Key, int]:
    """What the ledger says of the platform's balance."""
    sums: Counter[Key] = Counter()
    for entry in entries:
        for line in entry.lines:
            kind = kind_of_booked(line.source, line.amount) if line.source is not None else None
            if line.account == STRIPE_BALANCE and line.source is not None and kind is not None:
                sums[Key(line.source, kind, line.currency)] += line.amount
    return sums


def at_stripe(lines: Iterable[BalanceTransaction]) -> Mapping[Key, int]:
    """What Stripe says of a balance."""
    sums: Counter[Key] = Counter()
    for line in lines:
        for movement in line.movements:
            sums[Key(movement.object_id, movement.kind, line.currency)] += movement.amount
    return sums


def differences(
    entries: Iterable[JournalEntry], lines: Iterable[BalanceTransaction], *, of_platform: bool
) -> dict[Key, Difference]:
    """Where a sale's entries and its balance transactions differ, on the platform's balance or on the merchants'.

    A merchant's balance moves by what the platform gave it, the other way round: of a transfer of 90 the platform says
    -90 and the merchant +90.
    """
    ours = booked(entries)
    if not of_platform:
        ours = {key: -amount for key, amount in ours.items() if key.kind in BETWEEN_PLATFORM_AND_MERCHANT}
    theirs = at_stripe(line for line in lines if line.is_platforms is of_platform)
    found = (Difference(key, ours.get(key, 0), theirs.get(key, 0)) for key in {**ours, **theirs})
    return {each.key: each for each in found if each.booked != each.at_stripe}


def status_of(
    line: BalanceTransaction, entries: Iterable[JournalEntry], known: Iterable[BalanceTransaction]
) -> LineStatus:
    """What a line of a sale turned out to be, ``known`` being all lines of that sale that were taken in."""
    if not line.movements:
        return LineStatus.UNEXPLAINED
    differing = differences(entries, known, of_platform=line.is_platforms)
    keys = [Key(movement.object_id, movement.kind, line.currency) for movement in line.movements]
    return LineStatus.UNMATCHED if any(key in differing for key in keys) else LineStatus.MATCHED


def processing_fee(charge_id: str, lines: Iterable[BalanceTransaction], *, is_partial: bool) -> tuple[int, str] | None:
    """What Stripe took of a charge, and in which currency; None until all of its balance transactions are in.

    Of what was captured in part (``is_partial``) Stripe books the whole, and then turns the rest back with its part of
    the fee.
    """
    moved_it = [line for line in lines if line.is_platforms and any(m.object_id == charge_id for m in line.movements)]
    turned_back = any(line.category == PARTIAL_CAPTURE for line in moved_it)
    if not moved_it or turned_back is not is_partial or (is_partial and len(moved_it) == 1):
        return None
    return sum(line.fee for line in moved_it), moved_it[0].currency


def tallied(tallies: Iterable[Tally], lines: Iterable[tuple[LineStatus, BalanceTransaction]]) -> tuple[Tally, ...]:
    """The tallies with more lines counted."""
    counted: dict[tuple[str, str], Tally] = {(each.status, each.currency): each for each in tallies}
    for status, line in lines:
        before = counted.get((status, line.currency), Tally(status=status, currency=line.currency, count=0, net=0))
        counted[status, line.currency] = replace(before, count=before.count + 1, net=before.net + line.net)
    return tuple(counted[key] for key in sorted(counted))


def resolved(tallies: Iterable[Tally], line: BalanceTransaction, was: LineStatus, now: LineStatus) -> tuple[Tally, ...]:
    """The tallies with a line counted as what it has turned out to be after all."""
    less = [
        replace(each, count=each.count - 1, net=each.net - line.net)
        if (each.status, each.currency) == (was, line.currency)
        else each
        for each in tallies
    ]
    return tallied([each for each in less if each.count], [(now, line)])
