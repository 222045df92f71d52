"""Saving payment details through `POST /checkout/sessions`: in mode setup, or with a payment."""

from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import NoAnswer

from .backend import BUYER, OPERATOR, SHOP, Answer, Backend, User, merchant_user

BEN = User({"sub": "auth0|ben", "cognito:groups": "[buyer]"})


def set_up(backend: Backend, user: User = BUYER, key: str | None = "s", **fields: Any) -> Answer:
    body = {"mode": "setup", "currency": "usd", "success_url": f"{SHOP}/thanks", "cancel_url": SHOP} | fields
    return backend.send(user, "POST", "/checkout/sessions", body, key=key)


@pytest.fixture
def shop(backend: Backend) -> Backend:
    assert backend.send(BUYER, "POST", "/customers", {}, key="c").status == 201
    return backend


def sessions(backend: Backend) -> list[Any]:
    return [each.params for each in backend.stripe.asked if each.operation is Operation.CREATE_CHECKOUT_SESSION]


def test_a_buyer_saves_his_own_and_an_operator_anybody_s(shop: Backend) -> None:
    made = set_up(shop)
    assert (made.status, made.json["transaction_id"], made.json["status"]) == (201, None, "open")
    assert set_up(shop).json == made.json
    assert set_up(shop, OPERATOR, customer_id="buyer-1").status == 201
    assert [(each["mode"], each["customer"]) for each in sessions(shop)] == [("setup", "cus_1")] * 2


def test_a_session_that_is_not_answered_for_is_given_later(shop: Backend) -> None:
    shop.stripe.answers[Operation.CREATE_CHECKOUT_SESSION] = [NoAnswer(Doubt.NO_ANSWER)]
    assert set_up(shop).problem == "outcome-unknown"
    assert set_up(shop).json["url"]


def test_bad_input_is_one_problem_and_changes_nothing(shop: Backend) -> None:
    set_up(shop, key="used")
    before, asked = shop.store.snapshot(), len(shop.stripe.asked)
    line = {"price": "price-1", "quantity": 1}
    for answer, status, slug in (
        (set_up(shop, BEN), 404, "not-found"),
        (set_up(shop, OPERATOR), 422, "invalid-customer"),
        (set_up(shop, OPERATOR, customer_id="auth0|nobody"), 404, "not-found"),
        (set_up(shop, customer_id="auth0|ben"), 403, "not-allowed"),
        (set_up(shop, merchant_user("merchant-" + 26 * "0")), 403, "not-allowed"),
        (set_up(shop, key=None), 400, "idempotency-key-required"),
        (set_up(shop, key="used", currency="eur"), 422, "idempotency-key-reused"),
        (set_up(shop, currency="xxx"), 422, "unknown-currency"),
        (set_up(shop, currency=None), 422, "invalid-request"),
        (set_up(shop, line_items=[line]), 422, "invalid-request"),
        (set_up(shop, application_fee_amount=1), 422, "invalid-request"),
        (set_up(shop, mode="payment", line_items=[line]), 422, "invalid-request"),
        (set_up(shop, mode="subscription"), 422, "invalid-request"),
        (set_up(shop, success_url="https://elsewhere.example/"), 422, "invalid-return-url"),
        (set_up(shop, cancel_url="https://elsewhere.example/"), 422, "invalid-return-url"),
    ):
        assert (answer.status, answer.problem) == (status, slug), answer.text
    assert (shop.store.snapshot(), len(shop.stripe.asked)) == (before, asked)


def test_a_payment_offers_saved_details_and_saves_more_when_asked(shop: Backend) -> None:
    price = shop.price(shop.merchant())
    for key, more in (("plain", {}), ("save", {"save_payment_method": True})):
        answer = shop.send(BUYER, "POST", "/checkout/sessions", shop.basket(price, **more), key=key)
        assert answer.status == 201, answer.text
    plain, saving = sessions(shop)
    assert plain["customer"] == saving["customer"] == "cus_1"
    assert plain["saved_payment_method_options"]["payment_method_save"] == "enabled"
    assert "setup_future_usage" not in plain["payment_intent_data"]
    assert saving["payment_intent_data"]["setup_future_usage"] == "off_session"
    body = shop.basket(price, save_payment_method=True)
    assert shop.send(BEN, "POST", "/checkout/sessions", body, key="ben").problem == "not-found"
    assert shop.send(BEN, "POST", "/checkout/sessions", shop.basket(price), key="ben").status == 201
    assert "customer" not in sessions(shop)[-1]
