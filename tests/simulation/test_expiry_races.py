"""C9: a session ends while its buyer pays. Whoever was faster at Stripe has it, in whatever order it is heard of."""

from collections.abc import Callable
from itertools import permutations
from typing import Any, Final

import pytest

from marketplace.domain.commands import CommandKind, CommandStatus
from marketplace.domain.errors import CheckoutSessionNotOpen, OutcomeUnknown
from marketplace.domain.transactions import TransactionStatus
from marketplace.services.baskets import Basket, CatalogItem
from marketplace.services.checkout import expire_checkout_session
from marketplace.services.guests import GUEST, create_guest_session, read_guest_session
from marketplace.services.idempotency import Once

from .market import OPERATOR, SHOP, Event, Market, ids_of
from .test_catalog import catalog
from .test_crashes import each_step

CARD: Final = "4242424242424242"
KEY: Final = "6f1c1b8e-0a50-4a55-9a53-0d2a6f9f7a10"


def destination(market: Market) -> None:
    market.transaction_id = market.sell(market.ready_merchant(), 10_000).transaction_id


def cart(market: Market) -> None:
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    market.transaction_id = market.sell_cart({clay: 6_000, linen: 4_000}).transaction_id


def guest(market: Market) -> None:
    _, price = catalog(market)
    item = CatalogItem(price_id=price.id, quantity=1)
    basket = Basket(items=(item,), success_url=SHOP, cancel_url=SHOP, metadata={})
    session = create_guest_session(market.ports, basket, KEY, Once.of(GUEST, "POST", KEY, {}))
    market.transaction_id = session.token.partition(".")[0]
    assert read_guest_session(market.ports, session.token).status is TransactionStatus.OPEN


SALES = pytest.mark.parametrize("sale", [destination, cart, guest])
Sale = Callable[[Market], None]


def open_sale(sale: Sale) -> Market:
    """A session that a buyer looks at, and nothing untold."""
    market = Market()
    sale(market)
    market.events()
    return market


def session_id(market: Market) -> str:
    return str(market.books(market.transaction_id).payment.checkout_session_id)


def pay(market: Market) -> None:
    market.submit(session_id(market), card=CARD)


def expire(market: Market) -> TransactionStatus:
    """Our own command."""
    return expire_checkout_session(market.ports, OPERATOR, market.transaction_id).status


def status(market: Market) -> TransactionStatus:
    return market.books(market.transaction_id).payment.status


def ended_by(market: Market) -> CommandStatus | None:
    command = market.books(market.transaction_id).latest_command(CommandKind.EXPIRE_CHECKOUT_SESSION)
    return None if command is None else command.status


def expired_event(sale: Sale) -> Event:
    """What Stripe tells of the same session in a world where nobody pays it."""
    world = open_sale(sale)
    world.order(f"/v1/checkout/sessions/{session_id(world)}/expire")
    (told,) = world.events()
    assert told["type"] == "checkout.session.expired"
    return {**told, "id": "evt_race"}


def telling(events: list[Event]) -> tuple[Event, Event]:
    """The two that tell of a payment."""
    by_type = {event["type"]: event for event in events}
    return by_type["checkout.session.completed"], by_type["charge.succeeded"]


def assert_paid(market: Market) -> dict[str, Any]:
    """Paid and split, its books at rest; who has what."""
    books = market.books(market.transaction_id)
    assert (books.payment.status, books.payment.captured) == (TransactionStatus.PAID, books.transaction.amount)
    for leg in books.transaction.legs:
        assert market.stripe_balance(leg.account_id) == {"usd": leg.amount - leg.fee}
    assert market.violations(market.transaction_id) == []
    assert market.unsettled(market.transaction_id) == []
    return market.positions()


def assert_expired(market: Market) -> None:
    """Nothing was paid, nothing moved."""
    books = market.books(market.transaction_id)
    assert (books.payment.status, books.payment.captured, books.entries) == (TransactionStatus.EXPIRED, None, ())
    assert not any(market.stripe_balance(leg.account_id) for leg in books.transaction.legs)
    assert market.stripe_balance() == {}
    assert market.violations(market.transaction_id) == []
    assert market.unsettled(market.transaction_id) == []


@SALES
def test_money_that_came_counts_whatever_else_is_said_of_the_session(sale: Sale) -> None:
    expired, market = expired_event(sale), open_sale(sale)
    pay(market)
    events = market.events()
    rest = [event for event in events if event not in telling(events)]
    ends = []
    for order in permutations([expired, *telling(events)]):
        for told in ([*order, *rest], [*rest, *order]):
            world = market.fork()
            world.take_in(*told, *told)
            world.take_in(*world.events())
            ends.append(assert_paid(world))
    assert all(end == ends[0] for end in ends)


