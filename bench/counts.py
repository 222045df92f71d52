"""Calls to Stripe, round trips to DynamoDB and write units of each operation of the path, counted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from marketplace.domain.principals import SYSTEM
from marketplace.ports import Change
from marketplace.services.checkout import read_checkout_session
from marketplace.services.reconciliation import Reconciled, reconcile
from marketplace.services.releases import release
from tests.fakes.meter import Meter
from tests.simulation.market import OPERATOR, Market

from .promises import Measured

CART: Final = 10  # merchants
MOST_EVENTS: Final = 10  # of a payment itself, each with a marker; its merchants have theirs
SALES: Final = 200  # each has four balance transactions, one of them the merchant's


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one operation."""

    calls: int
    round_trips: int
    write_units: int


def counts() -> Iterator[Measured]:
    """The path, operation by operation. Everything is written to a store whose items are DynamoDB's."""
    market, meter = Market(), Meter()
    market.store.after = meter.after
    merchant = market.ready_merchant()
    sales = []
    checkout = _cost(market, meter, lambda: sales.append(market.sell(merchant, 10_000)))
    (sale,) = sales
    yield Measured("checkout: calls to Stripe", checkout.calls, "calls", 1)
    yield Measured("checkout: round trips to DynamoDB", checkout.round_trips, "trips", 3)
    yield Measured("checkout: write units", checkout.write_units, "units")
    market.pay(sale)
    yield from _events("payment", market, meter)
    status = _cost(market, meter, lambda: read_checkout_session(market.ports, SYSTEM, sale.transaction_id))
    yield Measured("status read: round trips to DynamoDB", status.round_trips, "trips", 1)
    for name, amount in (("partial refund", 4_000), ("refund of the rest", None)):
        refund = _cost(market, meter, lambda: market.refund(sale.transaction_id, amount, key=str(amount)))  # noqa: B023
        yield Measured(f"{name}: calls to Stripe", refund.calls, "calls", 1)
        yield Measured(f"{name}: round trips to DynamoDB", refund.round_trips, "trips", 3)
        yield Measured(f"{name}: write units", refund.write_units, "units")
    yield from _events("refunds", market, meter)
    yield from _cart()
    yield from _reconciliation()
    assert market.violations(sale.transaction_id) == []


def _events(story: str, market: Market, meter: Meter) -> Iterator[Measured]:
    """Each event of a story, and all of them once more."""
    events = market.events()
    costs = [_cost(market, meter, lambda: market.take_in(event)) for event in events]  # noqa: B023
    for event, cost in zip(events, costs, strict=True):
        yield Measured(f"{story}: {event['type']}: calls to Stripe", cost.calls, "calls", 0)
        yield Measured(f"{story}: {event['type']}: round trips", cost.round_trips, "trips", 2)
        yield Measured(f"{story}: {event['type']}: write units", cost.write_units, "units", 9)
    again = [_cost(market, meter, lambda: market.take_in(event)) for event in events]  # noqa: B023
    yield Measured(f"{story}: a duplicate: round trips", max(cost.round_trips for cost in again), "trips", 1)
    yield Measured(f"{story}: a duplicate: write units", max(cost.write_units for cost in again), "units", 0)


def _cost(market: Market, meter: Meter, act: Callable[[], object]) -> Cost:
    market.calls.clear()
    trips, units = meter.round_trips, meter.write_units
    act()
    return Cost(len(market.calls), meter.round_trips - trips, meter.write_units - units)


def _cart() -> Iterator[Measured]:
    """A cart of ten merchants: settled, refunded, and another one released."""
    market, meter = Market(), Meter()
    merchants = [market.ready_merchant(f"Merchant {number}") for number in range(CART)]
    sizes: list[int] = []

    def after(call: str, changes: tuple[Change, ...]) -> None:
        meter.after(call, changes)
        if call == "commit" and changes:
            sizes.append(len(changes))

    market.store.after = after
    parts = dict.fromkeys(merchants, 1_000)
    sale, held = market.sell_cart(parts), market.sell_cart(parts, key="held", hold=True)
    market.pay(sale)
    sizes.clear()
    settled = _cost(market, meter, lambda: market.take_in(*market.events()))
    yield Measured(f"cart of {CART}: its events: calls to Stripe", settled.calls, "calls", CART + 1)
    yield Measured(f"cart of {CART}: its events: transactions", len(sizes), "commits", 6 * CART + MOST_EVENTS)
    yield Measured(f"cart of {CART}: the largest of them", max(sizes), "items", 100)
    market.take_in(*market.events())
    refund = _cost(market, meter, lambda: market.refund(sale.transaction_id, None, key="all"))
    yield Measured(f"cart of {CART}: refund: calls to Stripe", refund.calls, "calls", CART + 1)
    market.pay(held)
    market.take_in(*market.events())
    released = _cost(market, meter, lambda: _release(market, held.transaction_id))
    yield Measured(f"cart of {CART}: release: calls to Stripe", released.calls, "calls", CART)
    has = [market.stripe_balance(merchant.account_id)["usd"] for merchant in merchants]
    assert has == [900] * CART, "all of one cart is refunded, all of the other released"


def _release(market: Market, transaction_id: str) -> None:
    release(market.ports, OPERATOR, transaction_id, market.once("release", "r"))
    market.sweep()


def _reconciliation() -> Iterator[Measured]:
    """All that Stripe booked for many sales, taken in for the first time."""
    market, meter = Market(), Meter()
    merchant = market.ready_merchant()
    for number in range(SALES):
        market.pay(market.sell(merchant, 10_000, key=f"order-{number}"))
    market.take_in(*market.events())
    market.advance(3_600)
    market.store.after = meter.after
    done: list[Reconciled] = []
    cost = _cost(market, meter, lambda: done.append(reconcile(market.ports, has_time=lambda: True)))
    lines = done[0].lines.total()
    yield Measured("reconciliation: balance transactions", lines, "lines")
    yield Measured("reconciliation: calls to Stripe for each", cost.calls / lines, "calls", 0.02)
    yield Measured("reconciliation: round trips for each", cost.round_trips / lines, "trips", 2)
    yield Measured("reconciliation: write units for each", cost.write_units / lines, "units", 4)
