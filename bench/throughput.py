"""Events a second and core of the processor, in process: parsed, applied, encoded as DynamoDB's items."""

import json
import time
from collections.abc import Iterator
from typing import Final

from marketplace.services.events import take_in
from tests.simulation.market import Market

from .promises import Measured

SALES: Final = 200


def throughput() -> Iterator[Measured]:
    """All events of some sales, one after the other; the processor's CPU time only."""
    market = Market()
    merchant = market.ready_merchant()
    for number in range(SALES):
        market.pay(market.sell(merchant, 10_000, key=f"order-{number}"))
    bodies = [delivery.body for delivery in market.simulator.take_deliveries()]
    market.calls.clear()
    began = time.process_time()
    for body in bodies:
        take_in(market.ports, json.loads(body))
    seconds = time.process_time() - began
    yield Measured("events applied a second and core, reads of the fee included", len(bodies) / seconds, "events/s")
    yield Measured("of which reads of Stripe's fee", len(market.calls), f"of {len(bodies)}")
