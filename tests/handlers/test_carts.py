"""Carts, captures, holds and releases through their functions: what each role sees, and each refusal one problem."""

from typing import Any

import pytest

from marketplace.domain.principals import SYSTEM
from marketplace.operations import Operation

from .backend import BUYER, OPERATOR, SHOP, Answer, Backend, User, merchant_user

DAY = 24 * 3_600


class Cart:
    """A sale of 60.00 and 40.00 of two merchants, as an operator asks for it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.one, self.other = backend.merchant(), backend.merchant(name="Linen")

    def ask(self, user: User = OPERATOR, **fields: Any) -> Answer:
        lines = [
            {"name": name, "unit_amount": amount, "currency": "usd", "quantity": 1, "merchant_id": merchant}
            for name, amount, merchant in (("Cup", 6_000, self.one), ("Cloth", 4_000, self.other))
        ]
        body = {"line_items": lines, "success_url": f"{SHOP}/thanks", "cancel_url": SHOP, **fields}
        return self.backend.send(user, "POST", "/checkout/sessions", body, key="cart")

    def act(self, transaction_id: str, act: str, user: User = OPERATOR, key: str = "k", **body: Any) -> Answer:
        return self.backend.send(user, "POST", f"/transactions/{transaction_id}/{act}", body, key=key)

    def read(self, transaction_id: str, user: User = OPERATOR) -> Any:
        return self.backend.send(user, "GET", f"/transactions/{transaction_id}").json

    def state(self) -> Any:
        return self.backend.store.snapshot()


@pytest.fixture
def cart(backend: Backend) -> Cart:
    return Cart(backend)


def test_a_cart_is_one_session_and_a_share_for_each_merchant(cart: Cart) -> None:
    made = cart.ask()
    assert made.status == 201
    (asked,) = [a for a in cart.backend.stripe.asked if a.operation is Operation.CREATE_CHECKOUT_SESSION]
    assert "transfer_data" not in asked.params["payment_intent_data"]
    sale = cart.read(made.json["transaction_id"])
    assert (sale["amount"], sale["fee"], sale["charge_type"]) == (10_000, 1_000, "separate_charges_and_transfers")
    assert {leg["merchant_id"]: leg["share"] for leg in sale["legs"]} == {cart.one: 5_400, cart.other: 3_600}
    assert {share["merchant_id"]: share["waits_for"] for share in sale["shares"]} == {
        cart.one: "the payment", cart.other: "the payment"
    }  # fmt: skip


def test_a_merchant_of_a_cart_sees_its_own_part_alone(cart: Cart) -> None:
    sale = cart.ask().json["transaction_id"]
    seen = cart.read(sale, merchant_user(cart.one))
    assert [leg["merchant_id"] for leg in seen["legs"]] == [cart.one]
    assert [share["merchant_id"] for share in seen["shares"]] == [cart.one]
    assert [line["name"] for line in seen["line_items"]] == ["Cup"]
    assert (seen["fee"], seen["timeline"]) == (600, [])
    listed = cart.backend.send(merchant_user(cart.one), "GET", "/transactions").json["data"]
    assert [[leg["merchant_id"] for leg in each["legs"]] for each in listed] == [[cart.one]]
    assert cart.other not in str(seen) + str(listed)
    timeline = cart.backend.send(merchant_user(cart.one), "GET", f"/transactions/{sale}/timeline").json
    assert timeline["data"] == []


def test_held_manual_and_dated_sales_are_planned_so(cart: Cart) -> None:
    at = cart.backend.clock.now().replace(microsecond=0)
    later = at.replace(year=at.year + 1)
    assert cart.ask(release_at=later.isoformat()).problem == "invalid-release-date"
    made = cart.ask(hold=True, capture_method="manual").json["transaction_id"]
    planned = cart.backend.store.books(made, visible_to=SYSTEM)
    assert planned is not None
    assert (planned.transaction.is_held, planned.transaction.capture_method) == (True, "manual")
    (asked,) = [a for a in cart.backend.stripe.asked if a.operation is Operation.CREATE_CHECKOUT_SESSION]
    assert asked.params["payment_intent_data"]["capture_method"] == "manual"


@pytest.mark.parametrize("fields", [{"hold": True}, {"capture_method": "manual"}, {"charge_type": "destination"}])
def test_a_browser_does_not_say_when_money_moves(cart: Cart, fields: dict[str, Any]) -> None:
    price = cart.backend.price(cart.one)
    before = cart.state()
    answer = cart.backend.send(BUYER, "POST", "/checkout/sessions", cart.backend.basket(price, **fields), key="b")
    assert (answer.status, answer.problem) == (403, "not-allowed")
    assert cart.state() == before


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a destination charge of two": ({"charge_type": "destination"}, "invalid-basket"),
    "another charge type": ({"charge_type": "direct"}, "invalid-request"),
    "another capture": ({"capture_method": "later"}, "invalid-request"),
    "a date without a zone": ({"release_at": "2026-12-01T00:00:00"}, "invalid-request"),
    "a date as a number": ({"release_at": "1795000000"}, "invalid-request"),
    "a date that is over": ({"release_at": "2020-12-01T00:00:00Z"}, "invalid-release-date"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_makes_no_cart_is_one_problem_and_changes_nothing(cart: Cart, case: str) -> None:
    fields, problem = WRONG[case]
    before = cart.state()
    assert cart.ask(**fields).problem == problem
    assert cart.state() == before


ACTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "capture before the buyer paid": ("capture", {}, "not-capturable"),
    "capture of words": ("capture", {"amount": "all"}, "invalid-request"),
    "cancel before the buyer paid": ("cancel", {}, "not-capturable"),
    "release of what is not held": ("release", {}, "nothing-held"),
    "release to a stranger": ("release", {"merchant_id": "merchant-1"}, "not-found"),
    "release with a word too much": ("release", {"all": True}, "invalid-request"),
    "hold until yesterday": ("hold", {"release_at": "2020-01-01T00:00:00Z"}, "invalid-release-date"),
    "hold without a zone": ("hold", {"release_at": "2026-12-01"}, "invalid-request"),
    "a refund of nothing paid": ("refunds", {}, "transaction-not-refundable"),
}


@pytest.mark.parametrize("case", ACTS)
def test_what_cannot_be_done_is_one_problem_and_changes_nothing(cart: Cart, case: str) -> None:
    act, body, problem = ACTS[case]
    sale = cart.ask().json["transaction_id"]
    before = cart.state()
    assert cart.act(sale, act, **body).problem == problem
    assert cart.state() == before


@pytest.mark.parametrize("act", ["capture", "cancel", "release", "hold"])
def test_only_operators_move_what_is_authorized_or_held(cart: Cart, act: str) -> None:
    sale = cart.ask().json["transaction_id"]
    for user in (merchant_user(cart.one), BUYER):
        assert cart.act(sale, act, user).status == 403
    assert cart.act("transaction-1", act).problem == "not-found"
