"""The pay page in Chromium with all that it can ask for: shipping, quantities, fields, an embedded page, setup."""

from typing import Any

import pytest

from tests.simulator.shop import line

from .conftest import DESKTOP, PHONE, Browser, Seen

pytestmark = pytest.mark.browser
GROUND: dict[str, Any] = {"display_name": "Ground", "fixed_amount": {"amount": 500, "currency": "usd"}}
AIR: dict[str, Any] = {
    "display_name": "Air",
    "fixed_amount": {"amount": 1_500, "currency": "usd"},
    "delivery_estimate": {"minimum": {"unit": "business_day", "value": 1}},
}


def assert_sound(pages: list[Seen]) -> None:
    for page in pages:
        assert (page.scripts, page.unlabeled, page.wider_than_the_screen) == (0, 0, False), page


def session(browser: Browser, **more: Any) -> tuple[str, str]:
    """A session and its page."""
    urls = {"success_url": browser.origin + "/shop/paid", "cancel_url": browser.origin + "/shop/basket"}
    if "ui_mode" in more:
        urls = {"return_url": browser.origin + "/shop/back"}
    params: Any = {"mode": "payment", "line_items": [line(1_000)], **urls, **more}
    made = browser.client.v1.checkout.sessions.create(params).id
    return made, f"/c/pay/{made}"


def everything(browser: Browser) -> dict[str, Any]:
    price = browser.client.v1.prices.create({"currency": "usd", "unit_amount": 200, "product_data": {"name": "Card"}})
    sizes = {"options": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]}
    return {
        "billing_address_collection": "required",
        "consent_collection": {"terms_of_service": "required", "promotions": "auto"},
        "custom_fields": [
            {"key": "size", "label": {"custom": "Size", "type": "custom"}, "type": "dropdown", "dropdown": sizes}
        ],
        "customer_creation": "always",
        "line_items": [{**line(1_000), "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 9}}],
        "optional_items": [{"price": price.id, "quantity": 1}],
        "phone_number_collection": {"enabled": True},
        "saved_payment_method_options": {"payment_method_save": "enabled"},
        "shipping_address_collection": {"allowed_countries": ["US", "CA"]},
        "shipping_options": [{"shipping_rate_data": GROUND}, {"shipping_rate_data": AIR}],
        "tax_id_collection": {"enabled": True},
    }


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_buyer_changes_the_order_and_pays_what_was_shown(browser: Browser, width: int) -> None:
    made, page = session(browser, **everything(browser))
    seen = browser.play(
        ("open", page),
        ("fill", "input[name^=quantity_]", "3"),
        ("check", "input[name=optional_0]"),
        ("check", "input[name=shipping_rate]:not(:checked)"),
        ("click", "button[value=update]"),
        ("fill", "#custom_size", "l"),
        ("fill", "#shipping_line1", "2 Low Street"),
        ("click", "button[value='4242424242424242']"),
        ("check", "input[name=terms_of_service]"),
        ("fill", "input[name^=quantity_]", "2"),
        ("click", "button[value='4242424242424242']"),
        ("check", "input[name=terms_of_service]"),
        ("click", "button[value='4242424242424242']"),
        width=width,
    )
    assert_sound(seen)
    opened, updated, refused, changed, _ = (each.text for each in seen)
    assert "Pay 15.00 USD" in opened
    assert "Pay 47.00 USD" in updated  # 3 x 10 + 2 + 15
    assert "You must accept the terms of service" in refused
    assert "The total has changed" in changed
    assert "Pay 37.00 USD" in changed
    assert seen[4].url == "/shop/paid"
    done = browser.client.v1.checkout.sessions.retrieve(made).to_dict()
    assert (done["amount_total"], done["shipping_cost"]["amount_total"]) == (3_700, 1_500)
    assert done["custom_fields"][0]["dropdown"]["value"] == "l"
    assert done["collected_information"]["shipping_details"]["address"]["line1"] == "2 Low Street"


def test_a_code_is_entered_refused_and_taken(browser: Browser) -> None:
    coupon = browser.client.v1.coupons.create({"percent_off": 25}).id
    promotion: Any = {"promotion": {"type": "coupon", "coupon": coupon}, "code": "TEA25"}
    browser.client.v1.promotion_codes.create(promotion)
    made, page = session(browser, allow_promotion_codes=True)
    seen = browser.play(
        ("open", page),
        ("fill", "#code", "COFFEE"),
        ("click", "button[value=update]"),
        ("fill", "#code", "tea25"),
        ("click", "button[value=update]"),
        ("click", "button[value='4242424242424242']"),
    )
    assert_sound(seen)
    assert "This code is invalid" in seen[1].text
    assert "Pay 7.50 USD" in seen[2].text
    assert seen[3].url == "/shop/paid"
    assert browser.client.v1.checkout.sessions.retrieve(made).amount_total == 750


def test_an_embedded_page_is_paid_in(browser: Browser) -> None:
    _, page = session(browser, ui_mode="embedded_page")
    stays = {"ui_mode": "embedded_page", "redirect_on_completion": "if_required"}
    _, other = session(browser, **stays)
    card = "button[value='4242424242424242']"
    seen = browser.play(("open", page), ("click", card), ("open", other), ("click", card))
    assert_sound(seen)
    assert seen[1].url == "/shop/back"
    assert "Thank you" in seen[3].text
    assert [each.status for each in browser.client.v1.checkout.sessions.list().data] == ["complete", "complete"]


def test_a_card_is_saved_after_3d_secure(browser: Browser) -> None:
    customer = browser.client.v1.customers.create({"email": "ann@b.test"}).id
    params: Any = {"mode": "setup", "currency": "usd", "customer": customer, "success_url": browser.origin + "/shop/ok"}
    made = browser.client.v1.checkout.sessions.create(params)
    seen = browser.play(
        ("open", f"/c/pay/{made.id}"),
        ("click", "button[value='4000002760003184']"),
        ("click", "button[value=complete]"),
    )
    assert_sound(seen)
    assert "Save your payment details" in seen[0].text
    assert "saves this card" in seen[1].text
    assert seen[2].url == "/shop/ok"
    assert len(browser.client.v1.customers.payment_methods.list(customer).data) == 1
