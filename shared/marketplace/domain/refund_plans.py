"""Which merchant's part of a sale a refund concerns, and what of it the platform gives of its fee."""

from collections import Counter
from collections.abc import Iterable, Mapping

from marketplace.domain.books import Books
from marketplace.domain.errors import NotFound, RefundExceedsRest
from marketplace.domain.money import allocate, part_of, smallest_payable
from marketplace.domain.refunds import Refund, RefundedLine, RefundPart


def refund_parts(books: Books, amount: int, *, merchant_id: str | None, returns_fee: bool) -> tuple[RefundPart, ...]:
    """The parts of a refund of ``amount`` minor units: of one merchant, or of all by what is left of each.

    In proportion to what is left, so that any number of refunds closes at exactly zero on every leg: of 30.00, 30.00
    and 30.00, refunds of 10.00 are 3.34, 3.33, 3.33, then 3.33, 3.34, 3.33, and so on to the last cent.

    Raises:
        NotFound: the merchant has no part in this sale.
        RefundExceedsRest: more than is left of the merchant's part.
    """
    left = _left(books)
    if merchant_id is not None:
        if merchant_id not in left:
            raise NotFound("merchant")
        left = {merchant_id: left[merchant_id]}
    if amount > sum(left.values()):
        raise RefundExceedsRest(amount, sum(left.values()))
    step = smallest_payable(books.transaction.currency)
    amounts = allocate(amount, list(left.values()), step=step)
    return _parts(books, dict(zip(left, amounts, strict=True)), returns_fee=returns_fee)


def parts_of_lines(books: Books, lines: Iterable[RefundedLine], *, returns_fee: bool) -> tuple[RefundPart, ...]:
    """The parts of a refund of line items: each merchant's own.

    Raises:
        RefundExceedsRest: other refunds have taken of a merchant's part what these lines would give back.
    """
    left, amounts = _left(books), Counter[str]()
    for line in lines:
        amounts[line.merchant_id] += line.amount
    for merchant_id, amount in amounts.items():
        if amount > left[merchant_id]:
            raise RefundExceedsRest(amount, left[merchant_id])
    return _parts(books, amounts, returns_fee=returns_fee)


def _left(books: Books) -> dict[str, int]:
    return {leg.merchant_id: books.refundable_of(leg.merchant_id) for leg in books.transaction.legs}


def _parts(books: Books, amounts: Mapping[str, int], *, returns_fee: bool) -> tuple[RefundPart, ...]:
    return tuple(
        RefundPart(
            merchant_id=merchant_id,
            amount=amount,
            fee=fee_to_return(books, merchant_id, amount) if returns_fee else 0,
        )
        for merchant_id, amount in amounts.items()
        if amount
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
