"""How an order can be shipped, what the buyer chose, and what that costs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..shipping_rates import SHIPPING_RATES, add_shipping_rate, amount_in
from ..values import Object

MAXIMUM_OPTIONS: Final = 5


def options(context: Context, given: Sequence[Mapping[str, Any]] | str, currency: str) -> list[dict[str, Any]]:
    """The session's shipping options, each with what it costs in the session's currency.

    Raises:
        InvalidParameterError: too many, a rate that is archived, or one without an amount in the currency.
    """
    if not given or isinstance(given, str):
        return []
    if len(given) > MAXIMUM_OPTIONS:
        raise InvalidParameterError(
            f"A Checkout Session can have up to {MAXIMUM_OPTIONS} shipping options.", param="shipping_options"
        )
    return [_option(context, each, currency, f"shipping_options[{position}]") for position, each in enumerate(given)]


def chosen(context: Context, session: Object) -> Object | None:
    """The rate that stands for now: the one that the buyer chose, at first the first one."""
    ids = [each["shipping_rate"] for each in session["shipping_options"]]
    if not ids:
        return None
    wanted = session["_shipping_rate"]
    return context.state.get(SHIPPING_RATES, wanted if wanted in ids else ids[0])


def _option(context: Context, given: Mapping[str, Any], currency: str, param: str) -> dict[str, Any]:
    if ("shipping_rate" in given) == ("shipping_rate_data" in given):
        raise InvalidParameterError(
            "You must specify either `shipping_rate` or `shipping_rate_data` for each shipping option.", param=param
        )
    if "shipping_rate_data" in given:
        rate = add_shipping_rate(context, given["shipping_rate_data"])
    else:
        rate = context.state.get(SHIPPING_RATES, given["shipping_rate"], param=f"{param}[shipping_rate]")
        if not rate["active"]:
            raise InvalidParameterError(
                f"The shipping rate `{rate['id']}` is archived.", param=f"{param}[shipping_rate]"
            )
    amount, _ = amount_in(context, rate, currency, f"{param}[shipping_rate]")
    return {"shipping_amount": amount, "shipping_rate": rate["id"]}
