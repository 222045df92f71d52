"""Reconcile: every balance transaction of the platform and of each connected account against the ledger.

An account is walked from where the last walk ended, page by page. A page is taken in first; then the walk's checkpoint
and what was counted are one commit, so that a crash anywhere reads a page again and counts nothing twice. Accounts are
walked from when the platform's own walk sees the first transfer to them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from marketplace.domain.balance_transactions import BalanceTransaction, balance_transaction
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import StripeRefused, Unavailable
from marketplace.domain.ids import id_from
from marketplace.domain.ledger import PLATFORM
from marketplace.domain.reconciliation import (
    Discrepancy,
    LineStatus,
    PayoutReconciliation,
    Reconciliation,
    Walk,
    resolved,
    tallied,
)
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Create, Ports, Ref, Replace
from marketplace.services.balance_lines import Found, sale_of, take_in, take_in_sale
from marketplace.services.creating import create_missing
from marketplace.services.holdings import watch_holding
from marketplace.services.payouts import take_in_payouts

SETTLED_AFTER: Final = timedelta(minutes=2)  # until then Stripe may still be adding to a second
FIRST_LOOK: Final = timedelta(days=30)  # before the first walk of the platform
LONGEST_WINDOW: Final = timedelta(days=31)  # of one walk: the days of a page are counted in one commit
PLATFORM_EVERY: Final = timedelta(hours=1)
MERCHANTS_EVERY: Final = timedelta(days=1)
IDLE_EVERY: Final = timedelta(days=7)  # of an account on which nothing happened
PAYOUT_AGAIN: Final = timedelta(days=1)  # Stripe says only some time later what a payout is made of
PAYOUT_AT_LAST: Final = timedelta(days=7)  # and what differs after that stays so
MOST_WALKS: Final = 100  # read at once
PAGE: Final = 100  # Stripe's largest
LOOKED_AT_FOR: Final = timedelta(days=30)  # open lines: for as long Stripe lists the event that may still bring theirs


@dataclass()
class Reconciled:
    """What one run did. ``troubles`` are the accounts and payouts that it could not finish, with the reason."""

    pages: int = 0
    lines: Counter[LineStatus] = field(default_factory=Counter)
    resolved: int = 0
    troubles: list[tuple[str, Exception]] = field(default_factory=list)


def reconcile(
    ports: Ports, *, has_time: Callable[[], bool], settled_after: timedelta = SETTLED_AFTER, is_asked: bool = False
) -> Reconciled:
    """Walk what is due (``is_asked``: whatever there is), as far as the time allows, up to ``settled_after`` ago.

    One account's trouble never stops the others; what was not finished stays due.
    """
    done = Reconciled()
    _begin(ports)
    until = _second(ports.clock.now() - settled_after)
    due_by = ports.clock.now() + (IDLE_EVERY if is_asked else timedelta())
    for walk in _due(ports, due_by, has_time):
        try:
            _walk_on(ports, walk, until, has_time, done)
        except Conflict:
            continue  # another run is at it
        except StripeRefused as refusal:
            done.troubles.append((_name(walk), refusal))
            _put_off(ports, walk)
        except Exception as error:  # noqa: BLE001 - a bug that one account meets must not keep the others waiting
            done.troubles.append((_name(walk), error))
    for each in _open_lately(ports):
        if not has_time():
            break
        with suppress(Conflict, Unavailable):
            done.resolved += _look_again(ports, each)
    return done


def _due(ports: Ports, due_by: datetime, has_time: Callable[[], bool]) -> Iterator[Walk | PayoutReconciliation]:
    """What is due, each once, those too that become due on the way."""
    names: set[str] = set()
    while has_time():
        due = [each for each in ports.store.due_walks(now=due_by, limit=MOST_WALKS) if _name(each) not in names]
        if not due:
            return
        names.update(map(_name, due))
        yield from due


def _name(walk: Walk | PayoutReconciliation) -> str:
    return walk.account if isinstance(walk, Walk) else walk.payout_id


def _put_off(ports: Ports, walk: Walk | PayoutReconciliation) -> None:
    """What Stripe refuses, such as the balance of an account that has left, it refuses in an hour as well."""
    with suppress(Conflict):  # a page was taken in before
        ports.store.commit(Replace(walk, replace(walk, due_at=ports.clock.now() + IDLE_EVERY)))


def _begin(ports: Ports) -> None:
    now = ports.clock.now()
    walk = Walk(account=PLATFORM, since=_second(now - FIRST_LOOK), due_at=now)
    create_missing(ports, [(Ref(Walk, PLATFORM), walk)])


def _walk_on(
    ports: Ports, walk: Walk | PayoutReconciliation, until: datetime, has_time: Callable[[], bool], done: Reconciled
) -> None:
    """Page after page, to the end of the list."""
    is_over = False
    while not is_over and has_time():
        if isinstance(walk, PayoutReconciliation):
            walk, found = _payout_page(ports, walk)
            is_over = walk.cursor is None
        else:
            walk, found = _page(ports, walk, min(until, walk.since + LONGEST_WINDOW))
            is_over = walk.until is None and walk.since >= until
        done.pages += 1
        done.lines.update(status for status, _ in found)


def _page(ports: Ports, walk: Walk, until: datetime) -> tuple[Walk, Found]:
    """One page of an account's window, its checkpoint and the counts of its days."""
    begun = walk if walk.until is not None else replace(walk, until=until, is_idle=True)
    end = begun.until or begun.since
    created = {"gte": int(begun.since.timestamp()), "lt": int(end.timestamp())}
    answer = _read(ports, walk.account, begun.cursor, created=created) if begun.since < end else _NOTHING
    found = take_in(ports, [balance_transaction(line, walk.account) for line in answer["data"]])
    _follow(ports, [line for _, line in found])
    if walk.account != PLATFORM:
        take_in_payouts(ports, walk.account, answer["data"])
        if found:
            watch_holding(ports, walk.account)
    after = replace(begun, is_idle=begun.is_idle and not found)
    if answer["has_more"]:
        after = replace(after, cursor=answer["data"][-1]["id"])
    else:
        after = replace(after, since=max(end, walk.since), until=None, cursor=None)
        after = replace(after, due_at=_next_walk(ports, after))
    change = Replace(walk, after)
    ports.store.commit(change, *_counted(ports, walk.account, found))
    return change.stored, found


