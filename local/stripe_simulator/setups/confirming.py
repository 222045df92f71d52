"""Confirming a SetupIntent: the issuer is asked, the buyer authenticates, a bank account is verified, all is saved."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from ..context import Context
from ..errors import CardError, InvalidParameterError, InvalidRequestError, UnsupportedError
from ..funds import methods
from ..funds.methods import PAYMENT_METHODS, card_outcome
from ..funds.outcomes import Authentication, Decline
from ..funds.payment_errors import last_error
from ..state import public
from ..values import Object
from . import attempts, mandates
from .intents import CONFIRMABLE, SETUP_INTENTS, move, tell, unexpected_state
from .mandates import MANDATES, NEEDED_BY

_OF_EVERY_ERROR: Final = frozenset({"code", "doc_url", "message", "type"})
_GOES_WITHOUT: Final = frozenset({Authentication.NEVER, Authentication.BROKEN})
_MICRODEPOSIT_SECONDS: Final = 2 * 24 * 3_600
_NOT_VERIFIED: Final = (*(((10, 11), "SM33CC"), ((40, 41), "SM44DD")),)
VERIFIED_BY: Final = ((32, 45), "SM11AA")
"""https://docs.stripe.com/payments/ach-direct-debit/set-up-payment#test-microdeposit-amounts-and-descriptor-codes"""


def confirm_with(
    context: Context,
    intent: Object,
    method: Object,
    *,
    return_url: str | None = None,
    use_stripe_sdk: bool = False,
    acceptance: Mapping[str, Any] | None = None,
) -> Object:
    """Try to save a payment method; gives the intent as it then stands.

    ``acceptance`` is how the buyer agreed to the mandate that a bank account needs.

    Raises:
        CardError: 402, declined; the attempt is recorded all the same.
        InvalidRequestError: the intent cannot be confirmed, or not with this payment method.
    """
    _check_confirmable(intent, method, acceptance)
    attempt = attempts.begin(context, intent, method)
    changes = {
        "last_setup_error": None,
        "latest_attempt": attempt["id"],
        "next_action": None,
        "payment_method": method["id"],
        "_return_url": None if use_stripe_sdk else return_url,
    }
    intent = context.state.update(SETUP_INTENTS, intent, changes)
    if method["type"] in NEEDED_BY:
        return _with_mandate(context, intent, method, acceptance or {})
    why = card_outcome(method).setup_decline
    if why:
        _declined(context, intent, method, why)
    if _asks_to_authenticate(intent, method):
        return _require_action(context, intent, _challenge(context, intent))
    return _succeed(context, intent, method)


def authenticate(context: Context, intent_id: str, *, succeeded: bool) -> Object:
    """Let 3-D Secure come to its end; when it failed the intent asks for another payment method.

    Raises:
        InvalidRequestError: the intent waits for no authentication.
    """
    intent = context.state.get(SETUP_INTENTS, intent_id)
    if intent["status"] != "requires_action" or "verify_with_microdeposits" in intent["next_action"]:
        raise unexpected_state(intent, f"This SetupIntent waits for no authentication, it is {intent['status']}.")
    method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
    if succeeded:
        return _succeed(context, intent, method, authenticated=True)
    message = "The latest attempt to set up the payment method has failed because authentication failed."
    error = last_error("setup_intent_authentication_failure", message, "invalid_request_error", method)
    return _record_failure(context, intent, error)


def verify_microdeposits(
    context: Context, intent: Object, *, amounts: list[int] | None = None, descriptor_code: str | None = None
) -> Object:
    """Verify a bank account by what arrived on it, or by the code that came with it.

    Raises:
        InvalidRequestError: the intent waits for none, or the values are wrong.
        UnsupportedError: Stripe's test values of a verification that fails for good.
    """
    action = intent["next_action"] or {}
    if "verify_with_microdeposits" not in action:
        raise unexpected_state(intent, "This SetupIntent waits for no verification by microdeposits.")
    if (amounts is None) == (descriptor_code is None):
        raise InvalidParameterError("You must provide either `amounts` or `descriptor_code`.", param="amounts")
    given = tuple(sorted(amounts)) if amounts is not None else descriptor_code
    if any(given in values for values in _NOT_VERIFIED):
        raise UnsupportedError("verifications by microdeposits that fail for good")
    if given not in VERIFIED_BY:
        named = "amounts" if amounts is not None else "descriptor_code"
        raise InvalidRequestError(
            "The values provided do not match those of the microdeposits that were sent to the bank account.",
            code=f"payment_method_microdeposit_verification_{named}_mismatch",
            param=named,
        )
    return _succeed(context, intent, context.state.get(PAYMENT_METHODS, intent["payment_method"]))


