"""Lists: whole, newest first, in pages whose cursors lead nowhere else."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from marketplace.domain.debts import net
from marketplace.domain.disputes import Disputed, DisputeStatus
from marketplace.domain.errors import InvalidCursor
from marketplace.domain.merchants import Merchant
from marketplace.domain.refunds import Refund, RefundPart, RefundStatus, refunded_by
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import ChargeType, Leg, Payment, Transaction, TransactionStatus
from marketplace.ports import Create, Item, Page, Replace, Store
from tests.contract.examples import Examples, create

Reader = Callable[[Store, str | None, int], Page[Any]]


def read_whole(read: Reader, store: Store, limit: int) -> list[list[Any]]:
    pages, cursor = [], None
    while True:
        page = read(store, cursor, limit)
        pages.append(list(page.items))
        cursor = page.cursor
        if cursor is None:
            return pages


def refunded(store: Store, examples: Examples, sale: Transaction, **fields: Any) -> Refund:
    refund = replace(examples.refund(sale), **fields)
    create(store, [refund, *refunded_by(refund, sale)])
    return refund


class Lists:
    """Five items in each list, older first, and as many of another owner."""

    def __init__(self, store: Store, examples: Examples) -> None:
        self.merchants = [examples.merchant() for _ in range(5)]
        self.mine, self.other, *_ = self.merchants
        self.products = [examples.product(self.mine) for _ in range(5)]
        self.prices = [examples.price(self.products[0]) for _ in range(5)]
        self.sales = [self._sale(store, examples, self.mine, "buyer-a") for _ in range(5)]
        self.sales_to_other = [self._sale(store, examples, self.mine, "buyer-b") for _ in range(2)]
        self.payouts = [examples.merchant_payout(self.mine) for _ in range(5)]
        self.foreign = [self._sale(store, examples, self.other, "buyer-b") for _ in range(5)]
        self.refunds = [refunded(store, examples, sale) for sale, _ in self.sales]
        self.foreign_refunds = [refunded(store, examples, self.foreign[0][0]) for _ in range(5)]
        self.subscriptions = [self._subscription(examples, self.mine, "buyer-a") for _ in range(5)]
        self.invoices = [examples.invoice(self.subscriptions[0]) for _ in range(5)]
        foreign_product = examples.product(self.other)
        foreign = examples.price(foreign_product)
        more: list[Item] = [examples.price(self.products[1]), foreign, foreign_product]
        more.append(examples.merchant_payout(self.other))
        more += [self._subscription(examples, self.other, "buyer-b"), examples.invoice(examples.subscription(foreign))]
        more += [*self.subscriptions, *self.invoices]
        create(store, [*self.merchants, *self.products, *self.prices, *self.payouts, *more])
        store.commit(Create(examples.command(self.mine.id)))

    def _subscription(self, examples: Examples, merchant: Merchant, buyer: str) -> Subscription:
        price = examples.price(examples.product(merchant))
        return examples.subscription(price, customer_id=buyer)

    @staticmethod
    def _sale(store: Store, examples: Examples, merchant: Merchant, buyer: str) -> tuple[Transaction, Payment]:
        sale = examples.transaction(merchant, customer_id=buyer)
        payment = examples.new_payment(sale)
        store.commit(Create(sale), Create(payment))
        return sale, payment


@pytest.fixture
def lists(store: Store, examples: Examples) -> Lists:
    return Lists(store, examples)


def each_list(lists: Lists) -> list[tuple[Reader, list[Any]]]:
    mine, other = lists.mine.id, lists.other.id
    return [
        (lambda s, c, n: s.merchants(cursor=c, limit=n), lists.merchants),
        (lambda s, c, n: s.products(mine, cursor=c, limit=n), lists.products),
        (lambda s, c, n: s.prices(lists.products[0].id, cursor=c, limit=n), lists.prices),
        (lambda s, c, n: s.payouts(mine, cursor=c, limit=n), lists.payouts),
        (lambda s, c, n: s.subscriptions(merchant_id=mine, customer_id=None, cursor=c, limit=n), lists.subscriptions),
        (lambda s, c, n: s.subscriptions(merchant_id=None, customer_id="buyer-a", cursor=c, limit=n),
         lists.subscriptions),
        (lambda s, c, n: s.invoices(merchant_id=mine, customer_id=None, cursor=c, limit=n), lists.invoices),
        (lambda s, c, n: s.invoices(merchant_id=None, customer_id="buyer-a", cursor=c, limit=n), lists.invoices),
        (lambda s, c, n: s.transactions(merchant_id=mine, customer_id=None, cursor=c, limit=n),
         lists.sales + lists.sales_to_other),
        (lambda s, c, n: s.transactions(merchant_id=other, customer_id=None, cursor=c, limit=n), lists.foreign),
        (lambda s, c, n: s.transactions(merchant_id=None, customer_id="buyer-a", cursor=c, limit=n), lists.sales),
        (lambda s, c, n: s.transactions(merchant_id=None, customer_id=None, cursor=c, limit=n),
         lists.sales + lists.sales_to_other + lists.foreign),
        (lambda s, c, n: s.refunds(mine, cursor=c, limit=n), lists.refunds),
        (lambda s, c, n: s.refunds(other, cursor=c, limit=n), lists.foreign_refunds),
        (lambda s, c, n: s.refunds(None, cursor=c, limit=n), lists.refunds + lists.foreign_refunds),
    ]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 100])
def test_a_list_brings_all_of_its_own_newest_first_in_full_pages(store: Store, lists: Lists, limit: int) -> None:
    for read, items in each_list(lists):
        newest_first = items[::-1]
        pages = [newest_first[begin : begin + limit] for begin in range(0, len(items), limit)]
        assert read_whole(read, store, limit) == pages


def test_an_empty_list_is_one_empty_page(store: Store, examples: Examples) -> None:
    nothing = Page[Any](items=(), cursor=None)
    assert store.merchants(cursor=None, limit=5) == nothing
    assert store.products(examples.id("merchant"), cursor=None, limit=5) == nothing
    assert store.prices(examples.id("product", examples.id("merchant")), cursor=None, limit=5) == nothing
    assert store.payouts(examples.id("merchant"), cursor=None, limit=5) == nothing
    nobody = examples.id("merchant")
    assert store.subscriptions(merchant_id=nobody, customer_id=None, cursor=None, limit=5) == nothing
    assert store.invoices(merchant_id=None, customer_id="nobody", cursor=None, limit=5) == nothing
    assert store.transactions(merchant_id=nobody, customer_id=None, cursor=None, limit=5) == nothing
    assert store.transactions(merchant_id=None, customer_id="nobody", cursor=None, limit=5) == nothing
    assert store.transactions(merchant_id=None, customer_id=None, cursor=None, limit=5) == nothing
    assert store.refunds(nobody, cursor=None, limit=5) == nothing
    assert store.refunds(None, cursor=None, limit=5) == nothing


@pytest.mark.parametrize("owner", ["", "MERCHANTS", "SALES", "SALES#1", "5", "merchant-1", "x" * 5000, "\ud800"])
def test_a_list_of_an_owner_that_cannot_be_is_empty(store: Store, lists: Lists, owner: str) -> None:
    nothing = Page[Any](items=(), cursor=None)
    assert store.products(owner, cursor=None, limit=5) == nothing
    assert store.payouts(owner, cursor=None, limit=5) == nothing
    assert store.prices(owner, cursor=None, limit=5) == nothing
    assert store.subscriptions(merchant_id=owner, customer_id=None, cursor=None, limit=5) == nothing
    assert store.invoices(merchant_id=None, customer_id=owner, cursor=None, limit=5) == nothing
    assert store.transactions(merchant_id=owner, customer_id=None, cursor=None, limit=5) == nothing
    assert store.transactions(merchant_id=None, customer_id=owner, cursor=None, limit=5) == nothing
    assert store.refunds(owner, cursor=None, limit=5) == nothing


def test_a_list_of_sales_is_not_of_two_owners(store: Store, lists: Lists) -> None:
    with pytest.raises(ValueError, match="one merchant, of one customer or of all"):
        store.transactions(merchant_id=lists.mine.id, customer_id="buyer-a", cursor=None, limit=5)


def test_no_customer_is_named_like_a_list_of_subscriptions(store: Store, lists: Lists) -> None:
    for name in ("SUBSCRIPTIONS#buyer-a", "SUBSCRIPTIONS\nbuyer-a", "INVOICES\nbuyer-a"):
        assert store.transactions(merchant_id=None, customer_id=name, cursor=None, limit=5).items == ()


def test_a_list_shows_payments_as_they_stand_now(store: Store, lists: Lists) -> None:
    sale, payment = lists.sales[-1]
    change = Replace(payment, replace(payment, checkout_session_id="cs_test_1", due_at=None))
    store.commit(change)
    page = store.transactions(merchant_id=None, customer_id="buyer-a", cursor=None, limit=1)
    assert page.items == ((sale, change.stored),)


def test_a_sale_of_two_merchants_is_in_its_buyers_list(store: Store, examples: Examples, merchant: Merchant) -> None:
    legs = tuple(Leg(merchant_id=examples.id("merchant"), account_id="acct_1", amount=50, fee=5) for _ in range(2))
    cart = examples.transaction(merchant, legs=legs, customer_id="buyer")
    payment = examples.new_payment(cart)
    store.commit(Create(cart), Create(payment))
    assert store.transactions(merchant_id=None, customer_id="buyer", cursor=None, limit=5).items == ((cart, payment),)


def test_a_cart_is_in_the_list_of_each_of_its_merchants_among_their_other_sales(
    store: Store, examples: Examples, merchant: Merchant
) -> None:
    other = examples.merchant()
    sales = []
    for is_cart in (False, True, False, True, True):
        legs = tuple(Leg(merchant_id=m.id, account_id="acct_1", amount=50, fee=5) for m in (merchant, other))
        of_cart = {"legs": legs, "charge_type": ChargeType.SEPARATE}
        sale = examples.transaction(merchant, **(of_cart if is_cart else {}))
        shares = [examples.share(replace(sale, legs=(leg,))) for leg in (legs if is_cart else ())]
        payment = examples.new_payment(sale)
        store.commit(Create(sale), Create(payment), *map(Create, shares))
        sales.append((sale, payment))
    mine: list[Any] = []
    cursor = None
    for _ in range(3):
        page = store.transactions(merchant_id=merchant.id, customer_id=None, cursor=cursor, limit=2)
        mine, cursor = [*mine, *page.items], page.cursor
    assert (mine, cursor) == (sales[::-1], None)
    theirs = store.transactions(merchant_id=other.id, customer_id=None, cursor=None, limit=5).items
    assert list(theirs) == [sale for sale in sales[::-1] if len(sale[0].legs) > 1]


def test_a_merchants_debts_are_listed_and_nobody_elses(store: Store, examples: Examples, merchant: Merchant) -> None:
    mine, foreign = [examples.debt(merchant) for _ in range(3)], examples.debt(examples.merchant())
    create(store, [*mine, foreign])
    page = store.debts(merchant.id, cursor=None, limit=2)
    assert page.items == tuple(mine[:0:-1])
    assert store.debts(merchant.id, cursor=page.cursor, limit=2) == Page(items=(mine[0],), cursor=None)


def test_disputes_are_in_the_lists_of_their_merchants_and_in_that_of_all(store: Store, examples: Examples) -> None:
    one, other = examples.merchant(), examples.merchant()
    merchants_of = ((one,), (one,), (one, other))
    made = [(examples.dispute(examples.transaction(one)), merchants) for merchants in merchants_of]
    for found, merchants in made:
        about = [
            Disputed(dispute_id=found.id, merchant_id=each.id, transaction_id=found.transaction_id)
            for each in merchants
        ]
        create(store, [found, *about])
    disputes = [found for found, _ in made][::-1]
    for merchant_id, expected in ((None, disputes), (one.id, disputes), (other.id, disputes[:1])):
        page = store.disputes(merchant_id, cursor=None, limit=2)
        rest = store.disputes(merchant_id, cursor=page.cursor, limit=2).items if page.cursor else ()
        assert [*page.items, *rest] == expected
    moved = Replace(disputes[0], replace(disputes[0], status=DisputeStatus.WON))
    store.commit(moved)
    assert store.disputes(other.id, cursor=None, limit=5).items == (moved.stored,)
    for nobody in ("", "DISPUTES", "merchant-1", examples.id("merchant")):
        assert store.disputes(nobody, cursor=None, limit=5) == Page(items=(), cursor=None)


def test_coupons_are_listed_by_whose_products_they_are_for(store: Store, examples: Examples) -> None:
    mine, other = examples.merchant(), examples.merchant()
    everybodys = [examples.coupon() for _ in range(3)]
    own = [examples.coupon(merchant_id=mine.id) for _ in range(2)]
    create(store, [*everybodys, *own, examples.coupon(merchant_id=other.id)])
    assert read_whole(lambda s, c, n: s.coupons(None, cursor=c, limit=n), store, 2) == [
        [everybodys[2], everybodys[1]],
        [everybodys[0]],
    ]
    assert store.coupons(mine.id, cursor=None, limit=5).items == (own[1], own[0])
    assert store.coupons("COUPONS", cursor=None, limit=5) == Page(items=(), cursor=None)


def test_codes_and_uses_are_those_of_one_coupon(store: Store, examples: Examples) -> None:
    coupon, other = examples.coupon(), examples.coupon()
    codes = [examples.code(coupon) for _ in range(3)]
    used = [examples.redemption(coupon) for _ in range(3)]
    create(store, [coupon, other, *codes, *used, examples.code(other), examples.redemption(other)])
    assert read_whole(lambda s, c, n: s.promotion_codes(coupon.id, cursor=c, limit=n), store, 2) == [
        [codes[2], codes[1]],
        [codes[0]],
    ]
    assert read_whole(lambda s, c, n: s.redemptions(coupon.id, cursor=c, limit=n), store, 2) == [
        [used[2], used[1]],
        [used[0]],
    ]
    for read in (store.promotion_codes, store.redemptions):
        assert read("coupon-1", cursor=None, limit=5) == Page(items=(), cursor=None)


def test_open_debts_of_all_merchants_are_one_list_until_they_are_paid(store: Store, examples: Examples) -> None:
    owed = [examples.debt(examples.merchant()) for _ in range(3)]
    create(store, owed)
    assert read_whole(lambda s, c, n: s.open_debts(cursor=c, limit=n), store, 2) == [[owed[2], owed[1]], [owed[0]]]
    store.commit(Replace(owed[1], net(owed[1], owed[1].amount, owed[1].created_at)))
    assert store.open_debts(cursor=None, limit=5).items == (owed[2], owed[0])


def test_a_cursor_of_another_list_is_refused(store: Store, lists: Lists) -> None:
    readers = [read for read, _ in each_list(lists)]
    cursors = [read(store, None, 1).cursor for read in readers]
    for i, read in enumerate(readers):
        for j, cursor in enumerate(cursors):
            if i != j:
                with pytest.raises(InvalidCursor):
                    read(store, cursor, 1)


def test_a_cursor_that_was_changed_is_refused(store: Store, lists: Lists) -> None:
    for read, _ in each_list(lists):
        cursor = read(store, None, 1).cursor
        assert cursor is not None
        content = base64.urlsafe_b64decode(cursor)
        changed = [bytes([*content[:i], content[i] ^ 1, *content[i + 1 :]]) for i in range(len(content))]
        forged = [base64.urlsafe_b64encode(each).decode() for each in [*changed, content[:-1], content + b"0"]]
        for each in [*forged, "", "?", "é", "x" * 5000, cursor + "=", cursor[:-1]]:
            with pytest.raises(InvalidCursor):
                read(store, each, 1)


def test_a_cursor_says_nothing_of_the_table(store: Store, lists: Lists) -> None:
    for read, _ in each_list(lists):
        cursor = read(store, None, 1).cursor
        assert cursor is not None
        assert b"#" not in base64.urlsafe_b64decode(cursor)


def test_a_page_begins_where_the_last_ended_whatever_came_meanwhile(
    store: Store, examples: Examples, lists: Lists
) -> None:
    first = store.merchants(cursor=None, limit=2)
    store.commit(Create(examples.merchant()))
    second = store.merchants(cursor=first.cursor, limit=100)
    assert [*first.items, *second.items] == lists.merchants[::-1]


def test_sales_are_listed_by_status_and_by_when_they_were_made(store: Store, examples: Examples) -> None:
    merchant = examples.merchant()
    sales: list[tuple[Transaction, Payment]] = []
    for number in range(7):
        sale = examples.transaction(merchant, customer_id="buyer-t")
        payment = replace(examples.new_payment(sale), refused=number % 3 == 0)
        store.commit(Create(sale), Create(payment))
        sales.append((sale, payment))
    newest_first = sales[::-1]
    for owner in (
        {"merchant_id": merchant.id, "customer_id": None},
        {"merchant_id": None, "customer_id": "buyer-t"},
        {"merchant_id": None, "customer_id": None},
    ):

        def reading(owner: Any = owner, **which: Any) -> Reader:
            return lambda s, c, n: s.transactions(**owner, cursor=c, limit=n, **which)

        for first in range(8):
            for end in range(8):
                read = reading(since=_made(sales, first), until=_made(sales, end))
                expected = [sale for at, sale in enumerate(sales) if first <= at < end][::-1]
                assert [sale for page in read_whole(read, store, 2) for sale in page] == expected
        read_refused = reading(status=TransactionStatus.REFUSED)
        refused = read_whole(read_refused, store, 2)
        assert [len(page) for page in refused] == [1, 1, 0, 1]
        assert [sale for page in refused for sale in page] == [sale for sale in newest_first if sale[1].refused]
        cursor = read_refused(store, None, 2).cursor
        for other in ({}, {"status": TransactionStatus.PAID}, {"since": _made(sales, 0)}, {"until": _made(sales, 6)}):
            with pytest.raises(InvalidCursor):
                reading(**other)(store, cursor, 2)


def test_refunds_are_listed_to_whom_they_concern_by_status_and_by_when_they_were_made(
    store: Store, examples: Examples
) -> None:
    one, other = examples.merchant(), examples.merchant()
    legs = tuple(Leg(merchant_id=each.id, account_id="acct_1", amount=50, fee=5) for each in (one, other))
    cart = examples.transaction(one, legs=legs, charge_type=ChargeType.SEPARATE)
    theirs = [RefundPart(merchant_id=each.id, amount=5, fee=0) for each in (one, other)]
    parts = [(), (theirs[0],), (theirs[1],), tuple(theirs), (theirs[0],)]
    made = [
        refunded(store, examples, cart, parts=part, status=RefundStatus.FAILED if at % 2 else RefundStatus.PENDING)
        for at, part in enumerate(parts)
    ]
    for whose, numbers in ((None, [4, 3, 2, 1, 0]), (one.id, [4, 3, 1, 0]), (other.id, [3, 2, 0])):

        def reading(whose: str | None = whose, **which: Any) -> Reader:
            return lambda s, c, n: s.refunds(whose, cursor=c, limit=n, **which)

        def listed(limit: int, read: Reader) -> list[int]:
            return [made.index(each) for page in read_whole(read, store, limit) for each in page]

        assert listed(2, reading()) == numbers
        assert listed(2, reading(status=RefundStatus.FAILED)) == [each for each in numbers if each % 2]
        when: Any = {"since": made[0].created_at, "until": made[2].created_at}  # a second after its id was made
        assert listed(2, reading(**when)) == [each for each in numbers if 1 <= each < 3]
        cursor = reading()(store, None, 1).cursor
        other_filters: Any = ({"status": RefundStatus.FAILED}, when)
        for which in other_filters:
            with pytest.raises(InvalidCursor):
                reading(**which)(store, cursor, 1)


def _made(sales: list[tuple[Transaction, Payment]], number: int) -> datetime:
    """When a sale was made, or a moment after the last."""
    return sales[number][0].created_at if number < len(sales) else sales[-1][0].created_at + timedelta(seconds=1)
