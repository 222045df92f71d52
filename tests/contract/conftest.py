"""The stores that the contract is held against: memory, moto in process, and a DynamoDB behind an endpoint."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from local.cloud.aws import CREDENTIALS, REGION, ministack
from local.cloud.ports import HOST, Ports
from marketplace.adapters.dynamodb_calls import CONFIG
from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.adapters.system import SystemClock, SystemIds
from marketplace.domain.merchants import Merchant
from marketplace.domain.transactions import Transaction
from marketplace.ports import Store
from tests.contract.examples import Examples, StillClock, create
from tests.contract.stripe_server import lab, simulated, simulator, stripe  # noqa: F401 - fixtures
from tests.contract.table import create_table
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "marketplace"
ENDPOINT_SETTING = "DYNAMODB_ENDPOINT"  # of a DynamoDB to hold against the contract instead of a MiniStack


def client_of(endpoint: str | None = None, config: Config = CONFIG) -> "DynamoDBClient":
    """A client with the settings of the functions, for an endpoint, or for moto."""
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )


def store_of(client: "DynamoDBClient", table: str, clock: StillClock) -> DynamoDBStore:
    return DynamoDBStore(client, table, clock=clock, ids=SystemIds(SystemClock()), sleep=lambda _: None)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def examples() -> Examples:
    return Examples()


@pytest.fixture
def memory_store(clock: StillClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def moto_client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        client = client_of()
        create_table(client, TABLE)
        yield client


@pytest.fixture
def moto_store(moto_client: "DynamoDBClient", clock: StillClock) -> DynamoDBStore:
    return store_of(moto_client, TABLE, clock)


@pytest.fixture(scope="session")
def dynamodb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A DynamoDB that stands races: the one that the environment names, or a MiniStack of our own."""
    given = os.environ.get(ENDPOINT_SETTING)
    if given:
        yield given
        return
    folder: Path = tmp_path_factory.mktemp("ministack")
    port = Ports.free().aws
    with ministack(port=port, folder=folder):
        yield f"http://{HOST}:{port}"


@pytest.fixture
def cloud_store(dynamodb_endpoint: str, clock: StillClock) -> Iterator[DynamoDBStore]:
    """A store on a table of its own."""
    client = client_of(dynamodb_endpoint)
    table = f"contract-{uuid.uuid4().hex}"
    create_table(client, table)
    yield store_of(client, table, clock)
    client.delete_table(TableName=table)


CLOUD = pytest.param("cloud_store", id="cloud", marks=pytest.mark.cloud)


@pytest.fixture(params=[pytest.param("memory_store", id="memory"), pytest.param("moto_store", id="moto"), CLOUD])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the stores."""
    chosen: Store = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=[pytest.param("memory_store", id="memory"), CLOUD])
def racing_store(request: pytest.FixtureRequest) -> Store:
    """Each of the stores that stand threads; moto loses writes under them."""
    chosen: Store = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def merchant(examples: Examples) -> Merchant:
    """A merchant that is not stored."""
    return examples.merchant()


@pytest.fixture
def sale(store: Store, examples: Examples, merchant: Merchant) -> Transaction:
    """A transaction with its payment, in the store."""
    made = examples.transaction(merchant)
    create(store, [made, examples.new_payment(made)])
    return made
