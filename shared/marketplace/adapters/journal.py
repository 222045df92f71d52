"""The journal: entries by the time they were booked at, a partition of the index for each day.

A partition takes 1,000 entries a second (docs/adr/0011-the-ledger-is-closed.md).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from marketplace.adapters.codec import Attributes, decode, time_text
from marketplace.adapters.cursors import cursor_at, position_of
from marketplace.adapters.keys import CLOSINGS, JOURNAL, LONGEST_NAME_BYTES, WORDS, closing_partition
from marketplace.adapters.records import posting_in
from marketplace.domain.closings import AccountBalance, Closing, Posting, name_of
from marketplace.ports import Page

_DAY: Final = timedelta(days=1)
Query = Callable[..., list[Attributes]]


def journal_page(query: Query, since: datetime, until: datetime, cursor: str | None, limit: int) -> Page[Posting]:
    """A page of the journal: one query for each of its days. Raises InvalidCursor."""
    name = journal_name(since, until)
    begin, end = time_text(since) if cursor is None else journal_position(cursor, *name) + " ", time_text(until)
    rows: list[Attributes] = []
    day, last = date.fromisoformat(begin[:10]), date.fromisoformat(end[:10])
    while day <= last and len(rows) <= limit:
        rows += query(**_day(day, begin, end), most=limit + 1 - len(rows))
        day += _DAY
    after = cursor_at(rows[limit - 1]["gsi_booked_at"]["S"], *name) if len(rows) > limit else None
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


def _day(day: date, begin: str, end: str) -> Mapping[str, Any]:
    """An entry of exactly the end sorts after it, so that it is left out."""
    return {
        "IndexName": JOURNAL,
        "KeyConditionExpression": "gsi_day = :day AND gsi_booked_at BETWEEN :begin AND :end",
        "ExpressionAttributeValues": {
            ":day": {"S": day.isoformat()},
            ":begin": {"S": begin},
            ":end": {"S": end},
        },
    }


def _is_position(text: str) -> bool:
    try:
        datetime.fromisoformat(text.partition("#")[0])
    except ValueError:
        return False
    return text.isprintable() and len(text) <= 2 * LONGEST_NAME_BYTES
