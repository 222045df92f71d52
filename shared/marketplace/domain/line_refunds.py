"""Refunds of lines of a basket: what some of a line's items cost of what was captured, and how many are left."""

from collections.abc import Mapping, Sequence

from marketplace.domain.books import Books
from marketplace.domain.errors import LineExceedsRest, NotFound, TransactionNotRefundable
from marketplace.domain.money import allocate, part_of, smallest_payable
from marketplace.domain.principals import Principal
from marketplace.domain.refunds import RefundedLine


def refunded_lines(books: Books, caller: Principal, wanted: Mapping[int, int | None]) -> tuple[RefundedLine, ...]:
    """Lines to be refunded, by their number in the basket: so many of each, or all that are left (None).

    What a refund gives back of a line is rounded on the running total, so that a line closes at what was paid for it:
    of three at 10.00 in all, one by one, 3.33, 3.34 and 3.33.

    Raises:
        NotFound: the basket has no such line that the caller may see.
        LineExceedsRest: more than are left of it.
        TransactionNotRefundable: what the buyer made of the lines is at Stripe alone.
    """
    if wanted and any(line.bounds for line in books.transaction.line_items):
        raise TransactionNotRefundable("the buyer could change the quantities of this sale: refund it by amount")
    if wanted and books.transaction.is_split_when_completed:
        raise TransactionNotRefundable("what was paid for each line depends on its tax and discount: refund by amount")
    amounts, lines = line_amounts(books), books.transaction.line_items
    step = smallest_payable(books.transaction.currency)
    found = []
    for number, quantity in sorted(wanted.items()):
        if not 0 <= number < len(lines) or not caller.sees_merchant(_merchant_of(books, number)):
            raise NotFound("line item")
        earlier = [part for part in _refunded(books) if part.line == number]
        gone = sum(part.quantity for part in earlier)
        left = lines[number].quantity - gone
        count = left if quantity is None else quantity
        if not 0 < count <= left:
            raise LineExceedsRest(number, count, left)
        due = part_of(amounts[number], gone + count, lines[number].quantity, step=step)
        found.append(
            RefundedLine(
                line=number,
                quantity=count,
                merchant_id=_merchant_of(books, number),
                amount=due - sum(part.amount for part in earlier),
            )
        )
    return tuple(found)


def line_amounts(books: Books) -> list[int]:
    """What of the captured amount each line of the basket is: a merchant's part of it, by what its lines cost."""
    lines = books.transaction.line_items
    step = smallest_payable(books.transaction.currency)
    amounts = [0] * len(lines)
    for leg in books.transaction.legs:
        own = [number for number in range(len(lines)) if _merchant_of(books, number) == leg.merchant_id]
        weights = [lines[number].amount for number in own]
        captured = books.portion_of(leg.merchant_id).amount
        split = allocate(captured, weights, step=step) if any(weights) else weights
        for number, amount in zip(own, split, strict=True):
            amounts[number] = amount
    return amounts


def _merchant_of(books: Books, number: int) -> str:
    return books.transaction.line_items[number].merchant_id or books.transaction.legs[0].merchant_id


def _refunded(books: Books) -> Sequence[RefundedLine]:
    return [line for refund in books.refunds.values() if refund.is_reserved for line in refund.lines]
