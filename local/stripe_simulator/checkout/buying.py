"""What a buyer does on the page: fill in the form, pay or save a payment method, and go where the shop wants him."""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import StripeError
from ..funds import intents as payments
from ..funds import terms
from ..pages import leave_for, notice, text_of
from ..routing import Html, Redirect
from ..setups import confirming
from ..setups import intents as setups
from ..values import Object
from . import buyer, changing, completing, customers, paying_with, sessions
from .checks import HOSTED, SETUP, SUBSCRIPTION
from .sessions import SESSIONS

_ACCEPTANCE: Final = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "Stripe simulator"}}
"""How a mandate is agreed to on the page."""


def pay(context: Context, session: Object, fields: Mapping[str, Any]) -> Object | None:
    """Try to complete an open session; gives the intent as it then stands, None where nothing had to be paid.

    Raises:
        CardError: declined, and recorded; the buyer may try again.
        InvalidRequestError: a field makes no sense, or the payment is refused before anybody is asked.
    """
    if session["mode"] != SETUP:
        session = changing.by_buyer(context, session, fields)
    who = buyer.read(context, session, fields)
    if not needs_method(session):
        session = customers.know(context, session, who)
        completing.complete(context, session, sessions.NOTHING_DUE)
        return None
    method = paying_with.method(context, session, fields, who)
    session = customers.know(context, session, who)
    if session["mode"] == SETUP or session["amount_total"] == 0:
        intent = _setup_intent(context, session)
        return confirming.confirm_with(context, intent, method, acceptance=_ACCEPTANCE)
    intent = _payment_intent(context, session, method, saves=bool(text_of(fields, "save")))
    return payments.confirm_with(context, intent, method)


def success_url(session: Object) -> str | None:
    """Where the buyer goes after paying; None where the page itself says that it is done."""
    stays = session.get("redirect_on_completion") in ("never", "if_required")
    url: str | None = session["success_url"] if session["ui_mode"] == HOSTED else session.get("return_url")
    return None if stays or url is None else url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def way_on(session: Object) -> Html | Redirect:
    """Where a completed session leads."""
    url = success_url(session)
    return leave_for(url) if url else notice("Thank you", "This order is complete. You can go on in the shop.")


def refit_intent(context: Context, session: Object) -> None:
    """Let the PaymentIntent of an earlier attempt ask for what the order costs now.

    Raises:
        InvalidRequestError: an amount that cannot be charged.
    """
    if session["_attempt"] is None or not session["_attempt"].startswith("pi_"):
        return
    intent = context.state.get(payments.PAYMENT_INTENTS, session["_attempt"])
    if intent["status"] not in payments.CONFIRMABLE:
        return
    asked = terms.new_intent(context, _asked(session))
    changes = {name: asked[name] for name in ("amount", "application_fee_amount", "transfer_data")}
    changes |= {name: asked[name] for name in ("description", "metadata", "setup_future_usage", "shipping")}
    context.state.update(payments.PAYMENT_INTENTS, intent, changes)


def needs_method(session: Object) -> bool:
    """Whether the buyer has to name a payment method: to pay, or to have it kept."""
    if session["mode"] == SUBSCRIPTION and session["payment_method_collection"] == "always":
        return True
    return bool(session["mode"] == SETUP or session["amount_total"])


def _setup_intent(context: Context, session: Object) -> Object:
    """The SetupIntent of mode ``setup``, or one for a subscription that costs nothing yet."""
    if session["_attempt"] and session["_attempt"].startswith("seti_"):
        intent = context.state.get(setups.SETUP_INTENTS, session["_attempt"])
        return context.state.update(setups.SETUP_INTENTS, intent, {"customer": session["customer"]})
    intent = setups.open_intent(context, {"customer": session["customer"]}, watcher=sessions.WATCHER)
    context.state.update(SESSIONS, session, {"_attempt": intent["id"]})
    return intent


def _payment_intent(context: Context, session: Object, method: Object, *, saves: bool) -> Object:
    """The session's PaymentIntent, made when it is first needed, as this payment method wants it."""
    if session["_attempt"] and session["_attempt"].startswith("pi_"):
        refit_intent(context, session)
        intent = context.state.get(payments.PAYMENT_INTENTS, session["_attempt"])
        intent = context.state.update(payments.PAYMENT_INTENTS, intent, {"customer": session["customer"]})
    else:
        intent = payments.open_intent(context, _asked(session), watcher=sessions.WATCHER)
        shown = {} if session["mode"] == SUBSCRIPTION else {"payment_intent": intent["id"]}
        context.state.update(SESSIONS, session, {"_attempt": intent["id"], **shown})
    options = session["payment_method_options"].get(method["type"], {})
    usage = options.get("setup_future_usage") or session["_intent"].get("setup_future_usage")
    usage = usage or ("on_session" if saves else None)
    changes = {
        "capture_method": options.get("capture_method") or session["_intent"].get("capture_method", "automatic_async"),
        "setup_future_usage": None if usage == "none" else usage,
    }
    return context.state.update(payments.PAYMENT_INTENTS, intent, changes)


def _asked(session: Object) -> dict[str, Any]:
    """The parameters of the PaymentIntent as the session stands now.

    A fixed fee or share that is more than what is left to pay is capped, as Stripe caps fees.
    """
    amount = session["amount_total"]
    asked = {**session["_intent"], "amount": amount, "currency": session["currency"]}
    if session["customer"]:
        asked["customer"] = session["customer"]
    if asked.get("application_fee_amount") is not None:
        asked["application_fee_amount"] = min(asked["application_fee_amount"], amount)
    if (asked.get("transfer_data") or {}).get("amount") is not None:
        share = min(asked["transfer_data"]["amount"], amount)
        asked["transfer_data"] = {**asked["transfer_data"], "amount": share}
    details = (session["collected_information"] or {}).get("shipping_details")
    if details:
        asked["shipping"] = {**details, "phone": (session["customer_details"] or {}).get("phone")}
    return asked


def checked_types(context: Context, session: Object) -> list[str]:
    """Which payment methods the session takes; the terms of its payment are checked on the way.

    Raises:
        InvalidRequestError: as for a PaymentIntent, naming this request's parameter.
    """
    if session["amount_total"] == 0:
        return ["card"]
    asked = {**session["_intent"], "amount": session["amount_total"], "currency": session["currency"]}
    try:
        types: list[str] = terms.new_intent(context, asked)["payment_method_types"]
    except StripeError as error:
        first, bracket, rest = (error.param or "").partition("[")
        if first == "amount":
            error.param = "line_items"
        elif first in session["_intent"] and first not in sessions.OF_THE_REQUEST:
            error.param = f"payment_intent_data[{first}]{bracket}{rest}"
        raise
    return types
