"""Connect embedded components that a merchant may be shown, and what each may let it do.

https://docs.stripe.com/connect/supported-embedded-components
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from marketplace.domain.errors import ComponentNotAvailable

# Every feature that is not asked for is turned off by name: Stripe has some of them on by default.
_PAYING_OUT: Final = frozenset({"edit_payout_schedule", "instant_payouts", "standard_payouts"})
_DISPUTES: Final = frozenset({"dispute_management", "smart_disputes_management"})
_PAYMENTS: Final = frozenset({"capture_payments", *_DISPUTES})
COMPONENTS: Final[Mapping[str, frozenset[str]]] = {
    "account_management": frozenset(),
    "account_onboarding": frozenset(),
    "balance_report": frozenset(),
    "balances": _PAYING_OUT,
    "disputes_list": _PAYMENTS,
    "documents": frozenset(),
    "instant_payouts_promotion": frozenset({"instant_payouts"}),
    "notification_banner": frozenset(),
    "payment_details": _PAYMENTS,
    "payment_disputes": _DISPUTES,
    "payments": _PAYMENTS,
    "payout_details": frozenset(),
    "payout_reconciliation_report": frozenset(),
    "payouts": _PAYING_OUT,
    "payouts_list": frozenset(),
    "reporting_chart": frozenset(),
    "tax_registrations": frozenset(),
    "tax_settings": frozenset(),
}
# A refund that a merchant makes of its own payment goes to the platform, not to the buyer; and what is done about the
# platform's charges is the platform's to decide.
NEVER_ON: Final = ("refund_management", "destination_on_behalf_of_charge_management")
# Shown to a merchant that asks by itself, unless the operator says otherwise: nothing that moves money.
SHOWN: Final[Mapping[str, frozenset[str]]] = {name: frozenset() for name in COMPONENTS}


def session_components(
    wanted: Mapping[str, Sequence[str]], allowed: Mapping[str, frozenset[str]] = COMPONENTS
) -> dict[str, Any]:
    """``components`` of an account session: what is wanted is on, every other feature of it off by name.

    Raises:
        ComponentNotAvailable: a component or a feature that is none of ``allowed``.
    """
    if not wanted:
        raise ComponentNotAvailable(f"name at least one of {', '.join(sorted(allowed))}")
    return {name: _component(name, features, allowed) for name, features in wanted.items()}


def _component(name: str, wanted: Sequence[str], allowed: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    if name not in allowed or name not in COMPONENTS:
        raise ComponentNotAvailable(f"components are {', '.join(sorted(allowed))}")
    unknown = set(wanted) - (allowed[name] & COMPONENTS[name])
    if unknown:
        raise ComponentNotAvailable(f"features of {name} are: {', '.join(sorted(allowed[name])) or 'none'}")
    features = {feature: feature in wanted for feature in sorted(COMPONENTS[name])}
    if COMPONENTS[name] >= _DISPUTES:
        features |= dict.fromkeys(NEVER_ON, False)
    return {"enabled": True, **({"features": features} if features else {})}
