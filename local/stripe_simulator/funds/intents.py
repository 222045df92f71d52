"""PaymentIntents: opened, confirmed, authenticated, captured, canceled, and settled later.

https://docs.stripe.com/payments/paymentintents/lifecycle
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from ..context import Context
from ..errors import CardError, InvalidRequestError
from ..shelves import Collection
from ..state import public
from ..values import Object
from . import charges, method_options, methods
from .balances import expand_anywhere
from .methods import PAYMENT_METHODS, card_outcome, debit_outcome
from .outcomes import Authentication, Decline
from .payment_errors import last_error
from .records import CHARGES
from .terms import new_intent
from .watchers import Watchers

PAYMENT_INTENTS: Final = Collection(
    "payment_intent",
    path="/v1/payment_intents",
    indexes=("customer",),
    expands={
        "customer": "customer",
        "last_payment_error.payment_method": "payment_method",
        "latest_charge": expand_anywhere("latest_charge"),
        "on_behalf_of": "account",
        "payment_method": "payment_method",
        "transfer_data.destination": "account",
    },
    found_anywhere=True,
)
"""``_watcher``: who hears of its outcomes; ``_transfer``: what ``transfer_data`` said beyond amount and destination."""

_OPEN: Final = frozenset(
    {"requires_payment_method", "requires_action", "requires_capture", "processing", "succeeded", "canceled"}
)
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "requires_payment_method": _OPEN | {"requires_confirmation"},
    "requires_confirmation": _OPEN | {"requires_confirmation"},
    "requires_action": _OPEN | {"requires_confirmation"},
    "processing": frozenset({"succeeded", "requires_payment_method", "canceled"}),
    "requires_capture": frozenset({"succeeded", "canceled"}),
    "succeeded": frozenset(),
    "canceled": frozenset(),
}
CONFIRMABLE: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})

_GOES_WITHOUT: Final = frozenset({Authentication.NEVER, Authentication.BROKEN})
_OF_EVERY_ERROR: Final = frozenset({"code", "doc_url", "message", "type"})

_watchers: Final = Watchers()
watches: Final = _watchers.named


def open_intent(
    context: Context, params: Mapping[str, Any], *, watcher: str | None = None, method: Object | None = None
) -> Object:
    """A PaymentIntent from the API's parameters for creating one, not confirmed.

    Raises:
        InvalidRequestError: amounts, currency, fee or accounts that Stripe refuses.
    """
    intent = {**new_intent(context, params), "_watcher": watcher}
    if method:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    context.state.insert(PAYMENT_INTENTS, intent)
    context.emit("payment_intent.created", intent)
    return intent


def confirm_with(
    context: Context,
    intent: Object,
    method: Object,
    *,
    return_url: str | None = None,
    off_session: bool = False,
    error_on_requires_action: bool = False,
) -> Object:
    """Try to pay with a payment method; gives the intent as it then stands.

    Raises:
        CardError: 402, declined; the attempt is recorded all the same.
        InvalidRequestError: the intent cannot be confirmed, or not with this kind of payment method.
    """
    _check_confirmable(intent, method)
    changes = {
        "last_payment_error": None,
        "next_action": None,
        "payment_method": method["id"],
        "_off_session": off_session,
        "_return_url": return_url,
    }
    intent = context.state.update(PAYMENT_INTENTS, intent, changes)
    if method["type"] != "card":
        return _begin_debit(context, intent, method)
    asked = card_outcome(method).authentication
    goes_without = asked in _GOES_WITHOUT and not method_options.asks_for_challenge(intent)
    if goes_without or (off_session and _is_set_up(method, asked)):
        return _attempt(context, intent, method, authenticated=False)
    if off_session or error_on_requires_action:
        message = "Your card was declined. This transaction requires authentication."
        why = Decline("authentication_required", "authentication_required", message)
        _declined(context, intent, method, why)
    return _require_action(context, intent)


def authenticate(context: Context, intent_id: str, *, succeeded: bool) -> Object:
    """Let 3-D Secure come to its end; when it failed the intent asks for another payment method.

    Raises:
        CardError: 402, declined after it; the attempt is recorded all the same.
        InvalidRequestError: the intent waits for no authentication.
    """
    intent = context.state.get(PAYMENT_INTENTS, intent_id)
    if intent["status"] != "requires_action":
        raise unexpected_state(intent, f"This PaymentIntent requires no action, it has a status of {intent['status']}.")
    method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
    intent = context.state.update(PAYMENT_INTENTS, intent, {"next_action": None})
    if succeeded:
        return _attempt(context, intent, method, authenticated=True)
    message = (
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
        "PaymentMethod to attempt to fulfill this PaymentIntent again."
    )
    error = last_error("payment_intent_authentication_failure", message, "invalid_request_error", method)
    return _record_failure(context, intent, error)


def move(context: Context, intent: Object, status: str, changes: Mapping[str, Any] | None = None) -> Object:
    """Let an intent change its status, with whatever else changes."""
    if status not in TRANSITIONS[intent["status"]]:
        raise LookupError(f"a PaymentIntent cannot go from {intent['status']} to {status}")
    return context.state.update(PAYMENT_INTENTS, intent, {"status": status, **(changes or {})})


def tell(context: Context, event_type: str, intent: Object) -> Object:
    """Tell of an intent's new state, its watcher too; gives the intent as it stands after that."""
    context.emit(event_type, intent)
    _watchers.tell(context, intent)
    return context.state.get(PAYMENT_INTENTS, intent["id"])


