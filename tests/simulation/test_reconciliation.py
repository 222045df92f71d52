"""I12: Stripe's balance transactions, of the platform and of every account, against the ledger: the difference is zero.

What the ledger cannot know is shown as unexplained, and nothing is counted twice wherever a run dies.
"""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from cli.stripe_keys import Group
from local.stripe_simulator.settings import Settings
from marketplace.domain.ledger import BANK, LOSSES, PLATFORM, STRIPE_BALANCE, STRIPE_RESERVES, JournalEntry, balances
from marketplace.domain.merchants import Merchant
from marketplace.domain.reconciliation import Discrepancy, LineStatus, PayoutReconciliation, Walk
from marketplace.operations import Operation
from marketplace.ports import Change, Replace, StripeUnavailable
from marketplace.services.reconciliation import Reconciled, reconcile

from .crashes import ProcessDied
from .market import Market
from .test_captures import authorized, do_capture
from .test_carts import paid_cart
from .test_disputes import decide, dispute
from .test_foreign_refunds import refund_elsewhere

HOUR = 3_600


def run(market: Market, *, pages: int | None = None) -> Reconciled:
    """A run some time later, of at most so many pages."""
    market.advance(HOUR)
    before = len(market.calls)
    with market.keys.of(Group.RECONCILIATION):
        return reconcile(
            market.ports, has_time=lambda: pages is None or len(market.calls) - before < pages, is_asked=True
        )


def to_the_end(market: Market) -> None:
    """What is told of is taken in, and all accounts are reconciled, those too that are heard of on the way."""
    market.take_in(*market.events())
    assert run(market).troubles == []


def counted(market: Market) -> Counter[LineStatus]:
    """The balance transactions of all accounts and days, by what they turned out to be."""
    days = market.store.reconciliations(None, cursor=None, limit=100).items
    counts: Counter[LineStatus] = Counter()
    for day in days:
        counts.update({tally.status: tally.count for tally in day.tallies})
    return +counts


def open_lines(market: Market) -> list[Discrepancy]:
    return list(market.store.discrepancies(cursor=None, limit=100).items)


def balance_transactions(market: Market) -> list[dict[str, Any]]:
    """Those of the platform and of all accounts, as Stripe has them."""
    found = []
    for account in (None, *(each["id"] for each in market.accounts_at_stripe())):
        headers = {"Stripe-Account": account} if account else {}
        cursor: dict[str, str] = {}
        while True:
            params = {"limit": 100, **cursor}
            page = market.simulator.request("GET", "/v1/balance_transactions", params, headers=headers).json()
            found += page["data"]
            if not page["has_more"]:
                break
            cursor = {"starting_after": page["data"][-1]["id"]}
    return found


def assert_reconciled(market: Market) -> None:
    """Nothing is open, every balance transaction is counted once, and the journal's balance is Stripe's."""
    assert [(each.status, each.line.type, each.line.net) for each in open_lines(market)] == []
    assert sum(counted(market).values()) == len(balance_transactions(market))
    journal = [item for item in market.store.snapshot().values() if isinstance(item, JournalEntry)]
    booked = {currency: sums for (name, currency), sums in balances(journal).items() if name == STRIPE_BALANCE}
    assert booked == market.stripe_balance()


def a_market_s_week(market: Market) -> list[Merchant]:
    """Sales of both charge types, refunds of every origin, disputes won and lost, a capture in part, payouts."""
    cart, merchants = paid_cart(market, 6_000, 4_000)
    market.refund(cart, 3_300, key="r1")
    one = market.sell(merchants[0], 10_000, key="one")
    market.pay(one)
    market.take_in(*market.events())
    market.refund(one.transaction_id, 4_000, key="r2")
    refund_elsewhere(market, one.transaction_id, 1_000)
    other = market.sell(merchants[1], 7_777, key="other")
    market.pay(other)
    market.take_in(*market.events())
    market.come_to_rest()
    for sale, outcome in ((one, "won"), (other, "lost")):
        found = dispute(market, sale.transaction_id, 2_000)
        market.sweep()
        decide(market, found, outcome)
        market.come_to_rest()
    return merchants


def test_a_week_of_everything_reconciles_to_nothing_unexplained(market: Market) -> None:
    merchants = a_market_s_week(market)
    market.pay(market.sell(merchants[0], 50_000, key="large"))
    market.take_in(*market.events())
    market.come_to_rest()
    for merchant in merchants:
        market.onboard(merchant)
        amount = market.stripe_balance(merchant.account_id)["usd"]
        market.as_merchant(merchant, "POST", "/v1/payouts", amount=amount, currency="usd")
    market.order("/v1/payouts", amount=1_000, currency="usd")
    to_the_end(market)
    assert_reconciled(market)
    counts = counted(market)
    assert counts[LineStatus.MERCHANTS_OWN] == len(merchants)  # their payouts
    platform = [item for item in market.store.snapshot().values() if isinstance(item, JournalEntry)]
    assert balances(platform)[BANK, "usd"] == 1_000


