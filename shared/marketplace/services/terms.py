"""The terms of a sale that only its completed order settles: its tax, and a discount; and whether they go together."""

from collections.abc import Iterable
from typing import NamedTuple

from marketplace.domain.combinations import Discount, TaxMode, Way
from marketplace.domain.errors import CombinationRefused, DiscountNotUsable
from marketplace.domain.portions import TaxLiability
from marketplace.domain.promotions import Coupon
from marketplace.ports import Policy


class Terms(NamedTuple):
    """What only the completed order tells: tax, and who pays how much less."""

    tax: TaxMode
    coupon: Coupon | None
    allow_promotion_codes: bool

    @property
    def modes(self) -> tuple[TaxMode, Discount]:
        """As domain/combinations.py has them."""
        entered = Discount.ENTERED if self.allow_promotion_codes else Discount.NONE
        return self.tax, Discount.GIVEN if self.coupon else entered

    @property
    def tax_liability(self) -> TaxLiability:
        """Who is liable for the tax, where there is any."""
        return TaxLiability.MERCHANT if self.tax is TaxMode.MERCHANT else TaxLiability.PLATFORM

    @property
    def liable(self) -> TaxLiability | None:
        """The same; None where there is no tax."""
        return None if self.tax is TaxMode.NONE else self.tax_liability

    @property
    def are_usual(self) -> bool:
        """Whether it is known beforehand what is whose."""
        return self.modes == (TaxMode.NONE, Discount.NONE)


def terms_of(
    policy: Policy, way: Way, *, automatic_tax: bool | None, tax_liability: TaxLiability | None,
    allow_promotion_codes: bool | None, coupon: Coupon | None,
) -> Terms:  # fmt: skip
    """As is asked for; where nothing is, by policy, as far as Stripe calculates it for this way to pay.

    Raises:
        CombinationRefused: a discount is given, and codes are to be entered too; or who is liable for tax is said of a
            sale without.
    """
    if coupon is not None and allow_promotion_codes:
        raise CombinationRefused("a Checkout Session has one discount: one that is given, or one that is entered")
    taxed, enters = automatic_tax, allow_promotion_codes
    if taxed is None:
        taxed = policy.money.automatic_tax and way is not Way.OFF_SESSION
    if tax_liability is not None and not taxed:
        raise CombinationRefused("nobody is liable for tax where none is calculated: ask for automatic_tax")
    if enters is None:
        enters = policy.money.allow_promotion_codes and coupon is None and way in {Way.CHECKOUT, Way.SUBSCRIPTION}
    tax = TaxMode(tax_liability or policy.money.tax_liability) if taxed else TaxMode.NONE
    return Terms(tax=tax, coupon=coupon, allow_promotion_codes=enters)


def require_usable(
    coupon: Coupon, merchants: Iterable[str], currency: str, *, product_id: str | None = None, is_inline: bool = False
) -> None:
    """Refuse a coupon that Stripe would refuse, or that is good for nothing in this sale.

    ``product_id`` is the only product of it; ``is_inline`` is that it has none of the catalog.

    Raises:
        DiscountNotUsable.
    """
    if not coupon.is_usable:
        raise DiscountNotUsable("the coupon is not active")
    if coupon.merchant_id is not None and coupon.merchant_id not in merchants:
        raise DiscountNotUsable("the coupon is good for another merchant's products")
    is_of_others = product_id is not None and product_id not in coupon.product_ids
    if coupon.product_ids and (is_inline or is_of_others):
        raise DiscountNotUsable("the coupon is good for other products")
    if coupon.currency not in {None, currency}:
        raise DiscountNotUsable(f"the coupon takes off {coupon.currency}, the sale is in {currency}")
