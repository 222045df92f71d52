"""Customers and their saved payment details: one at Stripe for each of ours, and nobody's for anybody else."""

from dataclasses import replace

import pytest

from marketplace.domain.customers import Customer, CustomerStatus
from marketplace.domain.errors import CustomerExists, CustomerNotReady, NotAllowed, NotFound, RequestUnderWay
from marketplace.domain.principals import Principal, Role
from marketplace.ports import Create, Replace
from marketplace.services.customers import (
    CustomerDetails,
    create_customer,
    delete_payment_method,
    list_payment_methods,
    read_customer,
    update_customer,
)
from marketplace.services.idempotency import Once

from .market import OPERATOR, Market
from .test_crashes import each_step

ANN = Principal(role=Role.BUYER, subject="auth0|ann")
BEN = Principal(role=Role.BUYER, subject="auth0|ben")
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
