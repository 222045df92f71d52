"""Calls to Stripe, round trips to DynamoDB and write units of each operation of the path, counted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from marketplace.domain.principals import SYSTEM
from marketplace.services.checkout import read_checkout_session
from marketplace.services.reconciliation import Reconciled, reconcile
from tests.fakes.meter import Meter
from tests.simulation.market import Market

from .promises import Measured

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
