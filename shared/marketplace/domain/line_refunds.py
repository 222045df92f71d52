"""Refunds of lines of a basket: what was paid for some of a line's items, whose it was, and how many are left.

What the buyer made of the lines, and the tax and discount of each, only the completed order tells: it is read at Stripe
when lines of such a sale are to be refunded. Of any other the plan is what was paid.
"""

from collections.abc import Iterable, Mapping, Sequence

from marketplace.domain.books import Books
from marketplace.domain.completed import CompletedLine
from marketplace.domain.errors import LineExceedsRest, NotFound, TransactionNotRefundable
from marketplace.domain.money import allocate, smallest_payable
from marketplace.domain.portions import Portion, added, running_part, spread
from marketplace.domain.principals import Principal
from marketplace.domain.refunds import RefundedLine
from marketplace.domain.transactions import Transaction


def is_told_by_stripe(transaction: Transaction) -> bool:
    """Whether only Stripe knows what was paid for each line."""
    return transaction.is_split_when_completed or any(line.bounds for line in transaction.line_items)


def paid_lines(books: Books, completed: Sequence[CompletedLine]) -> Mapping[int, RefundedLine]:
    """All that was paid for each line of the basket, by its number there; without ``completed`` as it was planned.

    A merchant's lines are all that was captured for it, by what they cost: with its part of shipping, and of less where
    less was captured. Its taxes, by jurisdiction, and promotions, by coupon, are those of its lines.

    Raises:
        TransactionNotRefundable: the order has other lines than the basket, and does not name them.
    """
    lines = _numbered(books, completed) if completed else _planned(books)
    paid: dict[int, RefundedLine] = {}
    for leg in books.transaction.legs:
        own = {number: line for number, line in lines.items() if line.merchant_id == leg.merchant_id}
        paid |= _shared_out(books.portion_of(leg.merchant_id), own, smallest_payable(books.transaction.currency))
    return dict(sorted(paid.items()))


def refunded_lines(
    books: Books, caller: Principal, wanted: Mapping[int, int | None], paid: Mapping[int, RefundedLine]
) -> tuple[RefundedLine, ...]:
    """Lines to be refunded, by their number in the basket: so many of each, or all that are left (None).

    What a refund gives back of a line is rounded on the running total, so that a line, and each tax in it, closes at
    what was paid for it: of three at 10.00 in all, one by one, 3.33, 3.34 and 3.33.

    Raises:
        NotFound: the basket has no such line that the caller may see, or the buyer wanted none of it.
        LineExceedsRest: more than are left of it.
    """
    step = smallest_payable(books.transaction.currency)
    found = []
    for number, quantity in sorted(wanted.items()):
        line = paid.get(number)
        if line is None or not caller.sees_merchant(line.merchant_id):
            raise NotFound("line item")
        earlier = [part for part in _refunded(books) if part.line == number]
        gone = sum(part.quantity for part in earlier)
        left = line.quantity - gone
        count = left if quantity is None else quantity
        if not 0 < count <= left:
            raise LineExceedsRest(number, count, left)
        found.append(_part_of(line, count, gone + count, earlier, step))
    return tuple(found)


def _part_of(line: RefundedLine, count: int, so_far: int, earlier: Sequence[RefundedLine], step: int) -> RefundedLine:
    """What ``count`` items of a line are, which make ``so_far`` of it with the earlier ones."""

    def due(whole: Mapping[str, int], gone: Mapping[str, int]) -> dict[str, int]:
        running = {name: running_part(amount, so_far, line.quantity, step) for name, amount in whole.items()}
        return {name: amount - gone.get(name, 0) for name, amount in running.items() if amount > gone.get(name, 0)}

    return RefundedLine(
        line=line.line,
        quantity=count,
        merchant_id=line.merchant_id,
        amount=running_part(line.amount, so_far, line.quantity, step) - sum(part.amount for part in earlier),
        taxes=due(line.taxes, added(part.taxes for part in earlier)),
        promotions=due(line.promotions, added(part.promotions for part in earlier)),
    )


def _shared_out(portion: Portion, lines: Mapping[int, CompletedLine], step: int) -> dict[int, RefundedLine]:
    """A merchant's portion over its lines: the amount by what they cost, each tax and promotion by what they had."""
    costs = [line.amount for line in lines.values()]
    amounts = dict(zip(lines, allocate(portion.amount, costs, step=step) if any(costs) else costs, strict=True))
    taxes = _by_line(portion.taxes, {number: line.taxes for number, line in lines.items()}, amounts)
    promotions = _by_line(portion.promotions, {number: line.discounts for number, line in lines.items()}, amounts)
    return {
        number: RefundedLine(
            line=number,
            quantity=line.quantity,
            merchant_id=line.merchant_id,
            amount=amounts[number],
            taxes=taxes[number],
            promotions=promotions[number],
        )
        for number, line in lines.items()
    }


def _by_line(
    whole: Mapping[str, int], had: Mapping[int, Mapping[str, int]], amounts: Mapping[int, int]
) -> dict[int, dict[str, int]]:
    """Named amounts over lines, by what each had of them; what none had, as shipping may, by what they cost."""
    found: dict[int, dict[str, int]] = {number: {} for number in had}
    for name, total in whole.items():
        weights = {str(number): of_line.get(name, 0) for number, of_line in had.items()}
        weights = weights if any(weights.values()) else {str(number): amount for number, amount in amounts.items()}
        for number, amount in spread(total, weights).items() if any(weights.values()) else ():
            found[int(number)][name] = amount
    return found


def _numbered(books: Books, completed: Sequence[CompletedLine]) -> dict[int, CompletedLine]:
    """The lines of the order by their numbers in the basket; by their places where they do not say them."""
    named = {line.number: line for line in completed if line.number is not None}
    if len(named) == len(completed):
        return named
    if named or len(completed) != len(books.transaction.line_items):
        raise TransactionNotRefundable("the order has other lines than the basket: refund it by amount")
    return dict(enumerate(completed))


def _planned(books: Books) -> dict[int, CompletedLine]:
    first = books.transaction.legs[0].merchant_id
    return {
        number: CompletedLine(line.merchant_id or first, line.amount, {}, {}, {}, line.quantity)
        for number, line in enumerate(books.transaction.line_items)
    }


def _refunded(books: Books) -> Iterable[RefundedLine]:
    return [line for refund in books.refunds.values() if refund.is_reserved for line in refund.lines]
