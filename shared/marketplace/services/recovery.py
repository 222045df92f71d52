"""What a step of a refund or dispute changes: the journal, and the shares that give or get money back."""

from collections.abc import Sequence
from dataclasses import replace

from marketplace.domain import share_postings
from marketplace.domain.books import Books
from marketplace.domain.disputes import Dispute
from marketplace.domain.postings import refund_entries
from marketplace.domain.refunds import Refund, release
from marketplace.domain.shares import MovementStatus, Share, Transfer
from marketplace.domain.transactions import Payment, Transaction
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
    written: list[Change] = [Create(after)] if before is None else [] if after == before else [Replace(before, after)]
    known = replace(books, disputes={**books.disputes, after.id: after})
    for merchant_id in _concerned(known, earlier, after, is_new=before is None):
        written += touch_share(ports, known, merchant_id, after.id)
    return [*written, *map(Create, share_postings.dispute_entries(earlier, after))]


def touch_share(ports: Ports, books: Books, merchant_id: str, cause: str) -> list[Change]:
    """A merchant's share touched; that of a destination charge is made when it is first needed."""
    if merchant_id in books.shares:
        return touched(books, [merchant_id], cause, ports.clock.now())
    return [Create(share_of_destination(ports, books, cause))]


def _concerned(books: Books, before: Dispute, after: Dispute, *, is_new: bool) -> Sequence[str]:
    """The merchants whose shares this step of a dispute changes: money moved, or releases stop or go on."""
    money_moved = (before.withdrawn, before.reinstated) != (after.withdrawn, after.reinstated)
    stops_or_goes_on = is_new or before.is_under_way is not after.is_under_way
    shares = books.shares.keys() if stops_or_goes_on else frozenset[str]()
    return sorted({*(after.bearers if money_moved else ()), *shares})


def share_of_destination(ports: Ports, books: Books, cause: str) -> Share:
    """What Stripe split by itself, as a share: one transfer that has arrived, of what the fee left of it."""
    leg, payment, now = books.leg, books.payment, ports.clock.now()
    amount, fee = payment.captured or 0, payment.application_fee_amount or 0
    transfer = Transfer(
        id=ports.ids.new("transfer", owner=books.transaction.id),
        command_id=None,
        amount=amount - fee,
        status=MovementStatus.SUCCEEDED,
        stripe_transfer_id=payment.transfer_id,
        created_at=now,
    )
    return Share(
        transaction_id=books.transaction.id,
        merchant_id=leg.merchant_id,
        account_id=leg.account_id,
        amount=amount,
        fee=fee,
        currency=books.transaction.currency,
        charge_type=books.transaction.charge_type,
        is_settled=True,
        released=amount - fee,
        cause=cause,
        transfers=(transfer,),
        created_at=now,
        due_at=now,
    )
