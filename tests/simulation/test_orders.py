"""I8: every order and every duplication of the same events ends in the same state (F04 to F08)."""

import random
from collections.abc import Callable, Iterator
from itertools import permutations

import pytest

from marketplace.services.checkout import read_checkout_session
from marketplace.services.events import EventOutcome, take_in

from .market import OPERATOR, Event, Market, ids_of

MOST_PERMUTED = 6  # events: 720 orders
SAMPLES = 200  # of the orders of all events together, whose permutations are too many


def paid(market: Market) -> str:
    """A sale that was paid; its events have not come yet."""
    session = market.sell(market.ready_merchant(), 9_999)
    market.pay(session)
    return session.transaction_id


def failed(market: Market) -> str:
    session = market.sell(market.ready_merchant(), 9_999)
    market.pay_by_bank(session, succeeds=False)
    market.advance(7 * 24 * 3600)
    return session.transaction_id


def expired(market: Market) -> str:
    session = market.sell(market.ready_merchant(), 9_999)
    market.advance(25 * 3600)
    return session.transaction_id


def refunded(market: Market) -> str:
    """A sale whose events came, and then a partial refund and the rest; the refunds' events have not come yet."""
    transaction_id = paid(market)
    market.take_in(*market.events())
    market.refund(transaction_id, 3_333, key="a")
    market.refund(transaction_id, None, key="b")
    return transaction_id


def refund_failed(market: Market) -> str:
    session = market.sell(market.ready_merchant(), 9_999)
    market.pay(session, card="4000000000005126")
    market.take_in(*market.events())
    market.refund(session.transaction_id, 3_333, key="a")
    market.advance(7 * 24 * 3600)
    return session.transaction_id


def cart_paid(market: Market) -> str:
    """A cart of two merchants."""
    merchants = [market.ready_merchant("Clay"), market.ready_merchant("Linen")]
    session = market.sell_cart(dict.fromkeys(merchants, 4_999))
    market.pay(session)
    return session.transaction_id


def cart_refund_failed(market: Market) -> str:
    """A cart whose refund was recovered from both, and comes back from the buyer's bank."""
    merchants = [market.ready_merchant("Clay"), market.ready_merchant("Linen")]
    session = market.sell_cart(dict.fromkeys(merchants, 4_999))
    market.pay(session, card="4000000000005126")
    market.take_in(*market.events())
    market.advance(3 * 24 * 3600)
    market.refund(session.transaction_id, 3_333, key="a")
    market.advance(7 * 24 * 3600)
    return session.transaction_id


def disputed(sell: Callable[[Market], str]) -> Callable[[Market], str]:
    """A sale that was disputed and won; none of its events but the account's has come yet."""

    def story(market: Market) -> str:
        transaction_id = sell(market)
        market.order(f"/_simulator/charges/{market.at_stripe('/v1/charges')[0]['id']}/dispute", amount=5_000)
        (found,) = market.at_stripe("/v1/disputes")
        market.order(f"/_simulator/disputes/{found['id']}/decide", outcome="won")
        market.order("/v1/topups", amount=50_000, currency="usd")
        market.advance(4 * 24 * 3600)
        return transaction_id

    story.__name__ = f"{sell.__name__}_disputed"
    return story


def refunded_in_the_dashboard(market: Market) -> str:
    """A cart that was refunded by somebody else; none of its events has come yet."""
    transaction_id = cart_paid(market)
    intent = market.at_stripe("/v1/payment_intents")[0]["id"]
    market.order("/v1/refunds", payment_intent=intent, amount=3_333)
    return transaction_id


STORIES = [paid, failed, expired, refunded, refund_failed, cart_paid, cart_refund_failed]
MOVED_ELSEWHERE = [disputed(paid), disputed(cart_paid), refunded_in_the_dashboard]
"""Where what is moved, and how often, depends on what is heard first; only where it comes to rest does not."""


def of_consequence(market: Market, events: list[Event]) -> list[Event]:
    """Those that are applied; the others are ignored whatever their order."""
    outcomes = market.fork().take_in(*events)
    return [event for event, outcome in zip(events, outcomes, strict=True) if outcome is EventOutcome.APPLIED]


def orders(events: list[Event]) -> Iterator[tuple[Event, ...]]:
    """All permutations where they can be counted, else as many as there is time for."""
    if len(events) <= MOST_PERMUTED:
        yield from permutations(events)
        return
    chance = random.Random(1)
    for _ in range(SAMPLES):
        yield tuple(chance.sample(events, len(events)))


@pytest.mark.parametrize("story", STORIES)
def test_fxa_10934_pay_rails_371_every_order_of_the_events_ends_in_the_same_state(
    story: Callable[[Market], str],
) -> None:
    market = Market()
    transaction_id = story(market)
    events = market.events()
    expected = market.fork()
    expected.take_in(*events)
    told = of_consequence(market, events)
    assert told, ids_of(events)
    for order in orders(told):
        fork = market.fork()
        fork.take_in(*order)
        assert fork.state() == expected.state(), ids_of(order)
        assert fork.violations(transaction_id) == []


