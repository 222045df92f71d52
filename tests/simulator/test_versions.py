"""Older clients: their parameters are taken, their answers and events are as they were, and newer names are unknown."""

import json
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.versions.changes import CHANGES

from .conftest import START
from .shop import pay, ready_seller

BASIL, ACACIA, CLOVER, DAHLIA, ENDIVE = (
    *("2025-03-31.basil", "2024-09-30.acacia", "2025-09-30.clover", "2026-05-27.dahlia", "2026-10-28.endive"),
)
OLD = "2022-08-01"


def ask(simulator: Simulator, version: str, method: str, path: str, status: int = 200, **params: Any) -> Any:
    """A request of a version."""
    answer = simulator.request(method, path, params, headers={"Stripe-Version": version})
    assert answer.status == status, answer.json()
    assert answer.headers["Stripe-Version"] == version
    return answer.json() if status == 200 else answer.json()["error"]


def recurring_price(simulator: Simulator) -> str:
    product = simulator.request("POST", "/v1/products", {"name": "Club"}).json()["id"]
    params = {"product": product, "currency": "usd", "unit_amount": 3_000, "recurring": {"interval": "month"}}
    return str(simulator.request("POST", "/v1/prices", params).json()["id"])


def customer_with_card(simulator: Simulator) -> str:
    customer = simulator.request("POST", "/v1/customers", {"name": "A"}).json()["id"]
    method = simulator.request("POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": customer}).json()["id"]
    settings = {"default_payment_method": method}
    simulator.request("POST", f"/v1/customers/{customer}", {"invoice_settings": settings})
    return str(customer)


@pytest.mark.parametrize("path", ["/v1/payment_intents", "/v1/setup_intents"])
def test_payment_method_types_work_where_they_worked_and_no_longer(simulator: Simulator, path: str) -> None:
    amount: dict[str, Any] = {"amount": 1_000, "currency": "usd"} if "payment" in path else {}
    made = ask(simulator, DAHLIA, "POST", path, **amount, payment_method_types=["card"])
    assert made["payment_method_types"] == ["card"]
    assert "allowed_payment_method_types" not in made
    refused = ask(simulator, ENDIVE, "POST", path, 400, **amount, payment_method_types=["card"])
    assert (refused["code"], refused["param"]) == ("parameter_unknown", "payment_method_types")
    refused = ask(simulator, DAHLIA, "POST", path, 400, **amount, allowed_payment_method_types=["card"])
    assert (refused["code"], refused["param"]) == ("parameter_unknown", "allowed_payment_method_types")
    refused = ask(simulator, DAHLIA, "POST", path, 400, **amount, payment_method_types=["cart"])
    assert refused["param"].startswith("payment_method_types")


@pytest.mark.parametrize(
    ("version", "mode", "answered"),
    [(CLOVER, "hosted", "hosted"), (CLOVER, None, "hosted"), (DAHLIA, "hosted_page", "hosted_page")],
)
def test_a_session_s_mode_has_the_names_of_the_version(
    simulator: Simulator, version: str, mode: str | None, answered: str
) -> None:
    line = {"price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Tea"}}, "quantity": 1}
    params: dict[str, Any] = {"mode": "payment", "line_items": [line], "success_url": "http://shop.test/"}
    params |= {"ui_mode": mode} if mode else {}
    assert ask(simulator, version, "POST", "/v1/checkout/sessions", **params)["ui_mode"] == answered
    wrong = "hosted_page" if version == CLOVER else "hosted"
    ask(simulator, version, "POST", "/v1/checkout/sessions", 400, **{**params, "ui_mode": wrong})


def test_a_promotion_code_has_its_coupon_where_the_version_has_it(simulator: Simulator) -> None:
    coupon = simulator.request("POST", "/v1/coupons", {"percent_off": 10}).json()["id"]
    made = ask(simulator, BASIL, "POST", "/v1/promotion_codes", coupon=coupon)
    assert made["coupon"]["id"] == coupon
    assert "promotion" not in made
    assert ask(simulator, ENDIVE, "GET", f"/v1/promotion_codes/{made['id']}")["promotion"]["coupon"] == coupon
    ask(simulator, ENDIVE, "POST", "/v1/promotion_codes", 400, coupon=coupon)


