"""Which merchant bears what of a dispute."""

from dataclasses import replace

from marketplace.domain.books import Books
from marketplace.domain.disputes import Dispute, DisputeFacts
from marketplace.domain.ids import id_from
from marketplace.domain.money import allocate, smallest_payable
from marketplace.domain.refund_plans import part_to_return


def new_dispute(books: Books, facts: DisputeFacts) -> Dispute:
    """A dispute that was heard of for the first time; its id follows from Stripe's, so that it is one whoever hears."""
    return Dispute(
        id=id_from("dispute", facts.created, facts.stripe_dispute_id, owner=books.transaction.id),
        transaction_id=books.transaction.id,
        merchant_ids=tuple(leg.merchant_id for leg in books.transaction.legs),
        stripe_dispute_id=facts.stripe_dispute_id,
        charge_id=facts.charge_id,
        amount=facts.amount,
        currency=facts.currency,
        reason=facts.reason,
        status=facts.status,
        created_at=facts.created,
    )


def apportioned(books: Books, dispute: Dispute, *, recovers: bool, recovers_fee: bool) -> Dispute:
    """The dispute with who bears what of the money that left, in proportion to what is left of each leg.

    What was refunded already cannot be taken from a merchant again: a bank that takes it all the same takes it from
    the platform.
    """
    if not recovers:
        return dispute
    left = {leg.merchant_id: max(0, books.refundable_of(leg.merchant_id)) for leg in books.transaction.legs}
    whole = sum(left.values())
    if not whole:
        return dispute
    step = smallest_payable(dispute.currency)
    amounts = allocate(min(dispute.withdrawn, whole), list(left.values()), step=step)
    parts = tuple(
        part_to_return(books, merchant_id, amount, returns_fee=True)
        for merchant_id, amount in zip(left, amounts, strict=True)
        if amount
    )
    fees = allocate(dispute.fee, [part.amount for part in parts], step=step) if recovers_fee else []
    fee_parts = {part.merchant_id: fee for part, fee in zip(parts, fees, strict=False) if fee}
    return replace(dispute, parts=parts, dispute_fee_parts=fee_parts)
