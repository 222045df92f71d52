"""Whose is what of money that a buyer paid for one merchant's part of a sale, and of money that goes back to him.

In all of it, at any time, per currency::

    amount + promotion = own + fee + withheld

``amount`` is what the buyer paid: less every discount, tax included. ``promotion`` is what the platform adds, so that a
discount that it funds costs the merchant nothing. ``withheld`` is the tax, where the platform is liable for it; where
the merchant is, it is in what is the merchant's own. Every function is of integers and knows no checkout: an invoice's
lines are split by the same. Where those credit time that was paid before, a tax or promotion of it is below zero; and
where they leave less than nothing to share, the merchant has nothing of it, and the platform bears what is missing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from marketplace.domain.deferred import dataclass
from marketplace.domain.money import allocate, part_of

ALL_OF_IT: Final = 10_000  # basis points


class TaxLiability(StrEnum):
    """Who answers for the tax in a sale, and so keeps it until it is remitted."""

    PLATFORM = "platform"
    MERCHANT = "merchant"


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Minor units: of ``amount`` and ``promotions`` (the platform's, by coupon), ``fee`` and ``taxes`` by jurisdiction.

    What they leave is the merchant's own, and so are taxes that it is liable for.
    """

    amount: int
    fee: int
    taxes: Mapping[str, int] = field(default_factory=dict)
    promotions: Mapping[str, int] = field(default_factory=dict)
    tax_liability: TaxLiability = TaxLiability.PLATFORM

    @property
    def tax(self) -> int:
        """Minor units that are the authorities', whoever remits them."""
        return sum(self.taxes.values())

    @property
    def withheld(self) -> Mapping[str, int]:
        """The taxes that the platform keeps to remit them: none of what the merchant is liable for."""
        return self.taxes if self.tax_liability is TaxLiability.PLATFORM else {}

    @property
    def promotion(self) -> int:
        """Minor units that the platform adds."""
        return sum(self.promotions.values())

    @property
    def net(self) -> int:
        """Minor units that the merchant and the platform's fee share."""
        return self.amount + self.promotion - self.tax

    @property
    def own(self) -> int:
        """Minor units that are the merchant's, the tax that it remits itself among them."""
        return self.amount + self.promotion - sum(self.withheld.values()) - self.fee


class Whose(NamedTuple):
    """Tax by jurisdiction and promotions by coupon, in so much of a portion."""

    taxes: Mapping[str, int]
    promotions: Mapping[str, int]


def returned(
    whole: Portion, amount: int, *, earlier: Sequence[Portion], fee_with: Sequence[Portion], step: int,
    returns_fee: bool, of_lines: Sequence[Portion] = (), wanted: Whose | None = None,
) -> Portion:  # fmt: skip
    """What of a portion goes back with ``amount`` more of it, after ``earlier`` ones of which ``fee_with`` had a fee.

    Each of tax, promotion and fee is rounded on the running total, not on each refund, so that whatever the parts are
    they close at exactly zero: of 119 with 19 tax, refunds of 40, 40 and 39 return 6, 7 and 6 of it. A refund that
    keeps the fee keeps its own part of it for good. The merchant's part is a multiple of ``step``, the currency's
    smallest payable unit: of a tax that is none, the odd units are with the fee. Where these steps are wide, the fee
    gives way: no refund takes more of the merchant than is its own, or owes it something; and what there is below zero
    to share is the platform's.

    ``of_lines`` are what refunds of line items took, each at its lines' own tax: what goes back by amount is in
    proportion to what they left. ``wanted`` is whose the amount is where it is itself of lines. Where lines and amounts
    were both refunded, no more tax goes back than is left, or than leaves the rest to be refunded.
    """
    taxes, promotions = wanted or _proportional(_less(whole, of_lines), amount, earlier, step)
    if wanted or of_lines:
        left = _less(whole, [*earlier, *of_lines])
        taxes, promotions = _within(left, amount, Whose(taxes, promotions), step)
    part = Portion(amount=amount, fee=0, taxes=taxes, promotions=promotions, tax_liability=whole.tax_liability)
    if not returns_fee:
        least = min(0, part.own)
        return replace(part, fee=least + (part.own - least) % step)
    net = sum(each.net for each in fee_with) + part.net
    gone, own_left = sum(each.fee for each in fee_with), whole.own - sum(each.own for each in fee_with)
    fee = max(0, running_part(whole.fee, net, whole.net, step) - gone)
    fee = min(max(fee, part.own - own_left), part.own)
    fee += (part.own - fee) % step
    if fee > whole.fee - gone and fee - step >= max(0, part.own - own_left):
        fee -= step
    return replace(part, fee=fee)


