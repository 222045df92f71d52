"""What happened at Stripe without being asked for here: disputes, refunds of the Dashboard and of merchants.

Such events name only a charge; the charge is read to learn whose it is, and its payment brought up to date first, since
its own events may still be on their way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from marketplace.domain import shares
from marketplace.domain.books import Books
from marketplace.domain.dispute_plans import apportioned, new_dispute
from marketplace.domain.disputes import Dispute, join
from marketplace.domain.errors import Unavailable
from marketplace.domain.ids import id_from
from marketplace.domain.movements import MovementStatus, Reversal
from marketplace.domain.principals import SYSTEM
from marketplace.domain.readings import DisputeReading, ForeignRefundReading, ReturnReading
from marketplace.domain.refund_plans import refund_parts
from marketplace.domain.refunds import Refund, RefundFacts, RefundStatus
from marketplace.domain.refunds import join as join_refund
from marketplace.domain.share_postings import reversal_entry
from marketplace.domain.shares import Hold, Share
from marketplace.domain.stripe_objects import at, charge_facts, refund_facts, was_not_asked_for
from marketplace.domain.transactions import join as join_payment
from marketplace.domain.transfers import share_by_stripe
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Replace
from marketplace.services.commands import follow_up
from marketplace.services.gaps import up_to_date
from marketplace.services.invoice_following import sale_of_charge
from marketplace.services.recovery import dispute_step, recovery_changes, refund_made, refund_step
from marketplace.services.settlement import payment_changes


class Heard(NamedTuple):
    """What an event about a transaction changes."""

    transaction_id: str
    changes: Sequence[Change]


def heard_of(ports: Ports, reading: DisputeReading | ForeignRefundReading | ReturnReading) -> Heard | None:
    """What such an event changes; None where its charge is not ours. Raises Unavailable."""
    match reading:
        case DisputeReading():
            return dispute_changes(ports, reading)
        case ForeignRefundReading():
            return refund_changes(ports, reading)
        case ReturnReading():
            return return_changes(ports, reading)


def dispute_changes(ports: Ports, reading: DisputeReading) -> Heard | None:
    """What a dispute's event changes; None where its charge is not ours.

    Raises:
        Unavailable: Stripe or DynamoDB did not answer.
    """
    books = _books_of(ports, reading.facts.charge_id)
    if books is None:
        return None
    found = _dispute_in(books, reading.facts.stripe_dispute_id)
    withdraws = reading.facts.withdrawn and not (found and found.withdrawn)
    if withdraws and reading.facts.withdrawn > _left(books):
        books = up_to_date(ports, books, reading.facts.charge_id)
        found = _dispute_in(books, reading.facts.stripe_dispute_id)
    after = join(found or new_dispute(books, reading.facts), reading.facts)
    if withdraws:
        _require_split(books)
        policy = ports.policy.money
        after = apportioned(books, after, recovers=policy.recovers_disputes, recovers_fee=policy.recovers_dispute_fees)
    return Heard(books.transaction.id, dispute_step(ports, books, found, after))


def refund_changes(ports: Ports, reading: ForeignRefundReading) -> Heard | None:
    """What the event of a refund that was made elsewhere changes; None where its charge is not ours.

    It is taken in as if it had been asked for here, and recovered by policy: a destination charge's that took its
    transfer along is recovered already. Where we split that charge, what Stripe took has come back of the merchant's
    share, and what of it is not its part is evened out.
    """
    books = _books_of(ports, reading.charge_id)
    if books is None:
        return None
    refund_id = id_from("refund", reading.facts.created, reading.facts.stripe_refund_id, owner=books.transaction.id)
    if refund_id not in books.refunds and reading.amount > _left(books):
        books = up_to_date(ports, books, reading.charge_id)
    if refund_id not in books.refunds:
        _require_split(books)
    took_along = reading.took_transfer_along
    if took_along and books.transaction.is_split_when_completed:
        books, took_along = _with_reversal(ports, books, reading), False
    found = books.refunds.get(refund_id)
    before = found or _heard_of(ports, books, refund_id, reading, is_recovered=took_along)
    after = join_refund(before, reading.facts)
    if took_along and after.recovery is None:
        after = join_refund(after, _with_recovery(ports, reading))
    if found is not None:
        return Heard(books.transaction.id, refund_step(ports, books.transaction, books.payment, found, after))
    paid = books.payment
    reserved = paid.refund_reserved + (after.amount if after.is_reserved else 0)
    counted = replace(paid, refund_reserved=reserved, refund_count=paid.refund_count + 1)
    made = refund_made(after, books.transaction)
    changes = [*made, Replace(paid, counted), *recovery_changes(ports, books.transaction, before, after)]
    return Heard(books.transaction.id, changes)


def return_changes(ports: Ports, reading: ReturnReading) -> Heard | None:
    """What it changes that a merchant gave money back by itself; None where the transfer is not ours.

    The platform has the money and owes it to the merchant again: its share is held until an operator releases it or
    refunds the buyer.

    Raises:
        Unavailable: the transfer is not on record yet; Stripe or DynamoDB did not answer.
    """
    books = _books_of_transfer(ports, reading)
    if books is None:
        return None
    share = _share_of_transfer(ports, books, reading.stripe_transfer_id)
    made: Iterable[Mapping[str, Any]] = reading.returned
    if not reading.is_complete:
        listed = ports.stripe.each(Operation.LIST_REVERSALS, reading.stripe_transfer_id, params={"limit": 100})
        made = [each for each in listed if was_not_asked_for(each)]
    known = {each.stripe_reversal_id for each in share.reversals}
    entries = []
    after = share
    for each in made:
        if each["id"] not in known:
            returned = _returned(after, reading.stripe_transfer_id, each)
            after = shares.give_back(after, returned)
            entries.append(reversal_entry(after, returned, at(each["created"]), pays_debt=False))
    is_new = share.merchant_id not in books.shares
    changes: list[Change] = [] if after == share else [Create(after) if is_new else Replace(share, after)]
    return Heard(books.transaction.id, [*changes, *map(Create, entries)])


def _books_of_transfer(ports: Ports, reading: ReturnReading) -> Books | None:
    if reading.transaction_id:
        return ports.store.books(reading.transaction_id, visible_to=SYSTEM)
    return _books_of(ports, reading.charge_id) if reading.charge_id else None


def _share_of_transfer(ports: Ports, books: Books, stripe_transfer_id: str) -> Share:
    """The share that a transfer paid; a destination charge's is made when it is first needed."""
    for share in books.shares.values():
        if any(each.stripe_transfer_id == stripe_transfer_id for each in share.transfers):
            return share
    if books.payment.transfer_id == stripe_transfer_id:
        return share_by_stripe(books, "returned", ports.clock.now())
    raise Unavailable("the transfer is not on record yet")


