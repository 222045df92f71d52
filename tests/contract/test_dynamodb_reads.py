"""What only a DynamoDB of several copies shows: consistent reads where they are promised, indexes that lag."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.adapters.places import JOURNAL_SHARDS
from marketplace.adapters.records import item_attributes
from marketplace.domain.ledger import EntryKind, JournalEntry, lines_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.transactions import Transaction
from marketplace.ports import DUE_SHARDS, Create, Ref, Replace
from tests.contract.conftest import TABLE
from tests.contract.examples import START, Examples, StillClock
from tests.contract.faults import Deliver, Line, deliver_to_moto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def store(moto_store: DynamoDBStore) -> DynamoDBStore:
    return moto_store


@pytest.fixture
def line(moto_client: "DynamoDBClient") -> Line:
    return Line(moto_client, deliver_to_moto)


def test_gets_and_books_are_read_consistently(store: DynamoDBStore, line: Line, sale: Transaction) -> None:
    line.requests.clear()
    store.get(Ref(Transaction, sale.id))
    store.books(sale.id, visible_to=SYSTEM)
    get, books = line.requests
    assert [batch["ConsistentRead"] for batch in get["RequestItems"].values()] == [True]
    assert books["ConsistentRead"] is True


def test_what_moved_on_while_the_index_lagged_is_not_due(
    store: DynamoDBStore, line: Line, clock: StillClock, examples: Examples, merchant: Merchant
) -> None:
    put_off, settled = (examples.command(merchant.id, due_at=clock.now()) for _ in range(2))
    still_due = examples.command(merchant.id, due_at=clock.now())
    store.commit(Create(put_off), Create(settled), Create(still_due))
    (shard,) = (each for each in range(DUE_SHARDS) if store.due(each, now=clock.now(), limit=10))

    def meanwhile(request: AWSPreparedRequest, deliver: Deliver) -> AWSResponse:
        """The index answers with what was; then the items move on."""
        answer = deliver(request)
        later = replace(put_off, due_at=clock.now() + timedelta(seconds=1))
        store.commit(Replace(put_off, later), Replace(settled, replace(settled, due_at=None)))
        return answer

    line.faults = [meanwhile]
    assert store.due(shard, now=clock.now(), limit=10) == [still_due]


def test_entries_booked_when_a_day_was_one_partition_are_read_among_those_of_its_shards(
    store: DynamoDBStore, moto_client: "DynamoDBClient", clock: StillClock, sale: Transaction
) -> None:
    booked = []
    for number in range(3 * JOURNAL_SHARDS):
        lines = lines_of("usd", ("stripe_balance", 5, f"ch_{number}"), ("charge_clearing", -5, None))
        made = JournalEntry(
            transaction_id=sale.id, object_id=f"ch_{number}", kind=EntryKind.CHARGE, occurred_at=START, lines=lines
        )
        attributes = item_attributes(made, clock.now())
        if number % 2:
            attributes["gsi_day"] = {"S": clock.now().date().isoformat()}
        moto_client.put_item(TableName=TABLE, Item=attributes)
        booked.append((attributes["gsi_day"]["S"], made.object_id))
        clock.advance(timedelta(seconds=1))
    assert len({shard for shard, _ in booked}) > JOURNAL_SHARDS // 2
    found, cursor = [], None
    while True:
        page = store.journal(since=START, until=clock.now(), cursor=cursor, limit=7)
        found += [posting.entry.object_id for posting in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [object_id for _, object_id in booked]


def test_a_page_of_the_journal_reads_little_more_than_it_shows(
    store: DynamoDBStore, line: Line, clock: StillClock, sale: Transaction
) -> None:
    for number in range(100):
        lines = lines_of("usd", ("stripe_balance", 5, f"ch_{number}"), ("charge_clearing", -5, None))
        store.commit(
            Create(
                JournalEntry(
                    transaction_id=sale.id, object_id=f"ch_{number}", kind=EntryKind.CHARGE, occurred_at=START,
                    lines=lines,
                )
            )
        )  # fmt: skip
        clock.advance(timedelta(seconds=1))
    line.requests.clear()
    page = store.journal(since=START, until=clock.now(), cursor=None, limit=48)
    assert len(page.items) == 48
    assert sum(request["Limit"] for request in line.requests) <= 48 + 3 * JOURNAL_SHARDS
