"""Renewals of subscriptions: every paid invoice is a sale, split to the cent, whatever order its events come in."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations

import pytest

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.invoices import InvoiceStatus
from marketplace.services.catch_up import catch_up
from marketplace.services.subscription_changes import Proration, SubscriptionChange, preview_change

from .market import Event, Market, ids_of
from .subscribing import (
    ANN,
    DESTINATION,
    EXACT,
    FEE,
    PERCENT,
    SEPARATE,
    balance,
    change,
    customer,
    invoices,
    let_pass,
    price_of,
    require_books,
    sales,
    seller,
    subscribe,
    subscribed,
)
from .test_crashes import each_step


def test_renewals_are_split_exactly_while_their_invoices_are_drafts(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    let_pass(market, 63, step_hours=1)
    assert sales(market) == [(SEPARATE, 3_000, FEE), (DESTINATION, 3_000, FEE), (DESTINATION, 3_000, FEE)]
    require_books(market)
    assert balance(market, subscription) == 3 * (3_000 - FEE)


def test_a_percentage_that_stripe_can_be_told_is_told_once(market: Market) -> None:
    subscription = subscribed(market, PERCENT)
    let_pass(market, 33)
    assert sales(market) == [(DESTINATION, 3_000, 300)] * 2
    require_books(market)
    assert balance(market, subscription) == 2 * 2_700


def test_a_draft_that_is_heard_of_too_late_is_settled_after_its_payment(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    market.advance(40 * 24 * 3_600)
    market.take_in(*market.events())
    assert sales(market) == [(SEPARATE, 3_000, FEE)] * 2
    let_pass(market, 3)
    require_books(market)
    assert balance(market, subscription) == 2 * (3_000 - FEE)


def test_a_fee_that_stripe_refuses_to_set_is_settled_after_the_payment(market: Market) -> None:
    subscribed(market, EXACT)
    market.simulator.faults.order("error", method="POST", path="/v1/invoices/*", status=400, count=9)
    let_pass(market, 35, step_hours=1)
    assert sales(market) == [(SEPARATE, 3_000, FEE)] * 2
    require_books(market)


def test_a_draft_that_changes_after_it_was_told_its_fee_is_told_again(market: Market) -> None:
    subscribed(market, EXACT)
    while not any(each.status is InvoiceStatus.DRAFT for each in invoices(market)):
        let_pass(market, 0, hours=1, step_hours=1)
    draft = invoices(market)[-1]
    assert draft.split_amount == 3_000
    market.order(f"/v1/invoices/{draft.stripe_invoice_id}/add_lines", lines=[{"amount": 2_000, "description": "More"}])
    market.take_in(*market.events())
    let_pass(market, 3, step_hours=1)
    assert sales(market)[1:] == [(DESTINATION, 5_000, EXACT.fee(5_000, "usd"))]
    require_books(market)


def first_payment(market: Market) -> None:
    price = price_of(market, seller(market, EXACT))
    customer(market)
    session = subscribe(market, price)
    market.take_in(*market.events())
    market.submit(str(session.checkout_session_id), card="4242424242424242")


def drafted(market: Market) -> None:
    """A month later, within the hour in which the next invoice is a draft."""
    subscribed(market, EXACT)
    market.advance(30 * 24 * 3_600 + 1_800)


def renewal(market: Market) -> None:
    subscribed(market, EXACT)
    market.advance(31 * 24 * 3_600)


def percent_renewal(market: Market) -> None:
    subscribed(market, PERCENT)
    market.advance(31 * 24 * 3_600)


def split_renewal(market: Market) -> None:
    drafted(market)
    market.take_in(*market.events())
    market.advance(24 * 3_600)


def orders(events: list[Event]) -> list[tuple[Event, ...]]:
    """All of those of the events about invoices and charges, with what else there is before and after."""
    moving = [each for each in events if each["type"] in MOVING]
    others = [each for each in events if each["type"] not in MOVING]
    return [(*others, *order) for order in permutations(moving)] + [(*moving[::-1], *others)]


MOVING = {"invoice.paid", "invoice.finalized", "charge.updated", "customer.subscription.updated", "charge.succeeded"}
STORIES = [first_payment, renewal, percent_renewal, split_renewal]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_i8_any_order_of_the_events_ends_in_the_same(story: Callable[[Market], None]) -> None:
    market = Market()
    story(market)
    events = market.events()
    states = []
    for order in orders(events):
        twin = market.fork()
        twin.take_in(*order)
        twin.take_in(*order)  # and once more, all of them
        twin.take_in(*twin.events())
        states.append((twin.state(), ids_of(list(order))))
    assert len(states) > 20
    for state, types in states[1:]:
        assert state == states[0][0], types


def test_what_was_lost_is_found_by_the_sweep_or_caught_up_with() -> None:
    for finds in (lambda market: market.sweep(), lambda market: catch_up(market.ports, has_time=lambda: True)):
        market = Market()
        subscribed(market, EXACT)
        market.advance(33 * 24 * 3_600)
        market.events()  # lost, all of them
        finds(market)
        market.take_in(*market.events())
        let_pass(market, 3)
        assert sales(market) == [(SEPARATE, 3_000, FEE)] * 2
        require_books(market)


def test_an_event_that_dies_anywhere_ends_as_if_it_had_not() -> None:
    for story in (first_payment, drafted, renewal):
        for step, market in each_step(story, lambda market: market.take_in(*keep(market))):
            market.take_in(*market.waiting)
            market.sweep()
            market.come_to_rest()
            assert [fee for _, _, fee in sales(market)] == [FEE] * len(sales(market)), step
            assert len(sales(market)) == len(market.at_stripe("/v1/charges"))
            require_books(market)


def keep(market: Market) -> list[Event]:
    """The events under way, which come again when they were not answered."""
    market.waiting = market.waiting or market.events()
    return market.waiting


YEARS = [
    (datetime(2027, 1, 31, 23, 30, tzinfo=UTC), Interval.MONTH),
    (datetime(2028, 2, 29, tzinfo=UTC), Interval.YEAR),
]


@pytest.mark.parametrize(("start", "interval"), YEARS)
def test_periods_over_month_ends_and_leap_days_are_stripe_s_and_every_change_is_paid_in_full(
    market: Market, start: datetime, interval: Interval
) -> None:
    market.advance(int((start - market.clock.now()).total_seconds()))
    market.take_in(*market.events())
    subscription = subscribed(market, EXACT, amount=3_100, recurring=Recurring(interval=interval))
    ends = subscription.current_period_end
    assert ends is not None
    assert (ends.month, ends.day) == (2, 28)  # of January 31 and of a leap day
    market.advance(int((ends - market.clock.now()).total_seconds() / 2))
    market.take_in(*market.events())
    wanted = SubscriptionChange(quantity=2, proration=Proration.AT_ONCE)
    shown = preview_change(market.ports, ANN, subscription.id, wanted)
    change(market, subscription, ANN, quantity=2, proration=Proration.AT_ONCE, prorated_at=shown.prorated_at)
    let_pass(market, 3)
    assert [amount for _, amount, _ in sales(market)] == [3_100, shown.total]
    assert abs(shown.total - 1_550) <= 1  # half of it, for twice as much
    require_books(market)


def test_a_week_is_paid_53_times_in_a_year_of_53(market: Market) -> None:
    subscribed(market, PERCENT, amount=1_000, recurring=Recurring(interval=Interval.WEEK))
    for _ in range(52):
        market.advance(7 * 24 * 3_600)
        market.take_in(*market.events())
    let_pass(market, 3)
    assert sales(market) == [(DESTINATION, 1_000, 100)] * 53
    require_books(market)
