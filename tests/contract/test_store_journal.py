"""What every Store does of the journal: entries by the time they were booked, and the balances at closings."""

from datetime import timedelta

import pytest

from marketplace.domain.closings import AccountBalance, Closing
from marketplace.domain.errors import InvalidCursor
from marketplace.domain.ledger import EntryKind, JournalEntry, lines_of
from marketplace.domain.transactions import Transaction
from marketplace.ports import Create, Store
from tests.contract.examples import START, StillClock, create

DAY = timedelta(days=1)


def entry(sale: Transaction, number: int, kind: EntryKind = EntryKind.CHARGE) -> JournalEntry:
    lines = lines_of("usd", ("stripe_balance", 5, f"ch_{number}"), ("charge_clearing", -5, None))
    return JournalEntry(
        transaction_id=sale.id, object_id=f"ch_{number}", kind=kind, occurred_at=START - 9 * DAY, lines=lines
    )


def test_entries_are_read_in_the_order_in_which_they_were_booked_whenever_they_occurred(
    store: Store, clock: StillClock, sale: Transaction
) -> None:
    booked = []
    for number, pause in enumerate((timedelta(), timedelta(seconds=1), DAY, 3 * DAY)):
        clock.advance(pause)
        booked.append((clock.now(), entry(sale, number)))
        store.commit(Create(booked[-1][1]))
    clock.advance(timedelta(seconds=1))
    page = store.journal(since=START, until=clock.now(), cursor=None, limit=10)
    assert [(posting.booked_at, posting.entry) for posting in page.items] == booked
    assert page.cursor is None
    (_, _), (second, _), (third, _), *_ = booked
    part = store.journal(since=second, until=third, cursor=None, limit=10)
    assert [posting.entry for posting in part.items] == [booked[1][1]]


def test_the_journal_is_read_page_by_page_over_days_and_within_one_commit(
    store: Store, clock: StillClock, sale: Transaction
) -> None:
    for day in range(3):
        create(store, [entry(sale, 10 * day + number) for number in range(4)])
        clock.advance(DAY)
    found, cursor = [], None
    while True:
        page = store.journal(since=START, until=clock.now(), cursor=cursor, limit=3)
        assert len(page.items) <= 3
        found += [posting.entry.object_id for posting in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [f"ch_{10 * day + number}" for day in range(3) for number in range(4)]


def test_a_cursor_of_another_period_is_refused(store: Store, clock: StillClock, sale: Transaction) -> None:
    create(store, [entry(sale, number) for number in range(3)])
    cursor = store.journal(since=START, until=START + DAY, cursor=None, limit=1).cursor
    for wrong in (str(cursor)[:-4], "", "nothing", str(cursor)):
        with pytest.raises(InvalidCursor):
            store.journal(since=START, until=START + 2 * DAY, cursor=wrong, limit=1)


def test_the_last_closing_for_a_moment_is_found_with_its_balances(store: Store) -> None:
    early, late = START - DAY, START
    rows = [
        AccountBalance(at=at, account=account, currency=currency, balance=amount)
        for at, account, currency, amount in (
            (early, "losses", "usd", 1),
            (late, "losses", "usd", 2),
            (late, "losses", "eur", 3),
            (late, "losses_of_others", "usd", -5),
        )
    ]
    create(store, [Closing(at=early, entries=7), Closing(at=late, entries=8), *rows])
    assert store.closing(late + DAY) == Closing(at=late, entries=8)
    assert store.closing(late) == Closing(at=late, entries=8)
    assert store.closing(late - timedelta(microseconds=1)) == Closing(at=early, entries=7)
    assert store.closing(early - DAY) is None
    assert sorted(store.closed_balances(late, account=None), key=repr) == sorted(rows[1:], key=repr)
    assert sorted(store.closed_balances(late, account="losses"), key=repr) == sorted(rows[1:3], key=repr)
    assert store.closed_balances(late + DAY, account=None) == []
