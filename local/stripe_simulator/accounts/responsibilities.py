"""Who collects fees, losses and requirements: which combinations Stripe has, and which it refuses.

https://docs.stripe.com/connect/accounts-v2/connected-account-configuration
"""

from collections.abc import Mapping
from typing import Final

from ..errors import InvalidRequestError
from ..values import Object

FEES, LOSSES, REQUIREMENTS = "fees_collector", "losses_collector", "requirements_collector"
APPLICATION, STRIPE = "application", "stripe"

OF_TYPE: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "standard": ("full", {FEES: STRIPE, LOSSES: STRIPE, REQUIREMENTS: STRIPE}),
    "express": ("express", {FEES: "application_express", LOSSES: APPLICATION, REQUIREMENTS: STRIPE}),
    "custom": ("none", {FEES: "application_custom", LOSSES: APPLICATION, REQUIREMENTS: APPLICATION}),
}
"""What the legacy types of API v1 stand for: the dashboard, and the responsibilities."""


def settled(dashboard: str | None, fees: str | None, losses: str | None) -> Object:
    """The responsibilities; who collects requirements follows from the dashboard and the losses.

    Raises:
        InvalidRequestError: Stripe does not support this combination.
    """
    if dashboard == "express" and (fees, losses) != (APPLICATION, APPLICATION):
        raise InvalidRequestError(
            "When `dashboard` is `express`, `fees_collector` and `losses_collector` must both be `application`.",
            code="account_controller_express_dash_without_application_losses_or_fees",
        )
    if losses == APPLICATION and fees != APPLICATION:
        raise InvalidRequestError(
            "When `losses_collector` is `application`, `fees_collector` must also be `application`.",
            code="account_controller_stripe_pricing_platform_liable",
        )
    collected_by_platform = dashboard == "none" and losses == APPLICATION
    return {FEES: fees, LOSSES: losses, REQUIREMENTS: APPLICATION if collected_by_platform else STRIPE}
