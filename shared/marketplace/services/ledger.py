"""Read the ledger: the balances at a moment, from the closing before it; and close it, every hour."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Final, NamedTuple

from marketplace.domain.closings import AccountBalance, Balances, Closing, Posting, name_of, rolled
from marketplace.domain.errors import InvalidPeriod, Unavailable
from marketplace.domain.principals import Principal, Role
from marketplace.ports import Create, Ports, Ref
from marketplace.services.creating import MOST_AT_ONCE, create_missing

CLOSED_AFTER: Final = timedelta(minutes=5)  # no invocation that writes lives as long
CLOSED_AT_LEAST: Final = timedelta(days=1)  # also when nothing was booked, so that no read goes back for long
EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)  # before there was any ledger
FIRST_LOOK: Final = timedelta(days=35)  # before the first closing
MOST_OPEN: Final = 20_000  # entries between two closings
PAGE: Final = 5_000  # of the journal, a few megabytes of it


class TrialBalance(NamedTuple):
    """The balances at a moment; in each currency they sum to zero."""

    at: datetime
    balances: Balances


def trial_balance(
    ports: Ports, caller: Principal, at: datetime | None = None, *, account: str | None = None
) -> TrialBalance:
    """The balance of each account, or of one, counting what was booked before ``at`` (now when None).

    Raises:
        NotAllowed.
        InvalidPeriod: ``at`` is ahead.
        Unavailable: also where more than MOST_OPEN entries were booked since the closing before.
    """
    caller.require(Role.OPERATOR)
    moment = require_past(ports, at)
    closing = ports.store.closing(moment)
    found, reached = up_to(ports, closing.at if closing else moment - FIRST_LOOK, moment)
    if reached < moment:
        raise Unavailable("the ledger is being closed")
    balances = rolled(closed(ports, closing, account), found)
    if account is not None:
        balances = {key: amount for key, amount in balances.items() if key[0] == account}
    return TrialBalance(moment, balances)


def close(ports: Ports, *, has_time: Callable[[], bool]) -> int:
    """Close what was booked since the last closing, in steps that can be read at once; how many closings were made.

    A crash leaves rows that no closing names; the next run makes the closing that is missing.
    """
    until, made = _hour(ports.clock.now() - CLOSED_AFTER), 0
    while has_time():
        last = ports.store.closing(until)
        since = last.at if last else until - FIRST_LOOK
        found, at = up_to(ports, since, until)
        if since >= until or (not found and last is not None and until - since < CLOSED_AT_LEAST):
            break
        _write(ports, Closing(at=at, entries=len(found)), rolled(closed(ports, last), found))
        made += 1
    return made


def closed(ports: Ports, closing: Closing | None, account: str | None = None) -> Balances:
    """The balances at a closing, of one account or of all."""
    rows = ports.store.closed_balances(closing.at, account=account) if closing else ()
    return {(row.account, row.currency): row.balance for row in rows}


def require_past(ports: Ports, at: datetime | None) -> datetime:
    """The moment, or now. Raises InvalidPeriod where it is ahead, or before there was any ledger."""
    now = ports.clock.now()
    if at is not None and at > now:
        raise InvalidPeriod("the ledger knows only the past")
    if at is not None and at < EARLIEST:
        raise InvalidPeriod(f"nothing was booked before {EARLIEST.date()}")
    return at or now


def up_to(
    ports: Ports, since: datetime, until: datetime, *, most: int = MOST_OPEN
) -> tuple[Sequence[Posting], datetime]:
    """What was booked from ``since`` to before ``until``, in order, and the moment to which that is all of it.

    It is earlier than ``until`` where there are more than ``most``: what was booked at once stays together.
    """
    found: list[Posting] = []
    cursor: str | None = None
    while len(found) <= most:
        page = ports.store.journal(since=since, until=until, cursor=cursor, limit=min(PAGE, most + 1))
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found, until
    end = found[most].booked_at
    return [posting for posting in found if posting.booked_at < end], end


def _write(ports: Ports, closing: Closing, balances: Balances) -> None:
    rows = [
        AccountBalance(at=closing.at, account=account, currency=currency, balance=amount)
        for (account, currency), amount in balances.items()
    ]
    for some in batched(rows, MOST_AT_ONCE, strict=False):
        create_missing(ports, [(_ref(row), row) for row in some])
    ports.store.commit(Create(closing))


def _ref(row: AccountBalance) -> Ref[AccountBalance]:
    return Ref(AccountBalance, f"{row.account}#{row.currency}", owner=name_of(row.at))


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