def test_a_capture_in_part_is_one_charge_with_one_fee(market: Market) -> None:
    authorized(market, 10_000)
    do_capture(market, 6_000)
    to_the_end(market)
    assert_reconciled(market)
    assert market.books(market.transaction_id).payment.processing_fee == 204  # 2.9 % + 30 of 60.00


def test_an_extra_top_up_and_a_foreign_transfer_are_unexplained(market: Market) -> None:
    merchants = a_market_s_week(market)
    to_the_end(market)
    topup = market.order("/v1/topups", amount=50_000, currency="usd")
    market.advance(HOUR)
    foreign = market.order("/v1/transfers", amount=700, currency="usd", destination=merchants[0].account_id)
    to_the_end(market)
    found = {(each.line.account, each.line.object_id, each.line.net, each.status) for each in open_lines(market)}
    assert found == {
        (PLATFORM, topup["id"], 50_000, LineStatus.UNEXPLAINED),
        (PLATFORM, foreign["id"], -700, LineStatus.UNEXPLAINED),
        (merchants[0].account_id, foreign["destination_payment"], 700, LineStatus.UNEXPLAINED),
    }
    assert counted(market)[LineStatus.UNEXPLAINED] == 3
    assert sum(counted(market).values()) == len(balance_transactions(market))


def test_what_was_not_booked_yet_is_open_until_its_events_come(market: Market) -> None:
    merchant = market.ready_merchant()
    session = market.sell(merchant, 10_000)
    market.pay(session)
    run(market)
    assert {each.status for each in open_lines(market)} == {LineStatus.UNMATCHED, LineStatus.UNEXPLAINED}
    to_the_end(market)
    assert_reconciled(market)
    assert set(counted(market)) == {LineStatus.MATCHED}


def test_a_ledger_that_says_something_else_is_unmatched(market: Market) -> None:
    """A reversal that names one of ours, so that it is not taken for a merchant's: it is found by the amount alone."""
    transaction_id, _ = paid_cart(market, 6_000, 4_000)
    transfer = market.at_stripe("/v1/transfers")[0]
    names = {"transaction_id": transaction_id, "reversal_id": "reversal-" + 26 * "0"}
    market.order(f"/v1/transfers/{transfer['id']}/reversals", amount=5, metadata=names)
    to_the_end(market)
    found = [(each.status, each.line.type, each.line.net) for each in open_lines(market)]
    assert (LineStatus.UNMATCHED, "transfer_refund", 5) in found


def test_a_run_goes_on_where_the_last_one_stopped(market: Market) -> None:
    a_market_s_week(market)
    market.take_in(*market.events())
    for _ in range(20):
        run(market, pages=1)
    assert_reconciled(market)


def test_wherever_a_run_dies_the_next_one_counts_nothing_twice() -> None:
    template = Market()
    a_market_s_week(template)
    template.order("/v1/topups", amount=100, currency="usd")
    template.advance(HOUR)
    template.take_in(*template.events())
    expected = after_dying_at(template, None)
    steps = expected[-1]
    assert steps > 40
    for step in range(steps):
        assert after_dying_at(template, step)[:-1] == expected[:-1], step


def after_dying_at(template: Market, step: int | None) -> tuple[Counter[LineStatus], int, dict[str, int], int]:
    """What is known after a run that died at a step and two more, and how many steps the first one had."""
    market = template.fork()
    market.store.before = market.store.after = market.fuse.around_store
    market.fuse.set(step)
    with suppress(ProcessDied):
        run(market)
    steps = market.fuse.steps
    market.fuse.set(None)
    run(market)
    run(market)
    return counted(market), len(open_lines(market)), market.ledger_balance(), steps


def test_two_thousand_balance_transactions_cost_at_most_a_call_for_fifty_each() -> None:
    market = Market()
    merchant = market.ready_merchant()
    for number in range(500):
        session = market.sell(merchant, 1_000 + number, key=f"order-{number}")
        market.pay(session)
    market.take_in(*market.events())
    market.calls.clear()
    to_the_end(market)
    lines = len(balance_transactions(market))
    assert lines == 2_000
    assert set(market.calls) == {Operation.LIST_BALANCE_TRANSACTIONS}
    assert len(market.calls) <= 0.02 * lines
    assert_reconciled(market)


