"""Held shares: released by hand, in part, or at a date; or held again as far as they were not sent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from marketplace.domain import shares
from marketplace.domain.books import Books
from marketplace.domain.errors import NotFound, NothingHeld, ReleaseExceedsHeld, Unavailable
from marketplace.domain.holds import require_release_date
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.domain.shares import Hold, Share
from marketplace.ports import Change, Conflict, Create, Ports, Replace
from marketplace.services.commands import follow_up
from marketplace.services.idempotency import Once
from marketplace.services.transactions import read_transaction

MOST_ROUNDS: Final = 5


def release(
    ports: Ports, caller: Principal, transaction_id: str, once: Once, *, merchant_id: str | None = None,
    amount: int | None = None,
) -> Books:  # fmt: skip
    """Let held shares be sent: one merchant's or all, in whole or ``amount`` minor units of each.

    A share whose merchant is not ready or whose sale is disputed is released all the same, and sent when that ends.

    Raises:
        NotAllowed, NotFound, NothingHeld, ReleaseExceedsHeld, InvalidAmount, IdempotencyKeyReused, Unavailable.
    """

    def released(books: Books, share: Share) -> Share | None:
        held = share.own - share.released
        if share.hold is Hold.RETURNED:
            return replace(shares.release(share), due_at=ports.clock.now())
        if held <= 0 or not share.is_settled:
            return None
        if amount is not None:
            require_payable(amount, books.transaction.currency)
            if amount > held:
                raise ReleaseExceedsHeld(amount, held)
        return replace(shares.release(share, amount), due_at=ports.clock.now())

    return _change(ports, caller, transaction_id, once, merchant_id, released)


def hold(
    ports: Ports, caller: Principal, transaction_id: str, once: Once, *, merchant_id: str | None = None,
    release_at: datetime | None = None,
) -> Books:  # fmt: skip
    """Keep back what was not sent yet of one merchant's share or of all, until a release or ``release_at``.

    Raises:
        NotAllowed, NotFound, InvalidReleaseDate, IdempotencyKeyReused, Unavailable.
        NothingHeld: all of it was sent.
    """
    require_release_date(release_at, ports.clock.now())

    def held(books: Books, share: Share) -> Share | None:
        had = share.had - books.recovered(share.merchant_id)
        if had >= share.own - books.given_back(share.merchant_id):
            return None
        kept = replace(share, released=max(0, had))
        return replace(shares.hold(kept, Hold.BY_HAND, release_at=release_at), due_at=ports.clock.now())

    return _change(ports, caller, transaction_id, once, merchant_id, held)


def _change(
    ports: Ports, caller: Principal, transaction_id: str, once: Once, merchant_id: str | None,
    act: Callable[[Books, Share], Share | None],
) -> Books:  # fmt: skip
    """Change shares once under an Idempotency-Key, and even them out."""
    caller.require(Role.OPERATOR)
    for _ in range(MOST_ROUNDS):
        books = read_transaction(ports, caller, transaction_id)
        used = books.idempotency.get(once.scope)
        if used is not None:
            once.require_same(used)
            return books
        moved = [(share, after) for share in _of(books, merchant_id) if (after := act(books, share)) is not None]
        if not moved:
            raise NothingHeld("nothing of it is held")
        changes: Sequence[Change] = [Replace(before, after) for before, after in moved]
        try:
            ports.store.commit(Create(once.used_alone(transaction_id, ports.clock.now())), *changes)
        except Conflict:
            continue
        follow_up(ports, changes)
        return read_transaction(ports, caller, transaction_id)
    raise Unavailable("the shares keep changing")


def _of(books: Books, merchant_id: str | None) -> Sequence[Share]:
    if merchant_id is None:
        return list(books.shares.values())
    if merchant_id not in books.shares:
        raise NotFound("merchant")
    return [books.shares[merchant_id]]