def test_before_basil_an_invoice_names_its_payment_and_subscription_and_they_name_it(simulator: Simulator) -> None:
    customer, price = customer_with_card(simulator), recurring_price(simulator)
    subscription = ask(simulator, ACACIA, "POST", "/v1/subscriptions", customer=customer, items=[{"price": price}])
    assert subscription["current_period_end"] == subscription["items"]["data"][0]["current_period_end"]
    invoice = ask(simulator, ACACIA, "GET", f"/v1/invoices/{subscription['latest_invoice']}")
    assert (invoice["paid"], invoice["subscription"], invoice["tax"]) == (True, subscription["id"], None)
    intent = ask(simulator, ACACIA, "GET", f"/v1/payment_intents/{invoice['payment_intent']}")
    assert intent["invoice"] == invoice["id"]
    assert ask(simulator, ACACIA, "GET", f"/v1/charges/{invoice['charge']}")["invoice"] == invoice["id"]
    (line,) = invoice["lines"]["data"]
    assert (line["price"]["id"], line["type"], line["proration"]) == (price, "subscription", False)
    now = ask(simulator, ENDIVE, "GET", f"/v1/invoices/{invoice['id']}")
    assert not {"paid", "subscription", "payment_intent", "charge", "tax"} & set(now)
    assert "current_period_end" not in ask(simulator, ENDIVE, "GET", f"/v1/subscriptions/{subscription['id']}")


def test_an_anchor_was_a_word(simulator: Simulator) -> None:
    customer, price = customer_with_card(simulator), recurring_price(simulator)
    made = ask(simulator, ENDIVE, "POST", "/v1/subscriptions", customer=customer, items=[{"price": price}])
    simulator.advance(10 * 24 * 3_600)
    path = f"/v1/subscriptions/{made['id']}"
    changed = ask(simulator, DAHLIA, "POST", path, billing_cycle_anchor="now")
    assert changed["billing_cycle_anchor"] == START + 10 * 24 * 3_600
    ask(simulator, ENDIVE, "POST", path, 400, billing_cycle_anchor="now")


def test_long_ago_a_payment_was_by_card_and_listed_its_charges(simulator: Simulator) -> None:
    params: dict[str, Any] = {"amount": 1_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    made = ask(simulator, OLD, "POST", "/v1/payment_intents", **params)
    assert made["payment_method_types"] == ["card"]
    assert [charge["id"] for charge in made["charges"]["data"]] == [made["latest_charge"]]
    assert "charges" not in ask(simulator, "2022-11-15", "GET", f"/v1/payment_intents/{made['id']}")


def test_one_that_names_no_version_gets_the_account_s_default() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(api_version=DAHLIA))
    params = {"amount": 1_000, "currency": "usd", "payment_method_types": ["card"]}
    assert simulator.request("POST", "/v1/payment_intents", params).status == 200
    answer = simulator.request("POST", "/v1/payment_intents", params, headers={"Stripe-Version": ENDIVE})
    assert answer.status == 400


def test_an_endpoint_is_told_in_its_own_version(simulator: Simulator, client: stripe.StripeClient) -> None:
    for version in (OLD, ENDIVE):
        params = {"url": f"http://{version}.test/", "enabled_events": ["payment_intent.succeeded"]}
        simulator.request("POST", "/v1/webhook_endpoints", {**params, "api_version": version})
    client.v1.payment_intents.create(
        {"amount": 1_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    )
    told = {json.loads(each.body)["api_version"]: json.loads(each.body) for each in simulator.deliveries()}
    assert set(told) == {OLD, ENDIVE}
    assert "charges" in told[OLD]["data"]["object"]
    assert "charges" not in told[ENDIVE]["data"]["object"]


@pytest.mark.parametrize(
    "version",
    ["2027-01-01.fuchsia", "2026-10-28.dandelion", "2025-01-01.basil", "2030-01-01", "yesterday", "2010-01-01"],
)
def test_versions_that_are_none_are_refused(simulator: Simulator, version: str) -> None:
    assert "Invalid Stripe API version" in ask(simulator, version, "GET", "/v1/balance", 400)["message"]


@pytest.mark.parametrize("version", ["2026-09-30.endive", "2024-06-20", "2020-08-27", "2025-06-30.basil"])
def test_versions_that_were_are_taken(simulator: Simulator, version: str) -> None:
    ask(simulator, version, "GET", "/v1/balance")


def test_a_marketplace_of_years_ago_sells_as_it_did(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    line = {"price_data": {"currency": "usd", "unit_amount": 5_000, "product_data": {"name": "Tea"}}, "quantity": 2}
    data = {"application_fee_amount": 1_000, "transfer_data": {"destination": seller}}
    session = ask(
        simulator, "2023-10-16", "POST", "/v1/checkout/sessions",
        mode="payment", line_items=[line], payment_method_types=["card"], payment_intent_data=data,
        success_url="http://shop.test/paid?session={CHECKOUT_SESSION_ID}", cancel_url="http://shop.test/basket",
    )  # fmt: skip
    pay(simulator, session["id"])
    paid = ask(simulator, "2023-10-16", "GET", f"/v1/checkout/sessions/{session['id']}")
    assert (paid["payment_status"], paid["ui_mode"]) == ("paid", "hosted")


def test_changes_stand_in_their_order() -> None:
    dates = [change.since[:10] for change in CHANGES]
    assert dates == sorted(dates, reverse=True)
