"""Account sessions: components with all their features, as asked for or as Stripe has them."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import refused
from .shop import new_seller, ready_seller


def session(client: stripe.StripeClient, account: str, **components: Any) -> Any:
    params: Any = {"account": account, "components": components}
    return client.v1.account_sessions.create(params)


def test_refunds_are_managed_unless_they_are_switched_off(client: stripe.StripeClient) -> None:
    account = new_seller(client)
    made = session(client, account, payments={"enabled": True})
    assert made.components.payments.to_dict() == {
        "enabled": True,
        "features": {
            "capture_payments": True,
            "destination_on_behalf_of_charge_management": False,
            "dispute_management": True,
            "refund_management": True,
            "smart_disputes_management": True,
        },
    }
    off = {"refund_management": False, "dispute_management": False}
    told = session(client, account, payments={"enabled": True, "features": off}).components.payments.features
    assert (told.refund_management, told.dispute_management, told.smart_disputes_management) == (False, False, False)
    assert (made.account, made.expires_at > START, made.client_secret == "") == (account, True, False)
    assert not made.components.payouts.enabled


@pytest.mark.parametrize(("losses", "may"), [("application", False), ("stripe", True)])
def test_payouts_are_managed_where_stripe_bears_the_losses(
    simulator: Simulator, client: stripe.StripeClient, losses: str, may: bool
) -> None:
    merchant: Any = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    defaults: Any = {"currency": "usd", "responsibilities": {"fees_collector": losses, "losses_collector": losses}}
    dashboard = "full" if losses == "stripe" else "express"
    account = ready_seller(simulator, client, configuration=merchant, defaults=defaults, dashboard=dashboard)
    features = session(client, account, payouts={"enabled": True}).components.payouts.features.to_dict()
    assert features == {
        "disable_stripe_user_authentication": False,
        "edit_payout_schedule": may,
        "external_account_collection": True,
        "instant_payouts": may,
        "standard_payouts": may,
    }


def test_only_who_collects_requirements_can_do_without_stripes_login(client: stripe.StripeClient) -> None:
    without: Any = {"enabled": True, "features": {"external_account_collection": False}}
    with refused(match="whose requirements your platform collects"):
        session(client, new_seller(client), account_onboarding=without)
    own = new_seller(client, dashboard="none")
    features = session(client, own, account_onboarding=without).components.account_onboarding.features
    assert (features.external_account_collection, features.disable_stripe_user_authentication) == (False, True)


def test_a_session_needs_a_component_and_answers_501_for_those_of_other_products(client: stripe.StripeClient) -> None:
    account = new_seller(client)
    with refused(match="at least one component"):
        session(client, account, payments={"enabled": False})
    with refused(stripe.APIError, match="issuing_card"):
        session(client, account, issuing_card={"enabled": True})
    with pytest.raises(stripe.PermissionError):
        session(client, "acct_none", payments={"enabled": True})
