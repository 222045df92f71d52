"""What a PaymentIntent is asked for, checked as Stripe checks it, and the intent that comes of it."""

from collections.abc import Mapping
from typing import Any, Final

from .. import accounts, money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..metadata import merged
from ..values import Object
from . import descriptors, exchange, method_options
from .fees import application_id

CLIENT_SECRET_LENGTH: Final = 25
_TEXTS: Final = (
    *("description", "on_behalf_of", "receipt_email", "setup_future_usage", "statement_descriptor"),
    *("statement_descriptor_suffix", "transfer_group"),
)
_ABSENT: Final = (
    *("canceled_at", "cancellation_reason", "customer", "customer_account"),
    *("last_payment_error", "latest_charge", "managed_payments", "next_action", "payment_method"),
    *("payment_method_configuration_details", "payment_record", "processing", "review", "source"),
)
_ALSO_BY_CURRENCY: Final = {"usd": ("us_bank_account",), "eur": ("sepa_debit",)}


def new_intent(context: Context, params: Mapping[str, Any]) -> dict[str, Any]:
    """A PaymentIntent that was not confirmed.

    Raises:
        InvalidRequestError: amounts, currency, fee, customer or accounts that Stripe refuses.
    """
    descriptors.check(params)
    currency = money.currency_code(params["currency"])
    intent_id = context.ids.new("pi")
    secret = f"{intent_id}_{context.ids.new('secret', CLIENT_SECRET_LENGTH)}"
    intent: dict[str, Any] = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        **dict.fromkeys(_ABSENT),
        "application": None if context.is_platform else application_id(context),
        "application_fee_amount": params.get("application_fee_amount"),
        "automatic_payment_methods": _automatic(params.get("automatic_payment_methods")),
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": secret,
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": context.clock.now(),
        "currency": currency,
        "customer": customer_of(context, params),
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "payment_method_options": method_options.with_given(method_options.USUAL, params.get("payment_method_options")),
        "payment_method_types": _types(params, currency),
        "shipping": params.get("shipping") or None,
        "status": "requires_payment_method",
        "transfer_data": None,
        **{name: params.get(name) or None for name in _TEXTS},
        "_return_url": None,
        "_transfer": {},
    }
    if "transfer_data" in params:
        intent |= transfer_data(params["transfer_data"])
    check(context, intent)
    return intent


def check(context: Context, intent: Object) -> None:
    """Refuse an intent whose parts do not fit each other.

    Raises:
        InvalidRequestError: with the parameter that is at fault.
    """
    amount, fee, sent = intent["amount"], intent["application_fee_amount"], intent["transfer_data"]
    money.check_amount(amount, intent["currency"])
    if intent["on_behalf_of"]:
        accounts.check_settlement_merchant(context, intent["on_behalf_of"])
    settlement = exchange.incoming(context, intent["currency"], intent["on_behalf_of"])
    money.check_minimum(settlement.of(amount), settlement.currency)
    share = sent.get("amount") if sent else None
    if fee is not None:
        _check_fee(
            context, amount, fee, intent["currency"], has_destination=sent is not None, has_share=share is not None
        )
    if share is not None:
        money.check_amount(share, intent["currency"], "transfer_data[amount]")
        if share > amount:
            raise InvalidParameterError(
                "The transfer_data[amount] must be less than or equal to the charge amount.",
                param="transfer_data[amount]",
            )
    if sent and not context.is_platform:
        raise InvalidRequestError(
            "A connected account cannot make destination charges of its own.", param="transfer_data[destination]"
        )
    if sent:
        accounts.check_destination(context, sent["destination"], "transfer_data[destination]")


def transfer_data(given: Mapping[str, Any]) -> dict[str, Any]:
    """The intent's members of ``transfer_data``: what it shows, and what it keeps for the transfer."""
    shown = {name: given[name] for name in ("amount", "destination") if name in given}
    kept = {name: given[name] or {} for name in ("description", "metadata", "payment_data") if name in given}
    return {"transfer_data": shown, "_transfer": kept}


def customer_of(context: Context, params: Mapping[str, Any]) -> str | None:
    """The customer named, who has to exist."""
    named: str | None = params.get("customer") or None
    if named:
        found = context.state.find("customer", named)
        if found is None or "deleted" in found:
            raise InvalidParameterError(f"No such customer: '{named}'", code="resource_missing", param="customer")
    return named


def _check_fee(
    context: Context, amount: int, fee: int, currency: str, *, has_destination: bool, has_share: bool
) -> None:
    money.check_amount(fee, currency, "application_fee_amount")
    if fee > amount:
        raise InvalidParameterError(
            "Your application fee cannot be greater than the total charge amount.", param="application_fee_amount"
        )
    if has_share:
        raise InvalidParameterError(
            "You cannot use `application_fee_amount` together with `transfer_data[amount]`.",
            param="application_fee_amount",
        )
    if context.is_platform and not has_destination:
        raise InvalidParameterError(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an "
            "OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
            param="application_fee_amount",
        )


def _automatic(given: Mapping[str, Any] | None) -> dict[str, Any]:
    given = given or {}
    return {"allow_redirects": given.get("allow_redirects", "always"), "enabled": given.get("enabled", True)}


def _types(params: Mapping[str, Any], currency: str) -> list[str]:
    """The kinds of payment method that the simulator knows for this currency, less what the request does not want."""
    allowed = params.get("allowed_payment_method_types")
    excluded = params.get("excluded_payment_method_types") or ()
    known = ("card", *_ALSO_BY_CURRENCY.get(currency, ()))
    found = [kind for kind in known if kind not in excluded and (allowed is None or kind in allowed)]
    if not found:
        raise InvalidParameterError(
            "No payment method of this simulator is compatible with this PaymentIntent: it knows "
            f"{', '.join(known)} for {currency}.",
            param="allowed_payment_method_types",
        )
    return found
