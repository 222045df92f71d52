"""Coupons: so much off, how long, how often, of what. https://docs.stripe.com/api/coupons"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from .. import money
from ..catalog import PRODUCTS
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..metadata import merged
from ..shelves import Collection
from ..state import State
from ..values import Object

COUPONS: Final = Collection(
    "coupon",
    path="/v1/coupons",
    expands={
        "applies_to": lambda _state, coupon: coupon["_applies_to"],
        "currency_options": lambda _state, coupon: coupon["_currency_options"],
    },
)
"""``_applies_to`` and ``_currency_options`` are shown only when they are expanded."""

_ID_LENGTH: Final = 8
_LONGEST_SECONDS: Final = 5 * 366 * 24 * 3_600
_HUNDRED: Final = Decimal(100)
_DECIMALS: Final = 2  # https://docs.stripe.com/api/coupons/create: "between 0 and 100", shown with two decimals


def add_coupon(context: Context, params: Mapping[str, Any]) -> Object:
    """A coupon from the API's parameters, kept and told of.

    Raises:
        InvalidRequestError: neither or both of percent and amount, a duration that does not fit, an id that is taken.
    """
    coupon_id = params.get("id") or context.ids.new("", _ID_LENGTH).removeprefix("_")
    if context.state.find(COUPONS, coupon_id):
        raise InvalidRequestError("Coupon already exists.", code="resource_already_exists", param="id")
    duration = params.get("duration", "once")
    coupon = {
        "id": coupon_id,
        "object": "coupon",
        "amount_off": None,
        "created": context.clock.now(),
        "currency": None,
        "duration": duration,
        "duration_in_months": _months(params, duration),
        "livemode": False,
        "max_redemptions": positive(params, "max_redemptions"),
        "metadata": merged({}, params.get("metadata")),
        "name": params.get("name") or None,
        "percent_off": None,
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        "_applies_to": _applies_to(context.state, params),
        "_currency_options": None,
        **_reduction(params),
    }
    if coupon["redeem_by"] is not None:
        if not 0 < coupon["redeem_by"] - context.clock.now() <= _LONGEST_SECONDS:
            raise InvalidParameterError("`redeem_by` must be within the next 5 years.", param="redeem_by")
        context.schedule("coupon.end", at=coupon["redeem_by"], coupon=coupon_id)
    context.state.insert(COUPONS, coupon)
    context.emit("coupon.created", coupon)
    return coupon


def count_redemption(context: Context, coupon_id: str) -> None:
    """Count one more use; the last one that it has ends it."""
    coupon = context.state.get(COUPONS, coupon_id)
    times = coupon["times_redeemed"] + 1
    is_last = coupon["max_redemptions"] is not None and times >= coupon["max_redemptions"]
    changes = {"times_redeemed": times, "valid": coupon["valid"] and not is_last}
    context.emit("coupon.updated", context.state.update(COUPONS, coupon, changes), previous=coupon)


def amount_off(coupon: Object, currency: str, param: str = "coupon") -> int | None:
    """Minor units that the coupon takes off in this currency; None for a coupon of a percentage.

    Raises:
        InvalidParameterError: it has no amount in this currency.
    """
    if coupon["percent_off"] is not None:
        return None
    if coupon["currency"] == currency:
        amount: int = coupon["amount_off"]
        return amount
    other = (coupon["_currency_options"] or {}).get(currency)
    if other is None:
        raise InvalidParameterError(
            f"The currency of this coupon ({coupon['currency']}) does not match the currency that is to be paid in "
            f"({currency}).",
            param=param,
        )
    return int(other["amount_off"])


def checked_options(given: Mapping[str, Any], name: str, own_currency: str | None) -> dict[str, Any]:
    """Amounts by currency, as coupons and promotion codes have them besides the one in their own currency.

    Raises:
        InvalidParameterError: no amount, or one that is none; the currency is their own, or they have none.
    """
    options = {}
    for currency, option in given.items():
        param = f"currency_options[{currency}]"
        code = money.currency_code(currency, param)
        if own_currency in (None, code):
            raise InvalidParameterError("Currency options are for other currencies than the amount's own.", param=param)
        if name not in option:
            missing = f"{param}[{name}]"
            raise InvalidParameterError(f"Missing required param: {missing}.", code="parameter_missing", param=missing)
        money.check_amount(option[name], code, f"{param}[{name}]")
        options[code] = {name: option[name]}
    return options


def _reduction(params: Mapping[str, Any]) -> dict[str, Any]:
    percent, amount = params.get("percent_off"), params.get("amount_off")
    if (percent is None) == (amount is None):
        raise InvalidParameterError(
            "You must specify exactly one of `percent_off` and `amount_off`.",
            code="parameter_missing" if percent is None else None,
            param="percent_off",
        )
    if percent is not None:
        if not 0 < percent <= _HUNDRED or -int(percent.as_tuple().exponent) > _DECIMALS:
            raise InvalidParameterError(
                "Invalid percent_off: must be greater than 0, at most 100, with at most two decimals.",
                param="percent_off",
            )
        checked_options(params.get("currency_options") or {}, "amount_off", None)
        return {"percent_off": float(percent)}
    if "currency" not in params:
        raise InvalidParameterError(
            "You must pass `currency` when passing `amount_off`.", code="parameter_missing", param="currency"
        )
    currency = money.currency_code(params["currency"])
    money.check_amount(amount or 0, currency, "amount_off")
    if not amount:
        raise InvalidParameterError("This value must be greater than or equal to 1.", param="amount_off")
    options = checked_options(params.get("currency_options") or {}, "amount_off", currency)
    return {"amount_off": amount, "currency": currency, "_currency_options": options or None}


def _months(params: Mapping[str, Any], duration: str) -> int | None:
    months: int | None = params.get("duration_in_months")
    if (duration == "repeating") != (months is not None) or (months is not None and months < 1):
        raise InvalidParameterError(
            "`duration_in_months` must be a positive number for a `repeating` coupon, and is for no other.",
            param="duration_in_months",
        )
    return months


def positive(params: Mapping[str, Any], name: str) -> int | None:
    """A number that is at least one, if it was given.

    Raises:
        InvalidParameterError: it is less.
    """
    number: int | None = params.get(name)
    if number is not None and number < 1:
        raise InvalidParameterError("This value must be greater than or equal to 1.", param=name)
    return number


def _applies_to(state: State, params: Mapping[str, Any]) -> dict[str, Any] | None:
    products = (params.get("applies_to") or {}).get("products")
    if not products:
        return None
    for position, product in enumerate(products):
        state.get(PRODUCTS, product, param=f"applies_to[products][{position}]")
    return {"products": list(products)}
