"""SetupIntents: what is asked for, and the statuses that they go through.

https://docs.stripe.com/payments/setup-intents
"""

from collections.abc import Mapping
from typing import Any, Final

from .. import accounts, money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..funds.fees import application_id
from ..funds.terms import CLIENT_SECRET_LENGTH, customer_of
from ..funds.watchers import Watchers
from ..metadata import merged
from ..shelves import Collection
from ..state import public
from ..values import Object
from . import attempts

SETUP_INTENTS: Final = Collection(
    "setup_intent",
    path="/v1/setup_intents",
    indexes=("customer", "payment_method", "attach_to_self"),
    expands={
        "customer": "customer",
        "last_setup_error.payment_method": "payment_method",
        "latest_attempt": "setup_attempt",
        "mandate": "mandate",
        "on_behalf_of": "account",
        "payment_method": "payment_method",
        "single_use_mandate": "mandate",
    },
    found_anywhere=True,
)
"""``_watcher``: who hears of its outcomes; ``_single_use``: the one payment that its mandate will be for."""

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "requires_payment_method": frozenset(
        {"requires_payment_method", "requires_confirmation", "requires_action", "succeeded", "canceled"}
    ),
    "requires_confirmation": frozenset(
        {"requires_payment_method", "requires_confirmation", "requires_action", "succeeded", "canceled"}
    ),
    "requires_action": frozenset(
        {"requires_payment_method", "requires_confirmation", "requires_action", "succeeded", "canceled"}
    ),
    "succeeded": frozenset(),
    "canceled": frozenset(),
}
CONFIRMABLE: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
KINDS: Final = ("card", "us_bank_account", "sepa_debit")
_KINDS_BY_CURRENCY: Final = {"usd": ("card", "us_bank_account"), "eur": ("card", "sepa_debit")}
_ABSENT: Final = (
    *("cancellation_reason", "customer_account", "last_setup_error", "latest_attempt", "managed_payments", "mandate"),
    *("next_action", "payment_method", "payment_method_configuration_details", "single_use_mandate"),
)

_watchers: Final = Watchers()
watches: Final = _watchers.named


def open_intent(
    context: Context, params: Mapping[str, Any], *, watcher: str | None = None, method: Object | None = None
) -> Object:
    """A SetupIntent from the API's parameters for creating one, not confirmed.

    Raises:
        InvalidRequestError: a customer, account or combination that Stripe refuses.
    """
    intent_id = context.ids.new("seti")
    automatic = params.get("automatic_payment_methods") or {}
    intent: dict[str, Any] = {
        "id": intent_id,
        "object": "setup_intent",
        "application": None if context.is_platform else application_id(context),
        "automatic_payment_methods": {
            "allow_redirects": automatic.get("allow_redirects", "always"),
            "enabled": automatic.get("enabled", True),
        },
        **dict.fromkeys(_ABSENT),
        "client_secret": f"{intent_id}_{context.ids.new('secret', CLIENT_SECRET_LENGTH)}",
        "created": context.clock.now(),
        "customer": customer_of(context, params),
        "description": params.get("description"),
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "flow_directions": params.get("flow_directions") or None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "on_behalf_of": params.get("on_behalf_of"),
        "payment_method_options": options(params.get("payment_method_options")),
        "payment_method_types": kinds(params),
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
        "_by_mail": is_by_mail(params.get("payment_method_options")),
        "_return_url": None,
        "_single_use": _single_use(params.get("single_use")),
        "_watcher": watcher,
    }
    if "attach_to_self" in params:
        intent["attach_to_self"] = params["attach_to_self"]
    if method:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    check(context, intent)
    context.state.insert(SETUP_INTENTS, intent)
    context.emit("setup_intent.created", intent)
    return intent


def check(context: Context, intent: Object) -> None:
    """Refuse an intent whose parts do not fit each other.

    Raises:
        InvalidRequestError: with the parameter that is at fault.
    """
    to_itself = intent.get("attach_to_self", False)
    if to_itself and intent["customer"]:
        raise InvalidParameterError(
            "You cannot set `attach_to_self` to true when setting up a PaymentMethod for a Customer.",
            param="attach_to_self",
        )
    if intent["flow_directions"] and not to_itself:
        raise InvalidParameterError(
            "`flow_directions` can only be set when `attach_to_self` is true.", param="flow_directions"
        )
    if intent["on_behalf_of"]:
        accounts.check_settlement_merchant(context, intent["on_behalf_of"])


def move(context: Context, intent: Object, status: str, changes: Mapping[str, Any] | None = None) -> Object:
    """Let an intent change its status, with whatever else changes."""
    if status not in TRANSITIONS[intent["status"]]:
        raise LookupError(f"a SetupIntent cannot go from {intent['status']} to {status}")
    return context.state.update(SETUP_INTENTS, intent, {"status": status, **(changes or {})})


def tell(context: Context, event_type: str, intent: Object) -> Object:
    """Tell of an intent's new state, its watcher too; gives the intent as it stands after that."""
    context.emit(event_type, intent)
    _watchers.tell(context, intent)
    return context.state.get(SETUP_INTENTS, intent["id"])


def cancel(context: Context, intent: Object, reason: str | None) -> Object:
    """Cancel what was not completed.

    Raises:
        InvalidRequestError: it has succeeded, or was canceled before.
    """
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(
            intent,
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent "
            f"with one of the following statuses may be canceled: {', '.join(sorted(CONFIRMABLE))}.",
        )
    attempts.abandon(context, intent)
    changes = {"cancellation_reason": reason, "next_action": None}
    return tell(context, "setup_intent.canceled", move(context, intent, "canceled", changes))


def unexpected_state(intent: Object, message: str) -> InvalidRequestError:
    """The refusal of what an intent's status does not allow."""
    return InvalidRequestError(message, code="setup_intent_unexpected_state", setup_intent=public(intent))


def kinds(params: Mapping[str, Any], currency: str | None = None) -> list[str]:
    """The kinds of payment method that the simulator can save, less what the request does not want.

    Raises:
        InvalidParameterError: nothing is left.
    """
    allowed = params.get("allowed_payment_method_types")
    excluded = params.get("excluded_payment_method_types") or ()
    known = _KINDS_BY_CURRENCY.get(currency, ("card",)) if currency else KINDS
    found = [kind for kind in known if kind not in excluded and (allowed is None or kind in allowed)]
    if not found:
        raise InvalidParameterError(
            f"No payment method of this simulator is compatible with this SetupIntent: it knows {', '.join(known)}.",
            param="allowed_payment_method_types",
        )
    return found


def options(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """``payment_method_options`` as the intent shows them."""
    shown: dict[str, Any] = {"card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}}
    for kind, chosen in (given or {}).items():
        visible = {name: value for name, value in (chosen or {}).items() if name != "moto"}
        shown[kind] = {**shown.get(kind, {}), **visible}
    return shown


def is_by_mail(given: Mapping[str, Any] | None) -> bool:
    """Whether the buyer gave the card by mail or telephone, so that nobody is there to authenticate."""
    return bool((given or {}).get("card", {}).get("moto"))


def _single_use(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    currency = money.currency_code(given["currency"], "single_use[currency]")
    money.check_charge(given["amount"], currency, "single_use[amount]")
    return {"amount": given["amount"], "currency": currency}
