"""Customers and their saved payment details: one at Stripe for each of ours, and nobody's for anybody else."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from marketplace.domain.customers import Customer, CustomerStatus
from marketplace.domain.errors import (
    CustomerExists,
    CustomerNotReady,
    NotAllowed,
    NotFound,
    RequestUnderWay,
    StripeRefused,
)
from marketplace.domain.principals import Principal, Role
from marketplace.ports import Create, Replace
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.checkout import create_checkout_session
from marketplace.services.customers import (
    Address,
    CustomerDetails,
    Shipping,
    create_customer,
    delete_payment_method,
    list_payment_methods,
    read_customer,
    update_customer,
)
from marketplace.services.idempotency import Once
from marketplace.services.session_terms import SessionTerms

from .market import OPERATOR, SHOP, Market
from .test_crashes import each_step

ANN = Principal(role=Role.BUYER, subject="auth0|ann")
BEN = Principal(role=Role.BUYER, subject="auth0|ben")
CLOCKS = "/v1/test_helpers/test_clocks"
SELLER = Principal(role=Role.MERCHANT, subject="auth0|ann", merchant_id="merchant-" + 26 * "0")


def new_customer(market: Market, buyer: Principal = ANN, *, key: str = "c") -> Customer:
    once = Once.of(buyer, "POST /customers", key, {})
    return create_customer(market.ports, buyer, None, CustomerDetails(email="ann@example.com", name="Ann"), once)


def change(market: Market, *, key: str, name: str = "Anna") -> Customer:
    once = Once.of(ANN, "PATCH /customers/auth0|ann", key, {"name": name})
    return update_customer(market.ports, ANN, ANN.subject, CustomerDetails(name=name), once)


def save_card(market: Market, customer: Customer, card: str = "pm_card_visa") -> str:
    """A card that the customer has saved; its id at Stripe."""
    saved = market.order(f"/v1/payment_methods/{card}/attach", customer=customer.stripe_customer_id)
    return str(saved["id"])


def test_a_buyer_becomes_one_customer_at_stripe_however_often_he_asks(market: Market) -> None:
    customer = new_customer(market)
    assert (customer.id, customer.status) == (ANN.subject, CustomerStatus.READY)
    assert new_customer(market) == customer
    with pytest.raises(CustomerExists):
        new_customer(market, key="another")
    (made,) = market.at_stripe("/v1/customers")
    assert (made["id"], made["email"], made["name"]) == (customer.stripe_customer_id, "ann@example.com", "Ann")
    assert made["metadata"]["customer_id"] == ANN.subject


def test_a_customer_whose_creation_dies_anywhere_is_made_once() -> None:
    for step, market in each_step(lambda _: None, new_customer):
        market.advance(60)
        market.sweep()
        customer = new_customer(market)
        assert len(market.at_stripe("/v1/customers")) == 1, step
        assert customer.status is CustomerStatus.READY, step
        assert customer.stripe_customer_id == market.at_stripe("/v1/customers")[0]["id"], step


def test_a_customer_that_stripe_made_without_our_knowing_is_found_after_the_key_is_gone() -> None:
    for _, market in each_step(lambda _: None, new_customer):
        market.advance(25 * 3_600)
        market.sweep()
        new_customer(market)
        assert len(market.at_stripe("/v1/customers")) == 1


def test_a_customer_on_a_test_clock_is_found_in_the_list_of_that_clock() -> None:
    def on_a_clock(market: Market) -> Customer:
        (clock,) = market.at_stripe(CLOCKS)
        once = Once.of(OPERATOR, "POST /customers", "c", {})
        asked = CustomerDetails(name="Ann")
        return create_customer(market.ports, OPERATOR, ANN.subject, asked, once, test_clock=clock["id"])

    def prepare(market: Market) -> None:
        market.order(CLOCKS, frozen_time=int(market.clock.now().timestamp()))

    died = each_step(prepare, on_a_clock)
    assert len(died) >= 4
    for step, market in died:
        market.advance(25 * 3_600)
        market.sweep()
        on_a_clock(market)
        (clock,) = market.at_stripe(CLOCKS)
        assert len(market.at_stripe("/v1/customers", test_clock=clock["id"])) == 1, step


@pytest.mark.parametrize("later", [60, 25 * 3_600])
def test_a_change_that_dies_anywhere_is_made_and_the_next_one_can_follow(later: int) -> None:
    for step, market in each_step(new_customer, lambda market: change(market, key="1")):
        market.advance(later)
        market.sweep()
        assert change(market, key="1").name == "Anna", step
        assert change(market, key="2", name="Anne").name == "Anne", step
        (made,) = market.at_stripe("/v1/customers")
        assert (made["name"], made["email"]) == ("Anne", "ann@example.com")


def test_of_two_changes_at_once_the_second_waits(market: Market) -> None:
    customer = new_customer(market)
    market.store.commit(Replace(customer, replace(customer, changed_by="command-1")))
    with pytest.raises(RequestUnderWay):
        change(market, key="2")


def test_a_buyer_sees_and_forgets_only_his_own(market: Market) -> None:
    ann, ben = new_customer(market), new_customer(market, BEN)
    hers, his = save_card(market, ann), save_card(market, ben)
    (seen,) = list_payment_methods(market.ports, ANN, ann.id)
    assert (seen.id, seen.type, seen.brand, seen.last4) == (hers, "card", "visa", "4242")
    for act in (
        lambda: read_customer(market.ports, ANN, ben.id),
        lambda: read_customer(market.ports, ANN, "auth0|nobody"),
        lambda: list_payment_methods(market.ports, ANN, ben.id),
        lambda: delete_payment_method(market.ports, ANN, ben.id, his),
        lambda: delete_payment_method(market.ports, ANN, ann.id, his),
        lambda: delete_payment_method(market.ports, ANN, ann.id, "pm_nothing"),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(NotAllowed):
        read_customer(market.ports, SELLER, ann.id)
    delete_payment_method(market.ports, ANN, ann.id, hers)
    assert list_payment_methods(market.ports, ANN, ann.id) == []
    assert [each.id for each in list_payment_methods(market.ports, OPERATOR, ben.id)] == [his]
    with pytest.raises(NotFound):
        delete_payment_method(market.ports, ANN, ann.id, hers)


def test_a_customer_that_stripe_refused_can_be_asked_for_again(market: Market) -> None:
    refused = Customer(
        id=ANN.subject, email=None, name=None, status=CustomerStatus.REFUSED, created_at=market.clock.now()
    )
    market.store.commit(Create(refused))
    with pytest.raises(CustomerNotReady):
        list_payment_methods(market.ports, ANN, ANN.subject)
    assert new_customer(market).status is CustomerStatus.READY


HOME = Address(country="DE", line1="Lindenweg 7", line2="Hinterhaus", city="Weimar", postal_code="99423")
WORK = Address(country="DE", line1="Marktplatz 4", city="Jena")
AT_HOME = CustomerDetails(phone="+4936430001", address=HOME, shipping=Shipping(name="Anton Amsel", address=WORK))


def move(market: Market, details: CustomerDetails = AT_HOME, key: str = "moves") -> Customer:
    once = Once.of(ANN, "PATCH /customers/auth0|ann", key, {"key": key})
    return update_customer(market.ports, ANN, ANN.subject, details, once)


def at_stripe(market: Market) -> dict[str, Any]:
    (made,) = market.at_stripe("/v1/customers")
    return made


@pytest.mark.parametrize("later", [60, 25 * 3_600])
def test_phone_and_addresses_are_kept_at_stripe_alone_wherever_a_change_dies(later: int) -> None:
    for step, market in each_step(new_customer, move):
        market.advance(later)
        market.sweep()
        move(market)
        made = at_stripe(market)
        assert (made["phone"], made["email"]) == ("+4936430001", "ann@example.com"), step
        assert made["address"] == {**asdict(HOME), "state": None}, step
        assert (made["shipping"]["name"], made["shipping"]["address"]["line1"]) == ("Anton Amsel", WORK.line1), step
        kept = repr(market.store.snapshot())
        told = ("+4936430001", "Lindenweg", "Weimar", "99423", "Anton", "Marktplatz")
        assert [word for word in told if word in kept] == [], step


def test_who_is_made_with_an_address_has_it_at_stripe_alone_and_a_new_one_leaves_nothing_of_it(market: Market) -> None:
    once = Once.of(ANN, "POST /customers", "c", {})
    create_customer(market.ports, ANN, None, replace(AT_HOME, email="ann@example.com"), once)
    assert at_stripe(market)["address"]["line2"] == HOME.line2
    assert "Lindenweg" not in repr(market.store.snapshot())
    move(market, CustomerDetails(address=WORK))
    nothing = {"line2": None, "postal_code": None, "state": None}
    assert at_stripe(market)["address"] == {**asdict(WORK), **nothing}
    assert at_stripe(market)["phone"] == AT_HOME.phone


def test_what_stripe_refuses_to_keep_is_not_kept_here_either(market: Market) -> None:
    customer = new_customer(market)
    market.order(f"/v1/customers/{customer.stripe_customer_id}", name="Ann")
    market.simulator.request("DELETE", f"/v1/customers/{customer.stripe_customer_id}", {})
    with pytest.raises(StripeRefused):
        move(market)
    assert "Lindenweg" not in repr(market.store.snapshot())


def test_a_session_of_a_customer_has_his_details_filled_in(market: Market) -> None:
    customer, clay = new_customer(market), market.ready_merchant()
    move(market)
    basket = Basket(
        items=(InlineItem(name="Vase", unit_amount=1_000, currency="usd", quantity=1),), merchant_id=clay.id,
        success_url=SHOP, cancel_url=SHOP, customer_id=customer.id, metadata={},
        terms=SessionTerms(collects_phone=True, shipping_countries=("DE",)),
    )  # fmt: skip
    session = create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "s"))
    market.submit(str(session.checkout_session_id), card="4242424242424242")
    (paid,) = market.at_stripe("/v1/checkout/sessions")
    assert paid["customer"] == customer.stripe_customer_id
    assert (paid["customer_details"]["email"], paid["customer_details"]["phone"]) == ("ann@example.com", AT_HOME.phone)
    shipped = paid["collected_information"]["shipping_details"]
    assert (shipped["name"], shipped["address"]["line1"]) == ("Anton Amsel", WORK.line1)


def test_nobody_changes_another_s_details(market: Market) -> None:
    ben = new_customer(market, BEN)
    once = Once.of(ANN, f"PATCH /customers/{ben.id}", "k", {})
    with pytest.raises(NotFound):
        update_customer(market.ports, ANN, ben.id, AT_HOME, once)
    with pytest.raises(NotAllowed):
        update_customer(market.ports, SELLER, ben.id, AT_HOME, once)
    with pytest.raises(NotAllowed):
        create_customer(market.ports, ANN, "auth0|eve", AT_HOME, once)
    assert at_stripe(market)["address"] is None
