"""Guest checkout: anybody may buy what the catalog offers, and sees nothing but his own sale (C10, S04-S06)."""

import json
import uuid
from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import Answer as StripeAnswer
from marketplace.ports import Done, NoAnswer

from ..fakes.stripe import session
from .backend import BUYER, NOBODY, OPERATOR, SHOP, Answer, Backend, Context

ROUTE = "/guest/checkout/sessions"
KEY, OTHER = "6f1c1b8e-0a50-4a55-9a53-0d2a6f9f7a10", "0b7f3c54-2f57-4a0e-8d0e-5b8a9ad1f3c2"


def ask(backend: Backend, price: str, *, key: str | None = KEY, **fields: Any) -> Answer:
    return backend.send(NOBODY, "POST", ROUTE, backend.basket(price) | fields, key=key)


def read(backend: Backend, token: str) -> Answer:
    return backend.send(NOBODY, "GET", f"{ROUTE}/{token}")


@pytest.fixture
def price(backend: Backend) -> str:
    return backend.price(backend.merchant())


def test_a_guest_buys_a_catalog_price_and_reads_his_session_by_its_token(backend: Backend, price: str) -> None:
    made = ask(backend, price)
    assert (made.status, made.json["status"]) == (201, "open")
    assert made.json["url"] == session()["url"]
    assert set(made.json) == {"token", "status", "url"}
    assert read(backend, made.json["token"]).json == made.json
    asked = backend.stripe.asked[-1].params
    assert asked["line_items"][0]["price"] == "price_1"
    assert "customer" not in asked
    assert asked["expires_at"] == int(backend.clock.now().timestamp()) + 3_600
    sale = backend.books(made.json["token"].partition(".")[0]).transaction
    assert (sale.customer_id, sale.fee) == (None, 100)


def test_the_same_request_is_answered_with_the_same_session_and_another_guest_has_another(
    backend: Backend, price: str
) -> None:
    backend.stripe.answers[Operation.CREATE_CHECKOUT_SESSION] = [Done(session("cs_1")), Done(session("cs_2"))]
    made = ask(backend, price)
    assert ask(backend, price) == made
    other = ask(backend, price, key=OTHER)
    assert other.json["token"] != made.json["token"]
    assert other.json["url"] != made.json["url"]
    assert ask(backend, price, line_items=[{"price": price, "quantity": 2}]).problem == "idempotency-key-reused"


def test_a_token_is_as_secret_as_the_key_and_only_its_hash_is_kept(backend: Backend, price: str) -> None:
    token = ask(backend, price).json["token"]
    secret = token.partition(".")[2]
    assert KEY not in token
    kept = repr(backend.store.snapshot())
    assert secret not in kept
    assert KEY not in kept


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"), lambda token: token.partition(".")[0],
        lambda token: token.partition(".")[0] + ".", lambda token: token.partition(".")[2], lambda _: "x",
        lambda token: token.upper(), lambda token: f"{token}.", lambda _: "transaction-" + 26 * "0" + "." + 64 * "0",
        lambda token: "transaction-" + 26 * "0" + "." + token.partition(".")[2],
    ],
)  # fmt: skip
def test_s05_no_other_token_finds_anything_and_all_are_answered_alike(
    backend: Backend, price: str, change: Any
) -> None:
    token = ask(backend, price).json["token"]
    answer, nothing = read(backend, change(token)), read(backend, "transaction-x.y")
    assert (answer.status, answer.problem) == (404, "not-found")
    assert answer.text == nothing.text


def test_s05_the_sale_of_one_who_has_a_token_of_his_own_is_no_guest_s(backend: Backend, price: str) -> None:
    sale = backend.sale(price)
    for secret in ("", 64 * "0", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"):
        assert read(backend, f"{sale}.{secret}").status == 404
    ask(backend, price)
    listed = backend.send(BUYER, "GET", "/transactions").json["data"]
    assert [each["id"] for each in listed] == [sale]


@pytest.mark.parametrize(
    "fields",
    [
        {"line_items": [{"name": "Tea", "unit_amount": 1, "currency": "usd", "quantity": 1}]},
        {"line_items": [{"price": "price", "quantity": 1, "unit_amount": 1}]}, {"merchant_id": "merchant-1"},
        {"application_fee_amount": 0}, {"customer_id": "auth0|ann"}, {"metadata": {"a": "b"}}, {"hold": True},
        {"capture_method": "manual"}, {"charge_type": "destination"}, {"save_payment_method": True},
        {"refund_application_fee": False}, {"mode": "setup"}, {"guest_token_hash": "x"}, {"expires_at": "2030"},
        {"line_items": 21 * [{"price": "price-1", "quantity": 1}]},
    ],
    ids=str,
)  # fmt: skip
def test_s06_a_guest_names_nothing_but_catalog_prices(backend: Backend, price: str, fields: dict[str, Any]) -> None:
    asked = len(backend.stripe.asked)
    answer = ask(backend, price, **fields)
    assert (answer.status, answer.problem) == (422, "invalid-request")
    assert len(backend.stripe.asked) == asked


@pytest.mark.parametrize("fields", [{"success_url": "https://evil.example/"}, {"cancel_url": f"{SHOP}.evil.example"}])
def test_s15_a_guest_is_sent_to_the_marketplace_alone(backend: Backend, price: str, fields: dict[str, str]) -> None:
    assert ask(backend, price, **fields).problem == "invalid-return-url"


@pytest.mark.parametrize(
    "key", ["order-1", "", str(uuid.uuid1()), KEY.upper(), f"{KEY} ", "6f1c1b8e0a504a559a530d2a6f9f7a10"]
)
def test_a_key_that_another_guest_could_name_is_none(backend: Backend, price: str, key: str) -> None:
    assert ask(backend, price, key=key).status == 422


def test_without_a_key_nothing_is_sold(backend: Backend, price: str) -> None:
    assert ask(backend, price, key=None).problem == "idempotency-key-required"


def test_s07_a_body_that_no_basket_needs_is_not_read(backend: Backend, price: str) -> None:
    body = json.dumps(backend.basket(price)) + 16 * 1024 * " "
    assert backend.send(NOBODY, "POST", ROUTE, body, key=KEY).problem == "body-too-large"


def test_what_is_archived_or_nobody_s_is_no_guest_s_to_buy(backend: Backend, price: str) -> None:
    backend.send(OPERATOR, "PATCH", f"/prices/{price}", {"active": False})
    assert ask(backend, price).problem == "price-not-for-sale"
    assert ask(backend, f"price-{26 * '0'}-{26 * '0'}").problem == "not-found"


def test_a_session_that_stripe_did_not_answer_for_is_given_to_the_same_key_later(backend: Backend, price: str) -> None:
    unknown: list[StripeAnswer] = [NoAnswer(Doubt.NO_ANSWER)]
    backend.stripe.answers[Operation.CREATE_CHECKOUT_SESSION] = unknown
    assert ask(backend, price).problem == "outcome-unknown"
    backend.wait(120)
    backend.modules["schedules.sweep"].handler({}, Context())
    made = ask(backend, price)
    assert (made.status, read(backend, made.json["token"]).json["status"]) == (201, "open")


def test_a_token_in_a_header_changes_nothing(backend: Backend, price: str) -> None:
    """Who is known buys on the other route: here nobody is looked at."""
    made = backend.send(BUYER, "POST", ROUTE, backend.basket(price), key=KEY)
    assert made.status == 201
    assert backend.send(BUYER, "GET", "/transactions").json["data"] == []
