"""Changing an open session: by the buyer on the page, within what he may, or by the shop through the API.

https://docs.stripe.com/payments/checkout/dynamic-updates
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..metadata import merged
from ..pages import text_of
from ..values import Object
from . import buyer, discounting, line_items, shipping, taxing, terms_of_payment, totals
from .checks import ELEMENTS, EMBEDDED
from .sessions import OPEN, SESSIONS

_INTENT_TEXTS: Final = ("description", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix")


def by_buyer(context: Context, session: Object, fields: Mapping[str, Any]) -> Object:
    """The session with what a form of the page says: quantities, optional items, code, shipping, addresses.

    Raises:
        InvalidRequestError: what the buyer may not choose, such as a code that does not hold.
    """
    items = _with_quantities(line_items.of_session(context.state, session), fields)
    items += _with_optional(context, session, items, fields)
    if all(each["quantity"] == 0 for each in items):
        raise InvalidParameterError("Your order is empty.", param="line_items")
    changes: dict[str, Any] = {"_entered": buyer.entered(session, fields)}
    rate = text_of(fields, "shipping_rate")
    if rate:
        if rate not in [each["shipping_rate"] for each in session["shipping_options"]]:
            raise InvalidParameterError("Please choose how your order is shipped.", param="shipping_rate")
        changes["_shipping_rate"] = rate
    if session["allow_promotion_codes"] and "code" in fields:
        changes |= _with_code(context, session, text_of(fields, "code"), sum(each["amount_subtotal"] for each in items))
    session = context.state.update(SESSIONS, session, changes)
    return totals.apply(context, session, items, place=taxing.place_shown(context, session))


def by_shop(context: Context, session: Object, params: Mapping[str, Any]) -> Object:
    """The session with what an update of the API says.

    Raises:
        InvalidRequestError: it is not open, or its interface does not take the change.
    """
    changes: dict[str, Any] = {"metadata": merged(session["metadata"], params.get("metadata"))}
    if not params.keys() - {"metadata"}:
        return context.state.update(SESSIONS, session, changes)
    if session["status"] != OPEN:
        raise InvalidRequestError(
            f"You cannot update a Checkout Session that is {session['status']}, but for its metadata.",
            code="checkout_session_not_open",
        )
    if "payment_intent_data" in params:
        changes["_intent"] = _intent(session, params["payment_intent_data"])
    if "collected_information" in params:
        changes |= _collected(session, params["collected_information"])
    if "shipping_options" in params:
        given = params["shipping_options"] or ()
        changes["shipping_options"] = shipping.options(context, given, session["currency"])
    items: Sequence[Mapping[str, Any]] = line_items.of_session(context.state, session)
    if "line_items" in params:
        items = line_items.changed(context, session, params["line_items"])
    session = context.state.update(SESSIONS, session, changes)
    changed = totals.apply(context, session, items, place=taxing.place_known(context, session))
    terms_of_payment.checked_types(context, changed)
    terms_of_payment.refit_intent(context, changed)
    return changed


def _with_quantities(items: Sequence[Object], fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for item in items:
        wanted = text_of(fields, f"quantity_{item['id']}")
        if wanted and item["adjustable_quantity"]:
            bounds = item["adjustable_quantity"]
            least = 0 if item["_optional"] is not None else bounds["minimum"]
            quantity = _number(wanted, least, bounds["maximum"])
            found.append(line_items.with_quantity(item, quantity))
        elif wanted == "0" and item["_optional"] is not None:
            found.append(line_items.with_quantity(item, 0))
        else:
            found.append({**item})
    return found


def _with_optional(
    context: Context, session: Object, items: Sequence[Mapping[str, Any]], fields: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """New items: of the optional ones, those that the buyer adds."""
    present = {each["_optional"] for each in items}
    added = []
    for position, option in enumerate(session["optional_items"] or ()):
        if position not in present and text_of(fields, f"optional_{position}"):
            given = {name: value for name, value in option.items() if value is not None}
            param = f"optional_items[{position}]"
            item = line_items.item_of(context, given, param, line_items.order_of(session))
            added.append({**item, "_optional": position})
    return added


def _with_code(context: Context, session: Object, code: str, subtotal: int) -> dict[str, Any]:
    """The discount of a promotion code, in the place of the one before; none when the field is empty."""
    if not code:
        return {"_code": None, "_discounts": [], "discounts": []}
    return {} if code == session["_code"] else discounting.of_code(context, session, code, subtotal)


def _intent(session: Object, given: Mapping[str, Any]) -> dict[str, Any]:
    if session["ui_mode"] != ELEMENTS:
        raise InvalidParameterError(
            "You can only update `payment_intent_data` when `ui_mode` is `elements`.", param="payment_intent_data"
        )
    intent = {**session["_intent"], **{name: given[name] or None for name in _INTENT_TEXTS if name in given}}
    if "metadata" in given:
        intent["metadata"] = merged(intent.get("metadata") or {}, given["metadata"])
    return {name: value for name, value in intent.items() if value is not None}


def _collected(session: Object, given: Mapping[str, Any]) -> dict[str, Any]:
    if session["ui_mode"] not in (EMBEDDED, ELEMENTS):
        raise InvalidParameterError(
            "You can only update `collected_information` when `ui_mode` is `embedded_page` or `elements`.",
            param="collected_information",
        )
    found = given.get("shipping_details")
    if not found:
        return {}
    address = {name: found["address"].get(name) for name in buyer.ADDRESS}
    before = session["collected_information"] or dict.fromkeys(("business_name", "individual_name"))
    entered = {f"shipping_{name}": value for name, value in address.items() if value}
    return {
        "collected_information": {**before, "shipping_details": {"address": address, "name": found["name"]}},
        "_entered": {**session["_entered"], **entered, "shipping_name": found["name"]},
    }


def _number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise InvalidParameterError(f"Please choose a quantity from {least} to {most}.", param="quantity")
    return int(text)
