"""Coupons and promotion codes of a session: given by the shop, or entered by the buyer.

https://docs.stripe.com/payments/checkout/discounts
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..pricing import discounts, promotion_codes
from ..pricing.coupons import COUPONS
from ..pricing.promotion_codes import PROMOTION_CODES
from ..resources.customers import CUSTOMERS
from ..values import Object

MAXIMUM_DISCOUNTS: Final = 1


def given(
    context: Context, session: Object, wanted: Sequence[Mapping[str, Any]], items: Sequence[Object]
) -> dict[str, Any]:
    """The session's members of the discounts that it is made with.

    Raises:
        InvalidRequestError: more than one, or one that does not hold for this order.
    """
    if not wanted:
        return {}
    if len(wanted) > MAXIMUM_DISCOUNTS:
        raise InvalidParameterError(
            f"You can apply at most {MAXIMUM_DISCOUNTS} discount to a Checkout Session.", param="discounts"
        )
    found = discounts.resolve(
        context,
        wanted,
        customer=_customer(context, session),
        currency=session["currency"],
        subtotal=sum(each["amount_subtotal"] for each in items),
    )
    shown = [{"coupon": each.get("coupon"), "promotion_code": each.get("promotion_code")} for each in wanted]
    return {"_discounts": found, "discounts": shown}


def of_code(context: Context, session: Object, code: str, subtotal: int) -> dict[str, Any]:
    """The session's members of a promotion code that the buyer entered.

    Raises:
        InvalidRequestError: there is no such code, or it does not hold for this order.
    """
    found = promotion_codes.active_code(context, code, session["customer"])
    if found is None or _needs_somebody(session, found):
        raise InvalidRequestError("This code is invalid.", param="code")
    discount = discounts.of_code(
        context,
        found,
        customer=_customer(context, session),
        currency=session["currency"],
        subtotal=subtotal,
        param="code",
    )
    shown = [{"coupon": None, "promotion_code": found["id"]}]
    return {"_code": code, "_discounts": [discount], "discounts": shown}


def check_still(context: Context, session: Object) -> None:
    """Refuse to pay at a discount that others have used up, or that has ended, since it was applied.

    Raises:
        InvalidRequestError: it counts no more.
    """
    for discount in session["_discounts"]:
        coupon = context.state.find(COUPONS, discount["source"]["coupon"])
        code = discount["promotion_code"] and context.state.find(PROMOTION_CODES, discount["promotion_code"])
        if coupon is None or not coupon.get("valid") or (code and not code["active"]):
            raise InvalidRequestError("This discount is no longer valid.", code="coupon_expired", param="code")


def _customer(context: Context, session: Object) -> Object | None:
    return context.state.find(CUSTOMERS, session["customer"]) if session["customer"] else None


def _needs_somebody(session: Object, code: Object) -> bool:
    """Whether a code is for first purchases, and nobody will know whose this is."""
    is_guest = session["customer"] is None and session["customer_creation"] != "always"
    return bool(is_guest and code["restrictions"]["first_time_transaction"])
