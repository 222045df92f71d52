"""What a charge says of how it was paid, and of what the issuer and Radar made of it."""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..values import Object
from . import method_options
from .outcomes import Decline

_CARD_COPIED: Final = (
    *("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status"),
    "wallet",
)
_NOT_OF_CHARGES: Final = frozenset({"financial_connections_account", "generated_from", "networks", "status_details"})
_AUTHENTICATED: Final = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": None,
    "version": "2.2.0",
}
_DAY_SECONDS: Final = 24 * 3_600
MERCHANT_INITIATED_SECONDS: Final = {"visa": 4 * _DAY_SECONDS + 18 * 3_600}
"""Of payments without their buyer. https://docs.stripe.com/payments/place-a-hold-on-a-payment-method"""
EXTENDED_SECONDS: Final = {
    "visa": 29 * _DAY_SECONDS + 18 * 3_600,
    **dict.fromkeys(("amex", "discover", "mastercard"), 30 * _DAY_SECONDS),
}
"""https://docs.stripe.com/payments/extended-authorization"""
APPROVED: Final = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
ELEVATED: Final = {
    **APPROVED,
    "reason": "elevated_risk_level",
    "risk_level": "elevated",
    "risk_score": 65,
    "seller_message": "Stripe evaluated this payment as having elevated risk and placed it in your review queue.",
    "type": "manual_review",
}


def details_of(context: Context, intent: Object, method: Object, *, authenticated: bool) -> Mapping[str, Any]:
    """``payment_method_details`` of a payment with this method."""
    kind = method["type"]
    if kind != "card":
        shown = {name: value for name, value in method[kind].items() if name not in _NOT_OF_CHARGES}
        return {kind: shown, "type": kind}
    card, is_manual = method["card"], method_options.capture_method(intent, kind) == "manual"
    extends = is_manual and method_options.asks_for(intent, "request_extended_authorization")
    increases = is_manual and method_options.asks_for(intent, "request_incremental_authorization")
    details: dict[str, Any] = {
        **{name: card[name] for name in _CARD_COPIED},
        "amount_authorized": intent["amount"],
        "authorization_code": None,
        "extended_authorization": {"status": "enabled" if extends else "disabled"},
        "incremental_authorization": {"status": "available" if increases else "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "three_d_secure": _AUTHENTICATED if authenticated else None,
    }
    if is_manual:
        details["capture_before"] = context.clock.now() + _lasts(context, intent, card["brand"])
    return {"card": details, "type": "card"}


def _lasts(context: Context, intent: Object, brand: str) -> int:
    """How long an authorization can be captured."""
    usual = context.settings.authorization_seconds
    if method_options.asks_for(intent, "request_extended_authorization"):
        return max(usual, EXTENDED_SECONDS.get(brand, usual))
    return min(usual, MERCHANT_INITIATED_SECONDS.get(brand, usual)) if intent.get("_off_session") else usual


def failed(why: Decline) -> dict[str, Any]:
    """The members of a charge that failed."""
    outcome = {
        **APPROVED,
        "network_status": "not_sent_to_network" if why.blocked else "declined_by_network",
        "reason": why.decline_code or why.code,
        "risk_level": "highest" if why.blocked else "normal",
        "seller_message": "The payment was blocked." if why.blocked else "The payment failed.",
        "type": "blocked" if why.blocked else "issuer_declined",
    }
    failure = {"failure_code": why.code, "failure_message": why.message}
    return {**failure, "outcome": outcome, "paid": False, "status": "failed"}
