"""An error tells of the caller's own request alone (S16): no other's id, no trace, no words of Stripe's or AWS's."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from marketplace.domain.commands import Doubt
from marketplace.domain.errors import OutcomeUnknown, Unavailable
from marketplace.domain.states import ImpossibleTransition
from marketplace.domain.transactions import ContradictoryFacts
from marketplace.edge.problem_table import PROBLEMS
from marketplace.operations import Operation
from marketplace.ports import Conflict, NoAnswer, Refusal, StripeUnavailable

from .backend import BUYER, OPERATOR, Backend, merchant_user

WORDS = ("transaction-01foreign", "acct_foreign", "nora@nordlicht.example", "No such account", "Traceback", ".py")
SAID = " ".join(WORDS)
AWS_SAID: Any = {"Error": {"Code": "ValidationException", "Message": SAID}, "ResponseMetadata": {"HTTPStatusCode": 400}}
UNFORESEEN: tuple[Exception, ...] = (
    RuntimeError(SAID), KeyError(SAID), ValueError(SAID), AssertionError(SAID), ImpossibleTransition(SAID),
    ContradictoryFacts(SAID), ClientError(AWS_SAID, "Query"), Unavailable(SAID), OutcomeUnknown(SAID),
    StripeUnavailable(SAID), Conflict([]),
)  # fmt: skip


def named(error: object) -> str:
    return type(error).__name__


@pytest.mark.parametrize("error", UNFORESEEN, ids=named)
def test_what_an_exception_says_is_told_to_nobody(backend: Backend, log: io.StringIO, error: Exception) -> None:
    merchant = backend.merchant()
    sale, price = backend.paid_sale(merchant), backend.price(merchant)

    def fail(*_: object) -> None:
        raise error from RuntimeError(SAID)

    backend.store.before = fail
    for user, method, path, body in (
        (OPERATOR, "GET", f"/transactions/{sale}", None),
        (BUYER, "GET", "/transactions", None),
        (merchant_user(merchant), "GET", f"/merchants/{merchant}", None),
        (merchant_user(merchant), "POST", f"/merchants/{merchant}/products", {"name": "Tea"}),
        (OPERATOR, "POST", f"/transactions/{sale}/refunds", {"amount": 1}),
        (BUYER, "POST", "/checkout/sessions", backend.basket(price)),
    ):  # fmt: skip
        answer = backend.send(user, method, path, body, key="k")
        assert answer.status >= 500, answer.text
        assert answer.problem in {"internal-error", "unavailable", "outcome-unknown"}
        told = answer.text + repr(answer.headers)
        assert not [word for word in WORDS if word in told]
    assert not [word for word in WORDS[:-1] if word in log.getvalue()]


def test_of_stripe_s_no_only_the_code_is_told(backend: Backend) -> None:
    merchant = backend.merchant()
    sale = backend.paid_sale(merchant)
    backend.stripe.answers[Operation.CREATE_REFUND] = [Refusal("charge_disputed")]
    refused = backend.send(OPERATOR, "POST", f"/transactions/{sale}/refunds", {"amount": 1}, key="k")
    assert refused.problem == "stripe-refused"
    assert refused.json["detail"] == "Stripe refused the request (charge_disputed)."
    backend.stripe.answers[Operation.CREATE_PRODUCT] = [NoAnswer(Doubt.NO_ANSWER)]
    silent = backend.send(OPERATOR, "POST", f"/merchants/{merchant}/products", {"name": "Tea"}, key="k")
    assert silent.problem == "outcome-unknown"
    assert silent.json["detail"] == "The request is recorded; Stripe has not answered yet."


def test_no_fault_of_ours_quotes_an_exception() -> None:
    quoting = {problem.slug for problem in PROBLEMS.values() if "{error}" in problem.detail and problem.status >= 500}
    assert quoting == set()
    assert "{error}" not in PROBLEMS[Exception].detail
