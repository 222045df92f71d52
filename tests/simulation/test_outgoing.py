"""T2, F36: what the marketplace's own systems are told: of each write once, with ids that stay, and of no person."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from marketplace.domain.outgoing import OutgoingEvent, Told, events_of
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.transactions import CaptureMethod
from marketplace.ports import Change, Replace

from .market import Market
from .test_audit import an_entry_that_stripe_knows_nothing_of, run
from .test_captures import do_release
from .test_carts import paid_cart, three
from .test_catch_up import run as catch_up
from .test_disputes import decide, dispute
from .test_reconciliation import to_the_end
from .test_reversals import take_back, transfer_to
from .test_shortfalls import sold
from .test_write_offs import give_up, owing

AT = datetime(2026, 11, 24, tzinfo=UTC)


class Stream:
    """The writes of a market, as the table's stream has them."""

    def __init__(self, market: Market) -> None:
        self.writes: list[tuple[Told | None, Told]] = []
        market.store.after = self._keep

    def _keep(self, call: str, changes: tuple[Change, ...]) -> None:
        for change in changes if call == "commit" else ():
            before = change.before if isinstance(change, Replace) else None
            after = change.stored if isinstance(change, Replace) else change.item
            if isinstance(after, Told):
                self.writes.append((before, after))

    def events(self) -> list[OutgoingEvent]:
        return [event for before, after in self.writes for event in events_of(before, after, at=AT)]

    def counted(self) -> Counter[str]:
        return Counter(event.type for event in self.events())


def paid(market: Market) -> dict[str, int]:
    market.pay(market.sell(market.ready_merchant(), 10_000))
    market.take_in(*market.events())
    return {"merchant.ready": 1, "transaction.paid": 1}


def cart_with_one_not_ready(market: Market) -> dict[str, int]:
    clay, linen, oak = three(market)
    market.set_capability(oak, "restricted")
    market.take_in(*market.events())
    market.pay(market.sell_cart({clay: 5_000, linen: 3_000, oak: 2_000}))
    market.take_in(*market.events())
    market.set_capability(oak, "active")
    market.take_in(*market.events())
    return {
        "merchant.ready": 4, "merchant.restricted": 1, "transaction.paid": 1, "share.held": 1, "transfer.succeeded": 3
    }  # fmt: skip


def expired(market: Market) -> dict[str, int]:
    market.sell(market.ready_merchant(), 10_000)
    market.advance(25 * 3_600)
    market.take_in(*market.events())
    return {"merchant.ready": 1, "transaction.expired": 1}


def authorized_and_lapsed(market: Market) -> dict[str, int]:
    paid_cart(market, 6_000, 4_000, capture_method=CaptureMethod.MANUAL)
    market.advance(6 * 24 * 3_600 + 3_600)
    market.sweep()
    market.sweep()
    market.advance(3 * 24 * 3_600)
    market.take_in(*market.events())
    return {
        "merchant.ready": 2, "transaction.authorized": 1, "transaction.expiring": 1, "transaction.canceled": 1
    }  # fmt: skip


def refunded_in_vain(market: Market) -> dict[str, int]:
    transaction_id, _ = paid_cart(market, 5_000, 5_000, card="4000000000005126")
    market.refund(transaction_id, 5_000, key="r")
    market.take_in(*market.events())
    market.advance(24 * 3_600)
    market.take_in(*market.events())
    return {
        "merchant.ready": 2, "transaction.paid": 1, "transfer.succeeded": 4, "refund.succeeded": 1,
        "refund.failed": 1, "transfer.reversed": 2,
    }  # fmt: skip


def disputed_and_won(market: Market) -> dict[str, int]:
    transaction_id, _ = paid_cart(market, 6_000, 4_000)
    found = dispute(market, transaction_id, 1_000)
    decide(market, found, "won")
    return {
        "merchant.ready": 2, "transaction.paid": 1, "transfer.succeeded": 4, "dispute.opened": 1,
        "dispute.funds_withdrawn": 1, "transfer.reversed": 2, "dispute.funds_reinstated": 1, "dispute.closed": 1,
    }  # fmt: skip


def owed_and_given_up(market: Market) -> dict[str, int]:
    give_up(market, owing(market))
    return {
        "merchant.ready": 1, "transaction.paid": 1, "refund.succeeded": 1, "debt.booked": 1, "debt.written_off": 1,
        "transfer.reversal_refused": 1, "merchant.payouts_enabled": 1, "payout.paid": 1,
    }  # fmt: skip


def owed_and_netted(market: Market) -> dict[str, int]:
    debt = owing(market)
    market.pay(market.sell_cart({market.merchant(debt.merchant_id): 20_000, market.ready_merchant("Linen"): 1_000}))
    market.take_in(*market.events())
    return {
        "merchant.ready": 2, "transaction.paid": 2, "refund.succeeded": 1, "debt.booked": 1, "debt.settled": 1,
        "transfer.reversal_refused": 1, "transfer.succeeded": 2, "merchant.payouts_enabled": 1,
        "payout.paid": 1,
    }  # fmt: skip


def taken_back_and_released(market: Market) -> dict[str, int]:
    market.transaction_id, (merchant, _) = paid_cart(market, 6_000, 4_000)
    take_back(market, transfer_to(market, market.transaction_id, merchant), 1_000)
    do_release(market, key="again")
    return {
        "merchant.ready": 2, "transaction.paid": 1, "transfer.succeeded": 3, "transfer.reversed": 1, "share.held": 1
    }  # fmt: skip


