"""Which merchant's part of a sale a refund concerns, and what of it the platform gives of its fee."""

from collections.abc import Iterable, Mapping

from marketplace.domain.books import Books
from marketplace.domain.errors import NotFound, RefundExceedsRest
from marketplace.domain.money import allocate, smallest_payable
from marketplace.domain.portions import Whose, added, returned
from marketplace.domain.refunds import RefundedLine, RefundPart


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
    left, of_merchant = _left(books), dict[str, list[RefundedLine]]()
    for line in lines:
        of_merchant.setdefault(line.merchant_id, []).append(line)
    parts = []
    for merchant_id, own in of_merchant.items():
        amount = sum(line.amount for line in own)
        if amount > left[merchant_id]:
            raise RefundExceedsRest(amount, left[merchant_id])
        wanted = Whose(added(line.taxes for line in own), added(line.promotions for line in own))
        if amount:
            parts.append(part_to_return(books, merchant_id, amount, returns_fee=returns_fee, wanted=wanted))
    return tuple(parts)


def _left(books: Books) -> dict[str, int]:
    return {leg.merchant_id: books.refundable_of(leg.merchant_id) for leg in books.transaction.legs}


def _parts(books: Books, amounts: Mapping[str, int], *, returns_fee: bool) -> tuple[RefundPart, ...]:
    return tuple(
        part_to_return(books, merchant_id, amount, returns_fee=returns_fee)
        for merchant_id, amount in amounts.items()
        if amount
    )


def part_to_return(
    books: Books, merchant_id: str, amount: int, *, returns_fee: bool, wanted: Whose | None = None
) -> RefundPart:
    """A merchant's part of a refund or dispute of ``amount`` minor units of its leg, by domain/portions.py.

    A fee of 10 on 99, refunded 33, 33 and 33, goes back as 3, 4 and 3 and closes at zero. ``wanted`` is what of it is
    tax and promotion where it is asked for by lines.
    """
    reserved = [refund for refund in books.refunds.values() if refund.is_reserved]
    disputed = [part for dispute in books.disputes.values() if dispute.standing for part in dispute.parts]
    with_fee = [part for refund in reserved if refund.returns_fee for part in books.parts_of(refund)] + disputed
    of_lines = [part for refund in reserved if refund.lines for part in books.parts_of(refund)]
    by_amount = [part for refund in reserved if not refund.lines for part in books.parts_of(refund)] + disputed
    part = returned(
        books.portion_of(merchant_id),
        amount,
        earlier=[each for each in by_amount if each.merchant_id == merchant_id],
        fee_with=[each for each in with_fee if each.merchant_id == merchant_id],
        step=smallest_payable(books.transaction.currency),
        returns_fee=returns_fee,
        of_lines=[each for each in of_lines if each.merchant_id == merchant_id],
        wanted=wanted,
    )
    return RefundPart(
        merchant_id=merchant_id,
        amount=amount,
        fee=part.fee,
        taxes=part.taxes,
        promotions=part.promotions,
        tax_liability=part.tax_liability,
    )