def test_an_automatic_payout_is_what_it_is_made_of() -> None:
    market = Market()
    merchant = market.ready_merchant()
    market.onboard(merchant)
    market.as_merchant(
        merchant, "POST", "/v1/balance_settings", payments={"payouts": {"schedule": {"interval": "daily"}}}
    )
    session = market.sell(merchant, 10_000)
    market.pay(session)
    market.take_in(*market.events())
    market.refund(session.transaction_id, 4_000, key="r")
    market.come_to_rest()
    to_the_end(market)
    (payout,) = market.store.payout_reconciliations(cursor=None, limit=10).items
    assert isinstance(payout, PayoutReconciliation)
    assert (payout.account, payout.amount, payout.is_done, payout.difference) == (
        merchant.account_id,
        5_400,
        True,
        0,
    )
    assert {tally.status: tally.count for tally in payout.tallies} == {
        LineStatus.MATCHED: 3,
        LineStatus.MERCHANTS_OWN: 1,
    }
    assert_reconciled(market)


def test_what_stripe_keeps_and_takes_for_an_account_that_owes_is_booked() -> None:
    """Paid out before the refund: Stripe keeps as much of the platform's balance, and takes it at last."""
    market = Market(settings=Settings(reversals_overdraw=True))
    merchant = market.ready_merchant()
    market.onboard(merchant)
    for number in range(3):
        market.pay(market.sell(merchant, 10_000, key=f"s{number}"))
    market.take_in(*market.events())
    market.come_to_rest()
    market.as_merchant(merchant, "POST", "/v1/payouts", amount=27_000, currency="usd")
    (sale, *_) = market.all_transactions()
    market.refund(sale.transaction.id, 2_000, key="r")
    to_the_end(market)
    assert_reconciled(market)
    journal = [item for item in market.store.snapshot().values() if isinstance(item, JournalEntry)]
    assert balances(journal)[STRIPE_RESERVES, "usd"] == 1_800
    market.advance(181 * 24 * HOUR)
    to_the_end(market)
    assert_reconciled(market)
    journal = [item for item in market.store.snapshot().values() if isinstance(item, JournalEntry)]
    sums = balances(journal)
    assert (sums[LOSSES, "usd"], sums.get((STRIPE_RESERVES, "usd"), 0)) == (1_800, 0)


@pytest.mark.parametrize("step", range(40))
def test_a_page_that_dies_at_any_step_is_read_again(step: int) -> None:
    market = Market()
    paid_cart(market, 6_000, 4_000)
    market.fuse.set(step)
    with suppress(ProcessDied):
        run(market)
    market.fuse.set(None)
    to_the_end(market)
    assert_reconciled(market)


def dies_at_the_checkpoint(market: Market) -> None:
    """A run that takes a page in and dies before it writes how far it got."""

    def die(call: str, changes: tuple[Change, ...]) -> None:
        if any(isinstance(change, Replace) and isinstance(change.before, Walk) for change in changes):
            raise ProcessDied

    market.store.before = die
    with suppress(ProcessDied):
        run(market)
    market.store.before = market.fuse.around_store


@pytest.mark.parametrize("stripe_is_away", [False, True])
def test_a_line_that_was_open_when_its_page_died_is_counted_once(stripe_is_away: bool) -> None:
    """Its event comes before the page is read again, and the line is looked at again before or after that."""
    market = Market()
    merchant = market.ready_merchant()
    market.pay(market.sell(merchant, 5_000, key="earlier"))
    to_the_end(market)
    market.pay(market.sell(merchant, 10_000, key="later"))
    dies_at_the_checkpoint(market)
    assert open_lines(market)
    market.take_in(*market.events())
    if stripe_is_away:
        away = market.ports._replace(stripe=NobodyThere())
        assert reconcile(away, has_time=lambda: True, is_asked=True).troubles
    to_the_end(market)
    assert_reconciled(market)
    assert set(counted(market)) == {LineStatus.MATCHED}


class NobodyThere:
    """A Stripe that does not answer."""

    def read(self, *_: Any, **__: Any) -> Any:
        raise StripeUnavailable("nobody there")

    ask = each = read


def test_the_balance_of_an_account_that_has_left_is_asked_for_once_a_week() -> None:
    market = Market()
    _, (clay, _) = paid_cart(market, 6_000, 4_000)
    to_the_end(market)
    market.order(f"/_simulator/accounts/{clay.account_id}/deauthorize")
    market.take_in(*market.events())
    told = []
    for _ in range(20):
        market.advance(24 * HOUR)
        told += reconcile(market.ports, has_time=lambda: True).troubles
    assert {name for name, _ in told} == {clay.account_id}
    assert 1 <= len(told) <= 3
