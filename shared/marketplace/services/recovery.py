"""What a step of a refund or dispute changes: the journal, and the shares that give or get money back."""

from collections.abc import Sequence
from dataclasses import replace

from marketplace.domain import share_postings
from marketplace.domain.books import Books
from marketplace.domain.disputes import Dispute, Disputed
from marketplace.domain.postings import refund_entries
from marketplace.domain.refunds import Refund, refunded_by, release
from marketplace.domain.transactions import Payment, Transaction
from marketplace.domain.transfers import share_by_stripe
from marketplace.ports import Change, Create, Ports, Replace
from marketplace.services.shares import touched
from marketplace.services.transactions import read_books


def recovery_changes(ports: Ports, transaction: Transaction, before: Refund, after: Refund) -> Sequence[Change]:
    """The entries that a refund's step owes; the shares that it concerns are touched when it begins to stand, or fails.

    A destination charge's transfer is reversed by Stripe with the refund: there only a failure asks for more.
    """
    if not after.is_apportioned:
        (leg,) = transaction.legs
        changes: list[Change] = [*map(Create, refund_entries(leg, before, after))]
        if after.came_back and not before.came_back and after.recovery is not None:
            changes += touch_share(ports, read_books(ports, transaction.id), leg.merchant_id, after.id)
        return changes
    changes = [*map(Create, share_postings.refund_entries(before, after))]
    if before.stands is not after.stands:
        books = read_books(ports, transaction.id)
        for part in after.parts:
            changes += touch_share(ports, books, part.merchant_id, after.id)
    return changes


def refund_made(refund: Refund, transaction: Transaction) -> Sequence[Change]:
    """A refund that is new, and what lists it to the merchants that it concerns."""
    return [Create(refund), *map(Create, refunded_by(refund, transaction))]


def refund_step(
    ports: Ports, transaction: Transaction, paid: Payment, before: Refund, after: Refund
) -> Sequence[Change]:
    """All that a step of a stored refund changes: itself, what is left to refund, and the merchants."""
    released = release(paid, before, after)
    return [
        *([] if after == before else [Replace(before, after)]),
        *([] if released == paid else [Replace(paid, released)]),
        *recovery_changes(ports, transaction, before, after),
    ]


def dispute_step(ports: Ports, books: Books, before: Dispute | None, after: Dispute) -> Sequence[Change]:
    """All that a step of a dispute changes: itself, the journal, and the merchants that it concerns."""
    earlier = before or replace(after, withdrawn=0, reinstated=0)
    written: list[Change] = [] if after == before else [Replace(before, after)] if before else _opened(after)
    known = replace(books, disputes={**books.disputes, after.id: after})
    for merchant_id in _concerned(known, earlier, after, is_new=before is None):
        written += touch_share(ports, known, merchant_id, after.id)
    return [*written, *map(Create, share_postings.dispute_entries(earlier, after))]


def _opened(dispute: Dispute) -> list[Change]:
    """A dispute that is new, and what lists it to the merchants of the sale."""
    about = (
        Disputed(dispute_id=dispute.id, merchant_id=merchant_id, transaction_id=dispute.transaction_id)
        for merchant_id in dispute.merchant_ids
    )
    return [Create(dispute), *map(Create, about)]


def touch_share(ports: Ports, books: Books, merchant_id: str, cause: str) -> list[Change]:
    """A merchant's share touched; that of a destination charge is made when it is first needed."""
    if merchant_id in books.shares:
        return touched(books, [merchant_id], cause, ports.clock.now())
    return [Create(share_by_stripe(books, cause, ports.clock.now()))]


def _concerned(books: Books, before: Dispute, after: Dispute, *, is_new: bool) -> Sequence[str]:
    """The merchants whose shares this step of a dispute changes: money moved, or releases stop or go on."""
    money_moved = (before.withdrawn, before.reinstated) != (after.withdrawn, after.reinstated)
    stops_or_goes_on = is_new or before.is_under_way is not after.is_under_way
    shares = books.shares.keys() if stops_or_goes_on else frozenset[str]()
    return sorted({*(after.bearers if money_moved else ()), *shares})
