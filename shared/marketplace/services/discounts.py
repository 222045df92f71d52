"""The discount that a sale is made with: a coupon by its id, or what a promotion code stands for; and its tax."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from marketplace.domain.errors import DiscountNotUsable, InvalidBasket, NotFound
from marketplace.domain.ids import owner_of
from marketplace.domain.portions import TaxLiability
from marketplace.domain.promotions import CodeName, Coupon, PromotionCode, code_text
from marketplace.ports import Found, Ports, Ref


class Given(NamedTuple):
    """What a request names, as it was found."""

    coupon: Coupon | None = None
    code: PromotionCode | None = None


def discount_refs(coupon_id: str | None, promotion_code: str | None) -> Sequence[Ref[Any]]:
    """What a request names, to be read with everything else that it does.

    Raises:
        InvalidBasket: both. InvalidCoupon: no code at all.
    """
    if coupon_id is not None and promotion_code is not None:
        raise InvalidBasket("a sale has one discount: a coupon, or a promotion code")
    names = () if promotion_code is None else (Ref(CodeName, code_text(promotion_code)),)
    coupons = () if coupon_id is None else (Ref(Coupon, coupon_id),)
    return (*names, *coupons)


def given(ports: Ports, found: Found, coupon_id: str | None, promotion_code: str | None) -> Given:
    """The discount, from what was found of it; that of a code is one more read.

    Raises:
        NotFound, DiscountNotUsable.
    """
    if promotion_code is not None:
        return _of_code(ports, found(Ref(CodeName, code_text(promotion_code))))
    if coupon_id is None:
        return Given()
    coupon = found(Ref(Coupon, coupon_id))
    if coupon is None:
        raise NotFound("coupon")
    return Given(coupon=coupon)


def discount_params(discount: Given, *, allow_promotion_codes: bool) -> dict[str, Any]:
    """As Stripe takes it: what is taken off, or whether the buyer may enter a code for it."""
    if discount.code is not None:
        return {"discounts": [{"promotion_code": discount.code.stripe_promotion_code_id}]}
    if discount.coupon is not None:
        return {"discounts": [{"coupon": discount.coupon.id}]}
    return {"allow_promotion_codes": True} if allow_promotion_codes else {}


def tax_params(liable: TaxLiability | None, account_id: str | None) -> dict[str, Any]:
    """As Stripe takes it: by whose registrations Stripe Tax calculates, and in whose reports the tax is.

    Nothing where nobody is liable; ``account_id`` is the merchant's.
    """
    if liable is None:
        return {}
    of_merchant = {"type": "account", "account": account_id}
    liability = of_merchant if liable is TaxLiability.MERCHANT else {"type": "self"}
    return {"automatic_tax": {"enabled": True, "liability": liability}}


def _of_code(ports: Ports, name: CodeName | None) -> Given:
    if name is None:
        raise NotFound("promotion code")
    code_ref = Ref(PromotionCode, name.promotion_code_id)
    coupon_ref = Ref(Coupon, owner_of("code", name.promotion_code_id) or "")
    found = ports.store.get(code_ref, coupon_ref)
    code, coupon = found(code_ref), found(coupon_ref)
    if code is None or coupon is None or code.stripe_promotion_code_id is None:
        raise NotFound("promotion code")
    if not code.active or (code.expires_at is not None and code.expires_at <= ports.clock.now()):
        raise DiscountNotUsable("the promotion code is not active")
    return Given(coupon=coupon, code=code)
