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
    until(somebody.sees, lambda seen: "Your card was declined." in seen[1])
    somebody.type("#card", "4242424242424242")
    somebody.type("#expiry", "12 / 40")
    somebody.type("#cvc", "123")
    somebody.click("button[value=card]")
    until(somebody.sees, lambda seen: seen == (f"{origin}/thanks", "Back in the shop"))
    sold = shop.settled(session)
    assert (sold["status"], sold["amount"], sold["legs"][0]["share"]) == ("paid", 2_500, 2_250)
