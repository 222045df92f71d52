"""What a session's payment asks for: the parameters of its PaymentIntent as the order stands now."""

from typing import Any

from ..context import Context
from ..errors import StripeError
from ..funds import intents as payments
from ..funds import terms
from ..values import Object
from . import sessions, subscribing
from .checks import SUBSCRIPTION


def asked(session: Object) -> dict[str, Any]:
    """The parameters of the PaymentIntent as the session stands now.

    A fixed fee or share that is more than what is left to pay is capped, as Stripe caps fees.
    """
    amount = session["amount_total"]
    wanted = {**session["_intent"], "amount": amount, "currency": session["currency"]}
    wanted["payment_method_options"] = session["payment_method_options"]
    if session["mode"] == SUBSCRIPTION:
        wanted |= subscribing.payment_of(session, amount)
    if session["customer"]:
        wanted["customer"] = session["customer"]
    if wanted.get("application_fee_amount") is not None:
        wanted["application_fee_amount"] = min(wanted["application_fee_amount"], amount)
    if (wanted.get("transfer_data") or {}).get("amount") is not None:
        share = min(wanted["transfer_data"]["amount"], amount)
        wanted["transfer_data"] = {**wanted["transfer_data"], "amount": share}
    details = (session["collected_information"] or {}).get("shipping_details")
    if details:
        wanted["shipping"] = {**details, "phone": (session["customer_details"] or {}).get("phone")}
    return wanted


def setup_options(session: Object) -> dict[str, Any]:
    """What a SetupIntent takes of the session's ``payment_method_options``."""
    card = session["payment_method_options"]["card"]
    return {"payment_method_options": {"card": {"request_three_d_secure": card["request_three_d_secure"]}}}


def checked_types(context: Context, session: Object) -> list[str]:
    """Which payment methods the session takes; the terms of its payment are checked on the way.

    Raises:
        InvalidRequestError: as for a PaymentIntent, naming this request's parameter.
    """
    if session["amount_total"] == 0:
        return ["card"]
    wanted = {**session["_intent"], "amount": session["amount_total"], "currency": session["currency"]}
    try:
        types: list[str] = terms.new_intent(context, wanted)["payment_method_types"]
    except StripeError as error:
        first, bracket, rest = (error.param or "").partition("[")
        if first == "amount":
            error.param = "line_items"
        elif first in session["_intent"] and first not in sessions.OF_THE_REQUEST:
            error.param = f"payment_intent_data[{first}]{bracket}{rest}"
        raise
    return types


def refit_intent(context: Context, session: Object) -> None:
    """Let the PaymentIntent of an earlier attempt ask for what the order costs now.

    Raises:
        InvalidRequestError: an amount that cannot be charged.
    """
    attempt = session["_attempt"] or ""
    if not attempt.startswith("pi_") or session["amount_total"] == 0:
        return
    intent = context.state.get(payments.PAYMENT_INTENTS, attempt)
    if intent["status"] not in payments.CONFIRMABLE:
        return
    wanted = terms.new_intent(context, asked(session))
    changes = {name: wanted[name] for name in ("amount", "application_fee_amount", "transfer_data")}
    changes |= {name: wanted[name] for name in ("description", "metadata", "setup_future_usage", "shipping")}
    context.state.update(payments.PAYMENT_INTENTS, intent, changes)
