"""Login links: who gets one, and that it opens the seller's dashboard once."""

from typing import Any
from urllib.parse import urlsplit

import stripe

from local.stripe_simulator import Simulator

from .paying import pay_seller, refused
from .shop import new_seller, ready_seller


def test_a_link_opens_the_dashboard_once(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    client.v1.payouts.create({"amount": 4_000, "currency": "usd"}, {"stripe_account": seller})
    path = urlsplit(client.v1.accounts.login_links.create(seller).url).path
    opened = simulator.request("GET", path)
    text = opened.body.decode()
    assert opened.status == 200
    assert "Tea House" in text
    assert "Available: 50.00 USD" in text
    assert "40.00 USD, pending" in text
    again = simulator.request("GET", path)
    assert (again.status, "50.00" in again.body.decode()) == (410, False)


def test_only_onboarded_express_accounts_get_one(simulator: Simulator, client: stripe.StripeClient) -> None:
    with refused(match="completed onboarding"):
        client.v1.accounts.login_links.create(new_seller(client))
    merchant: Any = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    account = ready_seller(simulator, client, dashboard="full", configuration=merchant, defaults=STRIPE_BEARS)
    with refused(match="Express Dashboard"):
        client.v1.accounts.login_links.create(account)


STRIPE_BEARS: Any = {
    "currency": "usd",
    "responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"},
}
