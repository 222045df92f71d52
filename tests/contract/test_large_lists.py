"""What a page costs in a merchant's list of 100,000 sales, and in the list of all sales, against lists of ten.

The rows of the index are those of real sales; only what a page shows is written whole. 100,000 of them take minutes to
write, so that the suite has fewer: SALES_OF_THE_LARGE says how many (docs/adr/0020-lists-of-all.md has the figures).
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.adapters import listings
from marketplace.adapters.codec import Attributes
from marketplace.adapters.cursors import cursor_at
from marketplace.adapters.dynamodb_calls import CONFIG
from marketplace.adapters.keys import ALL_SALES
from marketplace.adapters.page_rows import MORE_THAN_ITS_PART, page_rows
from marketplace.adapters.places import LIST_SHARDS, list_shards
from marketplace.adapters.records import item_attributes
from marketplace.domain.transactions import Transaction
from tests.contract.conftest import client_of, store_of
from tests.contract.examples import START, Examples, StillClock
from tests.contract.reads import READ_UNIT_BYTES, Reads
from tests.contract.table import create_table
from tests.fakes.meter import item_bytes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)
SIZE_SETTING = "SALES_OF_THE_LARGE"
LARGE, SMALL, PAGE = int(os.environ.get(SIZE_SETTING, "1500")), 10, 10
KEYS = ("pk", "sk", "gsi_merchant", "gsi_customer", "gsi_time")  # what an index with keys alone has of an item
TABLE = "large"
PATIENT = CONFIG.merge(Config(read_timeout=60))  # the local cloud looks through all of a table for a row of an index
Windows = Mapping[str, tuple[int, int]]


@dataclass
class Shop:
    """A table with the sales of a large and a small merchant."""

    client: "DynamoDBClient"
    examples: Examples = field(default_factory=Examples)

    def sell(self, count: int, *, whole: Windows) -> tuple[str, list[Transaction]]:
        """Sales of a new merchant, oldest first; those in a window are whole, the others what an index has."""
        merchant = self.examples.merchant()
        sales: list[Transaction] = []
        for numbers in batched(range(count), 12, strict=False):
            puts = []
            for number in numbers:
                sale = self.examples.transaction(merchant)
                is_whole = any(first <= number < end for first, end in whole.values())
                puts += [self._put(item, is_whole=is_whole) for item in (sale, self.examples.new_payment(sale))]
                sales.append(sale)
            assert not self.client.batch_write_item(RequestItems={TABLE: puts})["UnprocessedItems"]
        return merchant.id, sales

    @staticmethod
    def _put(item: Any, *, is_whole: bool) -> Any:
        row = item_attributes(item, START)
        return {"PutRequest": {"Item": row if is_whole else {name: row[name] for name in KEYS if name in row}}}


@pytest.fixture(params=["moto", pytest.param("cloud", marks=pytest.mark.cloud)])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    if request.param == "moto":
        client = request.getfixturevalue("moto_client")
    else:
        client = client_of(request.getfixturevalue("dynamodb_endpoint"), PATIENT)
    create_table(client, TABLE)
    yield Shop(client)
    client.delete_table(TableName=TABLE)


def test_a_page_costs_the_same_in_a_list_of_many_as_in_one_of_ten(shop: Shop, clock: StillClock) -> None:
    windows = {"first": (LARGE - PAGE, LARGE), "middle": (LARGE // 2, LARGE // 2 + PAGE), "last": (0, PAGE)}
    small, _ = shop.sell(SMALL, whole={"all": (0, SMALL)})
    large, sales = shop.sell(LARGE, whole=windows)
    store, reads = store_of(shop.client, TABLE, clock), Reads()
    reads.attach(shop.client)
    assert len(store.transactions(merchant_id=small, customer_id=None, cursor=None, limit=PAGE).items) == SMALL
    of_ten = reads.taken()
    logger.info("ten: %s", of_ten)
    for merchant_id in (large, None):
        listing = listings.sales(merchant_id=merchant_id, customer_id=None)
        assert listing is not None
        for which, (begin, end) in windows.items():
            cursor = None if which == "first" else cursor_at(sales[end].id[-26:], *listing.name)
            page = store.transactions(merchant_id=merchant_id, customer_id=None, cursor=cursor, limit=PAGE)
            assert [sale for sale, _ in page.items] == sales[begin:end][::-1]
            cost = reads.taken()
            logger.info("%s, %s page: %s", "all" if merchant_id is None else LARGE, which, cost)
            if merchant_id is None:
                assert cost[0] <= LIST_SHARDS + 1
                assert cost[1] <= LIST_SHARDS * (PAGE + 1)
                assert cost[2] <= of_ten[2] + LIST_SHARDS
            else:
                assert cost[:2] <= (of_ten[0], PAGE + 1)
                assert cost[2] <= of_ten[2]


@dataclass
class Shards:
    """The index of the list of all sales, as sets of positions by partition, and what is asked of it."""

    rows: dict[str, list[Attributes]]
    asked: Counter[str] = field(default_factory=Counter)

    def query(self, *, most: int, **request: Any) -> list[Attributes]:
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        self.asked[values[":partition"]] += 1
        there = self.rows.get(values[":partition"], [])
        fit = [row for row in there if values[":first"] <= row["gsi_time"]["S"] <= values[":last"]]
        return sorted(fit, key=lambda row: row["gsi_time"]["S"], reverse=True)[:most]


def row_at(number: int, shard: int) -> Attributes:
    position = f"{number:026d}"
    return {
        "pk": {"S": f"TRANSACTION#transaction-{position}"}, "sk": {"S": "PAYMENT"},
        "gsi_merchant": {"S": list_shards(ALL_SALES)[shard]}, "gsi_time": {"S": position},
    }  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    where=st.binary(max_size=150) | st.binary(min_size=100, max_size=150),
    most=st.integers(1, 101),
    before=st.none() | st.integers(1, 150),
)
def test_shards_however_full_are_one_list_newest_first(where: bytes, most: int, before: int | None) -> None:
    shards = [byte % LIST_SHARDS if byte < 128 else 3 for byte in where]  # half of them in one
    rows = [row_at(number, shard) for number, shard in enumerate(shards, start=1)]
    by_shard = {name: [row for row in rows if row["gsi_merchant"]["S"] == name] for name in list_shards(ALL_SALES)}
    index, listing = Shards(by_shard), listings.sales(merchant_id=None, customer_id=None)
    assert listing is not None
    position = None if before is None else f"{before:026d}"
    end = len(rows) if before is None else min(before - 1, len(rows))
    expected = rows[max(0, end - most) : end][::-1]
    assert page_rows(index.query, listing, position, most) == expected
    of_the_page = Counter(row["gsi_merchant"]["S"] for row in expected)
    some = min(most, most // LIST_SHARDS + MORE_THAN_ITS_PART)
    for name, count in index.asked.items():
        assert count <= of_the_page[name] // some + 1


def test_a_shard_that_has_its_part_of_a_page_is_asked_once_and_its_rows_are_half_a_unit(examples: Examples) -> None:
    sales = [examples.transaction(examples.merchant()) for _ in range(1000)]
    payments = [item_attributes(examples.new_payment(sale), START) for sale in sales]
    rows = [{name: row[name] for name in KEYS if name in row} for row in payments]
    by_shard: dict[str, list[Attributes]] = {name: [] for name in list_shards(ALL_SALES)}
    for row in rows:
        by_shard[row["gsi_merchant"]["S"]].append(row)
    index, listing = Shards(by_shard), listings.sales(merchant_id=None, customer_id=None)
    assert listing is not None
    assert page_rows(index.query, listing, None, 101) == rows[:-102:-1]
    assert index.asked == Counter(list_shards(ALL_SALES))
    assert max(map(item_bytes, rows)) * (101 // LIST_SHARDS + MORE_THAN_ITS_PART) <= READ_UNIT_BYTES
