"""The load on the hottest partition of the table and of each index, at a thousand payments a second.

Sales are played over the store in memory, whose items have the keys and places that DynamoDB's have. What they write in
all their life is what steady traffic writes in the time in which as many come. A partition takes 1,000 write units a
second, and where its sort key grows with time DynamoDB cannot split it: so each is a limit on the whole marketplace.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from marketplace.adapters.codec import Attributes
from marketplace.adapters.keys import INDEXES, JOURNAL, Key
from marketplace.adapters.records import key_in, written
from marketplace.domain.outgoing import Told, events_of
from marketplace.ports import Change, Create
from marketplace.services.reconciliation import reconcile
from tests.fakes.meter import TRANSACTION_FACTOR, item_bytes, units
from tests.simulation.market import Market

from .heard import heard
from .promises import Measured

PAYMENTS_A_SECOND: Final = 1_000
UNITS_A_SECOND: Final = 1_000  # of one partition
SALES: Final = 200  # that are played; a thousand differ by a percent
TABLE: Final = "table"
OF_ONE_SALE: Final = "TRANSACTION#"  # a partition of the table that no other sale writes to
MERCHANTS: Final = 20  # that share the sales
CART: Final = 3  # merchants of a cart, which every tenth sale is
EVERY_TENTH: Final = 10


@dataclass
class Loads:
    """Write units by table or index, and by partition key. ``after`` is the hook of the store in memory.

    ``events`` are those that were taken in, ``told`` those of our own, ``reads`` the calls that are no commits.
    """

    market: Market
    events: int = 0
    told: int = 0
    reads: Counter[str] = field(default_factory=Counter)
    by_place: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _stands: dict[Key, Attributes] = field(default_factory=dict)

    def after(self, call: str, changes: tuple[Change, ...]) -> None:
        """Count what a commit writes."""
        if call != "commit":
            self.reads[call] += 1
            return
        self.told += sum(map(self._tellings, changes))
        factor = 1 if len(changes) == 1 else TRANSACTION_FACTOR
        for item in [written(each, self.market.clock.now()) for each in changes]:
            before = self._stands.get(key_in(item), {})
            self._stands[key_in(item)] = item
            size = max(item_bytes(item), item_bytes(before))
            self.by_place[TABLE][key_in(item).pk] += factor * units(size)
            for index, names in INDEXES.items():
                self._count_in_index(index, names, before, item)

    def _count_in_index(self, index: str, names: tuple[str, ...], before: Attributes, after: Attributes) -> None:
        old, new = ([item[name]["S"] for name in names if name in item] for item in (before, after))
        if old == new and index != JOURNAL:
            return
        for item, place in ((before, old), (after, new)):
            if len(place) == len(names):
                self.by_place[index][place[0]] += units(item_bytes(item)) if index == JOURNAL else 1

    def _tellings(self, change: Change) -> int:
        """How many events of our own a change is told as."""
        before, after = (None, change.item) if isinstance(change, Create) else (change.before, change.stored)
        if not isinstance(after, Told):
            return 0
        known = before if isinstance(before, Told) else None
        return sum(1 for _ in events_of(known, after, at=self.market.clock.now()))

    def written(self, place: str) -> int:
        """The write units of the table, or of an index."""
        return self.by_place.get(place, Counter()).total()

    def hottest(self) -> Mapping[str, tuple[str, int]]:
        """The partition that takes most of the table and of each index, of those that sales share, with its units."""
        shared = {
            place: Counter({key: load for key, load in partitions.items() if not key.startswith(OF_ONE_SALE)})
            for place, partitions in self.by_place.items()
        }
        return {place: partitions.most_common(1)[0] for place, partitions in sorted(shared.items())}

    def of_one_sale(self) -> int:
        """The most that the partition of a sale takes in all its life."""
        return max(load for key, load in self.by_place[TABLE].items() if key.startswith(OF_ONE_SALE))


def loads(sales: int) -> Loads:
    """What this many sales write: paid, each fifth refunded in part, all reconciled."""
    market = Market()
    merchants = [market.ready_merchant(f"Merchant {number}") for number in range(MERCHANTS)]
    found = Loads(market)
    market.store.after = found.after
    for number in range(sales):
        mine = merchants[number % MERCHANTS]
        if number % EVERY_TENTH == 0:
            cart = {merchants[(number + step) % MERCHANTS]: 1_000 for step in range(CART)}
            sale = market.sell_cart(cart, key=f"order-{number}")
        else:
            sale = market.sell(mine, 10_000, key=f"order-{number}")
        market.pay(sale)
        _hear(found)
        if number % (EVERY_TENTH // 2) == 1:
            market.refund(sale.transaction_id, 4_000, key="refund")
            _hear(found)
    market.advance(3_600)
    reconcile(market.ports, has_time=lambda: True)
    return found


def _hear(found: Loads) -> None:
    events = heard(found.market)
    found.market.take_in(*events)
    found.events += len(events)


def hot_keys() -> Iterator[Measured]:
    """The hottest partition of each."""
    found = loads(SALES)
    for place, (_, load) in found.hottest().items():
        rate = load * PAYMENTS_A_SECOND / SALES
        yield Measured(f"hottest partition of {place}, at 1,000 payments/s", rate, "units/s", UNITS_A_SECOND)
    yield Measured("the partition of one sale, in all its life", found.of_one_sale(), "units", UNITS_A_SECOND)
