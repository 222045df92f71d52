"""Coupons and the codes that buyers know them by: how much off, for whom and how long, and who funds it."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from marketplace.domain.completed import CompletedLine, by_coupon
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidCoupon
from marketplace.domain.money import require_payable
from marketplace.domain.portions import ALL_OF_IT
from marketplace.domain.transactions import Leg, Payment, Transaction

MOST_PRODUCTS: Final = 50  # that a coupon is restricted to
MOST_REDEMPTIONS: Final = 1_000_000
MOST_MONTHS: Final = 60
LONGEST_CODE: Final = 100
LONGEST_NAME: Final = 40  # Stripe's
PERCENT_DECIMALS: Final = 2  # Stripe's
REDEEMED_WITHIN: Final = timedelta(days=5 * 365)  # Stripe takes no later end
CODE_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


class Duration(StrEnum):
    """How long a coupon counts for a subscription; of one sale it is the same."""

    ONCE = "once"
    REPEATING = "repeating"
    FOREVER = "forever"


@dataclass(frozen=True, kw_only=True)
class Coupon:
    """So much off: ``percent_off`` as text, or ``amount_off`` minor units of ``currency``.

    Of what it takes off, ``platform_basis_points`` is the platform's part, the rest the merchant's whose price it is.
    ``product_ids`` are what it is good for, of ``merchant_id``; empty is everything, of everybody. Stripe has it under
    the same id, once it has answered (``is_at_stripe``).
    """

    id: str
    name: str
    percent_off: str | None = None
    amount_off: int | None = None
    currency: str | None = None
    duration: Duration = Duration.ONCE
    duration_in_months: int | None = None
    max_redemptions: int | None = None
    redeem_by: datetime | None = None
    platform_basis_points: int = 0
    merchant_id: str | None = None
    product_ids: tuple[str, ...] = ()
    active: bool = True
    is_at_stripe: bool = False
    created_at: datetime
    version: int = 1

    @property
    def is_usable(self) -> bool:
        """Whether a sale can be made with it, as far as is known here."""
        return self.active and self.is_at_stripe


@dataclass(frozen=True, kw_only=True)
class PromotionCode:
    """What buyers enter for a coupon, in upper case; ``minimum_amount`` is minor units of its currency."""

    id: str
    coupon_id: str
    code: str
    active: bool = True
    stripe_promotion_code_id: str | None = None
    max_redemptions: int | None = None
    expires_at: datetime | None = None
    first_time_transaction: bool = False
    minimum_amount: int | None = None
    minimum_amount_currency: str | None = None
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class CodeName:
    """That a code is taken, by which promotion code; it may be given again when that is no longer active."""

    id: str
    promotion_code_id: str
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Redemption:
    """A coupon used in a sale that was paid: minor units off as the buyer saw them, and whom they cost how much.

    ``platform`` and ``merchants`` are without the inclusive tax that went with it; refunds give their part of it back.
    """

    coupon_id: str
    transaction_id: str
    currency: str
    discount: int
    platform: int
    merchants: Mapping[str, int] = field(default_factory=dict)
    redeemed_at: datetime


def redemptions(
    transaction: Transaction,
    payment: Payment,
    coupons: Sequence[Coupon],
    lines: Sequence[CompletedLine],
    legs: Sequence[Leg],
) -> list[Redemption]:
    """What each of the coupons of an order took off it, and whom that cost."""
    found = []
    for coupon in coupons:
        taken = by_coupon(lines)[coupon.id]
        added = {leg.merchant_id: leg.promotions.get(coupon.id, 0) for leg in legs}
        merchants = {each: amount - added[each] for each, amount in taken.items() if amount != added[each]}
        found.append(
            Redemption(
                coupon_id=coupon.id,
                transaction_id=transaction.id,
                currency=transaction.currency,
                discount=sum(line.seen.get(coupon.id, 0) for line in lines),
                platform=sum(added.values()),
                merchants=merchants,
                redeemed_at=payment.paid_at or transaction.created_at,
            )
        )
    return found


def require_coupon(coupon: Coupon, now: datetime) -> None:
    """Refuse a coupon that Stripe would not take, or that says two things at once.

    Raises:
        InvalidCoupon, InvalidAmount, UnknownCurrency.
    """
    if not 0 < len(coupon.name) <= LONGEST_NAME:
        raise InvalidCoupon(f"a coupon's name has 1 to {LONGEST_NAME} characters: buyers see it")
    if (coupon.percent_off is None) is (coupon.amount_off is None):
        raise InvalidCoupon("a coupon takes off either percent_off or amount_off")
    if coupon.percent_off is not None:
        _require_percent(Decimal(coupon.percent_off))
    if (coupon.amount_off is None) is not (coupon.currency is None):
        raise InvalidCoupon("currency goes with amount_off")
    if coupon.amount_off is not None:
        require_payable(coupon.amount_off, coupon.currency or "")
    if (coupon.duration is Duration.REPEATING) is (coupon.duration_in_months is None):
        raise InvalidCoupon("duration_in_months goes with the duration repeating")
    if not 1 <= (coupon.duration_in_months or 1) <= MOST_MONTHS:
        raise InvalidCoupon(f"duration_in_months is from 1 to {MOST_MONTHS}")
    if not 0 <= coupon.platform_basis_points <= ALL_OF_IT:
        raise InvalidCoupon(f"the platform funds 0 to {ALL_OF_IT} basis points")
    if len(coupon.product_ids) > MOST_PRODUCTS:
        raise InvalidCoupon(f"a coupon is restricted to at most {MOST_PRODUCTS} products")
    require_limits(coupon.max_redemptions, coupon.redeem_by, now)


def require_limits(max_redemptions: int | None, ends_at: datetime | None, now: datetime) -> None:
    """Refuse a number of redemptions or an end that cannot be. Raises InvalidCoupon."""
    if not 1 <= (max_redemptions or 1) <= MOST_REDEMPTIONS or max_redemptions == 0:
        raise InvalidCoupon(f"max_redemptions is from 1 to {MOST_REDEMPTIONS}")
    if ends_at is not None and not now < ends_at <= now + REDEEMED_WITHIN:
        raise InvalidCoupon(f"the end is within {REDEEMED_WITHIN.days} days from now")


def code_text(code: str) -> str:
    """A code as it is compared: upper case, as Stripe does not tell cases apart.

    Raises:
        InvalidCoupon: other characters than letters, digits and hyphens, or too many.
    """
    text = code.upper()
    if not 0 < len(text) <= LONGEST_CODE or not set(text) <= CODE_CHARACTERS:
        raise InvalidCoupon(f"a code has 1 to {LONGEST_CODE} letters, digits and hyphens")
    return text


def _require_percent(percent: Decimal) -> None:
    exponent = percent.as_tuple().exponent
    if not isinstance(exponent, int) or not 0 < percent <= 100 or -exponent > PERCENT_DECIMALS:  # noqa: PLR2004 - percent
        raise InvalidCoupon(f"percent_off is over 0 to 100, with at most {PERCENT_DECIMALS} decimals")