def succeed(context: Context, intent: Object, charge: Object) -> Object:
    """Let the intent succeed with a charge that was captured, and settle it now or after the answer."""
    charge = context.state.get(CHARGES, charge["id"])
    is_later = _captures(context, intent) == "automatic_async"
    if not is_later:
        charge = charges.settle(context, charge)
    context.emit("charge.captured" if intent["status"] == "requires_capture" else "charge.succeeded", charge)
    received = {"amount_received": charge["amount_captured"], "amount_capturable": 0, "latest_charge": charge["id"]}
    intent = move(context, intent, "succeeded", received)
    _keep_method(context, intent)
    intent = tell(context, "payment_intent.succeeded", intent)
    if is_later:
        context.schedule("charge.settle", at=context.clock.now(), charge=charge["id"])
    return intent


def debit_failed(context: Context, intent: Object, charge: Object, why: Decline) -> Object:
    """Let a payment that was processing fail."""
    charge = charges.fail(context, charge, why)
    context.emit("charge.failed", charge)
    method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
    error = last_error(why.code, why.message, "invalid_request_error", method, charge=charge["id"])
    return _record_failure(context, intent, error)


def unexpected_state(intent: Object, message: str) -> InvalidRequestError:
    """The refusal of what an intent's status does not allow."""
    return InvalidRequestError(message, code="payment_intent_unexpected_state", payment_intent=public(intent))


def _check_confirmable(intent: Object, method: Object) -> None:
    if intent["status"] not in CONFIRMABLE:
        already = "it has already succeeded after being previously confirmed"
        why = already if intent["status"] == "succeeded" else f"it has a status of {intent['status']}"
        raise unexpected_state(intent, f"You cannot confirm this PaymentIntent because {why}.")
    if method["type"] not in intent["payment_method_types"]:
        raise InvalidRequestError(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. It allows: "
            f"{', '.join(intent['payment_method_types'])}.",
            code="payment_method_unexpected_state" if method["type"] == "card" else None,
            param="payment_method",
        )
    if method["type"] == "card" and intent["statement_descriptor"]:
        raise InvalidRequestError(
            "`statement_descriptor` is not supported for card charges. Use `statement_descriptor_suffix` instead.",
            param="statement_descriptor",
        )
    if method["customer"] and method["customer"] != intent["customer"]:
        raise InvalidRequestError(
            f"The payment method {method['id']} belongs to a customer, which must be given as the PaymentIntent's.",
            param="payment_method",
        )