def running_part(whole: int, so_far: int, total: int, step: int) -> int:
    """``whole * so_far / total`` in multiples of ``step``; at the end exactly the whole, whatever multiple it is of.

    Of a total that is nothing or less there is no part.

    >>> running_part(19, 40, 119, 1), running_part(19, 80, 119, 1), running_part(45, 50, 100, 10)
    (6, 13, 20)
    >>> running_part(45, 100, 100, 10)
    45
    """
    if so_far >= total or total <= 0:
        return whole
    return part_of(whole - whole % step, so_far, total, step=step)


def scaled(parts: Mapping[str, int], numerator: int, denominator: int, *, step: int) -> dict[str, int]:
    """Named parts of what turned out less: in proportion, to the unit; what is below zero by itself."""
    if numerator >= denominator:
        return {name: amount for name, amount in parts.items() if amount}
    found: dict[str, int] = {}
    for sign, own in _by_sign(parts):
        due = running_part(sum(own.values()), numerator, denominator, step)
        found |= {name: sign * amount for name, amount in spread(due, own).items()}
    return found


def spread(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """``total`` over what is named, by weight; none gets more than its weight where all together do not."""
    if not total:
        return {}
    amounts = allocate(total, list(weights.values()))
    return {name: amount for name, amount in zip(weights, amounts, strict=True) if amount}


def added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Named amounts together."""
    sums: dict[str, int] = {}
    for part in parts:
        for name, amount in part.items():
            sums[name] = sums.get(name, 0) + amount
    return sums


def _due(
    whole: Mapping[str, int], earlier: Iterable[Mapping[str, int]], so_far: int, total: int, step: int
) -> dict[str, int]:
    """What of named parts goes back now: as much as is due in all, of each by what is left of it."""
    gone, found = added(earlier), dict[str, int]()
    for sign, own in _by_sign(whole):
        left = {name: amount - sign * gone.get(name, 0) for name, amount in own.items()}
        due = running_part(sum(own.values()), so_far, total, step) - sum(own.values()) + sum(left.values())
        found |= {name: sign * amount for name, amount in spread(max(0, due), left).items()}
    return found


def _by_sign(parts: Mapping[str, int]) -> Iterator[tuple[int, Mapping[str, int]]]:
    """The parts above zero, and those below it, each as they are without their sign."""
    for sign in (1, -1):
        own = {name: sign * amount for name, amount in parts.items() if sign * amount > 0}
        if own:
            yield sign, own


def _proportional(whole: Portion, amount: int, earlier: Sequence[Portion], step: int) -> Whose:
    """Whose an amount is by the running total of the amounts."""
    so_far = sum(each.amount for each in earlier) + amount
    return Whose(
        _due(whole.taxes, [each.taxes for each in earlier], so_far, whole.amount, step),
        _due(whole.promotions, [each.promotions for each in earlier], so_far, whole.amount, step),
    )


def _within(left: Portion, amount: int, wanted: Whose, step: int) -> Whose:
    """What is wanted, as far as what is left has it, and no more than leaves the rest of it to be refunded."""
    if amount == left.amount:
        return Whose(left.taxes, left.promotions)
    promotions = _bounded(wanted.promotions, left.promotions, least=0, most=left.promotion, step=step)
    paid = amount + sum(promotions.values())
    least, most = left.tax - (left.amount + left.promotion - paid), min(left.tax, paid)
    return Whose(_bounded(wanted.taxes, left.taxes, least=max(0, least), most=most, step=step), promotions)


def _less(whole: Portion, gone: Sequence[Portion]) -> Portion:
    """What parts have left of a portion, its fee aside."""
    if not gone:
        return whole
    return replace(
        whole,
        amount=whole.amount - sum(each.amount for each in gone),
        taxes=_left_of(whole.taxes, added(each.taxes for each in gone)),
        promotions=_left_of(whole.promotions, added(each.promotions for each in gone)),
    )


def _left_of(whole: Mapping[str, int], gone: Mapping[str, int]) -> dict[str, int]:
    return {name: amount - gone.get(name, 0) for name, amount in whole.items() if amount > gone.get(name, 0)}


def _bounded(
    wanted: Mapping[str, int], left: Mapping[str, int], *, least: int, most: int, step: int
) -> Mapping[str, int]:
    """What is wanted of what is left of each, in all at least and at most so much, and a multiple of ``step``."""
    taken = {name: min(amount, left[name]) for name, amount in wanted.items() if name in left}
    whole = sum(taken.values())
    total = min(max(whole - whole % step, least + -least % step), most - most % step)
    if total <= whole:
        return spread(total, taken)
    return added((taken, spread(total - whole, _left_of(left, taken))))
