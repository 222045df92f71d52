"""What only a DynamoDB of several copies shows: consistent reads where they are promised, indexes that lag."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.transactions import Transaction
from marketplace.ports import DUE_SHARDS, Create, Ref, Replace
from tests.contract.examples import Examples, StillClock
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
