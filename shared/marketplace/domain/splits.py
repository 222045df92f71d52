"""How what was really captured is split, where it is not what was planned."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from marketplace.domain.fees import FeePolicy
from marketplace.domain.money import allocate, smallest_payable
from marketplace.domain.transactions import Leg, Payment, Transaction

ASKED_FEE: Final = "application_fee_amount"


def final_legs(transaction: Transaction, payment: Payment, completed: Mapping[str, int]) -> tuple[Leg, ...]:
    """The legs of what was really captured.

    Each merchant has the part of it that his completed line items have of all; what came for the whole sale, shipping
    for example, or was captured less, falls on them in that proportion. A leg whose amount is not the planned one has
    its fee made anew by its policy; one that was asked for by hand changes in proportion.
    """
    step = smallest_payable(transaction.currency)
    weights = [completed.get(leg.merchant_id, leg.amount) for leg in transaction.legs]
    amounts = allocate(payment.captured or 0, weights, step=step)
    return tuple(resized(leg, amount, transaction) for leg, amount in zip(transaction.legs, amounts, strict=True))


def resized(leg: Leg, amount: int, transaction: Transaction) -> Leg:
    """The leg with another amount, and the fee that its policy takes of that."""
    if amount == leg.amount:
        return leg
    policy = leg.fee_policy or transaction.fee_policy
    if ASKED_FEE in policy:
        step = smallest_payable(transaction.currency)
        return replace(leg, amount=amount, fee=allocate(amount, (leg.fee, leg.share), step=step)[0] if amount else 0)
    return replace(leg, amount=amount, fee=FeePolicy.of(policy).fee(amount, transaction.currency))
