"""The terms of a sale that only its completed order settles: its tax, and a discount; and whether they go together."""

from collections.abc import Iterable
from typing import NamedTuple

from marketplace.domain.combinations import Discount, TaxMode, Way
from marketplace.domain.errors import CombinationRefused, DiscountNotUsable
from marketplace.domain.promotions import Coupon
from marketplace.ports import Policy


class Terms(NamedTuple):
    """What only the completed order tells: tax, and who pays how much less."""

    automatic_tax: bool
    coupon: Coupon | None
    allow_promotion_codes: bool

    @property
    def modes(self) -> tuple[TaxMode, Discount]:
        """As domain/combinations.py has them."""
        entered = Discount.ENTERED if self.allow_promotion_codes else Discount.NONE
        return TaxMode.PLATFORM if self.automatic_tax else TaxMode.NONE, Discount.GIVEN if self.coupon else entered

    @property
    def are_usual(self) -> bool:
        """Whether it is known beforehand what is whose."""
        return self.modes == (TaxMode.NONE, Discount.NONE)


def terms_of(
    policy: Policy, way: Way, *, automatic_tax: bool | None, allow_promotion_codes: bool | None, coupon: Coupon | None
) -> Terms:
    """As is asked for; where nothing is, and the buyer pays at checkout, by policy.

    Raises:
        CombinationRefused: a discount is given, and codes are to be entered too.
    """
    if coupon is not None and allow_promotion_codes:
        raise CombinationRefused("a Checkout Session has one discount: one that is given, or one that is entered")
    by_policy = policy.money if way is Way.CHECKOUT else None
    taxed, enters = automatic_tax, allow_promotion_codes
    if taxed is None:
        taxed = by_policy is not None and by_policy.automatic_tax
    if enters is None:
        enters = by_policy is not None and by_policy.allow_promotion_codes and coupon is None
    return Terms(automatic_tax=taxed, coupon=coupon, allow_promotion_codes=enters)


def require_usable(coupon: Coupon, merchants: Iterable[str], currency: str) -> None:
    """Refuse a coupon that Stripe would refuse, or that is good for nothing in this sale. Raises DiscountNotUsable."""
    if not coupon.is_usable:
        raise DiscountNotUsable("the coupon is not active")
    if coupon.merchant_id is not None and coupon.merchant_id not in merchants:
        raise DiscountNotUsable("the coupon is good for another merchant's products")
    if coupon.currency not in {None, currency}:
        raise DiscountNotUsable(f"the coupon takes off {coupon.currency}, the sale is in {currency}")
