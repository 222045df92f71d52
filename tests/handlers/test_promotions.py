"""Coupons, promotion codes and the report of tax over HTTP: what each role may ask, and how they are answered."""

import csv
import io
from typing import Any

import pytest

from marketplace.domain.ledger import EntryKind, JournalEntry, lines_of
from marketplace.operations import Operation
from marketplace.ports import Create

from .backend import BUYER, OPERATOR, SHOP, Backend, merchant_user

SUMMER: dict[str, Any] = {"name": "Summer", "percent_off": "12.5", "platform_basis_points": 5_000}
SINCE = "2026-11-01T00:00:00Z"


def coupon(backend: Backend, **fields: Any) -> dict[str, Any]:
    answer = backend.send(OPERATOR, "POST", "/coupons", SUMMER | fields)
    assert answer.status == 201, answer.text
    return dict(answer.json)


def code(backend: Backend, coupon_id: str, **fields: Any) -> dict[str, Any]:
    answer = backend.send(OPERATOR, "POST", "/promotion-codes", {"coupon_id": coupon_id, "code": "summer"} | fields)
    assert answer.status == 201, answer.text
    return dict(answer.json)


def test_a_coupon_and_a_code_are_made_read_listed_and_ended(backend: Backend) -> None:
    made = coupon(backend)
    assert (made["percent_off"], made["platform_basis_points"], made["active"]) == ("12.5", 5_000, True)
    entered = code(backend, made["id"], minimum_amount=5_000, minimum_amount_currency="usd")
    assert (entered["code"], entered["stripe_promotion_code_id"]) == ("SUMMER", "promo_1")
    assert backend.send(OPERATOR, "GET", f"/coupons/{made['id']}").json == made
    assert backend.send(OPERATOR, "GET", "/coupons").json["data"] == [made]
    assert backend.send(OPERATOR, "GET", f"/promotion-codes/{entered['id']}").json == entered
    listed = backend.send(OPERATOR, "GET", "/promotion-codes", query={"coupon_id": made["id"]})
    assert listed.json["data"] == [entered]
    off = backend.send(OPERATOR, "PATCH", f"/promotion-codes/{entered['id']}", {"active": False})
    assert off.json == entered | {"active": False}
    ended = backend.send(OPERATOR, "POST", f"/coupons/{made['id']}/deactivate")
    assert ended.json == made | {"active": False}
    assert backend.send(OPERATOR, "GET", f"/coupons/{made['id']}/redemptions").json == {"data": [], "cursor": None}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"percent_off": "abc"}, "invalid-request"),
        ({"percent_off": 10}, "invalid-request"),
        ({"percent_off": "0"}, "invalid-coupon"),
        ({"percent_off": None}, "invalid-coupon"),
        ({"name": "x" * 41}, "invalid-request"),
        ({"redeem_by": "2020-01-01T00:00:00Z"}, "invalid-coupon"),
        ({"product_ids": ["product-1"]}, "not-found"),
        ({"percent_off": None, "amount_off": -1, "currency": "usd"}, "invalid-amount"),
    ],
)
def test_what_is_no_coupon_is_refused(backend: Backend, body: dict[str, Any], problem: str) -> None:
    assert backend.send(OPERATOR, "POST", "/coupons", SUMMER | body).problem == problem
    assert not any(each.operation is Operation.CREATE_COUPON for each in backend.stripe.asked)


def test_a_merchant_makes_those_that_it_funds_for_its_own_products(backend: Backend) -> None:
    merchant = backend.merchant()
    user = merchant_user(merchant)
    product = backend.send(user, "POST", f"/merchants/{merchant}/products", {"name": "Vase"}).json["id"]
    own = {"name": "Vases", "percent_off": "50", "product_ids": [product]}
    made = backend.send(user, "POST", "/coupons", own)
    assert (made.status, made.json["merchant_id"]) == (201, merchant)
    assert backend.send(user, "POST", "/coupons", own | {"platform_basis_points": 1}).problem == "not-allowed"
    assert backend.send(user, "POST", "/coupons", SUMMER).problem == "not-allowed"
    assert backend.send(user, "GET", "/coupons").json["data"] == [made.json]
    assert backend.send(user, "GET", f"/coupons/{coupon(backend)['id']}").problem == "not-found"
    assert backend.send(BUYER, "POST", "/coupons", own).problem == "not-allowed"
    (asked,) = [each for each in backend.stripe.asked if each.operation is Operation.CREATE_COUPON][:1]
    assert asked.params["applies_to"] == {"products": ["prod_1"]}


