"""Checkout Sessions in mode ``payment``: made, completed, expired, and followed until their money has come or not.

https://docs.stripe.com/api/checkout/sessions
"""

from collections.abc import Mapping
from typing import Any, Final

from ..catalog import jsonable
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, StripeError
from ..funds import captures, intents, terms
from ..lists import list_object
from ..metadata import merged
from ..pages import checked_link
from ..shelves import Collection
from ..state import State, public
from ..values import Object
from . import line_items
from .line_items import ITEMS

OPEN, COMPLETE, EXPIRED = "open", "complete", "expired"
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    OPEN: frozenset({COMPLETE, EXPIRED}),
    COMPLETE: frozenset(),
    EXPIRED: frozenset(),
}
PAID, UNPAID, NOTHING_DUE = "paid", "unpaid", "no_payment_required"
_COMPLETING: Final = {"succeeded": PAID, "processing": UNPAID, "requires_capture": UNPAID}
"""Statuses of the PaymentIntent that complete an open session, and what the session then says of the payment."""

SHORTEST_LIFE_SECONDS: Final = 30 * 60
LONGEST_LIFE_SECONDS: Final = 24 * 3_600
WATCHER: Final = "checkout.session"
_ID_LENGTH: Final = 58
_ABSENT: Final = (
    *("after_expiration", "billing_address_collection", "client_secret", "collected_information", "consent"),
    *("consent_collection", "currency_conversion", "customer_account", "invoice", "managed_payments", "optional_items"),
    *("payment_link", "payment_method_configuration_details", "permissions", "recovered_from", "setup_intent"),
    *("saved_payment_method_options", "shipping_address_collection", "shipping_cost", "subscription", "wallet_options"),
)
_KEPT_AS_GIVEN: Final = ("client_reference_id", "integration_identifier", "locale", "origin_context", "submit_type")
_OF_THE_INTENT: Final = ("customer", "allowed_payment_method_types", "excluded_payment_method_types")


def _items_of(state: State, session: Object) -> Object:
    items = list(state.select(ITEMS, {"_session": session["id"]}))
    return list_object([public(each) for each in items], f"/v1/checkout/sessions/{session['id']}/line_items")


SESSIONS: Final = Collection(
    "checkout.session",
    path="/v1/checkout/sessions",
    indexes=("customer", "customer_details.email", "payment_intent", "setup_intent", "status"),
    expands={"customer": "customer", "payment_intent": "payment_intent", "line_items": _items_of},
    found_anywhere=True,
)
"""``_intent``: the parameters of the PaymentIntent, which is made when the buyer first tries to pay."""


def make(context: Context, params: Mapping[str, Any]) -> Object:
    """An open session, kept, with the moment noted at which it expires.

    Raises:
        InvalidRequestError: what Stripe refuses at creation, the terms of the payment included.
    """
    items = line_items.priced(context, params.get("line_items", ()), params.get("currency"))
    total, currency = sum(each["amount_total"] for each in items), items[0]["currency"]
    intent = {"amount": total, "currency": currency, **jsonable(params.get("payment_intent_data", {}))}
    intent |= {name: params[name] for name in _OF_THE_INTENT if name in params}
    session_id = context.ids.new("cs_test", _ID_LENGTH)
    session = {
        "id": session_id,
        "object": "checkout.session",
        **dict.fromkeys(_ABSENT),
        **_choices(params),
        **_customer(params),
        **{name: params.get(name) for name in _KEPT_AS_GIVEN},
        "amount_subtotal": sum(each["amount_subtotal"] for each in items),
        "amount_total": total,
        "cancel_url": checked_link(params["cancel_url"], "cancel_url") if "cancel_url" in params else None,
        "created": context.clock.now(),
        "currency": currency,
        "expires_at": _expires_at(context, params),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": _checked_types(context, intent),
        "payment_status": UNPAID if total else NOTHING_DUE,
        "status": OPEN,
        "success_url": _success_url(params),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{context.settings.base_url}/c/pay/{session_id}",
        "_intent": intent,
    }
    line_items.keep(context, session_id, items)
    context.state.insert(SESSIONS, session)
    context.schedule("checkout.session.expire", at=session["expires_at"], session=session_id)
    return session


