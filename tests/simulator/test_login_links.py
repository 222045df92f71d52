"""Login links: who gets one, and that it opens the seller's dashboard once."""

from typing import Any
from urllib.parse import urlsplit

import stripe

from local.stripe_simulator import Simulator

from .paying import pay_seller, refused
from .shop import new_seller, ready_seller


def enter(simulator: Simulator, client: stripe.StripeClient, seller: str) -> str:
    """The path of the dashboard that a new link leads to."""
    opened = simulator.request("GET", urlsplit(client.v1.accounts.login_links.create(seller).url).path)
    assert opened.status == 303
    return opened.headers["Location"]


def text(simulator: Simulator, path: str) -> str:
    answer = simulator.request("GET", path)
    assert answer.status == 200
    return answer.body.decode()


def test_a_link_opens_the_dashboard_once_and_for_an_hour(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    path = urlsplit(client.v1.accounts.login_links.create(seller).url).path
    dashboard = simulator.request("GET", path).headers["Location"]
    assert simulator.request("GET", path).status == 410
    simulator.advance(3_599)
    assert "Tea House" in text(simulator, dashboard)
    simulator.advance(1)
    for method in ("GET", "POST"):
        assert simulator.request(method, dashboard).status == 410


def test_it_shows_what_the_seller_has_and_what_was_paid_out(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    pay_seller(client, seller, 2_000)
    simulator.run_due()
    client.v1.payouts.create({"amount": 4_000, "currency": "usd"}, {"stripe_account": seller})
    shown = text(simulator, enter(simulator, client, seller))
    assert "<td>50.00 USD</td>\n<td>10.00 USD</td>\n<td>40.00 USD</td>" in shown
    for each in ("-40.00 USD", "Pending", "of the balance", "when the platform makes them", "ending in 6789", ">US<"):
        assert each in shown, each


def test_what_it_has_is_paid_out_at_once_where_its_bank_allows(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    dashboard = enter(simulator, client, seller)
    assert "Pay out now" not in text(simulator, dashboard)
    (bank,) = client.v1.accounts.external_accounts.list(seller).data
    simulator.request("POST", f"/_simulator/external_accounts/{seller}/{bank.id}", {"instant": True})
    assert "up to 90.00 USD" in text(simulator, dashboard)
    form = {"action": "instant_payout", "currency": "usd"}
    refusal = simulator.request("POST", dashboard, {**form, "amount": "90.01"})
    assert (refusal.status, b'role="alert"' in refusal.body) == (400, True)
    assert simulator.request("POST", dashboard, {**form, "amount": "all"}).status == 400
    assert simulator.request("POST", dashboard, {**form, "amount": "12.34"}).status == 303
    (payout,) = client.v1.payouts.list({}, {"stripe_account": seller}).data
    assert (payout.amount, payout.method) == (1_234, "instant")


def test_it_says_what_is_needed_and_leads_there_and_back(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    dashboard = enter(simulator, client, seller)
    assert "Something is needed" not in text(simulator, dashboard)
    asked = {"name": "identity.individual.phone", "v1_name": "individual.phone", "status": "currently_due"}
    simulator.request("POST", f"/_simulator/accounts/{seller}/requirements", asked)
    assert "wait for 1 of your details" in text(simulator, dashboard)
    link = urlsplit(simulator.request("POST", dashboard, {"action": "complete"}).headers["Location"]).path
    done = simulator.request("POST", link, {"action": "complete"})
    assert (done.status, urlsplit(done.headers["Location"]).path) == (303, dashboard)
    assert "Something is needed" not in text(simulator, dashboard)


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
