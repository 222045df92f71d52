"""Read what was sold: one transaction with all of its books, and lists by merchant or customer."""

from datetime import datetime
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.errors import FilterRequired, NotFound
from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.transactions import Payment, Transaction, TransactionStatus
from marketplace.ports import Page, Ports

MOST_PAGES_READ: Final = 5  # for one page of a list of which few fit


def read_transaction(ports: Ports, caller: Principal, transaction_id: str) -> Books:
    """A transaction with its payment, refunds and journal entries. Raises NotFound."""
    books = ports.store.books(transaction_id, visible_to=caller)
    if books is None:
        raise NotFound("transaction")
    return books


def read_books(ports: Ports, transaction_id: str) -> Books:
    """The books of a transaction that is known to be there. Raises NotFound."""
    return read_transaction(ports, SYSTEM, transaction_id)


def list_transactions(
    ports: Ports, caller: Principal, *, merchant_id: str | None, customer_id: str | None, cursor: str | None,
    limit: int, status: TransactionStatus | None = None, since: datetime | None = None, until: datetime | None = None,
) -> Page[tuple[Transaction, Payment]]:  # fmt: skip
    """Transactions, newest first: a merchant's own, a buyer's own, or for an operator those of the filter.

    Of a ``status`` a page looks at MOST_PAGES_READ times ``limit`` sales at most: it may be short or empty, and its
    cursor goes on where it ended.

    Raises:
        FilterRequired: an operator names exactly one of merchant and customer.
        InvalidCursor.
    """
    match caller.role:
        case Role.MERCHANT:
            merchant_id, customer_id = caller.merchant_id, None
        case Role.BUYER:
            merchant_id, customer_id = None, caller.subject
    if (merchant_id is None) == (customer_id is None):
        raise FilterRequired("exactly one of merchant_id and customer_id")
    items: list[tuple[Transaction, Payment]] = []
    for _ in range(1 if status is None else MOST_PAGES_READ):
        page = ports.store.transactions(
            merchant_id=merchant_id, customer_id=customer_id, cursor=cursor, limit=limit - len(items), status=status,
            since=since, until=until,
        )  # fmt: skip
        items += page.items
        cursor = page.cursor
        if cursor is None or len(items) == limit:
            break
    return Page(items=tuple(items), cursor=cursor)
