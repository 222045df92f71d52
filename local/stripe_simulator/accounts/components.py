"""Embedded components: which there are, what each lets an account do, and what it lets it do unless told.

https://docs.stripe.com/api/account_sessions/create
"""

from collections.abc import Mapping
from typing import Any, Final

from ..errors import InvalidRequestError
from ..values import Object
from .responsibilities import APPLICATION, LOSSES, REQUIREMENTS, STRIPE

AUTHENTICATION: Final = "disable_stripe_user_authentication"
EXTERNAL_ACCOUNTS: Final = "external_account_collection"
_COLLECTING: Final = (AUTHENTICATION, EXTERNAL_ACCOUNTS)
_PAYOUTS: Final = (*_COLLECTING, "edit_payout_schedule", "instant_payouts", "standard_payouts")
_DISPUTES: Final = (
    *("destination_on_behalf_of_charge_management", "dispute_management", "refund_management"),
    "smart_disputes_management",
)
_PAYMENTS: Final = ("capture_payments", *_DISPUTES)
_CARDS: Final = ("card_management", "card_spend_dispute_management", "cardholder_management")
_SPENDING: Final = "spend_control_management"

COMPONENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "account_management": _COLLECTING,
    "account_onboarding": _COLLECTING,
    "balance_report": (),
    "balances": _PAYOUTS,
    "disputes_list": _PAYMENTS,
    "documents": (),
    "financial_account": (*_COLLECTING, "send_money", "transfer_balance"),
    "financial_account_transactions": ("card_spend_dispute_management",),
    "instant_payouts_promotion": (*_COLLECTING, "instant_payouts"),
    "issuing_card": (*_CARDS, _SPENDING),
    "issuing_cards_list": (*_CARDS, AUTHENTICATION, _SPENDING),
    "notification_banner": _COLLECTING,
    "payment_details": _PAYMENTS,
    "payment_disputes": _DISPUTES,
    "payment_method_settings": (AUTHENTICATION,),
    "payments": _PAYMENTS,
    "payout_details": (),
    "payout_reconciliation_report": (),
    "payouts": _PAYOUTS,
    "payouts_list": (),
    "reporting_chart": (),
    "tax_registrations": (),
    "tax_settings": (),
    "terminal_hardware_orders": (),
    "terminal_hardware_shop": (),
}
"""Each component's features."""

NOT_HERE: Final = tuple(
    name for name in COMPONENTS if name.startswith(("financial_account", "issuing_", "terminal_hardware"))
)
"""Components of products that the simulator has none of."""

_TRUE_BY_DEFAULT: Final = frozenset({"capture_payments", "dispute_management", "refund_management"})
_WHERE_STRIPE_BEARS_LOSSES: Final = frozenset({"edit_payout_schedule", "instant_payouts", "standard_payouts"})


def shown(record: Object, component: str, given: Mapping[str, Any] | None) -> Object:
    """A component with all its features, as the session says them.

    Raises:
        InvalidRequestError: a feature that only accounts have whose requirements the platform collects.
    """
    asked = (given or {}).get("features") or {}
    features = {name: asked.get(name, _usual(record, name)) for name in COMPONENTS[component]}
    if EXTERNAL_ACCOUNTS in features:
        features[AUTHENTICATION] = asked.get(AUTHENTICATION, not features[EXTERNAL_ACCOUNTS])
    if "smart_disputes_management" in features:
        follows = features["dispute_management"]
        features["smart_disputes_management"] = asked.get("smart_disputes_management", follows)
    _check(record, component, features)
    return {"enabled": bool(given and given["enabled"]), "features": features}


def _usual(record: Object, feature: str) -> bool:
    if feature == EXTERNAL_ACCOUNTS or feature in _TRUE_BY_DEFAULT:
        return True
    return feature in _WHERE_STRIPE_BEARS_LOSSES and record["responsibilities"].get(LOSSES) == STRIPE


def _check(record: Object, component: str, features: Mapping[str, bool]) -> None:
    if record["responsibilities"].get(REQUIREMENTS) == APPLICATION:
        return
    for name, wanted in ((AUTHENTICATION, True), (EXTERNAL_ACCOUNTS, False)):
        if features.get(name) is wanted:
            raise InvalidRequestError(
                f"`{name}` can only be {str(wanted).lower()} for accounts whose requirements your platform collects.",
                param=f"components[{component}][features][{name}]",
            )
