"""The journal: entries by the time they were booked at, JOURNAL_SHARDS partitions of the index for each day.

A partition takes 1,000 entries a second (docs/adr/0011-the-ledger-is-closed.md, 0015-shards.md).
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Final

from marketplace.adapters.codec import Attributes, decode, time_text
from marketplace.adapters.cursors import cursor_at, position_of
from marketplace.adapters.keys import CLOSINGS, JOURNAL, LONGEST_NAME_BYTES, WORDS, closing_partition
from marketplace.adapters.places import JOURNAL_SHARDS, journal_shard
from marketplace.adapters.records import posting_in
from marketplace.domain.closings import AccountBalance, Closing, Posting, name_of
from marketplace.ports import Page

_DAY: Final = timedelta(days=1)
Query = Callable[..., list[Attributes]]


def journal_page(query: Query, since: datetime, until: datetime, cursor: str | None, limit: int) -> Page[Posting]:
    """A page of the journal: at least one query for each shard of each of its days. Raises InvalidCursor."""
    name = journal_name(since, until)
    begin, end = time_text(since) if cursor is None else journal_position(cursor, *name) + " ", time_text(until)
    days = (_in_order(query, day, begin, end, limit) for day in _days(begin, end))
    rows = list(islice(chain.from_iterable(days), limit + 1))
    after = cursor_at(_position(rows[limit - 1]), *name) if len(rows) > limit else None
    return Page(items=tuple(map(posting_in, rows[:limit])), cursor=after)


def journal_name(since: datetime, until: datetime) -> tuple[str, ...]:
    """What a cursor of the journal belongs to."""
    return ("journal", time_text(since), time_text(until))


def journal_position(cursor: str, *name: str) -> str:
    """The position that a cursor of the journal holds. Raises InvalidCursor."""
    return position_of(cursor, *name, is_valid=_is_position)


def last_closing(query: Query, at: datetime) -> Closing | None:
    """The last closing for ``at`` or before."""
    rows = query(
        KeyConditionExpression="pk = :closings AND sk <= :at",
        ExpressionAttributeValues={
            ":closings": {"S": CLOSINGS},
            ":at": {"S": f"{WORDS[Closing]}#{name_of(at)}"},
        },
        ScanIndexForward=False,
        ConsistentRead=True,
        most=1,
    )
    return decode(Closing, rows[0]) if rows else None


def balances_at(query: Query, at: datetime, account: str | None) -> Sequence[AccountBalance]:
    """The balances at a closing, of one account or of all."""
    prefix = f"{WORDS[AccountBalance]}#" + ("" if account is None else f"{account}#")
    rows = query(
        KeyConditionExpression="pk = :closing AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":closing": {"S": closing_partition(name_of(at))}, ":prefix": {"S": prefix}},
        ConsistentRead=True,
    )
    return [decode(AccountBalance, row) for row in rows]


def _days(begin: str, end: str) -> Iterator[date]:
    day, last = date.fromisoformat(begin[:10]), date.fromisoformat(end[:10])
    while day <= last:
        yield day
        day += _DAY


def _in_order(query: Query, day: date, begin: str, end: str, limit: int) -> Iterator[Attributes]:
    """The entries of a day by the time of booking, read from all of its shards together."""
    some = limit // JOURNAL_SHARDS + 1  # what one of them has of a page, about: more is read as it is needed
    shards = [_shard(query, journal_shard(day, shard), begin, end, some) for shard in range(JOURNAL_SHARDS)]
    return heapq.merge(*shards, key=_position)


def _shard(query: Query, shard: str, begin: str, end: str, some: int) -> Iterator[Attributes]:
    """An entry of exactly the end sorts after it, so that it is left out."""
    while True:
        rows = query(
            IndexName=JOURNAL,
            KeyConditionExpression="gsi_day = :shard AND gsi_booked_at BETWEEN :begin AND :end",
            ExpressionAttributeValues={":shard": {"S": shard}, ":begin": {"S": begin}, ":end": {"S": end}},
            most=some,
        )
        yield from rows
        if len(rows) < some:
            return
        begin = _position(rows[-1]) + " "


def _position(row: Attributes) -> str:
    return str(row["gsi_booked_at"]["S"])


def _is_position(text: str) -> bool:
    try:
        datetime.fromisoformat(text.partition("#")[0])
    except ValueError:
        return False
    return text.isprintable() and len(text) <= 2 * LONGEST_NAME_BYTES
