"""Promotion codes: what a buyer enters to get a coupon's discount. https://docs.stripe.com/api/promotion_codes"""

import re
from collections.abc import Mapping
from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..metadata import merged
from ..shelves import Collection, Index
from ..values import Object
from .coupons import COUPONS, checked_options, positive

PROMOTION_CODES: Final = Collection(
    "promotion_code",
    path="/v1/promotion_codes",
    indexes=(
        *("active", "customer", "promotion.coupon"),
        Index("code", lambda code: (code["code"].upper(),)),
    ),
    expands={
        "customer": "customer",
        "promotion.coupon": "coupon",
        "restrictions.currency_options": lambda _state, code: code["_currency_options"],
    },
)
_CODE_LENGTH: Final = 8
_CODE: Final = re.compile(r"[A-Za-z0-9-]+")


def add_promotion_code(context: Context, params: Mapping[str, Any]) -> Object:
    """A promotion code from the API's parameters, kept and told of.

    Raises:
        InvalidRequestError: the coupon is none or no longer valid, or the code is taken.
    """
    promotion = params["promotion"]
    if "coupon" not in promotion:
        raise InvalidParameterError(
            "Missing required param: promotion[coupon].", code="parameter_missing", param="promotion[coupon]"
        )
    coupon = context.state.get(COUPONS, promotion["coupon"], param="promotion[coupon]")
    if not coupon["valid"]:
        raise InvalidRequestError(f"Coupon {coupon['id']} is no longer valid.", param="promotion[coupon]")
    customer = params.get("customer")
    if customer and context.state.find("customer", customer) is None:
        raise InvalidParameterError(f"No such customer: '{customer}'", code="resource_missing", param="customer")
    code = params.get("code") or context.ids.new("", _CODE_LENGTH).removeprefix("_").upper()
    if not _CODE.fullmatch(code):
        raise InvalidParameterError("A code is made of letters, digits and dashes.", param="code")
    if params.get("active", True):
        require_free(context, code, customer)
    most, coupons_most = positive(params, "max_redemptions"), coupon["max_redemptions"]
    if most is not None and coupons_most is not None and most > coupons_most:
        raise InvalidParameterError("It cannot be redeemed more often than its coupon.", param="max_redemptions")
    expires_at = params.get("expires_at")
    if expires_at is not None and expires_at <= context.clock.now():
        raise InvalidParameterError("`expires_at` must be in the future.", param="expires_at")
    if expires_at is not None and coupon["redeem_by"] is not None and expires_at > coupon["redeem_by"]:
        raise InvalidParameterError("It cannot expire after its coupon's `redeem_by`.", param="expires_at")
    made = {
        "id": context.ids.new("promo"),
        "object": "promotion_code",
        "active": params.get("active", True),
        "code": code,
        "created": context.clock.now(),
        "customer": customer,
        "customer_account": None,
        "expires_at": expires_at,
        "livemode": False,
        "max_redemptions": most,
        "metadata": merged({}, params.get("metadata")),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        **_restrictions(params.get("restrictions") or {}),
        "times_redeemed": 0,
    }
    if expires_at is not None:
        context.schedule("promotion_code.end", at=expires_at, code=made["id"])
    context.state.insert(PROMOTION_CODES, made)
    context.emit("promotion_code.created", made)
    return made


def active_code(context: Context, text: str, customer: str | None) -> Object | None:
    """The active promotion code of this text that the customer may use, its own before everybody's."""
    found = list(context.state.select(PROMOTION_CODES, {"code": text.strip().upper(), "active": True}))
    mine = [code for code in found if code["customer"] in (None, customer)]
    return next(iter(sorted(mine, key=lambda code: code["customer"] is None)), None)


def count_redemption(context: Context, code_id: str) -> None:
    """Count one more use; the last one that it has ends it."""
    code = context.state.get(PROMOTION_CODES, code_id)
    times = code["times_redeemed"] + 1
    is_last = code["max_redemptions"] is not None and times >= code["max_redemptions"]
    changes = {"times_redeemed": times, "active": code["active"] and not is_last}
    context.emit("promotion_code.updated", context.state.update(PROMOTION_CODES, code, changes), previous=code)


def end(context: Context, code: Object) -> Object:
    """Let a code be used no more."""
    if not code["active"]:
        return code
    ended = context.state.update(PROMOTION_CODES, code, {"active": False})
    context.emit("promotion_code.updated", ended, previous=code)
    return ended


def minimum_amount(code: Object, currency: str) -> int | None:
    """Minor units that must be bought for, in this currency; None where there is no such restriction.

    Raises:
        InvalidParameterError: it has a minimum, in other currencies.
    """
    restrictions = code["restrictions"]
    if restrictions["minimum_amount"] is None:
        return None
    if restrictions["minimum_amount_currency"] == currency:
        minimum: int = restrictions["minimum_amount"]
        return minimum
    other = (code["_currency_options"] or {}).get(currency)
    if other is None:
        raise InvalidParameterError(
            f"This promotion code has a minimum amount, but none in {currency}.", param="promotion_code"
        )
    return int(other["minimum_amount"])


def require_free(context: Context, code: str, customer: str | None) -> None:
    """Refuse an active code that would be the second of its text for some customer, in whatever case.

    Raises:
        InvalidRequestError.
    """
    for other in context.state.select(PROMOTION_CODES, {"code": code.upper(), "active": True}):
        if customer is None or other["customer"] in (customer, None):
            raise InvalidRequestError(f"An active promotion code with `code: {code}` already exists.", param="code")


def _restrictions(given: Mapping[str, Any]) -> dict[str, Any]:
    minimum, currency = given.get("minimum_amount"), given.get("minimum_amount_currency")
    if (minimum is None) != (currency is None):
        raise InvalidParameterError(
            "`minimum_amount` and `minimum_amount_currency` go together.",
            code="parameter_missing",
            param="restrictions[minimum_amount]" if minimum is None else "restrictions[minimum_amount_currency]",
        )
    if currency is not None:
        currency = money.currency_code(currency, "restrictions[minimum_amount_currency]")
        money.check_amount(minimum or 0, currency, "restrictions[minimum_amount]")
    return {
        "restrictions": {
            "first_time_transaction": given.get("first_time_transaction", False),
            "minimum_amount": minimum,
            "minimum_amount_currency": currency,
        },
        "_currency_options": checked_options(given.get("currency_options") or {}, "minimum_amount", currency) or None,
    }
