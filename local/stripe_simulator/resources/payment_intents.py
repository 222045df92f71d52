"""PaymentIntents. https://docs.stripe.com/api/payment_intents"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import money
from ..confirmation_tokens import redeem
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, ResourceMissingError
from ..funds import captures, descriptors, intents, method_options, terms
from ..funds.intents import CONFIRMABLE, PAYMENT_INTENTS, unexpected_state
from ..metadata import merged
from ..routing import Routes
from ..values import Object
from .payment_methods import find, from_data

routes = Routes(PAYMENT_INTENTS)
_UNSUPPORTED: Final = (
    *("amount_details", "amount_to_confirm", "customer_account", "hooks", "mandate"),
    *("payment_details", "payment_method_configuration", "radar_options"),
)
_ONLY_WITH_CONFIRM: Final = (
    *("confirmation_token", "error_on_requires_action", "mandate_data", "off_session", "return_url"),
)
_TEXTS: Final = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
_TERMS: Final = ("amount", "application_fee_amount", "capture_method", "currency", "customer", "transfer_data")


@routes.api("POST", "/v1/payment_intents")
def create(context: Context) -> Object:
    """Create a PaymentIntent, and confirm it when ``confirm`` says so."""
    context.unsupported(*_UNSUPPORTED)
    params = context.params
    _refuse_without_confirm(params)
    method = _method_given(context)
    intent = intents.open_intent(context, params, method=method)
    if "confirmation_token" in params:
        context, intent = _redeemed(context, intent)
        method = _method_given(context)
    return _confirm(context, intent, method) if params.get("confirm") else intent


@routes.api("GET", "/v1/payment_intents/{intent}")
def retrieve(context: Context, intent: str) -> Object:
    """The PaymentIntent as it stands."""
    found = context.state.get(PAYMENT_INTENTS, intent)
    if context.params.get("client_secret", found["client_secret"]) != found["client_secret"]:
        raise ResourceMissingError("payment_intent", intent, param="intent")
    return found


@routes.api("GET", "/v1/payment_intents")
def list_payment_intents(context: Context) -> Object:
    """PaymentIntents, newest first."""
    context.unsupported("customer_account")
    return context.list(PAYMENT_INTENTS, {"customer": context.params.get("customer")})


@routes.api("POST", "/v1/payment_intents/{intent}")
def update(context: Context, intent: str) -> Object:
    """Change what is asked for while nothing is paid, and texts and metadata at any time."""
    context.unsupported(*_UNSUPPORTED, "allowed_payment_method_types", "excluded_payment_method_types")
    before = context.state.get(PAYMENT_INTENTS, intent)
    params = context.params
    descriptors.check(params)
    changes: dict[str, Any] = {name: params[name] or None for name in _TEXTS if name in params}
    changes["metadata"] = merged(before["metadata"], params.get("metadata"))
    changes |= _options(before, params)
    changes["last_payment_error"] = None  # Stripe clears it with any update
    for name in ("setup_future_usage", "shipping", "transfer_group"):
        if name in params:
            changes[name] = params[name] or None
    named = [name for name in _TERMS if name in params]
    if named:
        changes |= _changed_terms(context, before, named)
    after = context.state.update(PAYMENT_INTENTS, before, changes)
    return _with_method(context, after)


@routes.api("POST", "/v1/payment_intents/{intent}/confirm")
def confirm(context: Context, intent: str) -> Object:
    """Try to pay, with the payment method given now or before."""
    context.unsupported(*_UNSUPPORTED, "allowed_payment_method_types", "excluded_payment_method_types")
    context, found = _redeemed(context, context.state.get(PAYMENT_INTENTS, intent))
    return _confirm(context, found, _method_given(context))


@routes.api("POST", "/v1/payment_intents/{intent}/capture")
def capture(context: Context, intent: str) -> Object:
    """Capture what was authorized, or part of it."""
    context.unsupported("amount_details", "hooks", "payment_details")
    if context.params.get("final_capture") is False:
        context.unsupported("final_capture")
    found = context.state.get(PAYMENT_INTENTS, intent)
    if "metadata" in context.params:
        merged_now = merged(found["metadata"], context.params["metadata"])
        found = context.state.update(PAYMENT_INTENTS, found, {"metadata": merged_now})
    return captures.capture(context, found, context.params)


@routes.api("POST", "/v1/payment_intents/{intent}/increment_authorization")
def increment(context: Context, intent: str) -> Object:
    """Have more authorized than was."""
    context.unsupported("amount_details", "hooks", "payment_details")
    descriptors.check(context.params)
    return captures.increase(context, context.state.get(PAYMENT_INTENTS, intent), context.params)


@routes.api("POST", "/v1/payment_intents/{intent}/cancel")
def cancel(context: Context, intent: str) -> Object:
    """Cancel what was not paid."""
    found = context.state.get(PAYMENT_INTENTS, intent)
    if found["_watcher"] and found["status"] in CONFIRMABLE:
        raise unexpected_state(
            found, "You cannot cancel a PaymentIntent created by a Checkout Session. Expire the session instead."
        )
    return captures.cancel(context, found, context.params.get("cancellation_reason"))


@routes.page("POST", "/_simulator/payment_intents/{intent}/settle")
def settle(context: Context, intent: str) -> Object:
    """Let the bank answer now: ``{"outcome": "succeeded"}``, ``{"outcome": "failed"}``, or as its account says."""
    outcome = context.params.get("outcome")
    if outcome not in (None, "succeeded", "failed"):
        raise InvalidParameterError("Invalid outcome: must be one of succeeded, failed", param="outcome")
    holder = context.on(context.state.holder_of(PAYMENT_INTENTS, intent).account)
    return captures.finish_debit(holder, intent, failing=None if outcome is None else outcome == "failed")


@routes.due("payment_intent.debit")
def answer_of_bank(context: Context, intent: str, charge: str) -> None:
    """A bank answers some time after it was asked."""
    captures.finish_debit(context, intent, charge)


@routes.due("payment_intent.expire")
def expire(context: Context, intent: str) -> None:
    """An authorization lapses at its ``capture_before``."""
    captures.expire(context, intent)


def _redeemed(context: Context, intent: Object) -> tuple[Context, Object]:
    """The request with what its ConfirmationToken adds to it, and the intent as both want it."""
    token = context.params.get("confirmation_token")
    if token:
        context = replace(context, params={**redeem(context, token, intent), **context.params})
    params = context.params
    changes = {
        name: params[name] or None for name in ("receipt_email", "setup_future_usage", "shipping") if name in params
    }
    changes |= _options(intent, params)
    if "capture_method" in params:
        changes["capture_method"] = params["capture_method"]
    if changes and intent["status"] in CONFIRMABLE:
        intent = context.state.update(PAYMENT_INTENTS, intent, changes)
    return context, intent


def _options(intent: Object, params: Mapping[str, Any]) -> dict[str, Any]:
    """The options for kinds of payment methods, when the request gives any."""
    if "payment_method_options" not in params:
        return {}
    before = intent["payment_method_options"]
    return {"payment_method_options": method_options.with_given(before, params["payment_method_options"] or None)}


def _confirm(context: Context, intent: Object, method: Object | None) -> Object:
    params = context.params
    if method is None and intent["payment_method"]:
        method = find(context, intent["payment_method"])
    if method is None:
        raise unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
        )
    return intents.confirm_with(
        context,
        intent,
        method,
        return_url=params.get("return_url"),
        off_session=params.get("off_session") not in (None, False, "false"),
        error_on_requires_action=params.get("error_on_requires_action", False),
    )


def _with_method(context: Context, intent: Object) -> Object:
    """The intent with the payment method that came with the request, if one did."""
    method = _method_given(context)
    if method is None:
        return intent
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(intent, f"You cannot change the payment method of a {intent['status']} PaymentIntent.")
    changes = {"payment_method": method["id"], "next_action": None}
    return intents.move(context, intent, "requires_confirmation", changes)


def _method_given(context: Context) -> Object | None:
    params = context.params
    if "payment_method" in params:
        return find(context, params["payment_method"])
    return from_data(context, params["payment_method_data"]) if "payment_method_data" in params else None


def _refuse_without_confirm(params: Mapping[str, Any]) -> None:
    for name in _ONLY_WITH_CONFIRM:
        if name in params and not params.get("confirm"):
            raise InvalidParameterError(
                f"The `{name}` parameter can only be passed when `confirm` is set to `true`.", param=name
            )


def _changed_terms(context: Context, before: Object, named: list[str]) -> dict[str, Any]:
    """New amounts and parties, checked together with those that stay."""
    if before["status"] not in CONFIRMABLE:
        raise unexpected_state(
            before,
            f"This PaymentIntent's {named[0]} could not be updated because it has a status of {before['status']}. "
            f"You may only update it with one of the following statuses: {', '.join(sorted(CONFIRMABLE))}.",
        )
    params = context.params
    changes: dict[str, Any] = {name: params[name] for name in ("amount", "capture_method") if name in params}
    if "application_fee_amount" in params:
        changes["application_fee_amount"] = (
            None if params["application_fee_amount"] == "" else params["application_fee_amount"]
        )
    if "currency" in params:
        changes["currency"] = money.currency_code(params["currency"])
    if "customer" in params:
        changes["customer"] = terms.customer_of(context, params)
    if "transfer_data" in params:
        if not before["transfer_data"]:
            raise InvalidRequestError("You cannot add a destination to this PaymentIntent.", param="transfer_data")
        given = {**before["transfer_data"], **params["transfer_data"]}
        changes |= {"transfer_data": terms.transfer_data(given)["transfer_data"]}
    after = {**before, **changes}
    terms.check(context, after)
    return changes
