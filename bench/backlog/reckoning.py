"""After the backlog: our books by their invariants, and against what Stripe booked."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from bench.promises import Measured
from marketplace.domain.invariants import violations
from marketplace.domain.ledger import STRIPE_BALANCE, balances
from tests.simulation.market import Market

from .story import Story

TOLD_WITH_FEE: Final = frozenset({"adjustment"})  # a dispute's; all other fees come with the reconciliation


def books(market: Market, story: Story) -> Iterator[Measured]:
    """Each sale's, and their sums."""
    wrong, captured, refunded = 0, 0, 0
    sums: Counter[str] = Counter()
    for transaction_id in story.sales:
        found = market.books(transaction_id)
        wrong += bool(violations(found, market.clock.now()))
        captured += found.payment.captured or 0
        refunded += sum(refund.amount for refund in found.refunds.values() if refund.stands)
        for (account, _), amount in balances(found.entries).items():
            sums[account] += amount
    yield Measured("sales whose books break an invariant", wrong, "sales", 0)
    yield Measured("the ledger's sum", abs(sums.total()), "cents", 0)
    yield Measured("captured, away from what buyers paid", abs(captured - story.captured), "cents", 0)
    yield Measured("refunded, away from what was given back", abs(refunded - story.refunded), "cents", 0)
    booked = sum(line["net"] if line["type"] in TOLD_WITH_FEE else line["amount"] for line in _booked_at_stripe(market))
    yield Measured("Stripe's balance by the ledger", sums[STRIPE_BALANCE], "cents")
    yield Measured("away from what Stripe booked, fees apart", abs(sums[STRIPE_BALANCE] - booked), "cents", 0)


def _booked_at_stripe(market: Market) -> Iterator[dict[str, Any]]:
    """The platform's balance transactions."""
    cursor: dict[str, str] = {}
    while True:
        page = market.simulator.request("GET", "/v1/balance_transactions", {"limit": 100, **cursor}).json()
        yield from page["data"]
        if not page["has_more"]:
            return
        cursor = {"starting_after": page["data"][-1]["id"]}