def _payout_page(ports: Ports, payout: PayoutReconciliation) -> tuple[PayoutReconciliation, Found]:
    """One page of what a payout is made of."""
    answer = _read(ports, payout.account, payout.cursor, payout=payout.payout_id)
    found = take_in(ports, [balance_transaction(line, payout.account) for line in answer["data"]])
    after = replace(payout, tallies=tallied(payout.tallies, found))
    if answer["has_more"]:
        after = replace(after, cursor=answer["data"][-1]["id"])
    elif after.difference and ports.clock.now() < payout.created + PAYOUT_AT_LAST:
        after = replace(after, tallies=(), cursor=None, due_at=ports.clock.now() + PAYOUT_AGAIN)
    else:
        after = replace(after, cursor=None, is_done=True, due_at=None)
    change = Replace(payout, after)
    ports.store.commit(change)
    return change.stored, found


def _read(ports: Ports, account: str, cursor: str | None, **which: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    after = {} if cursor is None else {"starting_after": cursor}
    params = {"limit": PAGE, "expand": ["data.source"], **which, **after}
    if account == PLATFORM:
        return ports.stripe.read(Operation.LIST_BALANCE_TRANSACTIONS, params=params)
    return ports.stripe.read(Operation.LIST_BALANCE_TRANSACTIONS, params=params, account=account)


_NOTHING: Final[Mapping[str, Any]] = {"data": [], "has_more": False}


def _next_walk(ports: Ports, walk: Walk) -> datetime:
    """At once where a window ended before the present; else by what the account is."""
    now = ports.clock.now()
    if walk.since + LONGEST_WINDOW < now:
        return now
    every = PLATFORM_EVERY if walk.account == PLATFORM else IDLE_EVERY if walk.is_idle else MERCHANTS_EVERY
    return now + every


def _follow(ports: Ports, lines: Sequence[BalanceTransaction]) -> None:
    """Begin to walk the accounts that lines are transfers to, and the payouts among the lines."""
    now = ports.clock.now()
    payouts = [_payout(line) for line in lines if line.is_itemized]
    create_missing(ports, [(Ref(PayoutReconciliation, each.id, owner=each.account), each) for each in payouts])
    firsts: dict[str, datetime] = {}
    for line in lines:
        if line.destination is not None:
            firsts[line.destination] = min(line.created, firsts.get(line.destination, line.created))
    wanted = [Walk(account=account, since=since, due_at=now) for account, since in firsts.items()]
    walks = create_missing(ports, [(Ref(Walk, walk.account), walk) for walk in wanted])
    for walk in walks.values():
        if walk.is_idle and walk.due_at is not None and walk.due_at > now + MERCHANTS_EVERY:
            with suppress(Conflict):
                ports.store.commit(Replace(walk, replace(walk, due_at=now + MERCHANTS_EVERY)))


def _payout(line: BalanceTransaction) -> PayoutReconciliation:
    payout_id = str(line.object_id)
    return PayoutReconciliation(
        id=id_from("reconciliation", line.created, f"{line.account} {payout_id}"),
        account=line.account,
        payout_id=payout_id,
        amount=-line.amount,
        currency=line.currency,
        created=line.created,
        due_at=line.created,
    )


def _counted(ports: Ports, account: str, found: Found) -> Iterator[Change]:
    """The days of the lines with the lines counted."""
    days = {line.created.date(): _day(account, line.created) for _, line in found}
    there = ports.store.get(*(_day_ref(day) for day in days.values()))
    for date, empty in days.items():
        before = there(_day_ref(empty))
        tallies = tallied((before or empty).tallies, [each for each in found if each[1].created.date() == date])
        yield (
            Create(replace(empty, tallies=tallies))
            if before is None
            else Replace(before, replace(before, tallies=tallies))
        )


def _day(account: str, moment: datetime) -> Reconciliation:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return Reconciliation(id=id_from("reconciliation", day, account), account=account, day=day)


def _day_ref(day: Reconciliation) -> Ref[Reconciliation]:
    return Ref(Reconciliation, day.id, owner=day.account)


def _open_lately(ports: Ports) -> Iterator[Discrepancy]:
    """The open lines of the last days, the newest first."""
    cursor = None
    while True:
        page = ports.store.discrepancies(cursor=cursor, limit=PAGE)
        for each in page.items:
            if each.line.created < ports.clock.now() - LOOKED_AT_FOR:
                return
            yield each
        cursor = page.cursor
        if cursor is None:
            return


def _look_again(ports: Ports, discrepancy: Discrepancy) -> int:
    """Whether a line is no longer open: its event has come meanwhile, for example."""
    account, created = discrepancy.line.account, discrepancy.line.created
    walk_ref, day_ref = Ref(Walk, account), _day_ref(_day(account, created))
    there = ports.store.get(walk_ref, day_ref)
    walk, before = there(walk_ref), there(day_ref)
    if walk is not None and walk.since <= created:
        return 0  # its page may have to be read again, and counts it then
    ((status, line),) = take_in_sale(ports, sale_of(ports, discrepancy.line), [discrepancy.line])
    if status is not LineStatus.MATCHED:
        return 0
    counted = before and replace(before, tallies=resolved(before.tallies, line, discrepancy.status, status))
    days: list[Change] = [Replace(before, counted)] if before and counted else []
    ports.store.commit(Replace(discrepancy, replace(discrepancy, resolved_at=ports.clock.now())), *days)
    return 1


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
