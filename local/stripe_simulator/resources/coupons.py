"""Coupons. https://docs.stripe.com/api/coupons"""

from typing import Any, Final

from ..context import Context
from ..errors import ResourceMissingError
from ..metadata import merged
from ..pricing.coupons import COUPONS, add_coupon, checked_options
from ..pricing.promotion_codes import PROMOTION_CODES, end
from ..routing import Routes
from ..values import Object

routes = Routes(COUPONS)
_PATH: Final = "/v1/coupons"


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a coupon."""
    return add_coupon(context, context.params)


@routes.api("GET", _PATH + "/{coupon}")
def retrieve(context: Context, coupon: str) -> Object:
    """The coupon as it stands."""
    return _standing(context, coupon)


@routes.api("POST", _PATH + "/{coupon}")
def update(context: Context, coupon: str) -> Object:
    """Change what may still be said of it; its reduction stays."""
    before, params = _standing(context, coupon), context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "name" in params:
        changes["name"] = params["name"] or None
    if "currency_options" in params:
        added = checked_options(params["currency_options"], "amount_off", before["currency"])
        changes["_currency_options"] = {**(before["_currency_options"] or {}), **added}
    after = context.state.update(COUPONS, before, changes)
    context.emit("coupon.updated", after, previous=before)
    return after


@routes.api("DELETE", _PATH + "/{coupon}")
def delete(context: Context, coupon: str) -> Object:
    """Let nobody use it again; who has its discount keeps it."""
    before = _standing(context, coupon)
    _end_codes(context, coupon)
    context.emit("coupon.deleted", before)
    context.state.update(COUPONS, before, {"valid": False, "deleted": True})
    return {"id": coupon, "object": "coupon", "deleted": True}


@routes.api("GET", _PATH)
def list_coupons(context: Context) -> Object:
    """Coupons, newest first."""
    return context.list(COUPONS)


@routes.due("coupon.end")
def end_in_time(context: Context, coupon: str) -> None:
    """A coupon's ``redeem_by`` has come."""
    found = context.state.find(COUPONS, coupon)
    if found and found["valid"]:
        ended = context.state.update(COUPONS, found, {"valid": False})
        context.emit("coupon.updated", ended, previous=found)
        _end_codes(context, coupon)


def _standing(context: Context, coupon: str) -> Object:
    """The coupon, unless it was deleted; discounts go on reading that one, the API does not."""
    found = context.state.get(COUPONS, coupon)
    if "deleted" in found:
        raise ResourceMissingError("coupon", coupon)
    return found


def _end_codes(context: Context, coupon: str) -> None:
    for code in list(context.state.select(PROMOTION_CODES, {"promotion.coupon": coupon, "active": True})):
        end(context, code)
