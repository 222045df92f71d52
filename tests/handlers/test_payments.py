"""Payments with saved details through their function: each outcome told, each refusal one clear problem."""

import io
from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.domain.declines import WORDS
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer, Refusal

from ..fakes.stripe import payment_intent
from .backend import BUYER, NOBODY, OPERATOR, Answer, Backend, User, merchant_user

BEN = User({"sub": "auth0|ben", "cognito:groups": "[buyer]"})


class Case:
    """A merchant with a price, and a buyer with a saved card."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.merchant = backend.merchant()
        self.price = backend.price(self.merchant)
        assert backend.send(BUYER, "POST", "/customers", {}, key="c").status == 201

    def pay(self, user: User = BUYER, key: str | None = "p", **fields: Any) -> Answer:
        body = {"line_items": [{"price": self.price, "quantity": 1}], "payment_method_id": "pm_1"} | fields
        return self.backend.send(user, "POST", "/payments", body, key=key)

    def declines(self, code: str) -> None:
        self.backend.stripe.answers[Operation.CREATE_PAYMENT_INTENT] = [Done(payment_intent(declined=code))]

    def read(self, transaction_id: str, user: User = BUYER) -> Answer:
        return self.backend.send(user, "GET", f"/payments/{transaction_id}")


@pytest.fixture
def case(backend: Backend) -> Case:
    return Case(backend)


def test_saved_details_pay(case: Case) -> None:
    paid = case.pay()
    assert (paid.status, paid.json["status"], paid.json["decline"], paid.json["client_secret"]) == (
        201, "paid", None, None
    )  # fmt: skip
    assert case.pay().json == paid.json
    asked = [each for each in case.backend.stripe.asked if each.operation is Operation.CREATE_PAYMENT_INTENT]
    (params,) = (each.params for each in asked)
    assert (params["amount"], params["currency"], params["customer"]) == (1000, "usd", "cus_1")
    assert (params["application_fee_amount"], params["transfer_data"]) == (100, {"destination": "acct_1"})


@pytest.mark.parametrize(
    ("code", "shown"),
    [("insufficient_funds", "insufficient_funds"), ("stolen_card", "generic_decline"), ("new_code", "new_code")],
)
def test_a_decline_is_told_in_words(case: Case, code: str, shown: str) -> None:
    case.declines(code)
    told = case.pay().json
    assert told["status"] == "failed"
    assert told["decline"]["code"] == shown
    assert told["decline"]["what"] == WORDS.get(code, WORDS["generic_decline"]).what
    assert case.read(told["transaction_id"], OPERATOR).json["decline"]["code"] == code
    canceled = [each for each in case.backend.stripe.asked if each.operation is Operation.CANCEL_PAYMENT_INTENT]
    assert len(canceled) == 1


def test_the_secret_is_shown_to_the_buyer_alone_and_never_kept_or_logged(case: Case, log: io.StringIO) -> None:
    case.declines("authentication_required")
    case.backend.stripe.answers[Operation.READ_PAYMENT_INTENT] = [Done(payment_intent("requires_payment_method"))] * 2
    told = case.pay().json
    assert (told["status"], told["client_secret"]) == ("requires_action", "pi_1_secret_2")
    transaction_id = told["transaction_id"]
    assert case.read(transaction_id).json == told
    assert case.read(transaction_id, OPERATOR).json["client_secret"] is None
    absent = case.read("transaction-" + 26 * "0", BEN)
    assert (case.read(transaction_id, BEN).problem, case.read(transaction_id, BEN).json) == ("not-found", absent.json)
    assert case.read(transaction_id, merchant_user(case.merchant)).problem == "not-allowed"
    assert case.read(transaction_id, NOBODY).status == 401
    assert "_secret_" not in log.getvalue()
    assert "_secret_" not in repr(case.backend.store.snapshot())


def test_what_is_not_answered_is_unknown_and_then_told(case: Case) -> None:
    case.backend.stripe.answers[Operation.CREATE_PAYMENT_INTENT] = [NoAnswer(Doubt.NO_ANSWER)]
    assert case.pay().problem == "outcome-unknown"
    assert case.pay().json["status"] == "paid"


def test_what_stripe_refuses_is_refused(case: Case) -> None:
    case.backend.stripe.answers[Operation.CREATE_PAYMENT_INTENT] = [Refusal("amount_too_small")]
    assert case.pay().problem == "stripe-refused"
    assert case.pay().problem == "stripe-refused"


def test_bad_input_is_one_problem_and_plans_nothing(case: Case) -> None:
    inline = {"name": "Boat", "unit_amount": 1000, "currency": "usd", "quantity": 1, "merchant_id": case.merchant}
    case.backend.stripe.answers[Operation.READ_PAYMENT_METHOD] = [Refusal("resource_missing")]
    before = case.backend.store.snapshot()
    for answer, status, slug in (
        (case.pay(payment_method_id="pm_of_ben"), 404, "not-found"),
        (case.pay(key=None), 400, "idempotency-key-required"),
        (case.pay(line_items=[]), 422, "invalid-basket"),
        (case.pay(line_items=[inline]), 403, "not-allowed"),
        (case.pay(customer_id="auth0|ben"), 403, "not-allowed"),
        (case.pay(hold=True), 403, "not-allowed"),
        (case.pay(capture_method="manual"), 403, "not-allowed"),
        (case.pay(capture_method="later"), 422, "invalid-request"),
        (case.pay(application_fee_amount=0), 403, "not-allowed"),
        (case.pay(merchant_user(case.merchant)), 403, "not-allowed"),
        (case.pay(OPERATOR), 404, "not-found"),
        (case.pay(OPERATOR, customer_id="auth0|nobody"), 404, "not-found"),
        (case.pay(BEN), 404, "not-found"),
        (case.pay(OPERATOR, customer_id="buyer-1", application_fee_amount=1001), 422, "fee-exceeds-amount"),
        (case.pay(amount=5), 422, "invalid-request"),
        (case.pay(metadata={"off_session": "false"}), 422, "invalid-request"),
        (case.pay(payment_method_id=""), 422, "invalid-request"),
    ):
        assert (answer.status, answer.problem) == (status, slug), answer.text
    assert case.backend.store.snapshot() == before
    assert not [each for each in case.backend.stripe.asked if each.operation is Operation.CREATE_PAYMENT_INTENT]
