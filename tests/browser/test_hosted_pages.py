"""Each hosted page once in Chromium, at the width of a phone: filled in, clicked through, nothing cut off."""

from typing import Any

import pytest

from tests.simulator.shop import line, new_seller, ready_seller, session_params

from .conftest import DESKTOP, Browser, Seen

pytestmark = pytest.mark.browser
EVIL = "<script>document.title='run'</script>Tea of a verylongnamewithoutanyspaceinitthatcouldbreakalayout"


def assert_sound(pages: list[Seen]) -> None:
    for page in pages:
        assert (page.scripts, page.unlabeled, page.wider_than_the_screen) == (0, 0, False), page


def pay_url(browser: Browser, **more: Any) -> str:
    params: Any = session_params(
        success_url=browser.origin + "/shop/paid?session={CHECKOUT_SESSION_ID}",
        cancel_url=browser.origin + "/shop/basket",
        line_items=[line(1_250, quantity=2, name=EVIL)],
        **more,
    )
    return str(browser.client.v1.checkout.sessions.create(params).url)


def statuses(browser: Browser) -> list[tuple[str | None, str]]:
    return [(each.status, each.payment_status) for each in browser.client.v1.checkout.sessions.list().data]


def test_an_account_is_onboarded(browser: Browser) -> None:
    account = new_seller(browser.client, display_name=EVIL)
    urls: Any = {"refresh_url": browser.origin + "/shop/again", "return_url": browser.origin + "/shop/back"}
    use_case: Any = {"type": "account_onboarding", "account_onboarding": urls}
    link = browser.client.v2.core.account_links.create({"account": account, "use_case": use_case}).url
    seen = browser.play(
        ("open", link),
        ("fill", "#given_name", "Ada"),
        ("click", "button[value=complete]"),
        ("open", link),
    )
    assert_sound(seen)
    assert "Set up payouts for <script>" in seen[0].text
    assert [page.url for page in seen[1:]] == ["/shop/back", "/shop/again"]
    shown = browser.client.v2.core.accounts.retrieve(account, {"include": ["identity"]}).to_dict()
    assert shown["identity"]["individual"]["given_name"] == "Ada"
    assert browser.client.v1.accounts.retrieve(account).payouts_enabled


def test_a_buyer_is_declined_and_pays_with_another_card(browser: Browser) -> None:
    seller = ready_seller(browser.simulator, browser.client)
    url = pay_url(browser, payment_intent_data={"transfer_data": {"destination": seller}})
    seen = browser.play(
        ("open", url),
        ("click", "button[value='4000000000009995']"),
        ("fill", "#card", "4242 4242 4242 4242"),
        ("fill", "#expiry", "12 / 40"),
        ("fill", "#cvc", "123"),
        ("click", "button[value=card]"),
        ("open", url),
    )
    assert_sound(seen)
    opened, declined, paid, again = seen
    assert "25.00 USD" in opened.text
    assert "Your card has insufficient funds." in declined.text
    assert paid.url.startswith("/shop/paid?session=cs_test_")
    assert "paid only once" in again.text
    assert statuses(browser) == [("complete", "paid")]


def test_a_buyer_fails_3d_secure_and_passes_it(browser: Browser) -> None:
    card = "button[value='4000002760003184']"
    seen = browser.play(
        ("open", pay_url(browser)),
        ("click", card),
        ("click", "button[value=fail]"),
        ("click", card),
        ("click", "button[value=complete]"),
    )
    assert_sound(seen)
    assert seen[1].url.startswith("/3ds/pi_")
    assert "unable to authenticate" in seen[2].text
    assert seen[4].url.startswith("/shop/paid")
    assert statuses(browser) == [("complete", "paid")]


def test_a_buyer_pays_from_a_bank_on_a_large_screen(browser: Browser) -> None:
    seen = browser.play(("open", pay_url(browser)), ("click", "button[name=test_account]"), width=DESKTOP)
    assert_sound(seen)
    assert seen[1].url.startswith("/shop/paid")
    assert statuses(browser) == [("complete", "unpaid")]


def test_a_page_that_has_expired_leads_back(browser: Browser) -> None:
    url = pay_url(browser)
    browser.simulator.advance(24 * 3_600)
    seen = browser.play(("open", url), ("click", "a.button"))
    assert_sound(seen)
    assert ("expired" in seen[0].text, seen[1].url) == (True, "/shop/basket")
