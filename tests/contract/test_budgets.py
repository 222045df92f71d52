"""How large the items are and what the commits of a sale cost; the numbers are ceilings that somebody decided."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from marketplace.adapters.codec import Attributes
from marketplace.adapters.records import item_attributes, written
from marketplace.domain.commands import CommandKind, succeed
from marketplace.domain.ledger import EntryKind
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.transactions import Payment, Transaction
from marketplace.ports import Change, Create, Item, Ref, Replace, Store
from tests.contract.conftest import TABLE, client_of, store_of
from tests.contract.examples import START, Examples, StillClock, create
from tests.contract.table import create_table
from tests.fakes.memory_store import MemoryStore
from tests.fakes.meter import UNIT_BYTES, Meter, item_bytes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture(params=["memory", "moto"])
def metered(request: pytest.FixtureRequest, meter: Meter, clock: StillClock) -> Store:
    """A store that the meter is attached to."""
    if request.param == "memory":
        return MemoryStore(clock, after=meter.after)
    client: DynamoDBClient = request.getfixturevalue("moto_client")
    meter.attach(client)
    return store_of(client, TABLE, clock)


def test_a_payment_of_which_all_is_known_is_one_unit(examples: Examples, merchant: Merchant) -> None:
    payment = examples.full_payment(examples.transaction(merchant))
    assert {name for name in Payment.__dataclass_fields__ if getattr(payment, name) is None} == set()
    assert item_bytes(item_attributes(payment, START)) <= UNIT_BYTES


def test_an_event_marker_is_one_unit(examples: Examples) -> None:
    assert item_bytes(item_attributes(examples.marker(), START)) <= UNIT_BYTES


def test_a_settlement_of_seven_lines_is_one_unit(examples: Examples, merchant: Merchant) -> None:
    sale = examples.transaction(merchant)
    *_, settlement = examples.entries(sale, examples.full_payment(sale))
    assert settlement.kind is EntryKind.SETTLEMENT
    assert len(settlement.lines) == 7
    assert item_bytes(item_attributes(settlement, START)) <= UNIT_BYTES


def test_a_balance_transaction_is_half_a_unit(examples: Examples, merchant: Merchant) -> None:
    """A sale keeps all of its own: they make its books longer."""
    line = examples.balance_transaction(examples.transaction(merchant))
    assert item_bytes(item_attributes(line, START)) <= UNIT_BYTES // 2


def test_all_else_of_a_sale_of_one_line_is_one_unit_each(examples: Examples, merchant: Merchant) -> None:
    sale = examples.transaction(merchant)
    items: list[Item] = [sale, examples.refund(sale), examples.command(sale.id), examples.idempotency(sale), merchant]
    assert all(item_bytes(item_attributes(item, START)) <= UNIT_BYTES for item in items)


def test_a_sale_costs_no_more_writes_than_was_decided(
    metered: Store, meter: Meter, clock: StillClock, examples: Examples, merchant: Merchant
) -> None:
    sale = examples.transaction(merchant)
    begun = examples.new_payment(sale)
    command = examples.command(sale.id, kind=CommandKind.CREATE_CHECKOUT_SESSION)
    create(metered, [examples.idempotency(None), command, sale, begun])
    assert meter.write_units == 4 * 2 + 5  # by_merchant twice (its own and all), by_customer, and due twice

    full = examples.full_payment(sale)
    opened = Replace(begun, replace(begun, checkout_session_id=full.checkout_session_id))
    settled = Replace(command, succeed(command, str(full.checkout_session_id), clock.now()))
    meter.write_units = 0
    metered.commit(settled, opened)
    assert meter.write_units == 2 * 2 + 1  # out of due

    meter.write_units = 0
    known = replace(full, due_at=None, processing_fee=None, processing_fee_currency=None)
    paid = Replace(opened.stored, known)
    entries = examples.entries(sale, known)
    metered.commit(Create(examples.marker()), paid, *map(Create, entries))
    assert meter.write_units == 4 * 2 + 1 + 2 * 2  # out of due; the entries by_stripe_id and in the journal

    meter.write_units = 0
    fee = [entry for entry in examples.entries(sale, full) if entry.kind is EntryKind.PROCESSING_FEE]
    with_fee = Replace(paid.stored, replace(full, due_at=None))
    metered.commit(with_fee, *map(Create, fee), Create(examples.balance_transaction(sale)))
    assert meter.write_units == 3 * 2 + 2  # by_stripe_id and in the journal

    meter.write_units = 0
    metered.commit(Create(examples.marker(outcome="ignored: type", transaction_id=None)))
    assert meter.write_units == 1
    assert meter.round_trips == 5


def test_an_entry_of_an_index_that_moves_costs_two_and_one_that_stays_nothing(
    metered: Store, meter: Meter, examples: Examples, merchant: Merchant
) -> None:
    command = examples.command(merchant.id)
    metered.commit(Create(command))
    assert command.due_at is not None
    later = Replace(command, replace(command, due_at=command.due_at + timedelta(seconds=1)))
    meter.write_units = 0
    metered.commit(later)
    assert meter.write_units == 1 + 2
    meter.write_units = 0
    metered.commit(Replace(later.stored, replace(later.stored, tries=2)))
    assert meter.write_units == 1


def test_each_read_is_one_round_trip_and_a_list_by_an_index_two(
    metered: Store, meter: Meter, examples: Examples, merchant: Merchant
) -> None:
    sale = examples.transaction(merchant)
    product = examples.product(merchant)
    create(metered, [merchant, sale, replace(examples.new_payment(sale), due_at=examples.now), product])
    create(metered, [examples.price(product), examples.command(merchant.id)])
    calls: list[tuple[int, Callable[[], object]]] = [
        (1, lambda: metered.get(*(Ref(Transaction, sale.id), Ref(Merchant, merchant.id)))),
        (1, lambda: metered.books(sale.id, visible_to=SYSTEM)),
        (1, lambda: metered.merchant_of_account(str(merchant.account_id))),
        (1, lambda: metered.products(merchant.id, cursor=None, limit=50)),
        (2, lambda: metered.prices(product.id, cursor=None, limit=50)),
        (2, lambda: metered.merchants(cursor=None, limit=50)),
        (2, lambda: metered.transactions(merchant_id=merchant.id, customer_id=None, cursor=None, limit=50)),
    ]
    for round_trips, call in calls:
        meter.round_trips = 0
        call()
        assert meter.round_trips == round_trips


@pytest.mark.cloud
def test_the_meter_counts_as_others_do(
    dynamodb_endpoint: str, examples: Examples, merchant: Merchant, meter: Meter
) -> None:
    """MiniStack's ConsumedCapacity, which was compared with DynamoDB's by those who made it."""
    client = client_of(dynamodb_endpoint)
    create_table(client, "metered")
    sale = examples.transaction(merchant)
    begun, full, command = examples.new_payment(sale), examples.full_payment(sale), examples.command(sale.id)
    assert command.due_at is not None
    lines = sale.line_items * 100
    commits: list[list[Change]] = [
        [Create(command), Create(sale), Create(begun)],
        [Replace(begun, full), *map(Create, examples.entries(sale, full)), Create(examples.marker())],
        [Replace(command, replace(command, due_at=command.due_at + timedelta(seconds=1)))],
        [Create(examples.transaction(merchant, line_items=lines))],
        [Create(examples.transaction(merchant, line_items=lines)), Create(merchant)],
    ]
    for changes in commits:
        items = [written(change, START) for change in changes]
        meter.write_units = 0
        meter.count(items)
        assert meter.write_units == consumed(client, items)


def consumed(client: "DynamoDBClient", items: list[Attributes]) -> float:
    if len(items) == 1:
        put = client.put_item(TableName="metered", Item=items[0], ReturnConsumedCapacity="INDEXES")
        return put["ConsumedCapacity"]["CapacityUnits"]
    written_at_once = client.transact_write_items(
        TransactItems=[{"Put": {"TableName": "metered", "Item": item}} for item in items],
        ReturnConsumedCapacity="INDEXES",
    )
    return sum(table["CapacityUnits"] for table in written_at_once["ConsumedCapacity"])
