"""What a buyer does on the hosted page: fill in a form, pay, and go on to where the shop wants him."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..funds import intents, methods
from ..pages import leave_for, text_of
from ..resources.customers import CUSTOMERS
from ..resources.customers import create as create_customer
from ..routing import Html, Redirect
from ..values import Object
from . import sessions
from .sessions import SESSIONS

CARD, US_BANK_ACCOUNT, SEPA_DEBIT = "card", "us_bank_account", "sepa_debit"
USUAL_EMAIL: Final = "buyer@example.test"
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_EXPIRY: Final = re.compile(r"(\d{1,2})\s*/?\s*(\d{2}|\d{4})")
_USUAL_YEARS_AHEAD: Final = 4


def pay(context: Context, session: Object, fields: Mapping[str, Any]) -> Object | None:
    """Try to pay an open session; gives the PaymentIntent as it then stands, None where nothing had to be paid.

    Raises:
        CardError: declined, and recorded; the buyer may try again.
        InvalidRequestError: a field makes no sense, or the payment is refused before anybody is asked.
    """
    details = {"email": _email(context, session, fields), "name": text_of(fields, "name") or None}
    if session["amount_total"] == 0:
        session = _know_buyer(context, session, details)
        sessions.complete(context, session, sessions.NOTHING_DUE)
        return None
    method = _method(context, session, fields, details)
    session = _know_buyer(context, session, details)
    return intents.confirm_with(context, _intent(context, session), method)


def email_of_customer(context: Context, session: Object) -> str | None:
    """The e-mail of the session's customer, which the buyer cannot change."""
    customer = context.state.find(CUSTOMERS, session["customer"]) if session["customer"] else None
    return customer.get("email") if customer else session["customer_email"]


def success_url(session: Object) -> str:
    """Where the buyer goes after paying."""
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def way_on(session: Object) -> Html | Redirect:
    """Where a completed session leads."""
    return leave_for(success_url(session))


def _intent(context: Context, session: Object) -> Object:
    """The session's PaymentIntent, made when it is first needed."""
    if session["payment_intent"]:
        return context.state.get(intents.PAYMENT_INTENTS, session["payment_intent"])
    params = {**session["_intent"], **({"customer": session["customer"]} if session["customer"] else {})}
    intent = intents.open_intent(context, params, watcher=sessions.WATCHER)
    context.state.update(SESSIONS, session, {"payment_intent": intent["id"]})
    return intent


def _know_buyer(context: Context, session: Object, details: Mapping[str, Any]) -> Object:
    """The session with what is known of the buyer, and with a customer made of it where one is asked for."""
    blank = dict.fromkeys(("address", "business_name", "email", "individual_name", "name", "phone"))
    members: dict[str, Any] = {"customer_details": {**blank, "tax_exempt": "none", "tax_ids": None, **details}}
    is_saved = session["_intent"].get("setup_future_usage")
    if session["customer"] is None and (session["customer_creation"] == "always" or is_saved):
        known = {name: value for name, value in details.items() if value}
        members["customer"] = create_customer(replace(context, params=known))["id"]
    return context.state.update(SESSIONS, session, members)


def _email(context: Context, session: Object, fields: Mapping[str, Any]) -> str:
    known = email_of_customer(context, session)
    if known:
        return known
    email = text_of(fields, "email") if "email" in fields else USUAL_EMAIL
    if not _EMAIL.fullmatch(email):
        raise InvalidParameterError("Your email is invalid.", code="email_invalid", param="email")
    return email


def _method(context: Context, session: Object, fields: Mapping[str, Any], details: Mapping[str, Any]) -> Object:
    number, account = text_of(fields, "test_card"), text_of(fields, "test_account")
    kind = CARD if number else text_of(fields, "method") or CARD
    if account:
        kind = US_BANK_ACCOUNT if US_BANK_ACCOUNT in session["payment_method_types"] else SEPA_DEBIT
    if kind not in session["payment_method_types"]:
        raise InvalidParameterError("This payment method is not available here.", param="method")
    if kind == US_BANK_ACCOUNT:
        return methods.us_bank_account(
            context, account_number=account or text_of(fields, "account"), billing_details=details
        )
    if kind == SEPA_DEBIT:
        return methods.sepa_debit(context, iban=account or text_of(fields, "account"), billing_details=details)
    month, year = _expiry(context, "" if number else text_of(fields, "expiry"))
    return methods.card(
        context,
        number=number or text_of(fields, "card"),
        exp_month=month,
        exp_year=year,
        cvc=None if number else text_of(fields, "cvc") or None,
        billing_details=details,
    )


def _expiry(context: Context, text: str) -> tuple[int, int]:
    """Month and year; a card whose expiry is not given is good for some years."""
    if not text:
        return 12, datetime.fromtimestamp(context.clock.now(), UTC).year + _USUAL_YEARS_AHEAD
    found = _EXPIRY.fullmatch(text)
    if not found:
        raise InvalidParameterError("Your card's expiration date is incomplete.", param="expiry")
    return int(found[1]), int(found[2])
