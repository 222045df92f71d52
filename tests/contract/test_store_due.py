"""What is found by other things than its id: accounts, and what is due."""

from dataclasses import replace
from datetime import timedelta

from marketplace.domain.commands import Command
from marketplace.domain.merchants import Merchant
from marketplace.domain.shares import Hold
from marketplace.ports import DUE_SHARDS, Create, Replace, Store, Watched
from tests.contract.examples import Examples, StillClock, create

SECOND = timedelta(seconds=1)


def test_a_merchant_is_found_by_its_account_once_it_has_one(store: Store, examples: Examples) -> None:
    merchant = examples.merchant(account_id=None)
    store.commit(Create(merchant))
    assert store.merchant_of_account("acct_1") is None
    store.commit(Replace(merchant, replace(merchant, account_id="acct_1")))
    assert store.merchant_of_account("acct_1") == merchant.id
    assert store.merchant_of_account("acct_2") is None
    assert store.merchant_of_account("") is None


def test_the_session_of_a_payment_is_no_merchants_account(store: Store, examples: Examples, merchant: Merchant) -> None:
    sale = examples.transaction(merchant)
    payment = examples.full_payment(sale)
    store.commit(Create(sale), Create(payment))
    assert store.merchant_of_account(str(payment.checkout_session_id)) is None


def test_shares_that_wait_for_a_merchant_are_found_until_they_no_longer_do(
    store: Store, examples: Examples, merchant: Merchant
) -> None:
    sale = examples.transaction(merchant)
    waiting = examples.share(sale, hold=Hold.NOT_READY)
    other = examples.share(examples.transaction(merchant), hold=Hold.BY_HAND)
    create(store, [waiting, other])
    assert store.waiting_shares(merchant.id, limit=10) == [waiting]
    store.commit(Replace(waiting, replace(waiting, hold=None)))
    assert store.waiting_shares(merchant.id, limit=10) == []


def test_shares_and_debts_fall_due_too(store: Store, clock: StillClock, examples: Examples, merchant: Merchant) -> None:
    share = examples.share(examples.transaction(merchant), due_at=clock.now())
    debt = examples.debt(merchant, due_at=clock.now() - SECOND)
    create(store, [share, debt, examples.debt(merchant)])
    assert sorted(map(repr, all_due(store, clock))) == sorted(map(repr, [debt, share]))


def all_due(store: Store, clock: StillClock, limit: int = 100) -> list[Watched]:
    return [item for shard in range(DUE_SHARDS) for item in store.due(shard, now=clock.now(), limit=limit)]


def test_what_is_due_comes_the_longest_overdue_first_and_nothing_of_the_future(
    store: Store, clock: StillClock, examples: Examples, merchant: Merchant
) -> None:
    sale = examples.transaction(merchant)  # of one subject, so of one shard
    times = [clock.now() + timedelta(microseconds=step) for step in (-3_600_000_000, -1_000_000, -1, 0, 1, 60_000_000)]
    commands = [examples.command(sale.id, due_at=time) for time in times]
    payment = replace(examples.new_payment(sale), due_at=times[0] - SECOND)
    settled = examples.command(sale.id, due_at=None)
    create(store, [*reversed(commands), settled, sale, payment])
    assert all_due(store, clock) == [payment, *commands[:4]]
    assert all_due(store, clock, limit=2) == [payment, commands[0]]
    clock.advance(timedelta(minutes=5))
    assert all_due(store, clock) == [payment, *commands]


def test_what_is_put_off_or_settled_is_no_longer_due(
    store: Store, clock: StillClock, examples: Examples, merchant: Merchant
) -> None:
    put_off, settled = (examples.command(merchant.id, due_at=clock.now()) for _ in range(2))
    store.commit(Create(put_off), Create(settled))
    later = Replace(put_off, replace(put_off, due_at=clock.now() + SECOND))
    store.commit(later, Replace(settled, replace(settled, due_at=None)))
    assert all_due(store, clock) == []
    clock.advance(SECOND)
    assert all_due(store, clock) == [later.stored]


def test_what_is_due_is_spread_over_all_shards_and_in_one_of_them(
    store: Store, clock: StillClock, examples: Examples
) -> None:
    commands = [examples.command(examples.id("transaction"), due_at=clock.now()) for _ in range(100)]
    create(store, commands)
    shards = [store.due(shard, now=clock.now(), limit=100) for shard in range(DUE_SHARDS)]
    assert all(shards)
    assert sorted(item.id for shard in shards for item in shard if isinstance(item, Command)) == sorted(
        command.id for command in commands
    )
