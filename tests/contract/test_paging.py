"""Pages of a long list cost what pages of a short one do, and a list stays whole while it grows and shrinks."""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.adapters.records import item_attributes
from marketplace.domain.debts import net
from marketplace.domain.principals import Principal, Role
from marketplace.domain.transactions import TransactionStatus
from marketplace.ports import Create, Item, Page, Policy, Ports, Replace, StripeApi
from marketplace.services.pages import MOST_PAGES_READ
from marketplace.services.transactions import list_transactions
from tests.contract.conftest import TABLE, store_of
from tests.contract.examples import START, Examples, StillClock, create
from tests.contract.reads import Reads
from tests.fakes.memory_store import MemoryStore
from tests.fakes.stripe import FakeStripe

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = 20
FEW, MANY = 10, 400


def fill(client: "DynamoDBClient", items: Sequence[Item]) -> None:
    """Put items into the table without asking anything of it."""
    puts = [{"PutRequest": {"Item": item_attributes(item, START)}} for item in items]
    for some in batched(puts, 25, strict=False):
        requests: Any = {TABLE: list(some)}
        assert not client.batch_write_item(RequestItems=requests)["UnprocessedItems"]


def sales_of_a_merchant(client: "DynamoDBClient", examples: Examples, count: int) -> str:
    merchant = examples.merchant()
    sales = [examples.transaction(merchant, customer_id=f"buyer-{count}") for _ in range(count)]
    fill(client, [item for sale in sales for item in (sale, examples.new_payment(sale))])
    return merchant.id


def pages(store: Any, **owner: Any) -> Iterator[Page[Any]]:
    cursor: str | None = None
    while True:
        page: Page[Any] = store.transactions(**owner, cursor=cursor, limit=PAGE)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


def test_a_page_of_four_hundred_sales_costs_what_one_of_ten_does(
    moto_client: "DynamoDBClient", clock: StillClock, examples: Examples
) -> None:
    owners = {count: sales_of_a_merchant(moto_client, examples, count) for count in (FEW, MANY)}
    store, reads = store_of(moto_client, TABLE, clock), Reads()
    reads.attach(moto_client)
    costs = {}
    for count, merchant_id in owners.items():
        for by in (
            {"merchant_id": merchant_id, "customer_id": None},
            {"merchant_id": None, "customer_id": f"buyer-{count}"},
        ):
            seen, found = [], 0
            for page in pages(store, **by):
                found += len(page.items)
                trips, rows, all_half_units = reads.taken()
                seen.append((trips, rows, all_half_units / len(page.items)))
            assert found == count
            costs[count, by["customer_id"] is None] = seen
    for by_merchant in (True, False):
        (of_ten,), of_many = costs[FEW, by_merchant], costs[MANY, by_merchant]
        assert len(of_many) == MANY // PAGE
        for round_trips, looked_at, half_units in (of_many[0], of_many[len(of_many) // 2], of_many[-1]):
            assert (round_trips, looked_at) <= (of_ten[0], PAGE + 1)
            assert half_units <= of_ten[2]


def test_a_filter_that_fits_nothing_looks_at_a_bounded_number_of_sales_and_says_where_it_is(
    moto_client: "DynamoDBClient", clock: StillClock, examples: Examples
) -> None:
    merchant_id = sales_of_a_merchant(moto_client, examples, 150)
    store, reads = store_of(moto_client, TABLE, clock), Reads()
    reads.attach(moto_client)
    caller = Principal(role=Role.MERCHANT, subject="m", merchant_id=merchant_id)
    cursor, looks = None, 0
    while True:
        page = list_transactions(
            ports_on(store), caller, merchant_id=None, customer_id=None, cursor=cursor, limit=PAGE,
            status=TransactionStatus.PAID,
        )  # fmt: skip
        looks, cursor = looks + 1, page.cursor
        assert page.items == ()
        round_trips, looked_at, _ = reads.taken()
        assert looked_at <= MOST_PAGES_READ * (PAGE + 1)
        assert round_trips <= 2 * MOST_PAGES_READ
        if cursor is None:
            break
    assert looks == -(-150 // (MOST_PAGES_READ * PAGE))


def ports_on(store: DynamoDBStore | MemoryStore) -> Ports:
    stripe: StripeApi = FakeStripe()
    policy = Policy(default_fee=None, return_origins=frozenset(), livemode=False)
    ids: Any = None
    return Ports(store=store, stripe=stripe, clock=StillClock(), ids=ids, policy=policy)


@settings(max_examples=60, deadline=None)
@given(begin=st.integers(0, 12), limit=st.integers(1, 5), between=st.lists(st.integers(0, 3), max_size=14))
def test_what_stays_is_listed_once_whatever_comes_and_goes_between_the_pages(
    begin: int, limit: int, between: list[int]
) -> None:
    """Between pages debts come, the newest of all, and others are settled, so that they leave the list of open ones."""
    store, examples = MemoryStore(StillClock()), Examples()
    open_debts = {debt.id: debt for debt in (examples.debt(examples.merchant()) for _ in range(begin))}
    create(store, open_debts.values())
    there, listed, cursor = set(open_debts), [], None
    for step in [*between, *range(30)]:
        page = store.open_debts(cursor=cursor, limit=limit)
        listed += [debt.id for debt in page.items]
        cursor = page.cursor
        if cursor is None:
            break
        if step % 2 and open_debts:
            gone = open_debts.pop(sorted(open_debts)[step % len(open_debts)])
            store.commit(Replace(gone, net(gone, gone.amount, START)))
            there.discard(gone.id)
        if step > 1:
            new = examples.debt(examples.merchant())
            open_debts[new.id] = new
            store.commit(Create(new))
    assert cursor is None
    assert there <= set(listed)
    assert len(set(listed)) == len(listed)
    assert listed == sorted(listed, key=lambda debt_id: debt_id[-26:], reverse=True)
