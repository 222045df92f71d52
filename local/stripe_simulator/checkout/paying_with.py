"""What the buyer pays with: what he typed, one of the page's test values, or what he saved before."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..funds import methods
from ..funds.methods import PAYMENT_METHODS
from ..pages import text_of
from ..resources import payment_methods
from ..values import Object
from .buyer import Buyer
from .checks import PAYMENT

CARD, US_BANK_ACCOUNT, SEPA_DEBIT = "card", "us_bank_account", "sepa_debit"
_EXPIRY: Final = re.compile(r"(\d{1,2})\s*/?\s*(\d{2}|\d{4})")
_USUAL_YEARS_AHEAD: Final = 4


def method(context: Context, session: Object, fields: Mapping[str, Any], who: Buyer) -> Object:
    """The payment method that a form names.

    ``saved`` is one of the customer's; ``payment_method`` any by its id or test name, as Stripe.js passes it.

    Raises:
        CardError: a number that is none.
        InvalidRequestError: one that the session does not take.
    """
    saved, named = text_of(fields, "saved"), text_of(fields, "payment_method")
    if saved:
        return _saved(context, session, saved)
    found = payment_methods.find(context, named) if named else _typed(context, session, fields, who)
    if found["type"] not in session["payment_method_types"]:
        raise InvalidParameterError("This payment method is not available here.", param="method")
    if found["customer"]:
        return found
    return context.state.update(PAYMENT_METHODS, found, {"allow_redisplay": _redisplay(session, fields)})


def saved_methods(context: Context, session: Object) -> Iterator[Object]:
    """The customer's payment methods that the page may show again."""
    options = session["saved_payment_method_options"]
    if not session["customer"] or not options:
        return
    for found in context.state.select(PAYMENT_METHODS, {"customer": session["customer"]}):
        is_shown = found["allow_redisplay"] in (options["allow_redisplay_filters"] or ())
        if is_shown and found["type"] in session["payment_method_types"]:
            yield found


def remove(context: Context, session: Object, name: str) -> None:
    """Take a saved payment method from the customer.

    Raises:
        InvalidParameterError: the page does not show it, or does not let it be removed.
    """
    if session["saved_payment_method_options"]["payment_method_remove"] != "enabled":
        raise InvalidParameterError("This payment method cannot be removed here.", param="remove")
    payment_methods.detach(context, _saved(context, session, name)["id"])


def _saved(context: Context, session: Object, name: str) -> Object:
    for found in saved_methods(context, session):
        if found["id"] == name:
            return found
    raise InvalidParameterError("This payment method is not available here.", param="saved")


def _redisplay(session: Object, fields: Mapping[str, Any]) -> str:
    """Whether it may be shown to its owner again: when he wished so, or the shop says that he did."""
    told: str | None = session["_method_data"].get("allow_redisplay")
    saves = session["mode"] != PAYMENT or session["_intent"].get("setup_future_usage")
    options = session["saved_payment_method_options"] or {}
    if options.get("payment_method_save") == "enabled" and text_of(fields, "save"):
        return "always"
    return told or ("limited" if saves else "unspecified")


def _typed(context: Context, session: Object, fields: Mapping[str, Any], who: Buyer) -> Object:
    billing = {"address": who.address or {}, "email": who.email, "name": who.name, "phone": who.phone}
    number, account = text_of(fields, "test_card"), text_of(fields, "test_account")
    kind = CARD if number else text_of(fields, "method") or CARD
    if account:
        kind = US_BANK_ACCOUNT if US_BANK_ACCOUNT in session["payment_method_types"] else SEPA_DEBIT
    if kind not in session["payment_method_types"]:
        raise InvalidParameterError("This payment method is not available here.", param="method")
    if kind == US_BANK_ACCOUNT:
        return methods.us_bank_account(
            context, account_number=account or text_of(fields, "account"), billing_details=billing
        )
    if kind == SEPA_DEBIT:
        return methods.sepa_debit(context, iban=account or text_of(fields, "account"), billing_details=billing)
    month, year = _expiry(context, "" if number else text_of(fields, "expiry"))
    return methods.card(
        context,
        number=number or text_of(fields, "card"),
        exp_month=month,
        exp_year=year,
        cvc=None if number else text_of(fields, "cvc") or None,
        billing_details=billing,
    )


def _expiry(context: Context, text: str) -> tuple[int, int]:
    """Month and year; a card whose expiry is not given is good for some years."""
    if not text:
        return 12, datetime.fromtimestamp(context.clock.now(), UTC).year + _USUAL_YEARS_AHEAD
    found = _EXPIRY.fullmatch(text)
    if not found:
        raise InvalidParameterError("Your card's expiration date is incomplete.", param="expiry")
    return int(found[1]), int(found[2])
