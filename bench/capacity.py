"""The tables of docs/capacity.md from what is counted: `python -m bench.capacity` prints them, a test holds the page.

Prices are those of us-east-1, on demand, in dollars a million units; durations are assumed, not measured.
"""

from collections.abc import Iterator
from typing import Final

from marketplace.adapters.keys import ALL_SALES, BY_MERCHANT, BY_STRIPE_ID, DUE, INDEXES, JOURNAL
from tests.fakes.meter import Meter
from tests.simulation import subscribing
from tests.simulation.market import Market

from .heard import heard
from .hot_keys import PAYMENTS_A_SECOND, TABLE, Loads, loads

SALES: Final = 100  # that are played: of shards, the fullest is by chance a half above the others
WRITE, READ, REQUEST, GB_SECOND, HTTP, SQS, BUS = 0.625, 0.125, 0.20, 13.3, 1.00, 0.50, 1.00  # a million
LOG_GB: Final = 0.50  # a gigabyte
OF_A_SHOP: Final = 2  # requests a payment: the session, and one look at it
CHECKOUT_SECONDS, RECEIVE_SECONDS, PROCESS_SECONDS = 0.6, 0.03, 0.06
RECEIVER_GB: Final = 0.5  # of memory; all others have one
SQS_CALLS: Final = 3  # an event: sent, received, deleted
LOG_KB: Final = 0.7  # an invocation: a line of our own, and Lambda's
ITEMS_OF_A_BATCH, UNITS_OF_A_PARTITION = 4, 3  # about, of four kilobytes each
MONTHS: Final = 4  # of a subscription: the first is not counted


def rows() -> Iterator[str]:
    """Every row of the page that is counted."""
    found = loads(SALES)
    yield from _costs(found)
    yield from _partitions(found)
    yield f"A month of a subscription writes {_month_of_a_subscription()} units."


def _costs(found: Loads) -> Iterator[str]:
    events = found.events / SALES
    table, indexes = found.written(TABLE) / SALES, sum(map(found.written, INDEXES)) / SALES
    batches, partitions = found.reads["get"] / SALES, found.reads["books"] / SALES
    others = found.reads.total() / SALES - batches - partitions
    invocations, requests = OF_A_SHOP + 2 * events, OF_A_SHOP + events
    priced = [
        (f"DynamoDB writes: {table:.1f} of the table, {indexes:.1f} of its indexes", table + indexes, WRITE),
        (
            f"DynamoDB reads: {batches:.1f} batches, {partitions:.1f} whole partitions, {others:.1f} look-ups",
            batches * ITEMS_OF_A_BATCH + partitions * UNITS_OF_A_PARTITION + others, READ,
        ),
        (f"Lambda requests: {OF_A_SHOP} of a shop, {events:.1f} deliveries, {events:.1f} events one by one",
         invocations, REQUEST),
        (f"Lambda GB-seconds: {CHECKOUT_SECONDS} s of checkout, {events:.1f} x 30 ms at 0.5 GB, {events:.1f} x 60 ms",
         CHECKOUT_SECONDS + events * (RECEIVE_SECONDS * RECEIVER_GB + PROCESS_SECONDS), GB_SECOND),
        ("HTTP API requests", requests, HTTP),
        ("SQS: send, receive, delete", events * SQS_CALLS, SQS),
        ("EventBridge events of one's own", found.told / SALES, BUS),
    ]  # fmt: skip
    kilobytes = invocations * LOG_KB
    logs = kilobytes * LOG_GB
    total = logs
    for what, units, price in priced:
        total += units * price
        yield f"| {what} | {units:.1f} | ${price:g} | ${units * price:.0f} |"
    yield f"| Logs, about 0.4 KB a line and 0.3 KB of Lambda's own | {kilobytes:.1f} KB | $0.50 a GB | ${logs:.0f} |"
    yield f"| **together** | | | **about ${total:.0f}** |"


def _partitions(found: Loads) -> Iterator[str]:
    def a_second(load: int) -> str:
        return f"{load * PAYMENTS_A_SECOND / SALES:,.0f}"

    hottest = {place: load for place, (_, load) in found.hottest().items()}
    sales = [load for key, load in found.by_place[BY_MERCHANT].items() if key.startswith(ALL_SALES)]
    yield f"| journal, a day's shard | {a_second(hottest[JOURNAL])} |"
    yield f"| due, a shard of 16 | {a_second(hottest[DUE])} |"
    yield f"| by_merchant, a shard of 16 of all sales | {a_second(max(sales))} |"
    yield f"| by_stripe_id, one object | {hottest[BY_STRIPE_ID]} |"
    yield f"| table, the platform's own account | {a_second(hottest[TABLE])} |"
    yield f"| table, one sale in all its life | {found.of_one_sale()} |"


def _month_of_a_subscription() -> int:
    """Write units of a renewal that is paid by itself: its invoice, its sale, the entries, and the subscription."""
    market, meter = Market(), Meter()
    subscribing.subscribed(market)
    subscribing.let_pass(market, 32)
    market.store.after = meter.after
    for _ in range((MONTHS - 1) * 30):
        market.advance(subscribing.DAY)
        market.take_in(*heard(market))
        market.sweep()
    renewed = len(subscribing.invoices(market)) - 2
    return round(meter.write_units / renewed)


if __name__ == "__main__":
    print(*rows(), sep="\n")
