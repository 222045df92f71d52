"""Disputes through their function: who sees what, evidence that nobody logs, and each refusal one problem."""

import base64
from typing import Any

import pytest

from marketplace.operations import Operation
from marketplace.ports import Done, Refusal
from marketplace.services.events import take_in

from .backend import BUYER, OPERATOR, Answer, Backend, User, charge_of, merchant_user, stripe_event

STRANGER = merchant_user("merchant-" + 26 * "0")
PDF = base64.b64encode(b"%PDF-1.7 a receipt").decode()


class Disputed:
    """A sale whose payment is disputed, as a whole."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.merchant = backend.merchant()
        self.sale = backend.paid_sale(self.merchant)
        backend.stripe.answers[Operation.READ_CHARGE] = [Done(self.charge()) for _ in range(9)]
        opened = self.at_stripe("needs_response")
        take_in(backend.ports_of("webhooks.process"), stripe_event("charge.dispute.created", opened, "evt_2"))
        (self.id,) = backend.books(self.sale).disputes

    def charge(self) -> dict[str, Any]:
        return charge_of(self.sale, transfer="tr_1", balance_transaction="txn_1", application_fee="fee_1")

    def at_stripe(self, status: str, **evidence: str) -> dict[str, Any]:
        due_by = int(self.backend.clock.now().timestamp()) + 9 * 24 * 3_600
        return {
            "id": "du_1", "object": "dispute", "amount": 1_000, "currency": "usd", "charge": "ch_1",
            "created": 1_795_422_400, "reason": "fraudulent", "status": status, "balance_transactions": [],
            "evidence_details": {"due_by": due_by}, "evidence": evidence, "metadata": {},
        }  # fmt: skip

    def ask(
        self, act: str, user: User = OPERATOR, *, key: str | None = None, of: str | None = None, body: Any = None
    ) -> Answer:
        method, _, part = act.partition(" ")
        return self.backend.send(user, method, f"/disputes/{of or self.id}{part}", body, key=key)


@pytest.fixture
def disputed(backend: Backend) -> Disputed:
    return Disputed(backend)


def test_a_dispute_is_read_and_listed_by_those_whom_it_concerns(disputed: Disputed) -> None:
    backend = disputed.backend
    found = disputed.ask("GET ").json
    assert (found["status"], found["waits_for"]) == ("needs_response", "evidence, or its acceptance")
    assert (found["amount"], found["fee"]) == (1_000, 0)
    own = merchant_user(disputed.merchant)
    seen = disputed.ask("GET ", own).json
    assert seen == found | {"fee": None}
    assert backend.send(OPERATOR, "GET", "/disputes").json == {"data": [found], "cursor": None}
    assert backend.send(own, "GET", "/disputes").json["data"] == [seen]
    assert backend.send(STRANGER, "GET", "/disputes").json["data"] == []
    assert backend.send(STRANGER, "GET", "/disputes", query={"merchant_id": disputed.merchant}).json["data"] == []
    for of in (None, "du_1", disputed.id.replace(disputed.id[-20:], 20 * "0")):
        assert disputed.ask("GET ", STRANGER, of=of).problem == "not-found"
    assert backend.send(BUYER, "GET", "/disputes").problem == "not-allowed"


def test_evidence_is_given_to_stripe_and_stands_in_no_record_and_no_log(
    disputed: Disputed, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = {"customer_name": "Ann Nobody", "receipt": "file_1"}
    disputed.backend.stripe.answers[Operation.CREATE_FILE] = [Done({"id": "file_1"})]
    made = disputed.ask("POST /files", body={"content": PDF})
    assert (made.status, made.json) == (201, {"id": "file_1"})
    disputed.backend.stripe.answers[Operation.UPDATE_DISPUTE] = [Done(disputed.at_stripe("needs_response", **evidence))]
    staged = disputed.ask("PATCH /evidence", merchant_user(disputed.merchant), body=evidence)
    assert staged.status == 200, staged.text
    assert {name: value for name, value in staged.json.items() if value} == evidence
    (asked,) = [each for each in disputed.backend.stripe.asked if each.operation is Operation.UPDATE_DISPUTE]
    assert asked.params == {"evidence": evidence, "submit": False}
    assert "Ann" not in repr(disputed.backend.store.snapshot()) + capsys.readouterr().out


def test_a_dispute_is_submitted_and_accepted_once(disputed: Disputed) -> None:
    disputed.backend.stripe.answers[Operation.UPDATE_DISPUTE] = [Done(disputed.at_stripe("under_review"))]
    sent = disputed.ask("POST /submit", key="k")
    assert (sent.status, sent.json["status"], sent.json["waits_for"]) == (200, "under_review", "the buyer's bank")
    assert disputed.ask("POST /submit", key="k").json == sent.json
    assert disputed.ask("POST /accept", key="k").problem == "dispute-not-answerable"
    assert disputed.ask("PATCH /evidence", body={"customer_name": "Ann"}).problem == "dispute-not-answerable"
    assert disputed.ask("POST /files", body={"content": PDF}).problem == "dispute-not-answerable"


def test_stripe_s_no_is_one_problem(disputed: Disputed) -> None:
    before = disputed.ask("GET ").json
    disputed.backend.stripe.answers[Operation.CLOSE_DISPUTE] = [Refusal("dispute_closed")]
    assert disputed.ask("POST /accept", key="k").problem == "stripe-refused"
    disputed.backend.stripe.answers[Operation.UPDATE_DISPUTE] = [Refusal("resource_missing")]
    assert disputed.ask("PATCH /evidence", body={"receipt": "file_2"}).problem == "stripe-refused"
    assert disputed.ask("GET ").json == before


EVERYBODY = {"operator": OPERATOR, "buyer": BUYER, "stranger": STRANGER}
WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "submit without a key": ("POST /submit", {}, "idempotency-key-required"),
    "accept without a key": ("POST /accept", {}, "idempotency-key-required"),
    "submit by a buyer": ("POST /submit", {"user": "buyer", "key": "k"}, "not-allowed"),
    "submit by the merchant": ("POST /submit", {"user": "merchant", "key": "k"}, "not-allowed"),
    "accept by the merchant": ("POST /accept", {"user": "merchant", "key": "k"}, "not-allowed"),
    "accept what is not there": ("POST /accept", {"of": "dispute-1", "key": "k"}, "not-found"),
    "evidence by a buyer": ("PATCH /evidence", {"user": "buyer", "body": {"customer_name": "A"}}, "not-allowed"),
    "evidence by a stranger": ("PATCH /evidence", {"user": "stranger", "body": {"customer_name": "A"}}, "not-found"),
    "evidence read by a stranger": ("GET /evidence", {"user": "stranger"}, "not-found"),
    "no evidence": ("PATCH /evidence", {"body": {}}, "invalid-request"),
    "evidence of no name": ("PATCH /evidence", {"body": {"colour": "red"}}, "invalid-request"),
    "empty evidence": ("PATCH /evidence", {"body": {"customer_name": ""}}, "invalid-request"),
    "a text for a file": ("PATCH /evidence", {"body": {"receipt": "see below"}}, "invalid-request"),
    "a novel": ("PATCH /evidence", {"body": {"uncategorized_text": "x" * 20_001}}, "invalid-request"),
    "a file that is no base64": ("POST /files", {"body": {"content": "%PDF"}}, "invalid-file"),
    "a file of another kind": ("POST /files", {"body": {"content": "TVqQ"}}, "invalid-file"),
    "an empty file": ("POST /files", {"body": {"content": ""}}, "invalid-request"),
    "a file by a stranger": ("POST /files", {"user": "stranger", "body": {"content": PDF}}, "not-found"),
    "too large a file": ("POST /files", {"body": {"content": "A" * (5 * 1024 * 1024)}}, "body-too-large"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_answer_is_one_problem_and_changes_nothing(disputed: Disputed, case: str) -> None:
    act, options, problem = WRONG[case]
    user = {**EVERYBODY, "merchant": merchant_user(disputed.merchant)}[options.get("user", "operator")]
    before, asked = disputed.backend.store.snapshot(), len(disputed.backend.stripe.asked)
    assert disputed.ask(act, **{**options, "user": user}).problem == problem
    assert (disputed.backend.store.snapshot(), len(disputed.backend.stripe.asked)) == (before, asked)
