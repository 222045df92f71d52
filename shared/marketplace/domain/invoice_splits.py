"""How an invoice is split between its merchant and the platform: what Stripe is told, and what the fee is.

https://docs.stripe.com/connect/subscriptions, https://docs.stripe.com/connect/invoices
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.fees import FeePolicy
from marketplace.domain.money import allocate, smallest_payable
from marketplace.domain.splits import ASKED_FEE

STRIPES_DECIMALS: Final = 2  # of application_fee_percent


class SplitBy(StrEnum):
    """What tells Stripe how the invoices of a subscription are split."""

    PERCENT = "percent"  # the subscription does, once for all
    AMOUNT = "amount"  # each draft does; what had no draft is settled after its payment


def split_by(policy: FeePolicy, currency: str) -> SplitBy:
    """By percent where that is all there is to the policy, and Stripe can be told it exactly.

    Of currencies whose smallest payable amount is more than a minor unit, Stripe's rounding of a percentage is not
    documented.
    """
    bounds = (policy.fixed, policy.minimum, policy.maximum)
    exponent = policy.percent.normalize().as_tuple().exponent
    is_exact = isinstance(exponent, int) and -exponent <= STRIPES_DECIMALS
    is_percent_alone = not any(bound.get(currency) is not None for bound in bounds)
    return SplitBy.PERCENT if is_exact and is_percent_alone and smallest_payable(currency) == 1 else SplitBy.AMOUNT


def standing_terms(split: SplitBy, policy: FeePolicy, account_id: str | None) -> dict[str, Any]:
    """What a subscription says of the split of its invoices; nothing where each of them says it, or nobody can yet."""
    if split is not SplitBy.PERCENT or account_id is None:
        return {}
    percent = {"application_fee_percent": f"{policy.percent.normalize():f}"} if policy.percent else {}
    return {"transfer_data": {"destination": account_id}, **percent}


def invoice_fee(fee_policy: Mapping[str, Any], amount: int, total: int, currency: str) -> int:
    """Minor units that the platform takes of ``amount``, what is charged for an invoice of ``total``.

    A fee that was asked for by hand is of the total, and changes in proportion where another amount is charged.
    """
    if ASKED_FEE not in fee_policy:
        return FeePolicy.of(fee_policy).fee(amount, currency)
    asked = min(int(fee_policy[ASKED_FEE]), total)
    if amount == total or total <= 0:
        return min(asked, amount)
    return allocate(amount, (asked, total - asked), step=smallest_payable(currency))[0]


def draft_terms(fee: int, account_id: str) -> dict[str, Any]:
    """What a draft is told so that Stripe splits it exactly."""
    return {"transfer_data": {"destination": account_id}, "application_fee_amount": fee}
