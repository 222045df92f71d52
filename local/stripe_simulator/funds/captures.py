"""The ends of PaymentIntents that are not payments at once: captured, canceled, expired, settled by a bank."""

from collections.abc import Mapping
from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..metadata import merged
from ..values import Object
from . import charges, exchange, terms
from .intents import PAYMENT_INTENTS, debit_failed, move, succeed, tell, unexpected_state
from .methods import PAYMENT_METHODS, debit_outcome
from .outcomes import Decline
from .records import CHARGES

CANCELABLE: Final = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "processing"}
)
_CANCELED_DEBIT: Final = Decline("payment_intent_payment_attempt_failed", None, "The payment was canceled.")


def capture(context: Context, intent: Object, params: Mapping[str, Any]) -> Object:
    """Capture what was authorized, or part of it, and let go of the rest.

    Raises:
        InvalidRequestError: nothing is authorized, or less than asked for.
    """
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture.",
        )
    amount = params.get("amount_to_capture", intent["amount_capturable"])
    money.check_amount(amount, intent["currency"], "amount_to_capture")
    settlement = exchange.incoming(context, intent["currency"], intent["on_behalf_of"])
    money.check_minimum(settlement.of(amount), settlement.currency, "amount_to_capture")
    if amount > intent["amount_capturable"]:
        raise InvalidParameterError(
            f"The remaining amount to capture for this PaymentIntent is {intent['amount_capturable']} but you tried to "
            f"capture {amount}.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    intent, charge = _with_terms(context, intent, params, amount)
    charge = charges.capture(context, charge, amount)
    return succeed(context, intent, charge)


def increase(context: Context, intent: Object, params: Mapping[str, Any]) -> Object:
    """Ask the issuer for more than was authorized, of a card that was asked for allowing that.

    https://docs.stripe.com/payments/incremental-authorization

    Raises:
        InvalidRequestError: nothing is authorized, it cannot be increased, or no more is asked for.
    """
    amount, charge = params["amount"], context.state.find(CHARGES, intent["latest_charge"] or "")
    details = charge["payment_method_details"].get("card", {}) if charge else {}
    if charge is None or intent["status"] != "requires_capture":
        raise unexpected_state(intent, f"This PaymentIntent has a status of {intent['status']}: nothing is authorized.")
    if details.get("incremental_authorization", {}).get("status") != "available":
        raise InvalidRequestError("This PaymentIntent is not eligible for incremental authorization.", param="intent")
    if amount <= intent["amount"]:
        raise InvalidParameterError(
            f"The amount must be greater than the {intent['amount']} that are authorized.", param="amount"
        )
    fee = {"application_fee_amount": params.get("application_fee_amount", intent["application_fee_amount"])}
    sent = {"transfer_data": {**(intent["transfer_data"] or {}), **params.get("transfer_data", {})} or None}
    changes = {"amount": amount, **fee, **sent}
    terms.check(context, {**intent, **changes})
    texts = {name: params[name] for name in ("description", "statement_descriptor") if name in params}
    details = {**details, "amount_authorized": amount}
    details["overcapture"] = {**details["overcapture"], "maximum_amount_capturable": amount}
    told = context.state.update(
        CHARGES,
        charge,
        {**texts, **fee, "amount": amount, "payment_method_details": {"card": details, "type": "card"}},
    )
    context.emit("charge.updated", told, previous=charge)
    metadata = merged(intent["metadata"], params.get("metadata"))
    changes |= {"amount_capturable": amount, "metadata": metadata, **texts}
    intent = context.state.update(PAYMENT_INTENTS, intent, changes)
    return tell(context, "payment_intent.amount_capturable_updated", intent)


def cancel(context: Context, intent: Object, reason: str | None) -> Object:
    """Cancel an intent, and let go of what was authorized.

    Raises:
        InvalidRequestError: it succeeded or was canceled before.
    """
    if intent["status"] not in CANCELABLE:
        raise unexpected_state(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(sorted(CANCELABLE))}.",
        )
    if intent["status"] == "requires_capture":
        charge = context.state.get(CHARGES, intent["latest_charge"])
        is_expiry = reason == "automatic"
        released = charges.release(context, charge, "expired_uncaptured_charge" if is_expiry else None)
        context.emit("charge.expired" if is_expiry else "charge.refunded", released, previous=charge)
    if intent["status"] == "processing":
        charge = context.state.get(CHARGES, intent["latest_charge"])
        context.emit("charge.failed", charges.fail(context, charge, _CANCELED_DEBIT))
    changes = {
        "amount_capturable": 0,
        "canceled_at": context.clock.now(),
        "cancellation_reason": reason,
        "next_action": None,
    }
    return tell(context, "payment_intent.canceled", move(context, intent, "canceled", changes))


def expire(context: Context, intent_id: str) -> None:
    """Let an authorization lapse that nobody captured in time."""
    intent = context.state.get(PAYMENT_INTENTS, intent_id)
    if intent["status"] == "requires_capture":
        cancel(context, intent, "automatic")


def finish_debit(
    context: Context, intent_id: str, charge_id: str | None = None, *, failing: bool | None = None
) -> Object:
    """Let a bank answer: as its test account says, or as told. Nothing happens when it has answered before."""
    intent = context.state.get(PAYMENT_INTENTS, intent_id)
    if intent["status"] != "processing" or charge_id not in (None, intent["latest_charge"]):
        return intent
    charge = context.state.get(CHARGES, intent["latest_charge"])
    method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
    why = debit_outcome(method).failure
    if failing is not None:
        told = Decline("payment_intent_payment_attempt_failed", None, "The payment failed.")
        why = (why or told) if failing else None
    if why:
        return debit_failed(context, intent, charge, why)
    return succeed(context, intent, charges.capture(context, charge, intent["amount"]))


def _with_terms(context: Context, intent: Object, params: Mapping[str, Any], amount: int) -> tuple[Object, Object]:
    """The intent and its charge with the fee and the share that the capture settles on."""
    fee, sent = intent["application_fee_amount"], intent["transfer_data"]
    if "application_fee_amount" in params:
        fee = params["application_fee_amount"]
    elif fee is not None:
        fee = min(fee, amount)  # Stripe caps the fee at what is captured
    if "transfer_data" in params:
        sent = {**(sent or {}), **params["transfer_data"]}
    elif sent and sent.get("amount", 0) > amount:
        sent = {**sent, "amount": amount}
    changes = {"application_fee_amount": fee, "transfer_data": sent}
    terms.check(context, {**intent, **changes, "amount": amount})
    charge = context.state.get(CHARGES, intent["latest_charge"])
    shown = sent and {"amount": sent.get("amount"), "destination": sent["destination"]}
    charge = context.state.update(CHARGES, charge, {**changes, "transfer_data": shown})
    return context.state.update(PAYMENT_INTENTS, intent, changes), charge
