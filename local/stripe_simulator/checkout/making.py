"""Making a Checkout Session of the API's parameters, or again of those of one that expired.

https://docs.stripe.com/api/checkout/sessions/create
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .. import money
from ..catalog import jsonable
from ..context import Context
from ..errors import InvalidParameterError
from ..metadata import merged
from ..pages import checked_link
from ..setups import intents as setups
from ..values import Object
from . import choices, discounting, line_items, shipping, subscribing, taxing, terms_of_payment, totals
from .checks import ELEMENTS, HOSTED, SETUP, SUBSCRIPTION, check
from .sessions import OF_THE_REQUEST, OPEN, SESSIONS, UNPAID, WATCHER

SHORTEST_LIFE_SECONDS: Final = 30 * 60
LONGEST_LIFE_SECONDS: Final = 24 * 3_600
MAXIMUM_OPTIONAL_ITEMS: Final = 10
_ID_LENGTH: Final = 58
_SECRET_LENGTH: Final = 60
_ABSENT: Final = (
    *("amount_subtotal", "amount_total", "client_secret", "collected_information", "currency_conversion"),
    *("customer_account", "invoice", "managed_payments", "optional_items", "payment_intent", "payment_link"),
    *("payment_method_configuration_details", "recovered_from", "setup_intent", "shipping_cost", "subscription"),
    *("total_details", "url", "_attempt", "_code", "_shipping_rate"),
)
_NOT_COPIED: Final = frozenset({"after_expiration", "allow_promotion_codes", "discounts", "expires_at"})


def make(context: Context) -> Object:
    """An open session, kept, with the moment noted at which it expires.

    Raises:
        InvalidRequestError: what Stripe refuses at creation, the terms of the payment included.
    """
    check(context)
    params = context.params
    session_id = context.ids.new("cs_test", _ID_LENGTH)
    interface = params.get("ui_mode", HOSTED)
    session: dict[str, Any] = {
        "id": session_id,
        "object": "checkout.session",
        **dict.fromkeys(_ABSENT),
        **choices.of_request(context, params),
        **_way_back(params, interface),
        "after_expiration": _after_expiration(params.get("after_expiration")),
        "automatic_tax": taxing.asked(context, params),
        "created": context.clock.now(),
        "currency": money.currency_code(params["currency"]) if "currency" in params else None,
        "discounts": None if params["mode"] == SETUP else [],
        "expires_at": _expires_at(context, params),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "mode": params["mode"],
        "payment_status": UNPAID,
        "shipping_options": [],
        "status": OPEN,
        "ui_mode": interface,
        "_breakdown": {"discounts": [], "taxes": []},
        "_discounts": [],
        "_entered": {},
        "_intent": _intent(params),
        "_method_data": params.get("payment_method_data", {}),
        "_params": jsonable(dict(params)),
        "_shipping_taxes": [],
        "_subscription": jsonable(params.get("subscription_data", {})),
    }
    if interface == HOSTED:
        session["url"] = f"{context.settings.base_url}/c/pay/{session_id}"
    else:
        session["client_secret"] = f"{session_id}_{context.ids.new('secret', _SECRET_LENGTH)}"
    made = _for_setup(context, session) if session["mode"] == SETUP else _for_order(context, session)
    context.schedule("checkout.session.expire", at=made["expires_at"], session=session_id)
    return made


def again(context: Context, expired: Object) -> Object:
    """The session that a recovery URL leads to: as the expired one was made, but that it does not recover once more."""
    params = {name: value for name, value in expired["_params"].items() if name not in _NOT_COPIED}
    if expired["after_expiration"]["recovery"]["allow_promotion_codes"]:
        params["allow_promotion_codes"] = True
    elif "discounts" in expired["_params"]:
        params["discounts"] = expired["_params"]["discounts"]
    made = make(replace(context, params=params))
    return context.state.update(SESSIONS, made, {"recovered_from": expired["id"]})


def _for_setup(context: Context, session: dict[str, Any]) -> Object:
    """A session that saves a payment method, with the SetupIntent for it."""
    params = context.params
    if session["currency"] is None and "allowed_payment_method_types" not in params:
        raise InvalidParameterError(
            "`currency` is required in `setup` mode when `allowed_payment_method_types` is not set.",
            code="parameter_missing",
            param="currency",
        )
    kinds = setups.kinds(params, session["currency"])
    asked = {**params.get("setup_intent_data", {}), "allowed_payment_method_types": kinds}
    asked |= terms_of_payment.setup_options(session)
    if session["customer"]:
        asked["customer"] = session["customer"]
    intent = setups.open_intent(context, asked, watcher=WATCHER)
    session |= {"setup_intent": intent["id"], "_attempt": intent["id"], "payment_method_types": kinds}
    session["payment_status"] = "no_payment_required"
    return context.state.insert(SESSIONS, session)


def _for_order(context: Context, session: dict[str, Any]) -> Object:
    """A session that sells something, with its sums."""
    params = context.params
    items = line_items.priced(context, params.get("line_items", ()), line_items.order_of(session))
    session["currency"] = currency = items[0]["currency"]
    if session["mode"] == SUBSCRIPTION:
        subscribing.check(context, session, items)
    session["shipping_options"] = shipping.options(context, params.get("shipping_options", ()), currency)
    session["optional_items"] = _optional(context, session, params.get("optional_items", ()), items)
    session |= discounting.given(context, session, params.get("discounts", ()), items)
    session["payment_method_types"] = []
    context.state.insert(SESSIONS, session)
    summed = totals.apply(context, session, items, place=taxing.place_known(context, session))
    return context.state.update(
        SESSIONS, summed, {"payment_method_types": terms_of_payment.checked_types(context, summed)}
    )


def _intent(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the PaymentIntent, which is made later, but for its amount."""
    intent: dict[str, Any] = jsonable(params.get("payment_intent_data", {}))
    return {**intent, **{name: params[name] for name in OF_THE_REQUEST if name in params}}


