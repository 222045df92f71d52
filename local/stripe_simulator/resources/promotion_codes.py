"""Promotion codes. https://docs.stripe.com/api/promotion_codes"""

from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError
from ..metadata import merged
from ..pricing.coupons import COUPONS, checked_options
from ..pricing.promotion_codes import PROMOTION_CODES, add_promotion_code, end, require_free
from ..routing import Routes
from ..values import Object

routes = Routes(PROMOTION_CODES)
_PATH: Final = "/v1/promotion_codes"


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a code for a coupon."""
    context.unsupported("customer_account")
    return add_promotion_code(context, context.params)


@routes.api("GET", _PATH + "/{promotion_code}")
def retrieve(context: Context, promotion_code: str) -> Object:
    """The code as it stands."""
    return context.state.get(PROMOTION_CODES, promotion_code)


@routes.api("POST", _PATH + "/{promotion_code}")
def update(context: Context, promotion_code: str) -> Object:
    """Let it be used, or not; add minimum amounts in other currencies."""
    before, params = context.state.get(PROMOTION_CODES, promotion_code), context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if params.get("active") and not before["active"]:
        _require_usable(context, before)
        require_free(context, before["code"], before["customer"])
    if "active" in params:
        changes["active"] = params["active"]
    options = (params.get("restrictions") or {}).get("currency_options")
    if options:
        own_currency = before["restrictions"]["minimum_amount_currency"]
        added = checked_options(options, "minimum_amount", own_currency)
        changes["_currency_options"] = {**(before["_currency_options"] or {}), **added}
    after = context.state.update(PROMOTION_CODES, before, changes)
    context.emit("promotion_code.updated", after, previous=before)
    return after


@routes.api("GET", _PATH)
def list_promotion_codes(context: Context) -> Object:
    """Codes, newest first."""
    context.unsupported("customer_account")
    params = context.params
    where = {"active": params.get("active"), "customer": params.get("customer")}
    where |= {"promotion.coupon": params.get("coupon"), "code": (params.get("code") or "").upper() or None}
    return context.list(PROMOTION_CODES, where)


@routes.due("promotion_code.end")
def end_in_time(context: Context, code: str) -> None:
    """A code's ``expires_at`` has come."""
    end(context, context.state.get(PROMOTION_CODES, code))


def _require_usable(context: Context, code: Object) -> None:
    expired = code["expires_at"] is not None and code["expires_at"] <= context.clock.now()
    used_up = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    if expired or used_up or not context.state.get(COUPONS, code["promotion"]["coupon"])["valid"]:
        raise InvalidRequestError(
            "This promotion code cannot be reactivated: it or its coupon is expired or used up.", param="active"
        )