@pytest.mark.parametrize("story", STORIES)
def test_dj_stripe_1239_every_duplication_of_the_events_ends_in_the_same_state(story: Callable[[Market], str]) -> None:
    market = Market()
    transaction_id = story(market)
    events = market.events()
    expected = market.fork()
    expected.take_in(*events)
    chance = random.Random(2)
    for _ in range(SAMPLES):
        fork = market.fork()
        again = chance.choices(events, k=len(events)) + events
        chance.shuffle(again)
        outcomes = fork.take_in(*again)
        assert outcomes.count(EventOutcome.DUPLICATE) == len(again) - len({event["id"] for event in again})
        assert fork.state() == expected.state(), ids_of(again)
        assert fork.violations(transaction_id) == []


@pytest.mark.parametrize("story", MOVED_ELSEWHERE, ids=lambda story: story.__name__)
def test_whatever_is_heard_first_of_what_happened_elsewhere_everybody_ends_with_the_same(
    story: Callable[[Market], str],
) -> None:
    market = Market()
    transaction_id = story(market)
    events = market.events()
    chance = random.Random(3)
    expected = market.fork()
    expected.take_in(*events)
    expected.come_to_rest()
    assert expected.unsettled(transaction_id) == []
    for order in chance.sample(list(orders(of_consequence(market, events))), 60):
        fork = market.fork()
        fork.take_in(*order, *order)
        fork.come_to_rest()
        assert fork.violations(transaction_id) == [], ids_of(order)
        assert fork.positions() == expected.positions(), ids_of(order)


@pytest.mark.parametrize("story", STORIES)
def test_a_replay_long_after_the_markers_are_gone_changes_nothing(story: Callable[[Market], str]) -> None:
    """F04."""
    market = Market()
    story(market)
    events = market.events()
    market.take_in(*events)
    before = market.state()
    market.advance(40 * 24 * 3600)
    market.take_in(*events)
    assert market.state() == before


def test_events_that_overtake_the_answer_to_the_request_are_not_lost(market: Market) -> None:
    """F08, Truxify#6069: the session's own events arrive while its creation is still being written."""
    merchant = market.ready_merchant()
    seen: list[Event] = []

    def pay_at_once(call: str, changes: tuple[object, ...]) -> None:
        if call == "commit" and market.at_stripe("/v1/checkout/sessions") and not seen:
            (session,) = market.at_stripe("/v1/checkout/sessions")
            market.submit(session["id"], card="4242424242424242")
            seen.extend(market.events())
            for event in seen:
                take_in(market.ports, event)

    market.store.before = pay_at_once
    session = market.sell(merchant, 10_000)
    assert seen
    payment = market.books(session.transaction_id).payment
    assert payment.is_settled
    assert payment.checkout_session_id == session.checkout_session_id
    assert market.unsettled(session.transaction_id) == []


def test_f07_medusa_13301_the_buyers_return_fulfils_nothing_whenever_it_comes(market: Market) -> None:
    """The success page may be called before, between and after the events, or never: it only reads."""
    transaction_id = paid(market)
    events = market.events()
    expected = market.fork()
    expected.take_in(*events)
    for moment in range(len(events) + 1):
        fork = market.fork()
        fork.take_in(*events[:moment])
        seen = read_checkout_session(fork.ports, OPERATOR, transaction_id).status
        assert seen is fork.books(transaction_id).payment.status
        fork.take_in(*events[moment:])
        assert fork.state() == expected.state()


def test_sync_engine_268_posthog_98651_two_events_in_one_second_in_both_orders(market: Market) -> None:
    """F06. PostHog#98651 is the same tie."""
    transaction_id = paid(market)
    events = market.events()
    assert len({event["created"] for event in events if isinstance(event["created"], int)}) == 1
    for order in (events, events[::-1]):
        fork = market.fork()
        fork.take_in(*order)
        assert fork.books(transaction_id).payment.is_settled


def test_an_event_of_a_connected_account_cannot_speak_for_the_platform(market: Market) -> None:
    """omi#6840: a merchant may put our transaction's id into the metadata of its own objects."""
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    forged = next(event for event in market.events() if event["type"] == "charge.succeeded")
    forged |= {"account": "acct_of_a_merchant", "id": "evt_forged"}
    assert market.take_in(forged) == [EventOutcome.IGNORED]
    assert market.books(session.transaction_id).entries == ()


def test_an_event_of_the_other_mode_is_set_aside(market: Market) -> None:
    """S03: a live endpoint is sent test events too."""
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    live = [event | {"livemode": True} for event in market.events()]
    assert set(market.take_in(*live)) == {EventOutcome.IGNORED}
    assert market.books(session.transaction_id).entries == ()


def test_a_merchants_status_is_as_at_stripe_whatever_the_order_of_its_events(market: Market) -> None:
    merchant = market.ready_merchant()
    for status in ("restricted", "active", "pending", "restricted"):
        market.set_capability(merchant, status)
    events = market.events()
    for order in permutations(events[-5:]):
        fork = market.fork()
        fork.take_in(*order, *order)
        assert fork.merchant(merchant.id).status == "restricted"
