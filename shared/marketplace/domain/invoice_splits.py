"""How an invoice is split between its merchant and the platform: what Stripe is told, and what the fee is.

https://docs.stripe.com/connect/subscriptions, https://docs.stripe.com/connect/invoices
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.fees import FeePolicy
from marketplace.domain.money import smallest_payable
from marketplace.domain.splits import ASKED_FEE, asked_fee

STRIPES_DECIMALS: Final = 2  # of application_fee_percent
STRIPES_ROUNDING: Final = 1  # minor unit by which its percentage may differ from the policy's


class SplitBy(StrEnum):
    """What tells Stripe how the invoices of a subscription are split."""

    PERCENT = "percent"  # the subscription does, once for all
    AMOUNT = "amount"  # each draft does; what had no draft is settled after its payment
    TRANSFER = "transfer"  # nothing does: what is whose is known when an invoice is paid, and the merchant is sent its


def split_by(policy: FeePolicy, currency: str, *, is_ready: bool, is_usual: bool) -> SplitBy:
    """By percent where that is all there is to the policy, and Stripe can be told it exactly.

    ``is_usual`` is that there is neither tax nor a discount: a percentage of Stripe's would be of the total with the
    tax in it, and knows no funder. ``is_ready`` is that the merchant is: nobody else can be named as destination. Of
    currencies whose smallest payable amount is more than a minor unit, Stripe's rounding of a percentage is not
    documented.
    """
    if not is_usual or not is_ready:
        return SplitBy.AMOUNT if is_usual else SplitBy.TRANSFER
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
    return asked_fee(int(fee_policy[ASKED_FEE]), total, amount, currency)


def is_as_agreed(split: SplitBy, taken: int, fee: int) -> bool:
    """Whether the fee that Stripe took is the policy's: to the unit, but where Stripe itself rounded a percentage.

    A draft that changed after it was told its fee has kept it; a percentage may have been changed in the Dashboard.
    """
    return abs(taken - fee) <= (STRIPES_ROUNDING if split is SplitBy.PERCENT else 0)


def draft_terms(fee: int, account_id: str) -> dict[str, Any]:
    """What a draft is told so that Stripe splits it exactly."""
    return {"transfer_data": {"destination": account_id}, "application_fee_amount": fee}
