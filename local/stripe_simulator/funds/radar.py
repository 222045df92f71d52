"""What Radar and issuers say of a payment: early fraud warnings, and reviews of payments with an elevated risk.

https://docs.stripe.com/disputes/measuring#early-fraud-warnings https://docs.stripe.com/radar/reviews
"""

from typing import Any, Final

from ..context import Context
from ..shelves import Collection
from ..values import Object
from .balances import expand_anywhere
from .records import CHARGES

EARLY_FRAUD_WARNINGS: Final = Collection(
    "radar.early_fraud_warning",
    path="/v1/radar/early_fraud_warnings",
    indexes=("charge", "payment_intent"),
    expands={"charge": expand_anywhere("charge"), "payment_intent": "payment_intent"},
)
REVIEWS: Final = Collection(
    "review",
    path="/v1/reviews",
    indexes=("charge", "open"),
    expands={"charge": expand_anywhere("charge"), "payment_intent": "payment_intent"},
)
FRAUD_TYPES: Final = (
    *("card_never_received", "fraudulent_card_application", "made_with_counterfeit_card", "made_with_lost_card"),
    *("made_with_stolen_card", "misc", "unauthorized_use_of_card"),
)


def warn(context: Context, charge: Object, fraud_type: str) -> Object:
    """Let the issuer say that a payment is suspected of fraud; no money moves."""
    warning = {
        "id": context.ids.new("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": not charge["disputed"] and not charge["refunded"],
        "charge": charge["id"],
        "created": context.clock.now(),
        "fraud_type": fraud_type,
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    context.state.insert(EARLY_FRAUD_WARNINGS, warning)
    context.emit("radar.early_fraud_warning.created", warning)
    return warning


def open_review(context: Context, charge: Object) -> Object:
    """Put a payment before the eyes of the platform's people; gives the charge that says so."""
    review = {
        "id": context.ids.new("prv"),
        "object": "review",
        **dict.fromkeys(("billing_zip", "closed_reason", "ip_address", "ip_address_location", "session")),
        "billing_zip": charge["billing_details"]["address"]["postal_code"],
        "charge": charge["id"],
        "created": context.clock.now(),
        "livemode": False,
        "open": True,
        "opened_reason": "rule",
        "payment_intent": charge["payment_intent"],
        "reason": "rule",
    }
    context.state.insert(REVIEWS, review)
    _tell_intent(context, charge, review["id"])
    context.emit("review.opened", review)
    return context.state.update(CHARGES, charge, {"review": review["id"]})


def close_review(context: Context, review: Object, reason: str) -> Object:
    """End a review that is open."""
    charge = context.state.get(CHARGES, review["charge"])
    context.state.update(CHARGES, charge, {"review": None})
    _tell_intent(context, charge, None)
    after = context.state.update(REVIEWS, review, {"closed_reason": reason, "open": False, "reason": reason})
    context.emit("review.closed", after)
    return after


def heard_dispute(context: Context, charge: Object) -> None:
    """Nothing is left to do about a payment that is disputed."""
    _settle(context, charge, "disputed")


def heard_refund(context: Context, charge: Object, reason: str | None) -> None:
    """Nor about one that was refunded whole."""
    if charge["refunded"]:
        _settle(context, charge, "refunded_as_fraud" if reason == "fraudulent" else "refunded")


def _settle(context: Context, charge: Object, reason: str) -> None:
    for warning in list(context.state.select(EARLY_FRAUD_WARNINGS, {"charge": charge["id"]})):
        if warning["actionable"]:
            after = context.state.update(EARLY_FRAUD_WARNINGS, warning, {"actionable": False})
            context.emit("radar.early_fraud_warning.updated", after, previous=warning)
    for review in list(context.state.select(REVIEWS, {"charge": charge["id"]})):
        if review["open"]:
            close_review(context, review, reason)


def _tell_intent(context: Context, charge: Object, review: str | None) -> None:
    collection = context.state.collection_of("payment_intent")
    intent: Any = collection and context.state.find(collection, charge["payment_intent"] or "")
    if collection and intent:
        context.state.update(collection, intent, {"review": review})