def _check_confirmable(intent: Object, method: Object, acceptance: Mapping[str, Any] | None) -> None:
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(
            intent, f"You cannot confirm this SetupIntent because it has a status of {intent['status']}."
        )
    kind = method["type"]
    if kind not in intent["payment_method_types"]:
        raise InvalidRequestError(
            f"The PaymentMethod provided ({kind}) is not allowed for this SetupIntent. It allows: "
            f"{', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    if method["customer"] and method["customer"] != intent["customer"]:
        raise InvalidRequestError(
            f"The payment method {method['id']} belongs to a customer, which must be given as the SetupIntent's.",
            param="payment_method",
        )
    if kind not in NEEDED_BY and intent["_single_use"]:
        raise InvalidRequestError(f"A `single_use` mandate is not valid for {kind}.", param="single_use")
    if kind in NEEDED_BY and not acceptance:
        raise InvalidRequestError(
            f"A {kind} payment method is set up with a mandate: provide `mandate_data[customer_acceptance]`.",
            code="parameter_missing",
            param="mandate_data",
        )


def _asks_to_authenticate(intent: Object, method: Object) -> bool:
    """Whether 3-D Secure comes first: the card asks for it, or the request does."""
    if intent["_by_mail"]:
        return False
    wanted = intent["payment_method_options"]["card"]["request_three_d_secure"] in ("any", "challenge")
    return wanted or card_outcome(method).authentication not in _GOES_WITHOUT


def _with_mandate(context: Context, intent: Object, method: Object, acceptance: Mapping[str, Any]) -> Object:
    mandate = mandates.create(
        context, method, acceptance, single_use=intent["_single_use"], on_behalf_of=intent["on_behalf_of"]
    )
    named = "single_use_mandate" if intent["_single_use"] else "mandate"
    intent = context.state.update(SETUP_INTENTS, intent, {named: mandate["id"]})
    options = intent["payment_method_options"].get(method["type"], {})
    if options.get("verification_method") == "microdeposits":
        return _require_action(context, intent, _microdeposits(context, intent))
    return _succeed(context, intent, method)


def _challenge(context: Context, intent: Object) -> dict[str, Any]:
    page = f"{context.settings.base_url}/3ds/{intent['id']}"
    if intent["_return_url"]:
        redirect = {"return_url": intent["_return_url"], "url": page}
        return {"redirect_to_url": redirect, "type": "redirect_to_url"}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"stripe_js": page, "type": "three_d_secure_redirect"}}


def _microdeposits(context: Context, intent: Object) -> dict[str, Any]:
    verification = {
        "arrival_date": context.clock.now() + _MICRODEPOSIT_SECONDS,
        "hosted_verification_url": f"{context.settings.base_url}/microdeposits/{intent['id']}",
        "microdeposit_type": "descriptor_code",
    }
    return {"type": "verify_with_microdeposits", "verify_with_microdeposits": verification}


def _require_action(context: Context, intent: Object, action: Mapping[str, Any]) -> Object:
    attempts.end(context, intent, "requires_action")
    intent = move(context, intent, "requires_action", {"next_action": action})
    return tell(context, "setup_intent.requires_action", intent)


def _succeed(context: Context, intent: Object, method: Object, *, authenticated: bool = False) -> Object:
    """Keep the payment method for its customer, and for payments while the customer is away."""
    attempts.end(context, intent, "succeeded", method=method, authenticated=authenticated)
    mandate = intent["single_use_mandate"] or intent["mandate"]
    if mandate:
        mandates.activate(context, context.state.get(MANDATES, mandate))
    if intent["usage"] == "off_session":
        method = context.state.update(PAYMENT_METHODS, method, {"_set_up": True})
    if intent["customer"]:
        methods.attach(context, method, intent["customer"])
    return tell(context, "setup_intent.succeeded", move(context, intent, "succeeded", {"next_action": None}))


def _declined(context: Context, intent: Object, method: Object, why: Decline) -> NoReturn:
    error = last_error(why.code, why.message, "card_error", method, decline_code=why.decline_code)
    intent = _record_failure(context, intent, error)
    shown = {name: value for name, value in error.items() if name not in _OF_EVERY_ERROR}
    raise CardError(why.message, code=why.code, setup_intent=public(intent), **shown)


def _record_failure(context: Context, intent: Object, error: Object) -> Object:
    attempts.end(context, intent, "failed", error=error)
    changes = {"last_setup_error": error, "mandate": None, "next_action": None, "payment_method": None}
    return tell(context, "setup_intent.setup_failed", move(context, intent, "requires_payment_method", changes))