def _returned(share: Share, stripe_transfer_id: str, made: Mapping[str, Any]) -> Reversal:
    transfer = next(each for each in share.transfers if each.stripe_transfer_id == stripe_transfer_id)
    return Reversal(
        id=id_from("reversal", at(made["created"]), made["id"], owner=share.transaction_id),
        transfer_id=transfer.id,
        command_id=None,
        amount=made["amount"],
        cause=Hold.RETURNED,
        status=MovementStatus.SUCCEEDED,
        stripe_reversal_id=made["id"],
        created_at=at(made["created"]),
    )


def _with_recovery(ports: Ports, reading: ForeignRefundReading) -> RefundFacts:
    """The facts with what Stripe took off the transfer, which the event only names."""
    expand = {"expand": ["transfer_reversal"]}
    made = ports.stripe.read(Operation.READ_REFUND, reading.facts.stripe_refund_id, params=expand)
    return replace(reading.facts, recovery=refund_facts(made).recovery)


def _with_reversal(ports: Ports, books: Books, reading: ForeignRefundReading) -> Books:
    """The books with what Stripe took off the transfer with a refund, as a reversal of the share.

    It is a commit of its own: the refund's own touches the share again. A crash between the two is made good when the
    event comes again.
    """
    made = ports.stripe.read(
        Operation.READ_REFUND, reading.facts.stripe_refund_id, params={"expand": ["transfer_reversal"]}
    )["transfer_reversal"]
    share = books.shares[books.leg.merchant_id]
    if any(each.stripe_reversal_id == made["id"] for each in share.reversals):
        return books
    returned = _returned(share, str(books.payment.transfer_id), made)
    after = shares.take_back(share, returned)
    entry = reversal_entry(after, returned, at(made["created"]), pays_debt=False)
    ports.store.commit(Replace(share, after), Create(entry))
    return ports.store.books(books.transaction.id, visible_to=SYSTEM) or books


def _require_split(books: Books) -> None:
    """Raises Unavailable: what comes of it cannot be told yet."""
    if not books.is_split:
        raise Unavailable("it is not known yet whose the payment is")


def _heard_of(
    ports: Ports, books: Books, refund_id: str, reading: ForeignRefundReading, *, is_recovered: bool
) -> Refund:
    amount = min(reading.amount, _left(books))  # the platform bears what is beyond
    recovers = ports.policy.money.recovers_foreign_refunds and amount > 0 and not is_recovered
    parts = refund_parts(books, amount, merchant_id=None, returns_fee=True) if recovers else ()
    return Refund(
        id=refund_id,
        transaction_id=books.transaction.id,
        command_id=None,
        amount=reading.amount,
        currency=books.transaction.currency,
        fee=sum(part.fee for part in parts),
        returns_fee=True,
        reason=reading.reason,
        status=RefundStatus.REQUESTED,
        parts=parts,
        is_loss=not parts and not is_recovered,
        created_at=reading.facts.created,
    )


def _left(books: Books) -> int:
    """Minor units that no refund and no dispute has taken yet."""
    return sum(books.refundable_of(leg.merchant_id) for leg in books.transaction.legs)


def _dispute_in(books: Books, stripe_dispute_id: str) -> Dispute | None:
    found = (each for each in books.disputes.values() if each.stripe_dispute_id == stripe_dispute_id)
    return next(found, None)


def _books_of(ports: Ports, charge_id: str) -> Books | None:
    """The books of a charge's transaction, its payment as the charge says."""
    charge = ports.stripe.read(Operation.READ_CHARGE, charge_id)
    transaction_id = (charge.get("metadata") or {}).get("transaction_id") or sale_of_charge(ports, charge)
    books = ports.store.books(str(transaction_id), visible_to=SYSTEM) if transaction_id else None
    if books is None or books.payment.is_settled:
        return books
    _bring_up_to_date(ports, books, charge)
    return ports.store.books(books.transaction.id, visible_to=SYSTEM)


def _bring_up_to_date(ports: Ports, books: Books, charge: Mapping[str, Any]) -> None:
    before = books.payment
    after = join_payment(before, charge_facts(charge))
    changes = payment_changes(ports, books.transaction, before, after)
    ports.store.commit(*changes)
    follow_up(ports, changes)
