"""How what was really captured is split: by what was ordered in the end, who funds its discounts, and its tax."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from marketplace.domain.completed import CompletedLine, by_coupon
from marketplace.domain.fees import FeePolicy
from marketplace.domain.money import allocate, smallest_payable
from marketplace.domain.portions import ALL_OF_IT, added, scaled, spread
from marketplace.domain.transactions import Leg, Payment, Transaction

ASKED_FEE: Final = "application_fee_amount"


def final_legs(
    transaction: Transaction, payment: Payment, lines: Sequence[CompletedLine], funding: Mapping[str, int]
) -> tuple[Leg, ...]:
    """The legs of what was really captured; ``funding`` is what of each coupon the platform funds, in basis points.

    Each merchant has the part of it that his completed line items have of all; what came for the whole sale, or was
    captured less, falls on them in that proportion, their tax and the platform's promotions with it. The fee is by the
    leg's policy of what is shared: without tax, and less only what the merchant funds itself. One that was asked for by
    hand changes in proportion to the leg. Without lines there was no Checkout Session, and the plan holds.

    Of 100.00 sold at 10 percent off, with a fee of 10 percent: the merchant has 81.00 and the platform 9.00 where the
    merchant funds it; 90.00 and 0.00, a fee of 10.00 less a promotion of 10.00, where the platform does.
    """
    step = smallest_payable(transaction.currency)
    of_merchant: dict[str, list[CompletedLine]] = {leg.merchant_id: [] for leg in transaction.legs}
    for line in lines:
        of_merchant[line.merchant_id].append(line)
    weights = [sum(line.amount for line in own) for own in of_merchant.values()]
    if not any(weights):  # no session, or all was taken off and shipping paid
        weights = [leg.amount for leg in transaction.legs]
    captured = payment.captured or 0
    amounts = allocate(captured, weights, step=step) if captured and len(weights) > 1 else [captured] * len(weights)
    promotions = funded_by_platform(lines, funding)
    return tuple(
        _final(transaction, leg, amount, of_merchant[leg.merchant_id], promotions.get(leg.merchant_id, {}))
        for leg, amount in zip(transaction.legs, amounts, strict=True)
    )


def funded_by_platform(lines: Sequence[CompletedLine], funding: Mapping[str, int]) -> Mapping[str, Mapping[str, int]]:
    """What the platform adds to each merchant's part, by coupon.

    Its part of all that a coupon took off the sale is rounded once, by the largest remainder, and spread over the
    merchants by what was taken off theirs. A coupon that is not known here is the platform's own: it alone could have
    made it. An invoice that credits time that was paid at a discount takes that back, and is below zero.
    """
    found: dict[str, dict[str, int]] = {}
    for coupon, taken in by_coupon(lines).items():
        points = funding.get(coupon, ALL_OF_IT)
        whole = sum(taken.values())
        sign = -1 if whole < 0 else 1
        platform_s, _ = allocate(abs(whole), (points, ALL_OF_IT - points))
        for merchant_id, amount in spread(platform_s, {name: sign * each for name, each in taken.items()}).items():
            found.setdefault(merchant_id, {})[coupon] = sign * amount
    return found


def resized(leg: Leg, net: int, transaction: Transaction) -> Leg:
    """The leg with another amount to share, and the fee that its policy takes of that."""
    if net == leg.amount:
        return leg
    policy = leg.fee_policy or transaction.fee_policy
    if ASKED_FEE in policy:
        return replace(leg, amount=net, fee=asked_fee(leg.fee, leg.amount, net, transaction.currency))
    return replace(leg, amount=net, fee=FeePolicy.of(policy).fee(net, transaction.currency))


def asked_fee(asked: int, whole: int, amount: int, currency: str) -> int:
    """What a fee that was asked for by hand, of ``whole``, is of another amount: as much of it in proportion.

    >>> asked_fee(600, 6_000, 3_000, "usd"), asked_fee(600, 0, 500, "usd"), asked_fee(600, 6_000, -5, "usd")
    (300, 500, -5)
    """
    step = smallest_payable(currency)
    payable = amount - amount % step
    if payable <= 0 or whole <= 0:
        return min(asked, amount)
    return allocate(payable, (min(asked, whole), max(0, whole - asked)), step=step)[0]


def _final(
    transaction: Transaction, leg: Leg, amount: int, lines: Sequence[CompletedLine], promotions: Mapping[str, int]
) -> Leg:
    step, ordered = smallest_payable(transaction.currency), sum(line.amount for line in lines)
    taxes = scaled(added(line.taxes for line in lines), amount, ordered, step=step)
    added_ = scaled(promotions, amount, ordered, step=step)
    net = amount - sum(taxes.values()) + sum(added_.values())
    fee = resized(leg, net, transaction).fee
    discount = sum(sum(line.seen.values()) for line in lines)
    final = replace(leg, amount=amount, fee=fee, taxes=taxes, promotions=added_, discount=discount)
    return replace(final, fee=fee + final.own % step)  # what cannot be transferred
