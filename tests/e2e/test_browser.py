"""What people do in a browser: a merchant is onboarded, and a buyer is declined, pays, and is back in the shop."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.chromium import PROGRAM, Person, person
from tests.e2e.shop import Shop, done, until

pytestmark = pytest.mark.browser


@pytest.fixture
def somebody(shop: Shop, tmp_path: Path) -> Iterator[Person]:
    if PROGRAM is None:
        pytest.skip("Chromium is not installed")
    with person(tmp_path, shop.stack.return_origin) as somebody:
        yield somebody


def test_a_merchant_is_onboarded_and_a_buyer_pays_in_a_browser(shop: Shop, somebody: Person) -> None:
    origin = shop.stack.return_origin
    merchant = shop.new_merchant("Ada's cups")
    path = f"/merchants/{merchant['id']}"
    link = done(shop.operator.post(f"{path}/onboarding-links", {"return_url": f"{origin}/welcome"}))
    somebody.open(link["url"])
    until(somebody.sees, lambda seen: "Set up payouts for Ada's cups" in seen[1])
    somebody.type("#given_name", "Ada")
    somebody.click("button[value=complete]")
    until(somebody.sees, lambda seen: seen == (f"{origin}/welcome", "Back in the shop"))
    until(lambda: done(shop.operator.get(path))["status"], lambda status: status == "ready")

    price = shop.price(merchant, 1_250)
    session = done(shop.buyer.post("/checkout/sessions", shop.basket({"price": price["id"], "quantity": 2})))
    somebody.open(session["url"])
    until(somebody.sees, lambda seen: "25.00 USD" in seen[1])
    somebody.click("button[value='4000000000000002']")
    until(somebody.sees, lambda seen: "declined" in seen[1].lower() and "Jenny" not in seen[0])
    somebody.type("#card", "4242424242424242")
    somebody.type("#expiry", "12 / 40")
    somebody.type("#cvc", "123")
    somebody.click("button[value=card]")
    until(somebody.sees, lambda seen: seen == (f"{origin}/thanks", "Back in the shop"))
    sold = shop.settled(session)
    assert (sold["status"], sold["amount"], sold["legs"][0]["share"]) == ("paid", 2_500, 2_250)


def test_an_onboarding_link_that_was_used_leads_on_to_a_new_one(shop: Shop, somebody: Person) -> None:
    path = f"/merchants/{shop.new_merchant()['id']}/onboarding-links"
    link = done(shop.operator.post(path, {"return_url": f"{shop.stack.return_origin}/welcome"}))
    for _ in range(2):
        somebody.open("about:blank")
        somebody.open(link["url"])
        until(somebody.sees, lambda seen: "Set up payouts for Clay & Co" in seen[1])
    assert somebody.sees()[0].startswith(f"{shop.stack.stripe}/connect/")
    assert somebody.sees()[0] != link["url"]