def expire(context: Context, session: Object) -> Object:
    """End an open session.

    Raises:
        InvalidRequestError: it is not open.
    """
    if EXPIRED not in TRANSITIONS[session["status"]]:
        raise InvalidRequestError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`.",
            code="checkout_session_not_open",
        )
    expired = context.state.update(SESSIONS, session, {"status": EXPIRED, "url": None})
    if session["payment_intent"]:
        intent = context.state.get(intents.PAYMENT_INTENTS, session["payment_intent"])
        captures.cancel(context, intent, "expired")
    context.emit("checkout.session.expired", expired)
    return expired


def complete(context: Context, session: Object, payment_status: str) -> Object:
    """End an open session with success."""
    if COMPLETE not in TRANSITIONS[session["status"]]:
        raise LookupError(f"the session {session['id']} is {session['status']} and cannot be completed")
    changes = {"status": COMPLETE, "payment_status": payment_status, "url": None}
    completed = context.state.update(SESSIONS, session, changes)
    context.emit("checkout.session.completed", completed)
    return completed


@intents.watches(WATCHER)
def follow(context: Context, intent: Object) -> None:
    """Let the session go where its PaymentIntent goes, also when that happens days later."""
    session = context.state.first(SESSIONS, {"payment_intent": intent["id"]})
    if session is None or session["status"] == EXPIRED:
        return
    status = intent["status"]
    if session["status"] == OPEN:
        if status in _COMPLETING:
            complete(context, session, _COMPLETING[status])
    elif status == "succeeded":
        paid = context.state.update(SESSIONS, session, {"payment_status": PAID})
        if intent["capture_method"] != "manual":
            context.emit("checkout.session.async_payment_succeeded", paid)
    elif status == "requires_payment_method":
        context.emit("checkout.session.async_payment_failed", session)


def _choices(params: Mapping[str, Any]) -> dict[str, Any]:
    """What API members say that a session has not been asked to do."""
    excluded = params.get("excluded_payment_method_types")
    return {
        "adaptive_pricing": {"enabled": False},
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "discounts": [],
        "invoice_creation": {"enabled": False, "invoice_data": _no_invoice()},
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        **({"excluded_payment_method_types": excluded} if excluded else {}),
    }


def _no_invoice() -> dict[str, Any]:
    blank = dict.fromkeys(("account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options"))
    return {**blank, "metadata": {}}


def _customer(params: Mapping[str, Any]) -> dict[str, Any]:
    named, email = params.get("customer"), params.get("customer_email")
    for other in ("customer_email", "customer_creation"):
        if named and other in params:
            raise InvalidParameterError(
                f"You may only specify one of these parameters: customer, {other}.", param="customer"
            )
    details = {"address": None, "business_name": None, "email": email, "individual_name": None, "name": None}
    details |= {"phone": None, "tax_exempt": "none", "tax_ids": None}
    return {
        "customer": named,
        "customer_creation": None if named else params.get("customer_creation", "if_required"),
        "customer_details": details if email else None,
        "customer_email": email,
    }


def _success_url(params: Mapping[str, Any]) -> str:
    if "success_url" not in params:
        raise InvalidParameterError(
            "Missing required param: success_url.", code="parameter_missing", param="success_url"
        )
    return checked_link(params["success_url"], "success_url")


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


def _checked_types(context: Context, intent: Mapping[str, Any]) -> list[str]:
    """Which payment methods the session takes; the terms of its payment are checked on the way.

    Raises:
        InvalidRequestError: as for a PaymentIntent, naming this request's parameter.
    """
    if intent["amount"] == 0:
        return ["card"]
    try:
        types: list[str] = terms.new_intent(context, intent)["payment_method_types"]
    except StripeError as error:
        first, bracket, rest = (error.param or "").partition("[")
        if first == "amount":
            error.param = "line_items"
        elif first in intent and first not in (*_OF_THE_INTENT, "currency"):
            error.param = f"payment_intent_data[{first}]{bracket}{rest}"
        raise
    return types
