"""SetupIntents, their attempts and mandates. https://docs.stripe.com/api/setup_intents"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..confirmation_tokens import redeem
from ..context import Context
from ..errors import InvalidParameterError, ResourceMissingError, UnsupportedError
from ..funds.methods import PAYMENT_METHODS
from ..funds.terms import customer_of
from ..metadata import merged
from ..routing import Routes
from ..setups import confirming, intents
from ..setups.attempts import SETUP_ATTEMPTS
from ..setups.intents import CONFIRMABLE, SETUP_INTENTS, unexpected_state
from ..setups.mandates import MANDATES
from ..values import Object
from .payment_methods import find, from_data

routes = Routes(SETUP_INTENTS, SETUP_ATTEMPTS, MANDATES)
_PATH: Final = "/v1/setup_intents"
_UNSUPPORTED: Final = ("customer_account", "payment_method_configuration")
_ONLY_WITH_CONFIRM: Final = ("confirmation_token", "mandate_data", "return_url", "use_stripe_sdk")
_CARD_OPTIONS: Final = frozenset({"moto", "network", "request_three_d_secure"})
_BANK_OPTIONS: Final = frozenset({"verification_method"})
_OPTIONS: Final[Mapping[str, frozenset[str]]] = {"card": _CARD_OPTIONS, "us_bank_account": _BANK_OPTIONS}


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a SetupIntent, and confirm it when ``confirm`` says so."""
    _check(context)
    params = context.params
    for name in _ONLY_WITH_CONFIRM:
        if name in params and not params.get("confirm"):
            raise InvalidParameterError(
                f"The `{name}` parameter can only be passed when `confirm` is set to `true`.", param=name
            )
    method = _method_given(context)
    intent = intents.open_intent(context, params, method=method)
    return _confirm(context, intent) if params.get("confirm") else intent


@routes.api("GET", _PATH + "/{intent}")
def retrieve(context: Context, intent: str) -> Object:
    """The SetupIntent as it stands."""
    found = context.state.get(SETUP_INTENTS, intent)
    if context.params.get("client_secret", found["client_secret"]) != found["client_secret"]:
        raise ResourceMissingError("setup_intent", intent, param="intent")
    return found


@routes.api("GET", _PATH)
def list_setup_intents(context: Context) -> Object:
    """SetupIntents, newest first."""
    context.unsupported("customer_account")
    return context.list(
        SETUP_INTENTS, {name: context.params.get(name) for name in ("customer", "payment_method", "attach_to_self")}
    )


@routes.api("POST", _PATH + "/{intent}")
def update(context: Context, intent: str) -> Object:
    """Change what is asked for until it was completed, and texts at any time."""
    _check(context, "allowed_payment_method_types", "excluded_payment_method_types")
    before = context.state.get(SETUP_INTENTS, intent)
    params = context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "description" in params:
        changes["description"] = params["description"] or None
    terms = _changed_terms(context, before)
    if terms and before["status"] not in CONFIRMABLE:
        raise unexpected_state(before, f"You cannot update this SetupIntent because it is {before['status']}.")
    after = {**before, **changes, **terms}
    intents.check(context, after)
    method = _method_given(context)
    if method:
        terms |= {"payment_method": method["id"], "next_action": None, "last_setup_error": None}
        return intents.move(context, before, "requires_confirmation", {**changes, **terms})
    return context.state.update(SETUP_INTENTS, before, {**changes, **terms})


@routes.api("POST", _PATH + "/{intent}/confirm")
def confirm(context: Context, intent: str) -> Object:
    """Try to save the payment method given now or before."""
    _check(context, "allowed_payment_method_types")
    found = _unwatched(context, intent, "confirm")
    if found["status"] in CONFIRMABLE:
        found = context.state.update(SETUP_INTENTS, found, _options(context, found))
    return _confirm(context, found)


@routes.api("POST", _PATH + "/{intent}/cancel")
def cancel(context: Context, intent: str) -> Object:
    """Cancel what was not completed."""
    return intents.cancel(context, _unwatched(context, intent, "cancel"), context.params.get("cancellation_reason"))


@routes.api("POST", _PATH + "/{intent}/verify_microdeposits")
def verify_microdeposits(context: Context, intent: str) -> Object:
    """Verify a bank account by what arrived on it."""
    params = context.params
    return confirming.verify_microdeposits(
        context,
        context.state.get(SETUP_INTENTS, intent),
        amounts=params.get("amounts"),
        descriptor_code=params.get("descriptor_code"),
    )


@routes.api("GET", "/v1/setup_attempts")
def list_setup_attempts(context: Context) -> Object:
    """The attempts on one SetupIntent, newest first."""
    intent = context.state.get(SETUP_INTENTS, context.params["setup_intent"], param="setup_intent")
    return context.list(SETUP_ATTEMPTS, {"setup_intent": intent["id"]})


@routes.api("GET", "/v1/mandates/{mandate}")
def retrieve_mandate(context: Context, mandate: str) -> Object:
    """The mandate as it stands."""
    return context.state.get(MANDATES, mandate)


def _check(context: Context, *more: str) -> None:
    context.unsupported(*_UNSUPPORTED, *more)
    for kind, chosen in context.params.get("payment_method_options", {}).items():
        for name in chosen:
            if name not in _OPTIONS.get(kind, ()):
                raise UnsupportedError(f"the parameter payment_method_options[{kind}][{name}] of {context.path}")


def _unwatched(context: Context, intent: str, verb: str) -> Object:
    """An intent that is nobody else's to complete."""
    found = context.state.get(SETUP_INTENTS, intent)
    if found["_watcher"] and found["status"] in CONFIRMABLE:
        raise unexpected_state(
            found, f"You cannot {verb} a SetupIntent created by a Checkout Session. Expire the session instead."
        )
    return found


def _changed_terms(context: Context, before: Object) -> dict[str, Any]:
    params = context.params
    changes: dict[str, Any] = {name: params[name] for name in ("attach_to_self", "flow_directions") if name in params}
    if "customer" in params:
        changes["customer"] = customer_of(context, params)
    return {**changes, **_options(context, before)}


def _options(context: Context, before: Object) -> dict[str, Any]:
    given = context.params.get("payment_method_options")
    if not given:
        return {}
    shown = intents.options({**before["payment_method_options"], **given})
    return {"payment_method_options": shown, "_by_mail": before["_by_mail"] or intents.is_by_mail(given)}


def _method_given(context: Context) -> Object | None:
    params = context.params
    if "payment_method" in params:
        return find(context, params["payment_method"])
    return from_data(context, params["payment_method_data"]) if "payment_method_data" in params else None


def _confirm(context: Context, intent: Object) -> Object:
    token = context.params.get("confirmation_token")
    if token:
        context = replace(context, params={**redeem(context, token, intent), **context.params})
    method = _method_given(context)
    if method is None and intent["payment_method"]:
        method = context.state.get(PAYMENT_METHODS, intent["payment_method"])
    if method is None:
        raise unexpected_state(
            intent,
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a "
            "payment method, or confirm it with one.",
        )
    params = context.params
    return confirming.confirm_with(
        context,
        intent,
        method,
        return_url=params.get("return_url"),
        use_stripe_sdk=params.get("use_stripe_sdk", False),
        acceptance=(params.get("mandate_data") or {}).get("customer_acceptance"),
    )