def _optional(
    context: Context, session: Object, given: Sequence[Mapping[str, Any]], items: Sequence[Object]
) -> list[dict[str, Any]] | None:
    """What the buyer may add, each tried once."""
    if not given:
        return None
    if len(given) > MAXIMUM_OPTIONAL_ITEMS:
        raise InvalidParameterError(
            f"A Checkout Session can have up to {MAXIMUM_OPTIONAL_ITEMS} optional items.", param="optional_items"
        )
    order = line_items.order_of(session)
    tried = [
        line_items.item_of(context, each, f"optional_items[{position}]", order) for position, each in enumerate(given)
    ]
    line_items.check_number([*items, *tried], order.mode)
    return [
        {"adjustable_quantity": item["adjustable_quantity"], "price": item["price"]["id"], "quantity": item["quantity"]}
        for item in tried
    ]


def _way_back(params: Mapping[str, Any], interface: str) -> dict[str, Any]:
    urls = {
        name: checked_link(params[name], name) if name in params else None for name in ("cancel_url", "success_url")
    }
    if interface == HOSTED:
        return urls
    more: dict[str, Any] = {}
    if "return_url" in params:
        more["return_url"] = checked_link(params["return_url"], "return_url")
    if interface != ELEMENTS:
        more["redirect_on_completion"] = params.get("redirect_on_completion", "always")
    return {**urls, **more}


def _after_expiration(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    recovery = (given or {}).get("recovery")
    if not recovery:
        return None
    allows = recovery.get("allow_promotion_codes", False)
    shown = {"allow_promotion_codes": allows, "enabled": recovery["enabled"], "expires_at": None, "url": None}
    return {"recovery": shown}


def _expires_at(context: Context, params: Mapping[str, Any]) -> int:
    now = context.clock.now()
    at: int = params.get("expires_at", now + LONGEST_LIFE_SECONDS)
    if at < now + SHORTEST_LIFE_SECONDS:
        raise InvalidParameterError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if at > now + LONGEST_LIFE_SECONDS:
        raise InvalidParameterError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    return at
