"""Checkout Sessions. https://docs.stripe.com/api/checkout/sessions"""

from typing import Final

from ..checkout import sessions
from ..checkout.line_items import ITEMS
from ..checkout.sessions import OPEN, SESSIONS
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..metadata import merged
from ..routing import Routes
from ..values import Object

routes = Routes(SESSIONS, ITEMS)
_PATH: Final = "/v1/checkout/sessions"
_UNSUPPORTED: Final = (
    *("after_expiration", "billing_address_collection", "branding_settings", "consent_collection", "custom_fields"),
    *("custom_text", "customer_account", "customer_update", "discounts", "managed_payments", "name_collection"),
    *("optional_items", "payment_method_configuration", "payment_method_data", "payment_method_options", "permissions"),
    *("saved_payment_method_options", "shipping_address_collection", "shipping_options", "wallet_options"),
)
_OFF_ONLY: Final = (
    "adaptive_pricing",
    "automatic_tax",
    "invoice_creation",
    "phone_number_collection",
    "tax_id_collection",
)
_NOT_FOR_PAYMENTS: Final = ("subscription_data", "setup_intent_data", "payment_method_collection")
_NOT_FOR_HOSTED_PAGES: Final = ("return_url", "redirect_on_completion")


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a session in mode ``payment`` with a page to pay on."""
    _check(context)
    return sessions.make(context, context.params)


@routes.api("GET", _PATH + "/{session}")
def retrieve(context: Context, session: str) -> Object:
    """The session as it stands."""
    return context.state.get(SESSIONS, session)


@routes.api("POST", _PATH + "/{session}")
def update(context: Context, session: str) -> Object:
    """Change the metadata."""
    context.unsupported("collected_information", "line_items", "payment_intent_data", "shipping_options")
    before = context.state.get(SESSIONS, session)
    changes = {"metadata": merged(before["metadata"], context.params.get("metadata"))}
    return context.state.update(SESSIONS, before, changes)


@routes.api("POST", _PATH + "/{session}/expire")
def expire(context: Context, session: str) -> Object:
    """End the session before its time."""
    return sessions.expire(context, context.state.get(SESSIONS, session))


@routes.api("GET", _PATH + "/{session}/line_items")
def list_line_items(context: Context, session: str) -> Object:
    """What is bought, as it was given."""
    return context.list(ITEMS, {"_session": context.state.get(SESSIONS, session)["id"]})


@routes.api("GET", _PATH)
def list_sessions(context: Context) -> Object:
    """Sessions, newest first."""
    context.unsupported("customer_account", "payment_link", "subscription")
    params = context.params
    where = {name: params.get(name) for name in ("customer", "payment_intent", "status")}
    return context.list(SESSIONS, {**where, "customer_details.email": params.get("customer_details", {}).get("email")})


@routes.due("checkout.session.expire")
def expire_in_time(context: Context, session: str) -> None:
    """End a session that nobody completed."""
    found = context.state.get(SESSIONS, session)
    if found["status"] == OPEN:
        sessions.expire(context, found)


def _check(context: Context) -> None:
    """Refuse what this simulator does not do, and what does not belong to a payment on a hosted page."""
    params = context.params
    mode = params.get("mode")
    if mode is None:
        raise InvalidParameterError("Missing required param: mode.", code="parameter_missing", param="mode")
    if mode != "payment":
        raise UnsupportedError(f"Checkout Sessions in mode {mode}")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise UnsupportedError(f"Checkout Sessions with ui_mode {params['ui_mode']}")
    context.unsupported(*_UNSUPPORTED)
    if params.get("allow_promotion_codes") or any(params.get(name, {}).get("enabled") for name in _OFF_ONLY):
        context.unsupported("allow_promotion_codes", *_OFF_ONLY)
    for name in _NOT_FOR_PAYMENTS:
        if name in params:
            raise InvalidParameterError(f"You can not pass `{name}` in `payment` mode.", param=name)
    for name in _NOT_FOR_HOSTED_PAGES:
        if name in params:
            raise InvalidParameterError(f"You can not pass `{name}` when `ui_mode` is `hosted_page`.", param=name)
