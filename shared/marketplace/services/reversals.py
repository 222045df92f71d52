"""Transfers read and listed, and taken back by an operator."""

from dataclasses import replace
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.errors import FilterRequired, NotFound, Unavailable
from marketplace.domain.ids import owner_of
from marketplace.domain.principals import Principal, Role
from marketplace.domain.shares import Share, take_back_by_hand
from marketplace.domain.transfers import BookedTransfer, require_reversible, transfers_of
from marketplace.ports import Change, Conflict, Create, Page, Ports, Replace
from marketplace.services.commands import perform_once, replay, require_done
from marketplace.services.idempotency import Once
from marketplace.services.shares import reversal_of
from marketplace.services.transactions import list_transactions, read_books, read_transaction
from marketplace.services.transfers import REVERSE_TRANSFER

MOST_ROUNDS: Final = 5


def read_transfer(ports: Ports, caller: Principal, transfer_id: str) -> BookedTransfer:
    """A transfer, to operators and its merchant. Raises NotAllowed, NotFound."""
    caller.require(Role.OPERATOR, Role.MERCHANT)
    books = ports.store.books(owner_of("transfer", transfer_id) or "", visible_to=caller)
    return _in(books, caller, transfer_id)


def list_transfers(
    ports: Ports, caller: Principal, *, transaction_id: str | None, merchant_id: str | None, cursor: str | None,
    limit: int,
) -> Page[BookedTransfer]:  # fmt: skip
    """The transfers of a sale, of a merchant's sales or of all: those of up to ``limit`` sales on a page, newest first.

    One read for each sale of the page, whatever the merchant has sold before.

    Raises:
        NotAllowed, NotFound, FilterRequired, InvalidCursor.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    if transaction_id is not None:
        if merchant_id is not None:
            raise FilterRequired("at most one of transaction_id and merchant_id")
        return Page(items=_seen(caller, read_transaction(ports, caller, transaction_id)), cursor=None)
    page = list_transactions(ports, caller, merchant_id=merchant_id, customer_id=None, cursor=cursor, limit=limit)
    of_merchant = caller.merchant_id or merchant_id
    sales = [read_books(ports, sale.id) for sale, payment in page.items if payment.paid_at is not None]
    found = [each for books in sales for each in _seen(caller, books, of_merchant)]
    return Page(items=tuple(found), cursor=page.cursor)


def reverse_transfer(
    ports: Ports, caller: Principal, transfer_id: str, once: Once, *, amount: int | None, reason: str
) -> BookedTransfer:
    """Take a transfer back, all that is with the merchant or ``amount`` minor units of it.

    The money is the merchant's still: it is held for it until an operator releases it or refunds the buyer. Where the
    merchant's balance is too low Stripe refuses, and nothing has changed.

    Raises:
        NotAllowed, NotFound, TransferNotReversible, ReversalExceedsRest, InvalidAmount, TooManyMovements,
        StripeRefused, OutcomeUnknown, IdempotencyKeyReused, RequestUnderWay, Unavailable.
    """
    caller.require(Role.OPERATOR)
    for _ in range(MOST_ROUNDS):
        found = read_transfer(ports, caller, transfer_id)
        used = found.books.idempotency.get(once.scope)
        if used is not None:
            require_done(replay(ports, REVERSE_TRANSFER, once, used))
            return read_transfer(ports, caller, transfer_id)
        wanted = found.reversible if amount is None else amount
        require_reversible(found, wanted)
        reversal, command = reversal_of(ports, found.share, found.transfer, wanted, reason, is_by_hand=True)
        books, change = _taken(
            found, take_back_by_hand(found.share, reversal, recovered=found.books.recovered(found.share.merchant_id))
        )
        try:
            require_done(perform_once(ports, REVERSE_TRANSFER, once, command, books, change))
        except Conflict:
            continue
        return read_transfer(ports, caller, transfer_id)
    raise Unavailable("the share keeps changing")


def _taken(found: BookedTransfer, after: Share) -> tuple[Books, Change]:
    """The books as they will stand, and the change; a destination charge's share is made when it is first needed."""
    merchant_id, shares = after.merchant_id, found.books.shares
    if merchant_id not in shares:
        return replace(found.books, shares={merchant_id: after}), Create(after)
    change = Replace(found.share, after)
    return replace(found.books, shares={**shares, merchant_id: change.stored}), change


def _in(books: Books | None, caller: Principal, transfer_id: str) -> BookedTransfer:
    found = next((each for each in _seen(caller, books) if each.transfer.id == transfer_id), None)
    if found is None:
        raise NotFound("transfer")
    return found


def _seen(caller: Principal, books: Books | None, merchant_id: str | None = None) -> tuple[BookedTransfer, ...]:
    """The transfers of a sale that the caller may see, of one merchant or of all."""
    found = [] if books is None else transfers_of(books)
    seen = (each for each in found if caller.sees_merchant(each.share.merchant_id))
    return tuple(each for each in seen if merchant_id in {None, each.share.merchant_id})
