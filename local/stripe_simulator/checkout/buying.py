"""What a buyer does on the page: fill in the form, pay or save a payment method, and go where the shop wants him."""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..funds import intents as payments
from ..pages import leave_for, notice, text_of
from ..routing import Html, Redirect
from ..setups import confirming
from ..setups import intents as setups
from ..values import Object
from . import buyer, changing, completing, customers, discounting, paying_with, sessions, taxing, terms_of_payment
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
        discounting.check_still(context, session)
        taxing.check_located(session)
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
    intent = _payment_intent(context, session, saves=bool(text_of(fields, "save")))
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
    asked = {"customer": session["customer"], **terms_of_payment.setup_options(session)}
    intent = setups.open_intent(context, asked, watcher=sessions.WATCHER)
    context.state.update(SESSIONS, session, {"_attempt": intent["id"]})
    return intent


def _payment_intent(context: Context, session: Object, *, saves: bool) -> Object:
    """The session's PaymentIntent, made when it is first needed."""
    if session["_attempt"] and session["_attempt"].startswith("pi_"):
        terms_of_payment.refit_intent(context, session)
        intent = context.state.get(payments.PAYMENT_INTENTS, session["_attempt"])
        intent = context.state.update(payments.PAYMENT_INTENTS, intent, {"customer": session["customer"]})
    else:
        intent = payments.open_intent(context, terms_of_payment.asked(session), watcher=sessions.WATCHER)
        shown = {} if session["mode"] == SUBSCRIPTION else {"payment_intent": intent["id"]}
        context.state.update(SESSIONS, session, {"_attempt": intent["id"], **shown})
    usage = intent["setup_future_usage"] or ("on_session" if saves else None)
    return context.state.update(payments.PAYMENT_INTENTS, intent, {"setup_future_usage": usage})
