"""A merchant's statement of a period, from the balance transactions that Stripe has of its account.

What Stripe says is a balance now; a past one is that less all that moved since. The days between are not read again:
their sums are what the reconciliation counted (services/reconciliation.py), so that an old statement costs no more
calls than a new one. A statement has at most MOST_LINES; what is left begins where it ended.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final, NamedTuple

from marketplace.domain.balance_transactions import balance_transaction
from marketplace.domain.errors import InvalidPeriod, PayoutNotItemized, Unavailable
from marketplace.domain.principals import SYSTEM, Principal
from marketplace.domain.reconciliation import Reconciliation, Walk
from marketplace.domain.statements import (
    Statement,
    StatementKind,
    StatementLine,
    Sums,
    balance_summaries,
    debt_summaries,
    kind_of_reversal,
    reversal_in,
    statement_line,
)
from marketplace.domain.stripe_objects import Object
from marketplace.operations import Operation
from marketplace.ports import Page, Ports, Ref, one
from marketplace.services.dashboards import account_of
from marketplace.services.merchant_balances import all_debts
from marketplace.services.payouts import read_payout

PAGE: Final = 100  # Stripe's largest
MOST_LINES: Final = 500
MOST_DAYS: Final = 5_000  # of an account, read of what the reconciliation counted
MOST_TRIES: Final = 3  # of reading a balance on which nothing moves meanwhile
SETTLED_AFTER: Final = timedelta(minutes=2)  # until then Stripe may still be adding to a second
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)


class _Days(NamedTuple):
    """What the reconciliation counted of an account: all of each day from ``since`` to before ``until``, midnights."""

    since: datetime
    until: datetime
    counted: Mapping[datetime, Reconciliation]

    def net(self, since: datetime, until: datetime) -> Counter[str]:
        """Minor units by currency that the balance changed by in whole days of it."""
        sums = Counter[str]()
        for day, found in self.counted.items():
            if since <= day < until:
                for tally in found.tallies:
                    sums[tally.currency] += tally.net
        return sums

    def fitting(self, since: datetime, until: datetime) -> datetime:
        """Until when about as many lines as a statement holds were made."""
        lines = 0
        for day in sorted(each for each in self.counted if since - _DAY < each < until):
            lines += sum(tally.count for tally in self.counted[day].tallies)
            if lines > MOST_LINES and day > since:
                return day
        return until


def statement(
    ports: Ports, caller: Principal, merchant_id: str, since: datetime, until: datetime | None,
    *, settled_after: timedelta = SETTLED_AFTER,
) -> Statement:  # fmt: skip
    """What happened to a merchant's balance from ``since`` to before ``until``, to operators and itself.

    It ends earlier where there are more lines than it holds, or where Stripe may still be adding to the last seconds.

    Raises:
        NotFound, MerchantNotReady, StripeUnavailable.
        InvalidPeriod: it ends before it begins, or is ahead.
        Unavailable: its balance keeps moving, or its debts are too many.
    """
    account = account_of(ports, caller, merchant_id)
    now = ports.clock.now()
    begin, end = _second_from(since), _second_from(until or now)
    if since >= (until or now) or (until is not None and until > now):
        raise InvalidPeriod("a period ends after it begins, and not ahead")
    settled = min(end, (now - settled_after).replace(microsecond=0))
    days = _days(ports, account, begin)
    found, reached = _lines(ports, account, begin, max(begin, settled), days)
    lines = [statement_line(raw, account, _causes(ports, merchant_id, account, found)) for raw in found]
    return Statement(
        merchant_id=merchant_id,
        since=begin,
        until=reached,
        is_complete=reached == end,
        balances=balance_summaries(_balance_at(ports, account, reached, days), lines),
        debts=debt_summaries(all_debts(ports, merchant_id), begin, reached),
        lines=lines,
    )


def payout_lines(
    ports: Ports, caller: Principal, merchant_id: str, payout_id: str, *, cursor: str | None, limit: int
) -> Page[StatementLine]:
    """The balance transactions that an automatic payout is made of, itself among them, newest first.

    Raises:
        NotFound, MerchantNotReady, StripeRefused, StripeUnavailable.
        PayoutNotItemized: it was asked for, and Stripe does not say what it is made of.
    """
    payout = read_payout(ports, caller, merchant_id, payout_id)
    if payout.stripe_payout_id is None or not payout.is_itemized:
        raise PayoutNotItemized("it was asked for by amount: Stripe matches no balance transactions to it")
    after = {} if cursor is None else {"starting_after": cursor}
    params = {"limit": limit, "payout": payout.stripe_payout_id, "expand": ["data.source"], **after}
    page = ports.stripe.read(Operation.LIST_BALANCE_TRANSACTIONS, params=params, account=payout.account_id)
    causes = _causes(ports, merchant_id, payout.account_id, page["data"])
    items = tuple(statement_line(raw, payout.account_id, causes) for raw in page["data"])
    return Page(items=items, cursor=items[-1].id if page["has_more"] else None)


def _lines(ports: Ports, account: str, since: datetime, until: datetime, days: _Days) -> tuple[list[Object], datetime]:
    """The balance transactions of a period, the first first, and until when: as many as a statement holds."""
    end = days.fitting(since, until)
    while since < end:
        pages = _each(ports, account, since, end, expand=["data.source"])
        found = list(islice(pages, MOST_LINES + 1))
        if len(found) <= MOST_LINES:
            return found[::-1], end
        half = since + max(_SECOND, ((end - since) / 2 // _SECOND) * _SECOND)
        if half >= end:  # of one second, which stays together
            return [*found, *pages][::-1], end
        end = half
    return [], end


def _balance_at(ports: Ports, account: str, at: datetime, days: _Days) -> Sums:
    """The balance as it was before ``at``: Stripe's now, less what moved since.

    Raises:
        Unavailable: the balance keeps moving while it is read.
    """
    for _ in range(MOST_TRIES):
        newest = _newest(ports, account)
        balance = _balance(ports, account)
        balance.subtract(_moved_since(ports, account, at, days))
        if _newest(ports, account) == newest:
            return balance
    raise Unavailable("the balance keeps moving")


def _moved_since(ports: Ports, account: str, at: datetime, days: _Days) -> Counter[str]:
    """By whole days where they were counted, else by Stripe's list."""
    first, last = max(days.since, _midnight_from(at)), days.until
    if first >= last:
        return _net(_each(ports, account, at, None))
    moved = days.net(first, last)
    moved.update(_net(_each(ports, account, at, first)))
    moved.update(_net(_each(ports, account, last, None)))
    return moved


