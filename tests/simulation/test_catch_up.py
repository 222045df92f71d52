"""F26, W4: deliveries that were lost are caught up with from Stripe's lists, and a transaction is replayed."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from cli.stripe_keys import Group
from marketplace.domain.catching_up import MOST_TYPES, EventCheckpoint, EventStream
from marketplace.domain.disputes import DisputeStatus
from marketplace.domain.errors import Unavailable
from marketplace.domain.events import ACCOUNT_EVENTS
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.readings import AccountReading
from marketplace.domain.refunds import RefundStatus
from marketplace.domain.transactions import TransactionStatus
from marketplace.operations import Operation
from marketplace.ports import Ref, one
from marketplace.services import account_rounds
from marketplace.services import catch_up as catching_up
from marketplace.services.catch_up import CaughtUp, catch_up
from marketplace.services.events import take_in
from marketplace.services.merchants import follow_account
from marketplace.services.replays import Replayed

from .crashes import ProcessDied
from .market import Market
from .test_captures import authorized

HOUR = 3_600
Hear = Callable[[Market], Any]


def heard(market: Market) -> None:
    market.take_in(*market.events())


def lost(market: Market) -> None:
    market.events()


def mortal(template: Market) -> Market:
    """A twin whose process dies where its fuse says, in a commit too."""
    market = template.fork()
    market.store.before = market.store.after = market.fuse.around_store
    return market


def run(market: Market, **more: Any) -> CaughtUp:
    with market.keys.of(Group.EVENTS):
        return catch_up(market.ports, has_time=lambda: True, **more)


def three_days(hear: Hear) -> Market:
    """A destination charge, carts and a merchant of three days; nobody sweeps."""
    market = Market()
    clay, linen, oak = (market.ready_merchant(name) for name in ("Clay", "Linen", "Oak"))
    heard(market)
    market.order("/v1/topups", amount=50_000, currency="usd")
    alone = market.sell(clay, 10_000, key="alone")
    market.pay(alone)
    send_back(market, clay, 700)
    hear(market)
    thirds, others = {clay: 4_000, linen: 4_000, oak: 4_000}, {clay: 6_000, linen: 4_000, oak: 3_000}
    carts = [market.sell_cart(basket, key=f"cart-{n}") for n, basket in enumerate((thirds, others, others))]
    for cart in carts:
        market.pay(cart)
    hear(market)
    market.advance(24 * HOUR)
    hear(market)
    for cart, amount in zip(carts, (1, 13_000), strict=False):
        market.order("/v1/refunds", payment_intent=intent(market, cart.transaction_id), amount=amount)
    market.advance(60)
    market.order(
        "/v1/refunds", payment_intent=intent(market, carts[0].transaction_id), amount=4
    )  # of which other parts would be refunded before the first
    hear(market)
    charge = market.at_stripe("/v1/charges", payment_intent=intent(market, carts[2].transaction_id))[0]["id"]
    found = market.order(f"/_simulator/charges/{charge}/dispute", amount=5_000)["id"]
    market.advance(24 * HOUR)
    market.order(f"/_simulator/disputes/{found}/decide", outcome="won")
    hear(market)
    market.set_capability(oak, "restricted")
    market.advance(24 * HOUR)
    hear(market)
    market.set_capability(oak, "active")
    hear(market)
    market.advance(HOUR)
    return market


def send_back(market: Market, merchant: Merchant, amount: int) -> None:
    """A merchant refunds its first payment by itself."""
    headers = {"Stripe-Account": str(merchant.account_id)}
    payment = market.simulator.request("GET", "/v1/charges", {}, headers=headers).json()["data"][-1]
    market.as_merchant(merchant, "POST", "/v1/refunds", charge=payment["id"], amount=amount)


def intent(market: Market, transaction_id: str) -> str:
    intents = market.at_stripe("/v1/payment_intents")
    return next(str(each["id"]) for each in intents if each["metadata"].get("transaction_id") == transaction_id)


def facts(market: Market) -> dict[str, Any]:
    """What a marketplace would ask for, by what it knows of its sales."""
    for _ in range(3):
        market.sweep()
        market.advance(24 * HOUR)
        heard(market)
    sales = [
        (
            books.payment.status,
            books.payment.captured,
            [
                (each.status, [(part.amount, part.fee) for part in each.parts])
                for each in sorted(books.refunds.values(), key=lambda refund: (refund.created_at, refund.amount))
            ],
            sorted((each.status, each.withdrawn, each.reinstated) for each in books.disputes.values()),
            sorted(share.had - books.recovered(share.merchant_id) for share in books.shares.values()),
        )
        for books in market.all_transactions()
    ]
    assert [market.violations(books.transaction.id) for books in market.all_transactions()] == [[]] * len(sales)
    merchants = market.store.merchants(cursor=None, limit=9).items
    market.take_in_balance_transactions()
    assert market.ledger_balance()["usd"] == market.stripe_balance()["usd"] - 50_000
    return {
        "sales": sorted(sales, key=repr),
        "merchants": [each.status for each in merchants],
        "money": market.positions(),
    }


def test_f26_one_run_restores_three_days_of_lost_deliveries() -> None:
    market = three_days(lost)
    before = [books.payment.status for books in market.all_transactions()]
    assert before == 4 * [TransactionStatus.OPEN]
    done = run(market)
    assert done.troubles == []
    assert [books.payment.status for books in market.all_transactions()] == 4 * [TransactionStatus.PAID]
    restored = facts(market)
    assert restored == facts(three_days(heard))
    assert restored["merchants"] == 3 * [MerchantStatus.READY]


def test_what_was_delivered_costs_reads_alone() -> None:
    market = three_days(heard)
    market.calls.clear()
    done = run(market)
    assert (done.applied, done.troubles) == (0, [])
    assert done.listed > 30
    assert done.accounts == market.calls.count(Operation.READ_ACCOUNT) == 3
    assert set(market.calls) == {Operation.LIST_EVENTS, Operation.READ_ACCOUNT}
    market.advance(HOUR)
    market.calls.clear()
    run(market)
    assert market.calls == 3 * [Operation.LIST_EVENTS]  # one of each list, from the checkpoint on


@pytest.mark.parametrize("page", [1, 2, 5])
def test_pages_are_as_small_as_they_must_be_and_nothing_is_missed(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "PAGE", page)
    market = three_days(lost)
    done = run(market)
    assert done.troubles == []
    assert done.pages > done.listed // page
    assert facts(market) == facts(three_days(heard))


def test_wherever_it_dies_the_next_run_ends_as_it_would_have() -> None:
    template = three_days(lost)
    complete = template.fork()
    run(complete)
    wanted = facts(complete)
    steps = list(range(0, 400, 23))
    for step in steps:
        market = mortal(template)
        market.fuse.set(step)
        with suppress(ProcessDied):
            run(market)
        market.fuse.set(None)
        assert run(market).troubles == []
        assert facts(market) == wanted


def status(market: Market, merchant: Merchant) -> MerchantStatus:
    return market.merchant(merchant.id).status


@pytest.mark.parametrize(("before", "after"), [("active", "restricted"), ("restricted", "active")])
def test_what_became_of_an_account_is_known_within_a_day_whatever_was_lost(before: str, after: str) -> None:
    market = Market()
    merchant = market.ready_merchant()
    market.set_capability(merchant, before)
    heard(market)
    known = status(market, merchant)
    run(market)
    market.set_capability(merchant, after)
    lost(market)
    market.advance(23 * HOUR)
    assert (run(market).accounts, status(market, merchant)) == (0, known)
    market.advance(HOUR)
    assert run(market).accounts == 1
    assert status(market, merchant) is not known
    assert run(market).accounts == 0


def test_whoever_asks_for_a_time_has_the_accounts_read_at_once() -> None:
    market = Market()
    merchant = market.ready_merchant()
    heard(market)
    run(market)
    market.set_capability(merchant, "restricted")
    lost(market)
    assert run(market, since=market.clock.now()).accounts == 1
    assert status(market, merchant) is MerchantStatus.RESTRICTED


def test_a_round_goes_on_where_the_time_ended_and_one_account_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Market()
    _, linen, _ = merchants = [market.ready_merchant(name) for name in ("Clay", "Linen", "Oak")]
    heard(market)
    run(market)
    for each in merchants:
        market.set_capability(each, "restricted")
    lost(market)
    market.advance(24 * HOUR)

    def stumble(ports: Any, reading: AccountReading) -> bool:
        if reading.account_id == linen.account_id:
            raise ValueError("a bug")
        return follow_account(ports, reading)

    monkeypatch.setattr(account_rounds, "follow_account", stumble)
    monkeypatch.setattr(account_rounds, "PAGE", 1)
    # The lists ask once each, and then there is a page and an account in each run.
    runs = [catch_up(market.ports, has_time=partial(next, iter(times * [True]), False)) for times in (5, 2, 2, 2)]
    assert [each.accounts + len(each.troubles) for each in runs] == [1, 1, 1, 0]
    assert [name for each in runs for name, _ in each.troubles] == [linen.id]
    restricted = [each.name for each in merchants if status(market, each) is MerchantStatus.RESTRICTED]
    assert restricted == ["Clay", "Oak"]


def test_it_goes_on_where_the_time_ended() -> None:
    market = three_days(lost)
    runs = 0
    while since(market, EventStream.ACCOUNTS) is None or market.calls[-1] is not Operation.READ_ACCOUNT:
        looks = iter(5 * [True])
        catch_up(market.ports, has_time=partial(next, looks, False))
        runs += 1
        assert runs < 50
    assert runs > 1
    assert run(market).troubles == []
    assert facts(market) == facts(three_days(heard))


def since(market: Market, stream: EventStream) -> EventCheckpoint | None:
    return one(market.store, Ref(EventCheckpoint, stream))


def test_an_event_that_can_never_be_applied_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    market = three_days(lost)
    poison = next(each["id"] for each in market.at_stripe("/v1/events", type="checkout.session.completed"))
    inner = take_in

    def stumble(ports: Any, event: Any) -> Any:
        if event["id"] == poison:
            raise ValueError("a bug")
        return inner(ports, event)

    monkeypatch.setattr(catching_up, "take_in", stumble)
    done = run(market)
    assert [name for name, _ in done.troubles] == [poison]
    assert [books.payment.status for books in market.all_transactions()].count(TransactionStatus.PAID) == 4
    monkeypatch.undo()
    again = run(market, since=market.clock.now() - timedelta(days=4))
    assert (again.troubles, again.listed >= done.listed) == ([], True)
    assert facts(market) == facts(three_days(heard))


def test_while_something_does_not_answer_the_checkpoint_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    market = three_days(lost)
    answers = iter([True, True, False])

    def stumble(ports: Any, event: Any) -> Any:
        if not next(answers, True):
            raise Unavailable("DynamoDB did not answer")
        return take_in(ports, event)

    monkeypatch.setattr(catching_up, "take_in", stumble)
    assert [name for name, _ in run(market).troubles] == [EventStream.PAYMENTS]
    assert run(market).troubles == []
    assert facts(market) == facts(three_days(heard))


def test_the_last_minutes_are_left_to_their_deliveries() -> None:
    market = Market()
    merchant = market.ready_merchant()
    heard(market)
    market.advance(HOUR)
    session = market.sell(merchant, 10_000)
    market.pay(session)
    lost(market)
    assert run(market).applied == 0
    market.advance(11 * 60)
    assert run(market).applied > 0
    assert market.books(session.transaction_id).payment.status is TransactionStatus.PAID


def test_every_type_that_is_subscribed_to_is_on_one_list_that_stripe_gives() -> None:
    listed = [each for stream in EventStream for each in stream.types]
    assert sorted(listed) == sorted(ACCOUNT_EVENTS)
    assert all((0 < len(stream.types) <= MOST_TYPES) is (stream is not EventStream.ACCOUNTS) for stream in EventStream)


def test_a_transaction_whose_events_are_gone_is_replayed_from_what_stripe_has() -> None:
    market = three_days(lost)
    market.advance(40 * 24 * HOUR)
    assert run(market).applied == 0  # Stripe lists events of 30 days
    found: list[Replayed] = []
    for books in market.all_transactions():
        found.append(market.replay(books.transaction.id))
        assert market.replay(books.transaction.id).changes == {}
    assert [each.changes[each.transaction_id] for each in found] == 4 * [("open", "paid")]
    told = [status for each in found for _, status in each.changes.values()]
    assert {RefundStatus.SUCCEEDED.value, DisputeStatus.WON.value} <= set(told)
    assert all(each.journal_entries > 0 for each in found)
    assert facts(market)["sales"] == facts(three_days(heard))["sales"]


def test_a_replay_of_what_is_known_changes_nothing_and_reads_what_there_is_once() -> None:
    market = three_days(heard)
    for _ in range(2):
        market.sweep()
        heard(market)
    before = market.state()
    things = 0
    market.calls.clear()
    for books in market.all_transactions():
        moved = [transfer for share in books.shares.values() for transfer in share.transfers]
        things += 3 + len(books.refunds) + len(books.disputes) + len(moved)
        done = market.replay(books.transaction.id)
        assert (done.changes, done.journal_entries) == ({}, 0)
    assert market.state() == before
    assert len(market.calls) <= things
    assert all("create" not in each.value for each in market.calls)


def test_a_replay_takes_in_what_a_merchant_returned() -> None:
    market = three_days(heard)
    clay = next(each for each in market.store.merchants(cursor=None, limit=9).items if each.name == "Clay")
    send_back(market, clay, 900)
    lost(market)
    changes: dict[str, Any] = {}
    for books in market.all_transactions():
        changes |= market.replay(books.transaction.id).changes
    assert list(changes) == [clay.id]
    assert all(market.violations(books.transaction.id) == [] for books in market.all_transactions())


def test_a_replay_does_not_take_what_was_asked_for_here_as_a_return() -> None:
    template = three_days(heard)
    sale = template.at_stripe("/v1/checkout/sessions")[0]["metadata"]["transaction_id"]
    calls: set[int] = set()
    for step in range(36):
        market = mortal(template)
        market.calls.clear()
        market.fuse.set(step)
        with suppress(ProcessDied):
            market.refund(sale, 500, key="a")
        market.fuse.set(None)
        calls.add(market.calls.count(Operation.REVERSE_TRANSFER))
        market.replay(sale)
        assert {share.hold for share in market.books(sale).shares.values()} == {None}
        assert market.violations(sale) == []
    assert calls == {0, 1, 2, 3}


def test_a_replay_of_what_is_about_to_lapse_leaves_the_capture_to_the_sweep() -> None:
    market = Market(money=MoneyPolicy(captures_at_deadline=True))
    authorized(market, 10_000)
    market.advance(6 * 24 * HOUR + HOUR)
    market.replay(market.transaction_id)
    assert Operation.CAPTURE_PAYMENT_INTENT not in market.calls
    market.sweep()
    heard(market)
    assert market.books(market.transaction_id).payment.status is TransactionStatus.PAID


def test_a_moment_ahead_of_the_checkpoint_skips_nothing() -> None:
    market = three_days(heard)
    run(market)
    stands = since(market, EventStream.PAYMENTS)
    run(market, since=market.clock.now() + timedelta(days=1))
    assert since(market, EventStream.PAYMENTS) == stands