def _is_set_up(method: Object, asked: Authentication) -> bool:
    """Whether the card pays without its holder."""
    was_set_up = asked is Authentication.UNTIL_SET_UP and method.get("_set_up", False)
    return asked is Authentication.ON_SESSION or was_set_up


def _attempt(context: Context, intent: Object, method: Object, *, authenticated: bool) -> Object:
    why = card_outcome(method).decline
    if why:
        _declined(context, intent, method, why, authenticated=authenticated)
    charge = charges.authorize(context, intent, method, authenticated=authenticated)
    if _captures(context, intent) != "manual":
        return succeed(context, intent, charges.capture(context, charge, intent["amount"]))
    changes = {"amount_capturable": intent["amount"], "latest_charge": charge["id"]}
    intent = move(context, intent, "requires_capture", changes)
    context.emit("charge.succeeded", charge)
    deadline = charge["payment_method_details"]["card"]["capture_before"]
    context.schedule("payment_intent.expire", at=deadline, intent=intent["id"])
    _keep_method(context, intent)
    return tell(context, "payment_intent.amount_capturable_updated", intent)


def _begin_debit(context: Context, intent: Object, method: Object) -> Object:
    charge = charges.begin_debit(context, intent, method)
    intent = move(context, intent, "processing", {"latest_charge": charge["id"]})
    context.emit("charge.pending", charge)
    outcome = debit_outcome(method)
    if not outcome.never_settles:
        at = context.clock.now() + context.settings.debit_delay_seconds + outcome.extra_delay_seconds
        context.schedule("payment_intent.debit", at=at, intent=intent["id"], charge=charge["id"])
    return tell(context, "payment_intent.processing", intent)


def _require_action(context: Context, intent: Object) -> Object:
    page = f"{context.settings.base_url}/3ds/{intent['id']}"
    action: dict[str, Any]
    if intent["_return_url"]:
        redirect = {"return_url": intent["_return_url"], "url": page}
        action = {"redirect_to_url": redirect, "type": "redirect_to_url"}
    else:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"stripe_js": page, "type": "three_d_secure_redirect"}}
    intent = move(context, intent, "requires_action", {"next_action": action})
    return tell(context, "payment_intent.requires_action", intent)


def _declined(
    context: Context, intent: Object, method: Object, why: Decline, *, authenticated: bool = False
) -> NoReturn:
    charge = charges.decline(context, intent, method, why, authenticated=authenticated)
    context.emit("charge.failed", charge)
    error = last_error(why.code, why.message, "card_error", method, charge=charge["id"], decline_code=why.decline_code)
    intent = _record_failure(context, intent, error)
    shown = {name: value for name, value in error.items() if name not in _OF_EVERY_ERROR}
    raise CardError(why.message, code=why.code, payment_intent=public(intent), **shown)


def _record_failure(context: Context, intent: Object, error: Object) -> Object:
    changes = {
        "last_payment_error": error,
        "latest_charge": error.get("charge", intent["latest_charge"]),
        "next_action": None,
        "payment_method": None,
    }
    intent = move(context, intent, "requires_payment_method", changes)
    return tell(context, "payment_intent.payment_failed", intent)


def _captures(context: Context, intent: Object) -> str:
    method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
    return method_options.capture_method(intent, method["type"])


def _keep_method(context: Context, intent: Object) -> None:
    """Save the payment method for the customer when the intent was opened for that."""
    method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
    usage = method_options.future_usage(intent, method["type"])
    if usage and intent["customer"]:
        if usage == "off_session":
            method = context.state.update(PAYMENT_METHODS, method, {"_set_up": True})
        methods.attach(context, method, intent["customer"])
