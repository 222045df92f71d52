"""Tax at checkout: by rates of the shop's own, and by Stripe Tax with the address that the buyer enters."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import assert_exact, refused
from .shop import line, new_seller, new_session, submit

CARD = {"card": "4242424242424242"}
ON: dict[str, Any] = {"enabled": True}
GROUND: dict[str, Any] = {
    "display_name": "Ground",
    "fixed_amount": {"amount": 500, "currency": "gbp"},
    "tax_behavior": "exclusive",
}


def rate(client: stripe.StripeClient, percentage: float, *, inclusive: bool = False) -> str:
    made = client.v1.tax_rates.create({"display_name": "VAT", "inclusive": inclusive, "percentage": percentage})
    return made.id


def with_tax(amount: int, *rates: str) -> dict[str, Any]:
    return {**line(amount), "tax_rates": list(rates)}


def exclusive(amount: int) -> dict[str, Any]:
    price = {"currency": "gbp", "unit_amount": amount, "product_data": {"name": "Tea"}, "tax_behavior": "exclusive"}
    return {"price_data": price, "quantity": 1}


@pytest.fixture
def british(client: stripe.StripeClient) -> stripe.StripeClient:
    """A shop that collects tax in Great Britain."""
    collect_in_britain(client)
    return client


def collect_in_britain(client: stripe.StripeClient, stripe_account: str | None = None) -> None:
    of: Any = {"stripe_account": stripe_account} if stripe_account else {}
    office: Any = {"address": {"country": "GB", "line1": "1 High St", "city": "London", "postal_code": "N1 1AA"}}
    client.v1.tax.settings.update({"head_office": office, "defaults": {"tax_code": "txcd_99999999"}}, of)
    options: Any = {"gb": {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}}
    registration: Any = {"country": "GB", "active_from": "now", "country_options": options}
    client.v1.tax.registrations.create(registration, of)


def latest(client: stripe.StripeClient, session: str, *expand: str) -> dict[str, Any]:
    found: dict[str, Any] = client.v1.checkout.sessions.retrieve(session, {"expand": list(expand)}).to_dict()
    return found


def test_rates_of_ones_own_are_in_the_amount_or_come_on_top(simulator: Simulator, client: stripe.StripeClient) -> None:
    on_top, inside = rate(client, 7.25), rate(client, 20, inclusive=True)
    ten: Any = [{"coupon": client.v1.coupons.create({"percent_off": 10}).id}]
    session = new_session(client, line_items=[with_tax(1_000, on_top), with_tax(600, inside)], discounts=ten)
    # 900 and 7.25 percent of it, 65.25; 540 with 90 of it tax
    assert (session.amount_subtotal, session.amount_total) == (1_600, 900 + 65 + 540)
    shown = latest(client, session.id, "line_items.data.taxes", "total_details.breakdown")
    assert shown["total_details"]["amount_tax"] == 65 + 90
    bought = shown["line_items"]["data"]
    assert [(each["amount_tax"], each["amount_total"]) for each in bought] == [(65, 965), (90, 540)]
    (tax,) = bought[0]["taxes"]
    assert (tax["amount"], tax["taxable_amount"], tax["rate"]["id"]) == (65, 900, on_top)
    assert [each["amount"] for each in shown["total_details"]["breakdown"]["taxes"]] == [65, 90]
    submit(simulator, session.id, **CARD)
    intent = client.v1.payment_intents.retrieve(latest(client, session.id)["payment_intent"])
    assert intent.amount_received == 1_505
    assert_exact(simulator)


def test_rates_can_be_changed_with_the_items(client: stripe.StripeClient) -> None:
    session = new_session(client, line_items=[with_tax(1_000, rate(client, 10))])
    (item,) = client.v1.checkout.sessions.line_items.list(session.id).data
    changed = client.v1.checkout.sessions.update(session.id, {"line_items": [{"id": item.id, "tax_rates": ""}]})
    assert (session.amount_total, changed.amount_total) == (1_100, 1_000)
    with refused(match="No such tax rate"):
        new_session(client, line_items=[with_tax(1_000, "txr_none")])


def test_tax_follows_the_address_that_the_buyer_enters(simulator: Simulator, british: stripe.StripeClient) -> None:
    session = new_session(british, line_items=[exclusive(10_000)], automatic_tax=ON)
    assert session.automatic_tax.status == "requires_location_inputs"
    assert (session.amount_total, session.automatic_tax.provider) == (10_000, "stripe")
    page = simulator.request("GET", f"/c/pay/{session.id}").body
    assert b"depends on the address" in page
    shown = submit(simulator, session.id, action="update", country="GB", line1="1 Low St", postal_code="N1")
    assert b"120.00 GBP" in shown.body
    abroad = submit(simulator, session.id, action="update", country="JP")
    assert b"100.00 GBP" in abroad.body  # not registered there
    nowhere = submit(simulator, session.id, **CARD, country="")
    assert (nowhere.status, b"complete it" in nowhere.body) == (400, True)
    assert submit(simulator, session.id, **CARD, country="gb").status == 303
    done = latest(british, session.id, "payment_intent")
    assert (done["amount_total"], done["total_details"]["amount_tax"]) == (12_000, 2_000)
    assert (done["automatic_tax"]["status"], done["payment_intent"]["amount_received"]) == ("complete", 12_000)
    assert done["customer_details"]["address"]["country"] == "GB"


def test_shipping_is_taxed_where_it_goes(simulator: Simulator, british: stripe.StripeClient) -> None:
    more: Any = {
        "automatic_tax": ON,
        "line_items": [exclusive(1_000)],
        "shipping_address_collection": {"allowed_countries": ["GB", "US"]},
        "shipping_options": [{"shipping_rate_data": GROUND}],
    }
    session = new_session(british, **more)
    submit(simulator, session.id, **CARD, shipping_country="GB")
    done = latest(british, session.id, "shipping_cost.taxes")
    shipping = done["shipping_cost"]
    assert (shipping["amount_subtotal"], shipping["amount_tax"], shipping["amount_total"]) == (500, 100, 600)
    assert [each["amount"] for each in shipping["taxes"]] == [100]
    assert done["amount_total"] == 1_000 + 200 + 500 + 100
    assert done["total_details"]["amount_shipping"] == 500


def test_a_customer_is_taxed_where_he_lives(simulator: Simulator, british: stripe.StripeClient) -> None:
    address: Any = {"country": "GB", "line1": "1 Low St", "postal_code": "N1"}
    known = british.v1.customers.create({"address": address, "email": "ann@b.test"}).id
    exempt = british.v1.customers.create({"address": address, "email": "eve@b.test", "tax_exempt": "exempt"}).id
    more: Any = {"line_items": [exclusive(1_000)], "automatic_tax": ON}
    session = new_session(british, **more, customer=known)
    assert (session.automatic_tax.status, session.amount_total) == ("complete", 1_200)
    assert new_session(british, **more, customer=exempt).amount_total == 1_000
    nobody = british.v1.customers.create({}).id
    with refused(match="valid address on the Customer"):
        new_session(british, **more, customer=nobody)
    elsewhere = new_session(british, **more, customer=known, billing_address_collection="required")
    assert b"12.00 GBP" in submit(simulator, elsewhere.id, action="update", country="JP").body
    saves: Any = {"customer": nobody, "customer_update": {"address": "auto"}}
    saved = new_session(british, **more, **saves)
    submit(simulator, saved.id, **CARD, country="GB", line1="9 High St")
    customer = british.v1.customers.retrieve(nobody)
    assert customer.address
    assert customer.address.line1 == "9 High St"


def test_a_shop_says_where_it_is_before_it_collects_tax(client: stripe.StripeClient) -> None:
    with refused(match="head office"):
        new_session(client, automatic_tax=ON)


def test_a_connected_account_is_liable_by_its_own_settings_and_needs_no_capability_for_it(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = new_seller(client)
    liable: Any = {"enabled": True, "liability": {"type": "account", "account": seller}}
    with refused(match="head office"):
        new_session(client, automatic_tax=liable)
    with refused(match="No such account"):
        new_session(client, automatic_tax={**liable, "liability": {"type": "account", "account": "acct_none"}})
    collect_in_britain(client, stripe_account=seller)
    session = new_session(client, line_items=[exclusive(10_000)], automatic_tax=liable)
    submit(simulator, session.id, **CARD, country="GB")
    done = latest(client, session.id)
    assert done["total_details"]["amount_tax"] == 2_000
    assert done["automatic_tax"]["liability"] == {"type": "account", "account": seller}
    with refused(match="head office"):
        new_session(client, automatic_tax=ON)  # of the platform, which has not said where it is


def test_a_tax_id_is_collected_with_the_name_of_the_business(simulator: Simulator, client: stripe.StripeClient) -> None:
    more: Any = {"customer_creation": "always", "tax_id_collection": {"enabled": True, "required": "if_supported"}}
    session = new_session(client, **more)
    missing = submit(simulator, session.id, **CARD)
    assert (missing.status, b"tax ID is incomplete" in missing.body) == (400, True)
    entered = {"tax_id_type": "gb_vat", "tax_id": "123", "business_name": "Tea Ltd"}
    assert b"tax ID is invalid" in submit(simulator, session.id, **CARD, **entered).body
    entered["tax_id"] = "GB123456789"
    assert submit(simulator, session.id, **CARD, **entered).status == 303
    details = latest(client, session.id)["customer_details"]
    assert details["tax_ids"] == [{"type": "gb_vat", "value": "GB123456789"}]
    assert details["business_name"] == "Tea Ltd"
    (held,) = client.v1.customers.tax_ids.list(latest(client, session.id)["customer"]).data
    assert (held.type, held.value) == ("gb_vat", "GB123456789")
    again: Any = {
        "customer": held.customer,
        "customer_update": {"name": "auto"},
        "tax_id_collection": {"enabled": True},
    }
    submit(simulator, new_session(client, **again).id, **CARD, **entered)
    assert len(client.v1.customers.tax_ids.list(str(held.customer)).data) == 1
