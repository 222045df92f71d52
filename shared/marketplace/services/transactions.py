"""Read what was sold: one transaction with all of its books, and lists of all, of a merchant or a customer."""

from datetime import datetime

from marketplace.domain.books import Books
from marketplace.domain.errors import FilterRequired, NotFound
from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.transactions import Payment, Transaction, TransactionStatus
from marketplace.ports import Page, Ports
from marketplace.services.pages import first_that_fit


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
    """Transactions, newest first: a merchant's own, a buyer's own, or for an operator those of the filter or all.

    Raises:
        FilterRequired: an operator names a merchant and a customer.
        InvalidCursor.
    """
    match caller.role:
        case Role.MERCHANT:
            merchant_id, customer_id = caller.merchant_id, None
        case Role.BUYER:
            merchant_id, customer_id = None, caller.subject
    if merchant_id is not None and customer_id is not None:
        raise FilterRequired("at most one of merchant_id and customer_id")

    def read(cursor: str | None, limit: int) -> Page[tuple[Transaction, Payment]]:
        return ports.store.transactions(
            merchant_id=merchant_id, customer_id=customer_id, cursor=cursor, limit=limit, status=status, since=since,
            until=until,
        )  # fmt: skip

    return first_that_fit(read, cursor, limit) if status else read(cursor, limit)
