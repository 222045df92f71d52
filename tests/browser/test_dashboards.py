"""Pages of sellers, customers and the laboratory in Chromium, used as a person would, on a phone and a large screen."""

from typing import Any

import pytest

from tests.simulator.billing import customer, invoices, recurring, subscribe
from tests.simulator.paying import charge_of, pay_seller
from tests.simulator.shop import ready_seller

from .conftest import DESKTOP, PHONE, Browser, Seen

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("width", [PHONE, DESKTOP])]


def assert_sound(pages: list[Seen]) -> None:
    for page in pages:
        assert (page.scripts, page.unlabeled, page.wider_than_the_screen) == (0, 0, False), page


def path_of(browser: Browser, url: str) -> str:
    return url.removeprefix(browser.origin)


def test_a_customer_changes_the_plan_the_card_and_ends_it(browser: Browser, width: int) -> None:
    client = browser.client
    buyer, cheap = customer(client), recurring(client, 3_000)
    product = str(client.v1.prices.retrieve(cheap).product)
    dear: Any = {"product": product, "currency": "usd", "unit_amount": 9_000, "recurring": {"interval": "month"}}
    prices = [cheap, client.v1.prices.create(dear).id]
    made = subscribe(client, buyer, cheap)
    features: Any = {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "cancellation_reason": {"enabled": True, "options": ["unused"]}},
        "subscription_update": {
            "enabled": True, "default_allowed_updates": ["price"], "proration_behavior": "always_invoice",
            "products": [{"product": product, "prices": prices}],
        },
    }  # fmt: skip
    configuration = client.v1.billing_portal.configurations.create({"features": features}).id
    wanted: Any = {"customer": buyer, "configuration": configuration, "return_url": f"{browser.origin}/shop/account"}
    session = client.v1.billing_portal.sessions.create(wanted)
    seen = browser.play(
        ("open", path_of(browser, session.url)),
        ("click", "button[value=preview]"),
        ("click", "button[value=change]"),
        ("fill", "#card", "5555555555554444"),
        ("click", "button[value=card]"),
        ("fill", "select[name=feedback]", "unused"),
        ("click", "button[value=cancel]"),
        ("click", "a[aria-label^=View]"),
        ("open", path_of(browser, session.url)),
        ("click", "a[href*='/shop/']"),
        width=width,
    )
    assert_sound(seen[:-1])
    opened, confirm, changed, paid_by, ending, invoice, _, shop = seen
    assert "Change to 90.00 USD every month" in opened.text
    assert "From now on you pay 90.00 USD every month" in confirm.text
    assert "90.00 USD every month, active" in changed.text
    assert "Mastercard ending in 4444" in paid_by.text
    assert "It ends on" in ending.text
    assert "This invoice was paid" in invoice.text
    assert shop.url == "/shop/account"
    after = client.v1.subscriptions.retrieve(made.id)
    assert (after["items"].data[0].price.unit_amount, after.cancel_at_period_end) == (9_000, True)
    assert after.cancellation_details is not None
    assert after.cancellation_details.feedback == "unused"


def test_an_open_invoice_is_paid_with_a_challenge(browser: Browser, width: int) -> None:
    client = browser.client
    buyer = customer(client, None)
    made = subscribe(client, buyer, recurring(client, 3_000), payment_behavior="default_incomplete")
    (invoice,) = invoices(client, made.id)
    seen = browser.play(
        ("open", f"/i/{invoice.id}"),
        ("fill", "#card", "4000000000000002"),
        ("click", "form button"),
        ("fill", "#card", "4000002760003184"),
        ("click", "form button"),
        ("click", "button[value=complete]"),
        width=width,
    )
    assert_sound(seen)
    opened, declined, challenge, paid = seen
    assert "30.00 USD" in opened.text
    assert "declined" in declined.text
    assert challenge.url.startswith("/3ds/")
    assert "This invoice was paid" in paid.text
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_a_seller_sees_its_money_and_is_paid_at_once(browser: Browser, width: int) -> None:
    client, simulator = browser.client, browser.simulator
    seller = ready_seller(simulator, client, display_name="Tea House")
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    (bank,) = client.v1.accounts.external_accounts.list(seller).data
    simulator.request("POST", f"/_simulator/external_accounts/{seller}/{bank.id}", {"instant": True})
    link = path_of(browser, client.v1.accounts.login_links.create(seller).url)
    seen = browser.play(
        ("open", link), ("fill", "#amount-usd", "25"), ("click", "button[value=instant_payout]"), ("open", link),
        width=width,
    )  # fmt: skip
    assert_sound(seen)
    opened, paid, again = seen
    assert "90.00 USD" in opened.text
    assert "25.00 USD" in paid.text
    assert "This link was used" in again.text
    (payout,) = client.v1.payouts.list({}, {"stripe_account": seller}).data
    assert (payout.amount, payout.method) == (2_500, "instant")


def test_a_dispute_is_opened_and_decided_at_the_laboratory(browser: Browser, width: int) -> None:
    client = browser.client
    charge = charge_of(client, pay_seller(client, ready_seller(browser.simulator, client))).id
    browser.simulator.run_due()
    found = browser.play(
        ("open", "/"),
        ("fill", "#id", charge),
        ("click", "form[action$=objects] button"),
        ("fill", "#dispute-amount", "1200"),
        ("click", "form[action$=dispute] button"),
        width=width,
    )
    (dispute,) = client.v1.disputes.list().data
    decided = browser.play(
        ("open", "/"),
        ("fill", "#collection", "dispute"),
        ("click", "form[action$=objects] button.quiet"),
        ("click", f"a[href$={dispute.id}]"),
        ("fill", "#decide-outcome", "lost"),
        ("click", "form[action$=decide] button"),
        width=width,
    )
    assert_sound([*found, *decided])
    assert (dispute.amount, dispute.status) == (1_200, "needs_response")
    assert client.v1.disputes.retrieve(dispute.id).status == "lost"
    assert '"status": "lost"' in decided[-1].text
