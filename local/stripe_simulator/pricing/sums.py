"""What lines cost together: discounts first, then tax on what is left of each; exact, in steps of the currency.

A percentage is taken of all the lines that it is for together, rounded to the half up once, and spread over them by
the largest remainder; an amount is spread in proportion. Tax is rounded on each line: rates made by hand each for
itself, Stripe Tax's of several jurisdictions together. These are assumptions: Stripe says only that tax may be rounded
on lines (https://docs.stripe.com/tax/calculating).
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from .. import money
from ..context import Context
from ..values import Object
from . import coupons, tax
from .coupons import COUPONS
from .tax import TaxPlace
from .tax_kinds import SHIPPING


class Line(NamedTuple):
    """What is summed up: ``amount`` in minor units before discounts and taxes; negative for a credit.

    ``discounts`` are its own, applied before those of the whole. ``tax_rates`` are made by hand and exclude automatic
    tax; ``tax_code`` and ``tax_behavior`` are its product's and price's.
    """

    amount: int
    quantity: int = 1
    product: str | None = None
    discountable: bool = True
    discounts: Sequence[Object] = ()
    tax_rates: Sequence[Object] = ()
    tax_code: str | None = None
    tax_behavior: str = "unspecified"


class TaxAmount(NamedTuple):
    """One tax on one line; ``rate`` is a tax rate object, None where nothing is collected."""

    amount: int
    inclusive: bool
    taxable_amount: int
    taxability_reason: str
    rate: Object | None = None
    jurisdiction: Mapping[str, Any] | None = None


class LineSum(NamedTuple):
    """A line with what is taken off it, as (amount, discount id), and its taxes."""

    line: Line
    discount_amounts: tuple[tuple[int, str], ...] = ()
    taxes: tuple[TaxAmount, ...] = ()

    @property
    def subtotal(self) -> int:
        """Before discounts and exclusive tax."""
        return self.line.amount

    @property
    def discount(self) -> int:
        """What is taken off."""
        return sum(amount for amount, _ in self.discount_amounts)

    @property
    def tax_exclusive(self) -> int:
        """Tax that comes on top."""
        return sum(tax.amount for tax in self.taxes if not tax.inclusive)

    @property
    def tax_inclusive(self) -> int:
        """Tax that is in the amount already."""
        return sum(tax.amount for tax in self.taxes if tax.inclusive)

    @property
    def tax(self) -> int:
        """All of its tax."""
        return self.tax_exclusive + self.tax_inclusive

    @property
    def total(self) -> int:
        """What is to be paid for it."""
        return self.subtotal - self.discount + self.tax_exclusive


class Sums(NamedTuple):
    """Lines and shipping with all their sums, in minor units."""

    lines: tuple[LineSum, ...]
    shipping: LineSum | None = None
    automatic_tax_status: str | None = None

    @property
    def all_lines(self) -> tuple[LineSum, ...]:
        """Shipping included."""
        return (*self.lines, self.shipping) if self.shipping else self.lines

    @property
    def subtotal(self) -> int:
        """The lines before discounts and exclusive tax, without shipping."""
        return sum(each.subtotal for each in self.lines)

    @property
    def discount(self) -> int:
        """What is taken off."""
        return sum(each.discount for each in self.all_lines)

    @property
    def shipping_amount(self) -> int:
        """Shipping before tax."""
        return self.shipping.subtotal if self.shipping else 0

    @property
    def tax(self) -> int:
        """All tax, inclusive and exclusive."""
        return sum(each.tax for each in self.all_lines)

    @property
    def tax_exclusive(self) -> int:
        """The tax that comes on top."""
        return sum(each.tax_exclusive for each in self.all_lines)

    @property
    def total(self) -> int:
        """What is to be paid."""
        return sum(each.total for each in self.all_lines)

    @property
    def subtotal_excluding_tax(self) -> int:
        """The lines before discounts, less the inclusive tax on them."""
        return self.subtotal - sum(each.tax_inclusive for each in self.lines)

    @property
    def total_excluding_tax(self) -> int:
        """What is to be paid, less all tax."""
        return self.total - self.tax


def sum_up(
    context: Context,
    lines: Sequence[Line],
    *,
    currency: str,
    discounts: Sequence[Object] = (),
    shipping: Line | None = None,
    automatic_tax: TaxPlace | None = None,
) -> Sums:
    """The sums of lines in one currency; ``discounts`` are those of the whole, in their order.

    Raises:
        InvalidRequestError: a coupon has no amount in this currency; Stripe Tax is not set up.
    """
    taken = _discounted(context, lines, currency, discounts)
    located = automatic_tax is not None and tax.is_located(automatic_tax)
    place = automatic_tax if located else None
    summed = tuple(_taxed(context, line, tuple(off), currency, place) for line, off in zip(lines, taken, strict=True))
    carried = _taxed(context, _as_shipping(shipping), (), currency, place) if shipping else None
    status = None if automatic_tax is None else "complete" if located else "requires_location_inputs"
    return Sums(summed, carried, status)


def _as_shipping(line: Line) -> Line:
    """Shipping is taxed as such, unless it says otherwise."""
    return line._replace(tax_code=line.tax_code or SHIPPING)


def spread(total: int, weights: Sequence[Decimal | int], step: int) -> list[int]:
    """``total`` in proportion to ``weights``, which sum to what is not zero, by the largest remainder."""
    whole = sum(weights, Decimal(0))
    exact = [Decimal(total) / step * weight / whole for weight in weights]
    units = [int(share.to_integral_value(rounding=ROUND_DOWN)) for share in exact]
    left = total // step - sum(units)
    order = sorted(range(len(weights)), key=lambda at: (-abs(exact[at] - units[at]), at))
    for at in order[: abs(left)]:
        units[at] += 1 if left > 0 else -1
    return [unit * step for unit in units]


def _discounted(
    context: Context, lines: Sequence[Line], currency: str, discounts: Sequence[Object]
) -> list[list[tuple[int, str]]]:
    """What each discount takes off each line."""
    taken: list[list[tuple[int, str]]] = [[] for _ in lines]
    left = [line.amount for line in lines]
    own = [(discount, [at]) for at, line in enumerate(lines) for discount in line.discounts]
    for discount, places in [*own, *((discount, list(range(len(lines)))) for discount in discounts)]:
        coupon = context.state.get(COUPONS, discount["source"]["coupon"])
        wanted = (coupon["_applies_to"] or {}).get("products")
        eligible = [
            at for at in places
            if left[at] and lines[at].discountable and (wanted is None or lines[at].product in wanted)
        ]  # fmt: skip
        for at, amount in zip(eligible, _off(coupon, [left[at] for at in eligible], currency), strict=True):
            if amount:
                taken[at].append((amount, discount["id"]))
                left[at] -= amount
    return taken


def _off(coupon: Object, amounts: Sequence[int], currency: str) -> list[int]:
    """What a coupon takes off amounts: credits shrink by a percentage too, and an amount is no more than there is."""
    step, fixed = money.step(currency), coupons.amount_off(coupon, currency)
    if not amounts:
        return []
    if fixed is not None:
        positive = [max(0, amount) for amount in amounts]
        total = min(fixed, sum(positive))
        return spread(total, positive, step) if total else [0] * len(amounts)
    percent = Decimal(str(coupon["percent_off"]))
    exact = [Decimal(amount) * percent / 100 for amount in amounts]
    total = int((sum(exact, Decimal(0)) / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step
    if sum(amounts) == 0 or min(amounts) < 0:
        return [int((each / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step for each in exact]
    return spread(total, amounts, step)


def _taxed(
    context: Context, line: Line, off: tuple[tuple[int, str], ...], currency: str, place: TaxPlace | None
) -> LineSum:
    base = line.amount - sum(amount for amount, _ in off)
    if line.tax_rates:
        taxes = _by_hand(line.tax_rates, base, currency)
    elif place is not None:
        taxes = _automatic(context, line, base, currency, place)
    else:
        taxes = ()
    return LineSum(line, off, taxes)


def _by_hand(rates: Sequence[Object], base: int, currency: str) -> tuple[TaxAmount, ...]:
    found = [(rate, Decimal(str(rate["percentage"])), bool(rate["inclusive"])) for rate in rates]
    amounts = tax_amounts(base, [(percentage, inclusive) for _, percentage, inclusive in found], currency)
    return tuple(
        TaxAmount(amount, inclusive, taxable, "zero_rated" if not percentage else "standard_rated", rate)
        for (rate, percentage, inclusive), (amount, taxable) in zip(found, amounts, strict=True)
    )


def _automatic(context: Context, line: Line, base: int, currency: str, place: TaxPlace) -> tuple[TaxAmount, ...]:
    inclusive = tax.behavior(context, line.tax_behavior, currency, place) == "inclusive"
    due = tax.taxes_due(context, place, line.tax_code)
    amounts = tax_amounts(base, [(each.percentage, inclusive) for each in due], currency, together=True)
    return tuple(
        TaxAmount(
            amount,
            inclusive,
            taxable if each.reason not in tax.NOTHING_TAXABLE else 0,
            each.reason,
            tax.rate_of(context, each, place, inclusive=inclusive),
            tax.jurisdiction(each, place),
        )
        for each, (amount, taxable) in zip(due, amounts, strict=True)
    )


def tax_amounts(
    base: int, rates: Sequence[tuple[Decimal, bool]], currency: str, *, together: bool = False
) -> list[tuple[int, int]]:
    """The tax of each (percentage, inclusive) on ``base``, and what it is taken of: (amount, taxable amount).

    Inclusive rates are in ``base``, rounded together: 120 at 20 percent has 20 on 100. Exclusive ones come on what is
    left, each for itself unless they are rounded ``together`` too.
    """
    step = money.step(currency)
    inside, on_top = ([rate for rate, inclusive in rates if inclusive is wanted] for wanted in (True, False))
    tax_inside = _whole(base - base / (1 + sum(inside, Decimal(0)) / 100), step)
    taxable = base - tax_inside
    if together:
        outer = _spread_or_nothing(_whole(taxable * sum(on_top, Decimal(0)) / 100, step), on_top, step)
    else:
        outer = [_whole(taxable * percentage / 100, step) for percentage in on_top]
    parts = {True: iter(_spread_or_nothing(tax_inside, inside, step)), False: iter(outer)}
    return [(next(parts[inclusive]), taxable) for _, inclusive in rates]


def _spread_or_nothing(total: int, weights: Sequence[Decimal], step: int) -> list[int]:
    return spread(total, weights, step) if any(weights) else [0] * len(weights)


def _whole(amount: Decimal, step: int) -> int:
    return int((amount / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step
