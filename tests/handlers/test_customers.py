"""Customers through their function: a buyer himself, an operator anybody, each refusal one clear problem."""

from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import NoAnswer, Refusal

from .backend import BUYER, NOBODY, OPERATOR, Answer, Backend, User, merchant_user

BEN = User({"sub": "auth0|ben", "cognito:groups": "[buyer]"})
SELLER = merchant_user("merchant-" + 26 * "0")
ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/customers/{}", None),
    ("PATCH", "/customers/{}", {"name": "Eve"}),
    ("GET", "/customers/{}/payment-methods", None),
    ("DELETE", "/customers/{}/payment-methods/pm_1", None),
)


def create(backend: Backend, user: User = BUYER, key: str = "c", **body: Any) -> Answer:
    return backend.send(user, "POST", "/customers", body, key=key)


def test_a_buyer_makes_reads_and_changes_himself(backend: Backend) -> None:
    made = create(backend, email="ann@example.com", name="Ann")
    assert (made.status, made.json["id"], made.json["status"]) == (201, "buyer-1", "ready")
    assert create(backend, email="ann@example.com", name="Ann").json == made.json
    assert backend.send(BUYER, "GET", "/customers/buyer-1").json == made.json
    assert backend.send(BUYER, "PATCH", "/customers/buyer-1", {"name": "Anna"}).json["name"] == "Anna"


HOME = {"country": "DE", "line1": "Lindenweg 7", "city": "Weimar", "postal_code": "99423"}


def test_phone_and_addresses_go_to_stripe_and_are_answered_and_kept_nowhere(backend: Backend) -> None:
    details: dict[str, Any] = {
        "phone": "+49 3643 0001",
        "address": HOME,
        "shipping": {"name": "Anton", "address": HOME},
    }
    made = create(backend, **details)
    assert made.status == 201
    changed = backend.send(BUYER, "PATCH", "/customers/buyer-1", details)
    assert changed.status == 200
    asked = {"phone": "+49 3643 0001", "address": HOME, "shipping": {"name": "Anton", "address": HOME}}
    for each in backend.stripe.asked:
        assert {name: each.params[name] for name in asked} == asked
    everywhere = made.text + changed.text + repr(backend.store.snapshot())
    assert [word for word in ("3643", "Lindenweg", "Weimar", "Anton") if word in everywhere] == []


def test_what_stripe_did_not_answer_for_is_not_forgotten_before_it_has(backend: Backend) -> None:
    backend.stripe.answers[Operation.CREATE_CUSTOMER] = [NoAnswer(Doubt.NO_ANSWER)]
    assert create(backend, address=HOME).problem == "outcome-unknown"
    assert create(backend, address=HOME).json["status"] == "ready"
    assert [each.params["address"] for each in backend.stripe.asked] == [HOME, HOME]
    assert "Lindenweg" not in repr(backend.store.snapshot())


@pytest.mark.parametrize(
    "details",
    [
        {"phone": "call me"}, {"phone": 21 * "1"}, {"phone": ""}, {"address": "Weimar"}, {"address": {}},
        {"address": {**HOME, "country": "de"}}, {"address": {**HOME, "country": "Germany"}},
        {"address": {**HOME, "line1": 251 * "x"}}, {"address": {**HOME, "city": " "}},
        {"address": {**HOME, "planet": "x"}}, {"shipping": HOME}, {"shipping": {"name": "Ann"}},
        {"shipping": {"name": "Ann", "address": {}}}, {"shipping": {"address": HOME}},
        {"shipping": {"name": "Ann", "address": HOME, "carrier": "DHL"}},
    ],
    ids=str,
)  # fmt: skip
def test_details_that_stripe_would_not_take_are_refused_before_it_hears_of_them(
    backend: Backend, details: dict[str, Any]
) -> None:
    create(backend, BEN)
    before, asked = backend.store.snapshot(), len(backend.stripe.asked)
    for answer in (create(backend, **details), backend.send(BEN, "PATCH", "/customers/auth0|ben", details)):
        assert (answer.status, answer.problem) == (422, "invalid-request"), answer.text
    assert (backend.store.snapshot(), len(backend.stripe.asked)) == (before, asked)


def test_saved_details_are_shown_and_deleted_without_what_could_pay(backend: Backend) -> None:
    create(backend)
    (saved,) = backend.send(BUYER, "GET", "/customers/buyer-1/payment-methods").json["data"]
    assert (saved["id"], saved["brand"], saved["last4"], saved["expires"]) == ("pm_1", "visa", "4242", "2030-12")
    assert set(saved) == {"id", "type", "brand", "last4", "expires", "created_at"}
    assert backend.send(BUYER, "DELETE", "/customers/buyer-1/payment-methods/pm_1").status == 200


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_another_s_customer_is_as_good_as_none(backend: Backend, method: str, path: str, body: Any) -> None:
    create(backend, BEN, id="auth0|ben")
    there = backend.send(BUYER, method, path.format("auth0|ben"), body)
    absent = backend.send(BUYER, method, path.format("auth0|nobody"), body)
    assert (there.status, there.problem, there.json) == (404, "not-found", absent.json)
    assert backend.send(SELLER, method, path.format("auth0|ben"), body).problem == "not-allowed"
    assert backend.send(NOBODY, method, path.format("auth0|ben"), body).status == 401


def test_bad_input_is_one_problem_and_changes_nothing(backend: Backend) -> None:
    create(backend, BEN)
    before, asked = backend.store.snapshot(), len(backend.stripe.asked)
    for answer, status, slug in (
        (create(backend, id="auth0|ben"), 403, "not-allowed"),
        (create(backend, OPERATOR), 422, "invalid-customer"),
        (create(backend, OPERATOR, id="auth0|ben"), 409, "customer-exists"),
        (create(backend, email="nobody"), 422, "invalid-request"),
        (create(backend, name=" "), 422, "invalid-request"),
        (create(backend, test_clock="clock_1"), 403, "not-allowed"),
        (backend.send(BEN, "PATCH", "/customers/auth0|ben", {"test_clock": "clock_1"}), 422, "invalid-request"),
        (create(backend, card="4242424242424242"), 422, "invalid-request"),
        (backend.send(BEN, "PATCH", "/customers/auth0|ben", {}), 422, "invalid-request"),
        (backend.send(BEN, "PATCH", "/customers/auth0|ben", {"id": "x"}), 422, "invalid-request"),
    ):
        assert (answer.status, answer.problem) == (status, slug), answer.text
    assert (backend.store.snapshot(), len(backend.stripe.asked)) == (before, asked)


def test_what_stripe_does_not_answer_is_unknown_and_then_found(backend: Backend) -> None:
    backend.stripe.answers[Operation.CREATE_CUSTOMER] = [NoAnswer(Doubt.NO_ANSWER)]
    assert create(backend).problem == "outcome-unknown"
    assert backend.send(BUYER, "GET", "/customers/buyer-1/payment-methods").problem == "customer-not-ready"
    assert create(backend).json["status"] == "ready"


def test_details_that_are_gone_or_another_s_are_not_found(backend: Backend) -> None:
    create(backend)
    backend.stripe.answers[Operation.READ_PAYMENT_METHOD] = [Refusal("resource_missing")]
    assert backend.send(BUYER, "DELETE", "/customers/buyer-1/payment-methods/pm_2").problem == "not-found"
    backend.stripe.answers[Operation.DETACH_PAYMENT_METHOD] = [NoAnswer(Doubt.NO_ANSWER)]
    assert backend.send(BUYER, "DELETE", "/customers/buyer-1/payment-methods/pm_1").status == 503