@SALES
def test_an_expired_session_is_open_for_nobody_until_the_money_is_told_of(sale: Sale) -> None:
    expired, market = expired_event(sale), open_sale(sale)
    pay(market)
    completed, charged = telling(market.events())
    market.take_in(expired)
    assert status(market) is TransactionStatus.EXPIRED
    assert expire(market) is TransactionStatus.EXPIRED
    assert ended_by(market) is None  # Stripe is not asked for what has come about
    market.take_in(completed)
    market.take_in(charged)
    assert status(market) is TransactionStatus.PAID


@SALES
def test_our_command_was_faster_and_nobody_pays(sale: Sale) -> None:
    market = open_sale(sale)
    assert expire(market) is TransactionStatus.EXPIRED
    answer = market.simulator.request("POST", f"/c/pay/{session_id(market)}", {"card": CARD})
    assert answer.status != 303
    events = market.events()
    assert ids_of(events) == ["checkout.session.expired"]
    market.take_in(*events, *events)
    assert ended_by(market) is CommandStatus.SUCCEEDED
    assert expire(market) is TransactionStatus.EXPIRED
    assert_expired(market)


@SALES
def test_a_command_that_dies_anywhere_ends_the_session_before_and_after_its_event(sale: Sale) -> None:
    for early in (True, False):
        for step, market in each_step(sale, expire):
            if early:
                market.take_in(*market.events())
            market.advance(60)
            market.sweep()
            market.take_in(*market.events())
            assert expire(market) is TransactionStatus.EXPIRED, step
            market.take_in(*market.events())
            assert_expired(market)


@SALES
def test_the_buyer_was_faster_than_our_command_at_whatever_moment_it_comes(sale: Sale) -> None:
    market = open_sale(sale)
    pay(market)
    events = market.events()
    ends = []
    for heard in range(len(events) + 1):
        for told in (events, events[::-1]):
            world = market.fork()
            world.take_in(*told[:heard])
            before = status(world)
            with pytest.raises(CheckoutSessionNotOpen):
                expire(world)
            asked = CommandStatus.REFUSED if before is TransactionStatus.OPEN else None
            assert (status(world), ended_by(world)) == (before, asked)
            world.take_in(*told[heard:])
            world.take_in(*world.events())
            ends.append(assert_paid(world))
    assert all(end == ends[0] for end in ends)


@SALES
@pytest.mark.parametrize("told_first", [True, False])
def test_a_command_that_stripe_did_not_answer_ends_refused_where_the_buyer_paid_meanwhile(
    sale: Sale, *, told_first: bool
) -> None:
    market = open_sale(sale)
    path = f"/v1/checkout/sessions/{session_id(market)}/expire"
    market.simulator.faults.order("server_error", method="POST", path=path, count=1)
    with pytest.raises(OutcomeUnknown):
        expire(market)
    assert (status(market), ended_by(market)) == (TransactionStatus.OPEN, CommandStatus.UNKNOWN)
    pay(market)
    if told_first:
        market.take_in(*market.events())
        assert status(market) is TransactionStatus.PAID
    market.advance(120)
    market.sweep()
    assert ended_by(market) is CommandStatus.REFUSED
    market.take_in(*market.events())
    assert_paid(market)


@SALES
@pytest.mark.parametrize("succeeds", [True, False])
def test_a_bank_debit_under_way_is_not_expired_and_what_comes_of_it_counts(sale: Sale, *, succeeds: bool) -> None:
    market = open_sale(sale)
    account = "000123456789" if succeeds else "000222222227"
    answer = market.simulator.request(
        "POST", f"/c/pay/{session_id(market)}", {"method": "us_bank_account", "account": account}
    )
    assert answer.status == 303, answer.body
    events = market.events()
    for told in (events, events[::-1]):
        world = market.fork()
        world.take_in(*told)
        assert status(world) is TransactionStatus.PROCESSING
        with pytest.raises(CheckoutSessionNotOpen):
            expire(world)
        world.advance(10 * 24 * 3_600)
        world.take_in(*world.events())
        if succeeds:
            assert_paid(world)
        else:
            assert status(world) is TransactionStatus.FAILED
            assert world.violations(world.transaction_id) == []
