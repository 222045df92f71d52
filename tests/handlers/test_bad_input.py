"""Bad input: each gets one problem that says what to do, nothing is written, and Stripe does not hear of it."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from marketplace.operations import Operation
from marketplace.ports import Done

from ..fakes.stripe import account
from .backend import BUYER, NOBODY, OPERATOR, SHOP, Answer, Backend, User, merchant_user

STRANGER = merchant_user("merchant-" + 26 * "0")
ABSENT = "transaction-" + 26 * "0"


@dataclass
class Case:
    """A backend with a merchant, a price, an open sale and a paid one, and how it stood before the bad input."""

    backend: Backend
    merchant: str
    price: str
    open_sale: str
    paid_sale: str

    def checkout(self, user: User = OPERATOR, *, key: str | None = "new", **fields: Any) -> Answer:
        return self.backend.send(
            user, "POST", "/checkout/sessions", self.backend.basket(self.price) | fields, key=key
        )  # fmt: skip

    def inline(self, **fields: Any) -> Answer:
        line = {"name": "Boat", "unit_amount": 1000, "currency": "usd", "quantity": 1} | fields
        return self.checkout(line_items=[line], merchant_id=self.merchant)

    def new_price(self, body: Any) -> Answer:
        product = self.backend.send(OPERATOR, "GET", f"/merchants/{self.merchant}/products").json["data"][0]
        return self.backend.send(OPERATOR, "POST", f"/products/{product['id']}/prices", body)

    def new_merchant(self, **fields: Any) -> Answer:
        body = {"name": "A", "contact_email": "a@b.example", "country": "us", "currencies": ["usd"]} | fields
        return self.backend.send(OPERATOR, "POST", "/merchants", body)

    def refund(self, body: Any, user: User = OPERATOR, *, key: str | None = "new", of: str | None = None) -> Answer:
        return self.backend.send(user, "POST", f"/transactions/{of or self.paid_sale}/refunds", body, key=key)

    def raw(self, body: str, **headers: str) -> Answer:
        return self.backend.send(OPERATOR, "POST", "/merchants", body, headers=headers)


@pytest.fixture
def case(backend: Backend) -> Case:
    merchant = backend.merchant()
    paid_sale = backend.paid_sale(merchant)
    price = backend.price(merchant)
    return Case(backend, merchant, price, backend.sale(price, key="used"), paid_sale)


def in_base64(case: Case, body: bytes | str) -> Answer:
    event = case.backend.request(OPERATOR, "POST", "/merchants")
    event["isBase64Encoded"] = True
    event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return case.backend.call("merchants.app", event)


BAD: dict[str, tuple[Callable[[Case], Answer], str]] = {
    "malformed JSON": (lambda case: case.raw('{"name": "A",}'), "malformed-json"),
    "a refund of a line and an amount": (
        lambda case: case.refund({"line_items": [{"line": 0}], "amount": 1}), "invalid-request"
    ),
    "a refund of a line twice": (
        lambda case: case.refund({"line_items": [{"line": 0}, {"line": 0, "quantity": 1}]}), "invalid-request"
    ),
    "a refund of no line": (lambda case: case.refund({"line_items": []}), "invalid-request"),
    "a refund of none of a line": (
        lambda case: case.refund({"line_items": [{"line": 0, "quantity": 0}]}), "invalid-request"
    ),
    "a refund of more of a line": (
        lambda case: case.refund({"line_items": [{"line": 0, "quantity": 2}]}), "line-exceeds-rest"
    ),
    "a refund of a line that is not there": (lambda case: case.refund({"line_items": [{"line": 1}]}), "not-found"),
    "a refund of a line that was not paid": (
        lambda case: case.refund({"line_items": [{"line": 0}]}, of=case.open_sale), "transaction-not-refundable"
    ),
    "half of a JSON": (lambda case: case.raw('{"name": "A"'), "malformed-json"),
    "a list for an object": (lambda case: case.raw('[{"name": "A"}]'), "malformed-json"),
    "a name given twice": (lambda case: case.raw('{"name": "A", "name": "B"}'), "malformed-json"),
    "not a number": (lambda case: case.raw('{"name": NaN}'), "malformed-json"),
    "a number of 5000 digits": (lambda case: case.raw('{"name": ' + 5000 * "9" + "}"), "malformed-json"),
    "JSON nested a hundred thousand deep": (
        lambda case: case.raw('{"name": ' + 100_000 * "[" + 100_000 * "]" + "}"), "malformed-json"),
    "bytes that are no UTF-8": (lambda case: in_base64(case, b'{"name": "\xff"}'), "malformed-json"),
    "base64 that is none": (lambda case: in_base64(case, "{}"), "malformed-json"),
    "no body": (lambda case: case.backend.send(OPERATOR, "POST", "/merchants"), "invalid-request"),
    "a form": (
        lambda case: case.raw("name=A", **{"content-type": "application/x-www-form-urlencoded"}), "not-json"),
    "plain text": (lambda case: case.raw("{}", **{"content-type": "text/plain"}), "not-json"),
    "a body over 256 KB": (lambda case: case.raw(json.dumps({"name": 262_144 * "a"})), "body-too-large"),
    "a body over 256 KB in base64": (lambda case: in_base64(case, 262_145 * b" "), "body-too-large"),
    "an unknown field": (lambda case: case.new_merchant(colour="red"), "invalid-request"),
    "an unknown field of a line item": (lambda case: case.inline(price_data={}), "invalid-request"),
    "a missing field": (lambda case: case.new_merchant(name=None), "invalid-request"),
    "a page without a way back": (lambda case: case.checkout(success_url=None), "invalid-return-url"),
    "a form that leads to Stripe's page": (lambda case: case.checkout(ui_mode="embedded_page"), "invalid-return-url"),
    "bounds without the quantity": (
        lambda case: case.checkout(
            line_items=[{"price": case.price, "quantity": 9, "adjustable_quantity": {"maximum": 3}}]
        ), "invalid-basket"),
    "a number for a name": (lambda case: case.new_merchant(name=5), "invalid-request"),
    "an empty name": (lambda case: case.new_merchant(name="  "), "invalid-request"),
    "a name of 251 characters": (lambda case: case.new_merchant(name=251 * "a"), "invalid-request"),
    "an e-mail that is none": (lambda case: case.new_merchant(contact_email="nora"), "invalid-request"),
    "a country that is none": (lambda case: case.new_merchant(country="USA"), "invalid-request"),
    "no currency": (lambda case: case.new_merchant(currencies=[]), "invalid-request"),
    "a merchant of an unknown currency": (lambda case: case.new_merchant(currencies=["xxx"]), "unknown-currency"),
    "a percent over 100": (lambda case: case.new_merchant(fee_policy={"percent": "101"}), "invalid-fee-policy"),
    "a percent as a float": (lambda case: case.new_merchant(fee_policy={"percent": 1.5}), "invalid-request"),
    "a negative fixed fee": (lambda case: case.new_merchant(fee_policy={"fixed": {"usd": -1}}), "invalid-fee-policy"),
    "a fractional amount": (lambda case: case.new_price({"unit_amount": 10.5, "currency": "usd"}), "invalid-request"),
    "a whole amount as a float": (
        lambda case: case.new_price({"unit_amount": 10.0, "currency": "usd"}), "invalid-request"),
    "an amount as a string": (lambda case: case.new_price({"unit_amount": "10", "currency": "usd"}), "invalid-request"),
    "a boolean amount": (lambda case: case.new_price({"unit_amount": True, "currency": "usd"}), "invalid-request"),
    "a null amount": (lambda case: case.new_price({"unit_amount": None, "currency": "usd"}), "invalid-request"),
    "a price that recurs every four years": (
        lambda case: case.new_price(
            {"unit_amount": 1, "currency": "usd", "recurring": {"interval": "year", "interval_count": 4}}
        ), "invalid-price"),
    "a price that recurs hourly": (
        lambda case: case.new_price({"unit_amount": 1, "currency": "usd", "recurring": {"interval": "hour"}}),
        "invalid-request"),
    "a change of a price that changes nothing": (
        lambda case: case.backend.send(OPERATOR, "PATCH", f"/prices/{case.price}", {}), "invalid-request"),
    "a tax code of nobody": (
        lambda case: case.backend.send(
            OPERATOR, "POST", f"/merchants/{case.merchant}/products", {"name": "Tea", "tax_code": "books"}
        ), "invalid-request"),
    "a statement that no bank prints": (
        lambda case: case.backend.send(
            OPERATOR, "POST", f"/merchants/{case.merchant}/products", {"name": "Tea", "statement_descriptor": "5*5"}
        ), "invalid-request"),
    "an amount of zero": (lambda case: case.new_price({"unit_amount": 0, "currency": "usd"}), "invalid-amount"),
    "a negative amount": (lambda case: case.inline(unit_amount=-1), "invalid-amount"),
    "a huge amount": (lambda case: case.inline(unit_amount=100_000_000), "invalid-amount"),
    "an absurd amount": (lambda case: case.inline(unit_amount=10**40), "invalid-amount"),
    "a sum that is too much": (lambda case: case.inline(unit_amount=99_999_999, quantity=2), "invalid-amount"),
    "an unknown currency": (lambda case: case.inline(currency="doubloon"), "unknown-currency"),
    "a currency in capitals": (lambda case: case.inline(currency="USD"), "unknown-currency"),
    "a currency that the merchant does not take": (lambda case: case.inline(currency="eur"), "currency-not-accepted"),
    "a price in a currency that the merchant does not take": (
        lambda case: case.new_price({"unit_amount": 100, "currency": "eur"}), "currency-not-accepted"),
    "no line items": (lambda case: case.checkout(line_items=[]), "invalid-basket"),
    "101 line items": (
        lambda case: case.checkout(line_items=101 * [{"price": case.price, "quantity": 1}]), "invalid-basket"),
    "a quantity of zero": (lambda case: case.inline(quantity=0), "invalid-basket"),
    "a fee over the amount": (lambda case: case.checkout(application_fee_amount=1001), "fee-exceeds-amount"),
    "a negative fee": (lambda case: case.checkout(application_fee_amount=-1), "fee-exceeds-amount"),
    "metadata that are not text": (lambda case: case.checkout(metadata={"order": 5}), "invalid-request"),
    "21 metadata": (lambda case: case.checkout(metadata={f"k{n}": "v" for n in range(21)}), "invalid-request"),
    "metadata of a long name": (lambda case: case.checkout(metadata={41 * "k": "v"}), "invalid-request"),
    "metadata of 501 characters": (lambda case: case.checkout(metadata={"k": 501 * "v"}), "invalid-request"),
    "metadata under a name of ours": (lambda case: case.checkout(metadata={"transaction_id": "x"}), "invalid-request"),
    "a return URL elsewhere": (lambda case: case.checkout(success_url="https://evil.example/"), "invalid-return-url"),
    "a return URL that only begins like ours": (
        lambda case: case.checkout(success_url=f"{SHOP}.evil.example/"), "invalid-return-url"),
    "a return URL with a user": (
        lambda case: case.checkout(success_url="http://localhost:3000@evil.example/"), "invalid-return-url"),
    "a return URL with a backslash": (
        lambda case: case.checkout(success_url=f"{SHOP}\\@evil.example/"), "invalid-request"),
    "a return URL that is none": (lambda case: case.checkout(cancel_url="javascript:alert(1)"), "invalid-request"),
    "a return URL with a broken host": (lambda case: case.checkout(cancel_url="http://[/"), "invalid-request"),
    "a return URL of 2049 characters": (
        lambda case: case.checkout(cancel_url=f"{SHOP}/{2049 * 'a'}"), "invalid-request"),
    "a buyer who names an amount": (
        lambda case: case.checkout(
            BUYER, merchant_id=case.merchant,
            line_items=[{"name": "Boat", "unit_amount": 1, "currency": "usd", "quantity": 1}]), "not-allowed"),
    "a buyer who names a fee": (lambda case: case.checkout(BUYER, application_fee_amount=0), "not-allowed"),
    "a buyer who buys for another": (lambda case: case.checkout(BUYER, customer_id="buyer-2"), "not-allowed"),
    "a price that is none": (
        lambda case: case.checkout(line_items=[{"price": "price_1", "quantity": 1}]), "not-found"),
    "a merchant that is none": (
        lambda case: case.checkout(
            merchant_id="merchant-" + 26 * "0",
            line_items=[{"name": "Boat", "unit_amount": 1, "currency": "usd", "quantity": 1}]), "not-found"),
    "a session without a key": (lambda case: case.checkout(key=None), "idempotency-key-required"),
    "an empty key": (lambda case: case.checkout(key=""), "idempotency-key-required"),
    "a key of 256 characters": (lambda case: case.checkout(key=256 * "k"), "idempotency-key-required"),
    "a reused key": (
        lambda case: case.checkout(BUYER, key="used", metadata={"a": "b"}), "idempotency-key-reused"),
    "a refund without a key": (lambda case: case.refund({}, key=None), "idempotency-key-required"),
    "a refund of zero": (lambda case: case.refund({"amount": 0}), "invalid-amount"),
    "a negative refund": (lambda case: case.refund({"amount": -5}), "invalid-amount"),
    "a huge refund": (lambda case: case.refund({"amount": 10**30}), "invalid-amount"),
    "a refund of more than was paid": (lambda case: case.refund({"amount": 1001}), "refund-exceeds-rest"),
    "a refund of a fraction": (lambda case: case.refund({"amount": 0.5}), "invalid-request"),
    "a refund for no reason of Stripe's": (lambda case: case.refund({"reason": "regret"}), "invalid-request"),
    "a refund of nothing that was paid": (
        lambda case: case.refund({}, of=case.open_sale), "transaction-not-refundable"),
    "a refund by a buyer": (lambda case: case.refund({}, BUYER), "not-allowed"),
    "a refund of another's sale": (lambda case: case.refund({}, STRANGER), "not-found"),
    "a refund of no sale": (lambda case: case.refund({}, of=ABSENT), "not-found"),
    "an expired session of a paid sale": (
        lambda case: case.backend.send(OPERATOR, "POST", f"/checkout/sessions/{case.paid_sale}/expire"),
        "checkout-session-not-open"),
    "a page of none": (
        lambda case: case.backend.send(OPERATOR, "GET", "/merchants", query={"limit": "0"}), "invalid-request"),
    "a page of 101": (
        lambda case: case.backend.send(OPERATOR, "GET", "/merchants", query={"limit": "101"}), "invalid-request"),
    "a page of some": (
        lambda case: case.backend.send(OPERATOR, "GET", "/merchants", query={"limit": "some"}), "invalid-request"),
    "a cursor that is none": (
        lambda case: case.backend.send(OPERATOR, "GET", "/merchants", query={"cursor": "abc"}), "invalid-cursor"),
    "a cursor of 256 characters": (
        lambda case: case.backend.send(OPERATOR, "GET", "/merchants", query={"cursor": 256 * "a"}), "invalid-request"),
    "a list of a merchant and a customer": (
        lambda case: case.backend.send(
            OPERATOR, "GET", "/transactions", query={"merchant_id": "merchant-1", "customer_id": "buyer-1"}
        ),
        "filter-required",
    ),
    "no token": (lambda case: case.backend.send(NOBODY, "GET", "/merchants"), "not-authenticated"),
    "no role": (lambda case: case.backend.send(User({"sub": "x"}), "GET", "/merchants"), "not-allowed"),
    "a list that is for operators": (lambda case: case.backend.send(BUYER, "GET", "/merchants"), "not-allowed"),
    "an onboarding link that is none": (lambda case: case.backend.send(NOBODY, "GET", "/onboarding/x"), "link-expired"),
    "a path that is none": (
        lambda case: case.backend.call("merchants.app", case.backend.request(OPERATOR, "GET", "/merchants/a/b/c")),
        "route-not-found"),
    "another method": (
        lambda case: case.backend.call("merchants.app", case.backend.request(OPERATOR, "DELETE", "/merchants")),
        "method-not-allowed"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_gets_one_problem_and_changes_nothing(case: Case, bad: str) -> None:
    send, problem = BAD[bad]
    stood, asked = case.backend.store.snapshot(), len(case.backend.stripe.asked)
    answer = send(case)
    assert 400 <= answer.status < 500
    assert answer.problem == problem
    assert case.backend.store.snapshot() == stood
    assert len(case.backend.stripe.asked) == asked


def test_a_problem_names_every_wrong_field_and_not_what_it_held(case: Case) -> None:
    line = {"price": case.price, "quantity": "secret-1"}
    answer = case.checkout(line_items=[line, {"name": 5}], colour="secret-2", application_fee_amount=1.5)
    named = {error["field"] for error in answer.json["errors"]}
    assert {"line_items.0.quantity", "line_items.1.name", "line_items.1.unit_amount"} <= named
    assert {"colour", "application_fee_amount"} <= named
    assert "secret" not in answer.text


def test_a_merchant_that_is_not_ready_sells_nothing(backend: Backend) -> None:
    backend.stripe.answers[Operation.CREATE_ACCOUNT] = [Done(account(status="restricted"))]
    price = backend.price(backend.merchant())
    answer = backend.send(BUYER, "POST", "/checkout/sessions", backend.basket(price), key="k")
    assert (answer.status, answer.problem) == (409, "merchant-not-ready")


def test_the_same_key_and_body_of_another_caller_is_another_request(case: Case) -> None:
    other = User({"sub": "buyer-2", "cognito:groups": "[buyer]"})
    again = case.backend.send(other, "POST", "/checkout/sessions", case.backend.basket(case.price), key="used")
    assert again.status == 201
    assert again.json["transaction_id"] != case.open_sale


PATHS = (
    "GET /merchants/{merchant}",
    "GET /merchants/{merchant}/products",
    "POST /merchants/{merchant}/products",
    "POST /merchants/{merchant}/onboarding-links",
    "GET /transactions/{sale}",
    "GET /transactions/{sale}/timeline",
    "GET /transactions/{sale}/refunds",
    "POST /transactions/{sale}/refunds",
    "GET /checkout/sessions/{sale}",
    "GET /refunds/{refund}",
)
BODIES = {"products": {"name": "x"}, "onboarding-links": {"return_url": f"{SHOP}/"}, "refunds": {}}


@pytest.mark.parametrize("path", PATHS)
def test_another_s_ids_and_ids_of_nothing_get_the_same_answer(case: Case, path: str) -> None:
    refund = case.refund({"amount": 1}).json["id"]
    method, template = path.split(" ")
    body = BODIES[template.rsplit("/", 1)[-1]] if method == "POST" else None
    nothing = {
        "merchant": "merchant-" + 26 * "1",
        "sale": ABSENT,
        "refund": refund.replace(case.paid_sale.removeprefix("transaction-"), 26 * "0"),
    }
    others = {"merchant": case.merchant, "sale": case.paid_sale, "refund": refund}
    nonsense = {"merchant": "x", "sale": "TRANSACTION", "refund": "re_1"}
    answers = [
        case.backend.send(STRANGER, method, template.format(**ids), body, key="k").json
        for ids in (others, nothing, nonsense)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["type"] == "/problems/not-found"


@pytest.mark.parametrize("name", ["\x06G\r&", "a\x00b", "\x7f", "\u2028", "ÿþ\x85"])
def test_an_id_that_no_path_can_have_is_no_other_method(backend: Backend, name: str) -> None:
    for path in (f"/merchants/{name}", f"/transactions/{name}", f"/transactions/{name}/timeline"):
        assert backend.send(OPERATOR, "GET", path).status == 404
    assert backend.send(OPERATOR, "PUT", f"/transactions/{name}").problem == "method-not-allowed"
