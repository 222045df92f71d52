"""Refunds. https://docs.stripe.com/api/refunds"""

from typing import Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..funds import refunds
from ..funds.intents import PAYMENT_INTENTS
from ..funds.records import CHARGES, REFUNDS
from ..funds.refunds import Demand
from ..metadata import merged
from ..routing import Routes
from ..values import Object

routes = Routes(REFUNDS)
_REFERENCE_DIGITS: Final = 23


@routes.api("POST", "/v1/refunds")
def create(context: Context) -> Object:
    """Refund a charge, or the successful charge of a PaymentIntent."""
    context.unsupported("currency", "customer", "origin")
    params = context.params
    demand = Demand(
        amount=params.get("amount"),
        reason=params.get("reason"),
        reverse_transfer=params.get("reverse_transfer", False),
        refund_application_fee=params.get("refund_application_fee", False),
        metadata=params.get("metadata"),
        instructions_email=params.get("instructions_email"),
    )
    return refunds.refund(context, _charge(context), demand)


@routes.api("GET", "/v1/refunds/{refund}")
def retrieve(context: Context, refund: str) -> Object:
    """The refund as it stands."""
    return context.state.get(REFUNDS, refund)


@routes.api("POST", "/v1/refunds/{refund}")
def update(context: Context, refund: str) -> Object:
    """Change its metadata."""
    before = context.state.get(REFUNDS, refund)
    metadata = merged(before["metadata"], context.params.get("metadata"))
    return before if metadata == before["metadata"] else refunds.tell_update(context, before, {"metadata": metadata})


@routes.api("POST", "/v1/refunds/{refund}/cancel")
def cancel(context: Context, refund: str) -> Object:
    """Refuse: nothing here waits for a buyer's action."""
    raise refunds.refusal_to_cancel(context.state.get(REFUNDS, refund))


@routes.api("GET", "/v1/refunds")
def list_refunds(context: Context) -> Object:
    """Refunds, newest first."""
    return context.list(REFUNDS, {name: context.params.get(name) for name in ("charge", "payment_intent")})


@routes.due("refund.reference")
def tell_reference(context: Context, refund: str) -> None:
    """The acquirer's reference number of a card's refund arrives."""
    found = context.state.get(REFUNDS, refund)
    details = found["destination_details"]
    card = {
        **details["card"],
        "reference": f"{context.ids.random.randrange(10**_REFERENCE_DIGITS):0{_REFERENCE_DIGITS}d}",
        "reference_status": "available",
    }
    refunds.tell_update(context, found, {"destination_details": {**details, "card": card}})


@routes.due("refund.succeed")
def succeed(context: Context, refund: str) -> None:
    """A pending refund arrives."""
    refunds.advance(context, context.state.get(REFUNDS, refund), "succeeded")


@routes.due("refund.fail")
def fail(context: Context, refund: str) -> None:
    """A refund comes back from its bank."""
    refunds.fail(context, context.state.get(REFUNDS, refund))


@routes.due("refund.fund")
def fund(context: Context, currency: str) -> None:
    """There is more money in a currency that refunds wait for."""
    refunds.fund(context, currency)


@routes.due("refund.give_up")
def give_up(context: Context, refund: str) -> None:
    """Nobody covered a refund in time."""
    refunds.give_up(context, context.state.get(REFUNDS, refund))


def _charge(context: Context) -> Object:
    params = context.params
    if ("charge" in params) == ("payment_intent" in params):
        raise InvalidParameterError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing" if "charge" not in params else None,
            param="payment_intent" if "charge" not in params else "charge",
        )
    if "charge" in params:
        return context.state.get(CHARGES, params["charge"], param="charge")
    intent = context.state.get(PAYMENT_INTENTS, params["payment_intent"], param="payment_intent")
    if intent["status"] != "succeeded":
        raise InvalidRequestError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return context.state.get(CHARGES, intent["latest_charge"])