def _days(ports: Ports, account: str, since: datetime) -> _Days:
    """What was counted of an account from about ``since`` on; its first day may be a part of one, and is left out."""
    walk = one(ports.store, Ref(Walk, account))
    counted: dict[datetime, Reconciliation] = {}
    until = _midnight(walk.since) if walk else _midnight(since)
    cursor: str | None = None
    while len(counted) < MOST_DAYS:
        page = ports.store.reconciliations(account, cursor=cursor, limit=PAGE)
        counted |= {each.day: each for each in takewhile(lambda each: each.day >= since - _DAY, page.items)}
        cursor = page.cursor
        if cursor is None or (page.items and page.items[-1].day < since - _DAY):
            break
    if not counted:
        return _Days(until, until, {})
    is_from_the_first = cursor is None
    begin = min(counted) + (_DAY if is_from_the_first else timedelta())
    return _Days(begin, until, {day: found for day, found in counted.items() if begin <= day < until})


def _causes(ports: Ports, merchant_id: str, account: str, found: Sequence[Object]) -> Mapping[str, StatementKind]:
    """What the platform's books say that the reversals among balance transactions were for."""
    reversals = {name for raw in found if (name := reversal_in(balance_transaction(raw, account))) is not None}
    of_sales: dict[str, set[str]] = {}
    for name in sorted(reversals):
        sale = ports.store.transaction_of(name)
        if sale is not None:
            of_sales.setdefault(sale, set()).add(name)
    return {
        name: kind
        for sale, names in of_sales.items()
        for name, kind in _causes_in_sale(ports, merchant_id, sale)
        if name in names
    }


def _causes_in_sale(ports: Ports, merchant_id: str, transaction_id: str) -> Iterator[tuple[str, StatementKind]]:
    books = ports.store.books(transaction_id, visible_to=SYSTEM)
    if books is None:
        return
    for refund in books.refunds.values():
        if refund.recovery is not None and refund.recovery.transfer_reversal_id is not None:
            yield refund.recovery.transfer_reversal_id, StatementKind.REFUND
    share = books.shares.get(merchant_id)
    for reversal in share.reversals if share else ():
        if reversal.stripe_reversal_id is not None:
            yield reversal.stripe_reversal_id, kind_of_reversal(reversal)


def _each(
    ports: Ports, account: str, since: datetime, until: datetime | None, **more: Any,  # noqa: ANN401 - JSON
) -> Iterator[Object]:  # fmt: skip
    """The balance transactions of a period, newest first."""
    created = {"gte": int(since.timestamp()), **({} if until is None else {"lt": int(until.timestamp())})}
    if until is not None and since >= until:
        return iter(())
    params = {"limit": PAGE, "created": created, **more}
    return ports.stripe.each(Operation.LIST_BALANCE_TRANSACTIONS, params=params, account=account)


def _net(found: Iterator[Object]) -> Counter[str]:
    sums = Counter[str]()
    for raw in found:
        sums[raw["currency"]] += raw["net"]
    return sums


def _newest(ports: Ports, account: str) -> str | None:
    page = ports.stripe.read(Operation.LIST_BALANCE_TRANSACTIONS, params={"limit": 1}, account=account)
    return page["data"][0]["id"] if page["data"] else None


def _balance(ports: Ports, account: str) -> Counter[str]:
    balance = ports.stripe.read(Operation.READ_BALANCE, account=account)
    sums = Counter[str]()
    for part in (*balance["available"], *balance["pending"]):
        sums[part["currency"]] += part["amount"]
    return sums


def _second_from(moment: datetime) -> datetime:
    """Stripe's times are whole seconds of UTC: those from a moment on are those from the second after it."""
    in_utc = moment.astimezone(UTC)
    return in_utc if not in_utc.microsecond else in_utc.replace(microsecond=0) + _SECOND


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _midnight_from(moment: datetime) -> datetime:
    midnight = _midnight(moment)
    return midnight if midnight == moment else midnight + _DAY
