"""Which merchant's part of a sale a refund concerns, and what of it the platform gives of its fee."""

from collections.abc import Iterable

from marketplace.domain.books import Books
from marketplace.domain.errors import NotFound, RefundExceedsRest
from marketplace.domain.money import allocate, part_of, smallest_payable
from marketplace.domain.refunds import Refund, RefundPart


def refund_parts(books: Books, amount: int, *, merchant_id: str | None, returns_fee: bool) -> tuple[RefundPart, ...]:
    """The parts of a refund of ``amount`` minor units: of one merchant, or of all by what is left of each.

    In proportion to what is left, so that any number of refunds closes at exactly zero on every leg: of 30.00, 30.00
    and 30.00, refunds of 10.00 are 3.34, 3.33, 3.33, then 3.33, 3.34, 3.33, and so on to the last cent.

    Raises:
        NotFound: the merchant has no part in this sale.
        RefundExceedsRest: more than is left of the merchant's part.
    """
    left = {leg.merchant_id: books.refundable_of(leg.merchant_id) for leg in books.transaction.legs}
    if merchant_id is not None:
        if merchant_id not in left:
            raise NotFound("merchant")
        left = {merchant_id: left[merchant_id]}
    if amount > sum(left.values()):
        raise RefundExceedsRest(amount, sum(left.values()))
    step = smallest_payable(books.transaction.currency)
    amounts = allocate(amount, list(left.values()), step=step)
    return tuple(
        RefundPart(
            merchant_id=merchant,
            amount=part,
            fee=fee_to_return(books, merchant, part) if returns_fee else 0,
        )
        for merchant, part in zip(left, amounts, strict=True)
        if part
    )


def fee_to_return(books: Books, merchant_id: str, amount: int) -> int:
    """Minor units of a leg's fee that go back with a refund of ``amount`` of it that returns the fee.

    Rounded on the running total, not on each refund: a fee of 10 on 99, refunded 33, 33 and 33, goes back as
    3, 4 and 3 and closes at zero. A refund that keeps the fee keeps its own part of it for good.
    """
    of_leg, fee = books.leg_amounts(merchant_id)
    returning = [part for refund in _returning(books.refunds.values()) for part in books.parts_of(refund)]
    returning += [part for dispute in books.disputes.values() if dispute.standing for part in dispute.parts]
    earlier = [part for part in returning if part.merchant_id == merchant_id]
    running_total = sum(part.amount for part in earlier) + amount
    due = part_of(fee, running_total, of_leg, step=smallest_payable(books.transaction.currency))
    return max(0, due - sum(part.fee for part in earlier))


def _returning(refunds: Iterable[Refund]) -> list[Refund]:
    return [refund for refund in refunds if refund.is_reserved and refund.returns_fee]
