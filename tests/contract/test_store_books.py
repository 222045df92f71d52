"""The books of a transaction: whole, and shown to whom they concern."""

from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.transactions import Transaction
from marketplace.ports import Create, Store
from tests.contract.examples import Examples, create

OPERATOR = Principal(role=Role.OPERATOR, subject="boss")


def test_the_books_hold_all_of_a_transaction_and_nothing_else(
    store: Store, examples: Examples, merchant: Merchant
) -> None:
    sale, other = examples.transaction(merchant), examples.transaction(merchant)
    payment = examples.full_payment(sale)
    refunds = [examples.refund(sale) for _ in range(3)]
    commands = [examples.command(sale.id) for _ in range(2)]
    entries = examples.entries(sale, payment)
    used = examples.idempotency(sale)
    create(store, [merchant, sale, payment, *refunds, *commands, *entries, used])
    create(store, [other, examples.new_payment(other), examples.refund(other), examples.command(other.id)])
    create(store, [examples.command(merchant.id), examples.idempotency(None), examples.idempotency(other)])
    books = store.books(sale.id, visible_to=SYSTEM)
    assert books is not None
    assert (books.transaction, books.payment) == (sale, payment)
    assert books.refunds == {refund.id: refund for refund in refunds}
    assert books.commands == {command.id: command for command in commands}
    assert sorted(books.entries, key=repr) == sorted(entries, key=repr)
    assert books.idempotency == {used.scope: used}


def test_books_longer_than_a_page_are_read_whole(store: Store, examples: Examples, sale: Transaction) -> None:
    long = {"note": "x" * 30_000}
    commands = [examples.command(sale.id, params=long) for _ in range(40)]  # 1.2 MB, a page is 1 MB
    for command in commands:
        store.commit(Create(command))
    books = store.books(sale.id, visible_to=SYSTEM)
    assert books is not None
    assert set(books.commands) == {command.id for command in commands}


def test_books_are_shown_to_whom_they_concern_and_to_nobody_else(
    store: Store, examples: Examples, sale: Transaction
) -> None:
    merchant_id, buyer = sale.legs[0].merchant_id, str(sale.customer_id)
    concerned = [
        SYSTEM,
        OPERATOR,
        Principal(role=Role.MERCHANT, subject="m", merchant_id=merchant_id),
        Principal(role=Role.BUYER, subject=buyer),
    ]
    others = [
        Principal(role=Role.MERCHANT, subject=buyer, merchant_id=examples.id("merchant")),
        Principal(role=Role.MERCHANT, subject=buyer),
        Principal(role=Role.BUYER, subject="somebody"),
        Principal(role=Role.BUYER, subject=merchant_id, merchant_id=merchant_id),
    ]
    assert all(store.books(sale.id, visible_to=caller) is not None for caller in concerned)
    assert all(store.books(sale.id, visible_to=caller) is None for caller in others)


def test_books_of_a_transaction_that_is_not_there_are_none(store: Store, examples: Examples) -> None:
    assert store.books(examples.id("transaction"), visible_to=OPERATOR) is None