def test_a_buyer_enters_a_code_and_an_operator_names_tax_and_coupon(backend: Backend) -> None:
    merchant = backend.merchant()
    price = backend.price(merchant)
    made = coupon(backend)
    code(backend, made["id"])
    basket = {
        "line_items": [{"price": price, "quantity": 1}], "success_url": f"{SHOP}/thanks", "cancel_url": SHOP,
    }  # fmt: skip
    assert (
        backend.send(BUYER, "POST", "/checkout/sessions", basket | {"promotion_code": "Summer"}, key="k").status == 201
    )
    asked = backend.stripe.asked[-1].params
    assert (asked["discounts"], "automatic_tax" in asked) == ([{"promotion_code": "promo_1"}], False)
    assert "transfer_data" not in asked["payment_intent_data"]
    of_operators: list[dict[str, Any]] = [
        {"automatic_tax": True}, {"tax_liability": "merchant"}, {"on_behalf_of": True}, {"coupon_id": made["id"]},
        {"allow_promotion_codes": True},
    ]  # fmt: skip
    for fields in of_operators:
        refused = backend.send(BUYER, "POST", "/checkout/sessions", basket | fields, key=repr(fields))
        assert refused.problem == "not-allowed"
    taxed = basket | {"automatic_tax": True, "coupon_id": made["id"], "charge_type": "destination"}
    assert backend.send(OPERATOR, "POST", "/checkout/sessions", taxed, key="t").status == 201
    asked = backend.stripe.asked[-1].params
    assert asked["automatic_tax"] == {"enabled": True, "liability": {"type": "self"}}
    assert asked["discounts"] == [{"coupon": made["id"]}]
    assert "application_fee_amount" not in asked["payment_intent_data"]
    remitted = basket | {"automatic_tax": True, "tax_liability": "merchant"}
    assert backend.send(OPERATOR, "POST", "/checkout/sessions", remitted, key="m").status == 201
    liability = {
        "type": "account",
        "account": backend.send(OPERATOR, "GET", f"/merchants/{merchant}").json["account_id"],
    }
    assert backend.stripe.asked[-1].params["automatic_tax"] == {"enabled": True, "liability": liability}
    both = taxed | {"allow_promotion_codes": True}
    assert backend.send(OPERATOR, "POST", "/checkout/sessions", both, key="b").problem == "combination-refused"
    nobodys = basket | {"promotion_code": "WINTER"}
    assert backend.send(BUYER, "POST", "/checkout/sessions", nobodys, key="n").problem == "not-found"


def test_tax_is_told_by_jurisdiction_and_period_and_as_a_file(backend: Backend) -> None:
    sale = backend.paid_sale(backend.merchant())
    lines = lines_of("usd", ("charge_clearing", 190, None), ("tax_payable:de.country.vat", -190, None))
    entry = JournalEntry(
        transaction_id=sale, object_id="ch_9", kind=EntryKind.SETTLEMENT, occurred_at=backend.clock.now(), lines=lines
    )
    backend.store.commit(Create(entry))
    backend.wait(1)
    told = backend.send(OPERATOR, "GET", "/tax/report", query={"since": SINCE}).json
    assert told["is_complete"] is True
    assert told["data"] == [
        {"jurisdiction": "de.country.vat", "currency": "usd", "opening": 0, "collected": 190, "returned": 0, "due": 190}
    ]
    file = backend.send(OPERATOR, "GET", "/exports/tax", query={"since": SINCE})
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(file.text))
    assert (row["jurisdiction"], row["due"], row["due_minor"]) == ("de.country.vat", "1.90", "190")
    assert backend.send(merchant_user(backend.merchant()), "GET", "/tax/report", query={"since": SINCE}).status == 403