STORIES = (
    paid, cart_with_one_not_ready, expired, authorized_and_lapsed, refunded_in_vain, disputed_and_won,
    owed_and_given_up, owed_and_netted, taken_back_and_released,
)  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_a_story_tells_each_thing_once(story: Callable[[Market], dict[str, int]]) -> None:
    market = Market(money=MoneyPolicy(hold_until_ready=True))
    stream = Stream(market)
    told = story(market)
    asked = {"merchant.requirements_due": len(market.store.merchants(cursor=None, limit=100).items)}  # as they are made
    assert stream.counted() == Counter(told | asked)
    events = stream.events()
    assert len({event.id for event in events}) == len(events)
    assert [event.id for event in stream.events()] == [event.id for event in events]  # the same writes again
    for event in events:
        assert _is_plain(event.detail)
        said = repr(event.detail)
        assert "clay@example.com" not in said
        assert "Merchant 0" not in said
        assert event.detail["object"]["id"]


def _is_plain(value: Any) -> bool:
    match value:
        case dict():
            return all(isinstance(name, str) and _is_plain(each) for name, each in value.items())
        case list():
            return all(map(_is_plain, value))
        case _:
            return value is None or type(value) in {str, int, bool} or isinstance(value, str)


def test_the_same_events_come_in_any_order_and_number_of_stripe_s() -> None:
    market = Market()
    stream = Stream(market)
    market.pay(market.sell(market.ready_merchant(), 10_000))
    events = market.events()
    market.take_in(*reversed(events), *events)
    market.sweep()
    assert stream.counted()["transaction.paid"] == 1


def in_every_order(market: Market, *types: str) -> Iterator[Stream]:
    """What is told when Stripe's last event of each type comes, in each order of them."""
    events = {event["type"]: event for event in market.events()}
    for order in permutations(events[name] for name in types):
        twin = market.fork()
        stream = Stream(twin)
        twin.take_in(*order)
        yield stream


def test_a_payment_is_told_once_and_whole_whichever_of_stripe_s_events_comes_first() -> None:
    market = Market()
    market.pay(market.sell(market.ready_merchant(), 10_000))
    of_payment = ("checkout.session.completed", "payment_intent.succeeded", "charge.succeeded")
    told = [captured_as_told(stream) for stream in in_every_order(market, *of_payment)]
    assert told == 6 * [[10_000]]


def test_an_authorization_is_told_once_and_whole_whichever_of_stripe_s_events_comes_first() -> None:
    market = Market()
    market.pay(market.sell_cart({market.ready_merchant(): 10_000}, capture_method=CaptureMethod.MANUAL))
    of_payment = ("checkout.session.completed", "payment_intent.amount_capturable_updated", "charge.succeeded")
    orders = 0
    for stream in in_every_order(market, *of_payment):
        (told,) = (each.detail["object"] for each in stream.events() if each.type == "transaction.authorized")
        assert (told["authorized"], told["capture_before"]) == (10_000, market.in_days(7).isoformat())
        orders += 1
    assert orders == 6


@pytest.mark.parametrize(("afterwards", "hours"), [(catch_up, 1), (Market.sweep, 25)])
def test_a_payment_of_which_only_the_session_s_event_came_is_told_whole_when_it_is_caught_up(
    afterwards: Callable[[Market], Any], hours: int
) -> None:
    market = Market()
    market.pay(market.sell(market.ready_merchant(), 10_000))
    (completed,) = (event for event in market.events() if event["type"] == "checkout.session.completed")
    stream = Stream(market)
    market.take_in(completed)
    assert captured_as_told(stream) == []
    market.advance(hours * 3_600)
    afterwards(market)
    assert captured_as_told(stream) == [10_000]


def captured_as_told(stream: Stream) -> list[int | None]:
    """What each `transaction.paid` says that was captured."""
    return [each.detail["object"]["captured"] for each in stream.events() if each.type == "transaction.paid"]


def test_what_is_held_for_nearly_as_long_as_money_may_be_is_told_and_by_policy_released() -> None:
    for releases in (False, True):
        market = Market(money=MoneyPolicy(releases_at_hold_limit=releases))
        stream = Stream(market)
        market.transaction_id, merchants = paid_cart(market, 6_000, 4_000, hold=True)
        for _ in range(82):
            market.advance(24 * 3_600)
            market.sweep()
        assert stream.counted()["share.hold_expiring"] == 0
        for _ in range(9):
            market.advance(24 * 3_600)
            market.sweep()
        assert stream.counted()["share.hold_expiring"] == 2
        have = [market.stripe_balance(each.account_id).get("usd", 0) for each in merchants]
        assert have == ([5_400, 3_600] if releases else [0, 0])


def test_what_an_audit_finds_is_told_once() -> None:
    market = Market()
    transaction_id, _ = sold(market)
    stream = Stream(market)
    an_entry_that_stripe_knows_nothing_of(market, transaction_id)
    for _ in range(2):
        to_the_end(market)
        run(market)
        market.advance(3_600)
    told = [each.detail["object"] for each in stream.events() if each.type == "finding.opened"]
    assert sorted(each["invariant"].split()[0] for each in told) == ["I12", "I3"]
    assert {each["transaction_id"] for each in told} == {transaction_id}
