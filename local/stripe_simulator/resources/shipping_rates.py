"""Shipping rates. https://docs.stripe.com/api/shipping_rates"""

from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError
from ..metadata import merged
from ..routing import Routes
from ..shipping_rates import SHIPPING_RATES, add_shipping_rate, checked_options
from ..values import Object

routes = Routes(SHIPPING_RATES)
_PATH: Final = "/v1/shipping_rates"


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a shipping rate."""
    return add_shipping_rate(context, context.params)


@routes.api("GET", _PATH + "/{shipping_rate}")
def retrieve(context: Context, shipping_rate: str) -> Object:
    """The shipping rate as it stands."""
    return context.state.get(SHIPPING_RATES, shipping_rate)


@routes.api("POST", _PATH + "/{shipping_rate}")
def update(context: Context, shipping_rate: str) -> Object:
    """Archive it, or change what may still be said of it; its amount stays."""
    before = context.state.get(SHIPPING_RATES, shipping_rate)
    params = context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "active" in params:
        changes["active"] = params["active"]
    if "tax_behavior" in params:
        if before["tax_behavior"] not in ("unspecified", params["tax_behavior"]):
            raise InvalidRequestError(
                f"You cannot change the `tax_behavior` of this shipping rate, it is {before['tax_behavior']}.",
                param="tax_behavior",
            )
        changes["tax_behavior"] = params["tax_behavior"]
    if "fixed_amount" in params:
        given = params["fixed_amount"].get("currency_options") or {}
        changes["_currency_options"] = checked_options(given, before["_currency_options"])
    return context.state.update(SHIPPING_RATES, before, changes)


@routes.api("GET", _PATH)
def list_shipping_rates(context: Context) -> Object:
    """Shipping rates, newest first."""
    params = context.params
    return context.list(
        SHIPPING_RATES, {"active": params.get("active"), "fixed_amount.currency": params.get("currency")}
    )
