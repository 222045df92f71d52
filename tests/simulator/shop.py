"""What most tests of payments need: connected accounts that are ready, in a line each."""

from typing import Any

import stripe

from local.stripe_simulator import Simulator

RESPONSIBILITIES = {"fees_collector": "application", "losses_collector": "application"}


def seller_params(**more: Any) -> dict[str, Any]:
    """The marketplace's recipe of an account."""
    return {
        "contact_email": "seller@example.test",
        "display_name": "Tea House",
        "dashboard": "express",
        "identity": {"country": "us"},
        "defaults": {"currency": "usd", "responsibilities": RESPONSIBILITIES},
        "configuration": {"recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}},
        **more,
    }


def new_seller(client: stripe.StripeClient, **more: Any) -> str:
    """An account that cannot receive transfers yet."""
    params: Any = seller_params(**more)
    return client.v2.core.accounts.create(params).id


def ready_seller(simulator: Simulator, client: stripe.StripeClient, **more: Any) -> str:
    """An account that can."""
    account = new_seller(client, **more)
    onboard(simulator, account)
    return account


def onboard(simulator: Simulator, account: str, action: str = "complete") -> None:
    """End an account's onboarding without a link."""
    answer = simulator.request("POST", f"/_simulator/accounts/{account}/onboarding", {"action": action})
    assert answer.status == 200, answer.body
