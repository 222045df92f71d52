"""F23: DynamoDB throttles, conflicts, and times out with and without having written, at every call."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from marketplace.adapters.dynamodb_calls import CONFIG, MOST_TRIES
from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.domain.errors import Unavailable
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.transactions import Transaction
from marketplace.ports import Conflict, Create, Ref, Replace, one
from tests.contract.conftest import TABLE, client_of, store_of
from tests.contract.examples import Examples, StillClock, create
from tests.contract.faults import (
    Fault,
    Line,
    answer_lost,
    canceled,
    deliver_by_http,
    deliver_to_moto,
    delivered,
    fails,
    half_processed,
    unreachable,
)
from tests.contract.table import create_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BOTOCORE_TRIES = 3
CONFLICT = canceled("TransactionConflict", "None")
THROTTLED = fails("ThrottlingException")
BUSY = [
    THROTTLED,
    fails("ProvisionedThroughputExceededException"),
    fails("InternalServerError", status=500),
    unreachable,
]


@pytest.fixture(autouse=True)
def _botocore_does_not_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def line(moto_client: "DynamoDBClient") -> Line:
    return Line(moto_client, deliver_to_moto)


@pytest.fixture
def store(moto_store: DynamoDBStore, line: Line) -> DynamoDBStore:
    return moto_store


Call = Callable[[DynamoDBStore, Transaction], Any]
READS: dict[str, Call] = {
    "get": lambda store, sale: store.get(Ref(Transaction, sale.id))(Ref(Transaction, sale.id)),
    "books": lambda store, sale: store.books(sale.id, visible_to=SYSTEM),
    "transactions": lambda store, sale: store.transactions(
        merchant_id=sale.legs[0].merchant_id, customer_id=None, cursor=None, limit=5
    ),
    "merchants": lambda store, sale: store.merchants(cursor=None, limit=5),
    "products": lambda store, sale: store.products(sale.legs[0].merchant_id, cursor=None, limit=5),
    "prices": lambda store, sale: store.prices(
        sale.legs[0].merchant_id.replace("merchant-", "product-") + "-" + sale.id[-26:], cursor=None, limit=5
    ),
    "merchant_of_account": lambda store, sale: store.merchant_of_account(str(sale.legs[0].account_id)),
    "due": lambda store, sale: store.due(0, now=sale.created_at, limit=5),
}


@pytest.mark.parametrize("call", READS.values(), ids=READS)
@pytest.mark.parametrize("fault", [*BUSY, answer_lost])
def test_a_read_that_meets_a_short_trouble_answers_all_the_same(
    store: DynamoDBStore, line: Line, sale: Transaction, call: Call, fault: Fault
) -> None:
    undisturbed = repr(call(store, sale))
    line.faults = [fault] * (BOTOCORE_TRIES - 1)
    assert repr(call(store, sale)) == undisturbed


@pytest.mark.parametrize("call", READS.values(), ids=READS)
@pytest.mark.parametrize("fault", [*BUSY, answer_lost])
def test_a_read_that_gets_no_answer_is_unavailable(
    store: DynamoDBStore, line: Line, sale: Transaction, call: Call, fault: Fault
) -> None:
    line.requests.clear()
    line.faults = [fault] * 100
    with pytest.raises(Unavailable):
        call(store, sale)
    assert len(line.requests) == BOTOCORE_TRIES


def test_a_batch_that_is_read_in_parts_is_read_whole(store: DynamoDBStore, line: Line, examples: Examples) -> None:
    merchants = [examples.merchant() for _ in range(20)]
    create(store, merchants)
    line.faults = [delivered, *[half_processed] * (MOST_TRIES - 1)]
    assert store.merchants(cursor=None, limit=20).items == tuple(reversed(merchants))
    refs = [Ref(Merchant, merchant.id) for merchant in merchants]
    line.faults = [half_processed] * (MOST_TRIES - 1)
    found = store.get(*refs)
    assert [found(ref) for ref in refs] == merchants


def test_a_batch_that_never_ends_is_unavailable(store: DynamoDBStore, line: Line, examples: Examples) -> None:
    line.faults = [half_processed] * 100
    with pytest.raises(Unavailable):
        store.get(*(Ref(Merchant, examples.id("merchant")) for _ in range(100)))
    assert len(line.requests) == MOST_TRIES


@pytest.mark.parametrize("fault", [*BUSY, CONFLICT, canceled("None", "ThrottlingError")])
def test_a_commit_that_meets_a_short_trouble_is_written(
    store: DynamoDBStore, line: Line, examples: Examples, merchant: Merchant, fault: Fault
) -> None:
    line.faults = [fault] * (BOTOCORE_TRIES - 1)
    create(store, [merchant, examples.marker()])
    assert one(store, Ref(Merchant, merchant.id)) == merchant


@pytest.mark.parametrize("fault", [*BUSY, fails("TransactionConflictException")])
def test_a_single_change_that_meets_a_short_trouble_is_written(
    store: DynamoDBStore, line: Line, merchant: Merchant, fault: Fault
) -> None:
    line.faults = [fault] * (BOTOCORE_TRIES - 1)
    store.commit(Create(merchant))
    assert one(store, Ref(Merchant, merchant.id)) == merchant


@pytest.mark.parametrize(
    "fault",
    [
        CONFLICT,
        canceled("ProvisionedThroughputExceeded", "ThrottlingError"),
        fails("TransactionInProgressException"),
        *BUSY,
    ],
)
def test_a_commit_that_is_put_off_again_and_again_is_unavailable(
    store: DynamoDBStore, line: Line, examples: Examples, merchant: Merchant, fault: Fault
) -> None:
    line.faults = [fault] * 100
    with pytest.raises(Unavailable):
        create(store, [merchant, examples.marker()])
    assert len(line.requests) <= MOST_TRIES * BOTOCORE_TRIES
    line.faults = []
    assert one(store, Ref(Merchant, merchant.id)) is None


def test_all_tries_of_a_commit_carry_one_token_and_no_other_commit_has_it(
    store: DynamoDBStore, line: Line, examples: Examples
) -> None:
    line.faults = [unreachable, CONFLICT, THROTTLED, CONFLICT]
    create(store, [examples.marker(), examples.marker()])
    tokens = [request["ClientRequestToken"] for request in line.requests]
    assert len(tokens) == 5
    assert len(set(tokens)) == 1
    create(store, [examples.marker(), examples.marker()])
    assert line.requests[-1]["ClientRequestToken"] not in tokens


def test_pauses_grow_and_differ(moto_client: "DynamoDBClient", clock: StillClock, examples: Examples) -> None:
    pauses: list[float] = []
    ids = SimpleNamespace(jitter=lambda: 0.5)
    store = DynamoDBStore(moto_client, TABLE, clock=clock, ids=ids, sleep=pauses.append)
    Line(moto_client, deliver_to_moto).faults = [CONFLICT] * 100
    with pytest.raises(Unavailable):
        create(store, [examples.marker(), examples.marker()])
    assert len(pauses) == MOST_TRIES
    assert all(later == 2 * earlier for earlier, later in pairwise(pauses))
    assert sum(pauses) < 1


def test_a_failed_condition_is_a_conflict_whatever_else_stood_in_the_way(
    store: DynamoDBStore, line: Line, examples: Examples
) -> None:
    changes = [Create(examples.marker()) for _ in range(3)]
    line.faults = [canceled("TransactionConflict", "ConditionalCheckFailed", "None")]
    with pytest.raises(Conflict) as conflict:
        store.commit(*changes)
    assert conflict.value.changes == (changes[1],)


def test_a_single_change_whose_answer_was_lost_is_never_a_conflict_with_itself(
    store: DynamoDBStore, line: Line, merchant: Merchant
) -> None:
    line.faults = [answer_lost]
    with pytest.raises(Unavailable):
        store.commit(Create(merchant))
    assert one(store, Ref(Merchant, merchant.id)) == merchant
    change = Replace(merchant, replace(merchant, name="Renamed"))
    line.faults = [answer_lost, fails("TransactionConflictException")]
    with pytest.raises(Unavailable):
        store.commit(change)
    assert one(store, Ref(Merchant, merchant.id)) == change.stored


def test_a_single_change_that_does_not_fit_is_a_conflict_at_once(
    store: DynamoDBStore, line: Line, merchant: Merchant
) -> None:
    store.commit(Create(merchant))
    with pytest.raises(Conflict):
        store.commit(Create(merchant))


def test_a_single_change_costs_no_transaction(store: DynamoDBStore, line: Line, merchant: Merchant) -> None:
    store.commit(Create(merchant))
    assert "TransactItems" not in line.requests[-1]
    assert "ClientRequestToken" not in line.requests[-1]


@pytest.mark.parametrize(
    "fault",
    [
        fails("ValidationException"),
        fails("AccessDeniedException"),
        fails("ResourceNotFoundException"),
        canceled("ValidationError", "None"),
        canceled("TransactionConflict", "ItemCollectionSizeLimitExceeded"),
    ],
)
def test_a_mistake_of_ours_comes_to_light_at_once(
    store: DynamoDBStore, line: Line, examples: Examples, fault: Fault
) -> None:
    line.faults = [fault] * 100
    with pytest.raises(ClientError):
        create(store, [examples.marker(), examples.marker()])
    assert len(line.requests) == 1


@pytest.mark.cloud
def test_a_commit_whose_answer_was_lost_is_written_once_and_succeeds(
    dynamodb_endpoint: str, clock: StillClock, examples: Examples, merchant: Merchant
) -> None:
    client = client_of(dynamodb_endpoint, CONFIG)
    create_table(client, "lost-answers")
    store = store_of(client, "lost-answers", clock)
    line = Line(client, deliver_by_http)
    line.faults = [answer_lost]
    create(store, [merchant, examples.marker()])
    change = Replace(merchant, replace(merchant, name="Renamed"))
    line.faults = [answer_lost, unreachable]
    store.commit(change, Create(examples.marker()))
    assert one(store, Ref(Merchant, merchant.id)) == change.stored
    line.faults = [answer_lost] * BOTOCORE_TRIES
    with pytest.raises(Unavailable):
        store.commit(Replace(change.stored, merchant), Create(examples.marker()))
    written = one(store, Ref(Merchant, merchant.id))
    assert written is not None
    assert written.version == 3
