"""Bad input through the real API: one problem each, which says what to do; nothing is sold or refunded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.e2e.shop import Json, Shop, problem

LARGEST_BODY = 256 * 1024


@dataclass(frozen=True)
class Case:
    """A shop with a paid sale, and what is asked of it wrongly."""

    shop: Shop
    seller: Json
    sale: Json
    starter: Json

    def inline(self, *, key: str | None = "new", **line: Any) -> httpx.Response:
        basket = self.shop.inline(self.seller, 1_000)
        (good,) = basket["line_items"]
        return self.shop.operator.post("/checkout/sessions", {**basket, "line_items": [good | line]}, key=key)

    def checkout(self, **fields: Any) -> httpx.Response:
        return self.shop.operator.post("/checkout/sessions", self.shop.inline(self.seller, 1_000) | fields)

    def refund(self, body: Any, *, key: str | None = "new") -> httpx.Response:
        return self.shop.operator.post(f"/transactions/{self.sale['id']}/refunds", body, key=key)

    def reused(self) -> httpx.Response:
        key = f"used-for-{self.sale['id']}"
        assert self.refund({"amount": 10**6}, key=key).status_code == httpx.codes.CONFLICT, "and so not used up"
        assert self.inline(key=key).is_success
        return self.inline(key=key, quantity=2)


BAD: dict[str, tuple[Callable[[Case], httpx.Response], tuple[int, str]]] = {
    "malformed JSON": (lambda case: case.refund('{"amount": 1,}'), (400, "malformed-json")),
    "a list": (lambda case: case.refund('[{"amount": 1}]'), (400, "malformed-json")),
    "an unknown field": (lambda case: case.refund({"amount": 1, "to": "me"}), (422, "invalid-request")),
    "a fractional amount": (lambda case: case.refund({"amount": 10.5}), (422, "invalid-request")),
    "an amount as text": (lambda case: case.refund({"amount": "10"}), (422, "invalid-request")),
    "a negative refund": (lambda case: case.refund({"amount": -1}), (422, "invalid-amount")),
    "a refund of nothing": (lambda case: case.refund({"amount": 0}), (422, "invalid-amount")),
    "a huge refund": (lambda case: case.refund({"amount": 10**30}), (422, "invalid-amount")),
    "more than was paid": (lambda case: case.refund({"amount": 1_001}), (409, "refund-exceeds-rest")),
    "a fractional price": (lambda case: case.inline(unit_amount=0.5), (422, "invalid-request")),
    "a negative price": (lambda case: case.inline(unit_amount=-1), (422, "invalid-amount")),
    "a price of nothing": (lambda case: case.inline(unit_amount=0), (422, "invalid-amount")),
    "a huge price": (lambda case: case.inline(unit_amount=100_000_000), (422, "invalid-amount")),
    "an unknown currency": (lambda case: case.inline(currency="doubloon"), (422, "unknown-currency")),
    "a currency not taken": (lambda case: case.inline(currency="eur"), (422, "currency-not-accepted")),
    "a merchant that is not ready": (
        lambda case: case.checkout(merchant_id=case.starter["id"]), (409, "merchant-not-ready")),
    "a merchant that is none": (
        lambda case: case.checkout(merchant_id="merchant-" + 26 * "0"), (404, "not-found")),
    "a fee over the amount": (lambda case: case.checkout(application_fee_amount=1_001), (422, "fee-exceeds-amount")),
    "a return URL elsewhere": (
        lambda case: case.checkout(success_url="https://evil.example/"), (422, "invalid-return-url")),
    "a browser that names an amount": (
        lambda case: case.shop.buyer.post("/checkout/sessions", case.shop.inline(case.seller, 1)),
        (403, "not-allowed")),
    "a body over 256 KB": (lambda case: case.refund({"reason": LARGEST_BODY * "a"}), (413, "body-too-large")),
    "a session without a key": (lambda case: case.inline(key=None), (400, "idempotency-key-required")),
    "a refund without a key": (lambda case: case.refund({}, key=None), (400, "idempotency-key-required")),
    "a key of 256 characters": (lambda case: case.refund({}, key=256 * "k"), (400, "idempotency-key-required")),
    "a form": (
        lambda case: case.shop.operator.post(
            "/merchants", "name=A", **{"Content-Type": "application/x-www-form-urlencoded"}),
        (415, "not-json")),
    "a list of a merchant and a customer": (
        lambda case: case.shop.operator.get("/transactions", merchant_id="merchant-1", customer_id="buyer-1"),
        (422, "filter-required")),
    "a cursor that is none": (
        lambda case: case.shop.operator.get("/merchants", cursor="abc"), (422, "invalid-cursor")),
}  # fmt: skip


@pytest.fixture(scope="module")
def case(shop: Shop, seller: Json) -> Case:
    return Case(shop, seller, shop.paid_sale(seller, 1_000), shop.new_merchant("Not ready"))


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_gets_one_problem_and_moves_nothing(case: Case, bad: str) -> None:
    ask, expected = BAD[bad]
    before = sold_and_refunded(case)
    assert problem(ask(case)) == expected
    assert sold_and_refunded(case) == before


def test_a_key_that_is_used_again_for_something_else_is_refused(case: Case) -> None:
    assert problem(case.reused()) == (422, "idempotency-key-reused")


def sold_and_refunded(case: Case) -> tuple[list[str], Json]:
    """The sessions that Stripe has, and where the sale stands."""
    sessions = case.shop.stripe.v1.checkout.sessions.list({"limit": 100}).data
    return [session.id for session in sessions], case.shop.record(case.sale["id"])
