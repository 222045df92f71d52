"""Open commands over HTTP: why each waits, and a try now."""

from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import NoAnswer, Refusal

from .backend import BUYER, OPERATOR, Backend

MERCHANT = {
    "name": "Café Nordlicht", "contact_email": "nora@nordlicht.example", "country": "us", "currencies": ["usd"],
}  # fmt: skip


@pytest.fixture
def stuck(backend: Backend) -> Backend:
    """A backend whose merchant Stripe was asked to make, without an answer."""
    backend.stripe.answers[Operation.CREATE_ACCOUNT] = [NoAnswer(Doubt.NO_ANSWER)]
    assert backend.send(OPERATOR, "POST", "/merchants", MERCHANT).problem == "outcome-unknown"
    return backend


def the_command(backend: Backend) -> dict[str, Any]:
    answer = backend.send(OPERATOR, "GET", "/commands").json
    assert answer["is_complete"] is True
    (found,) = answer["data"]
    return found  # type: ignore[no-any-return]  # JSON


def retry(backend: Backend, command: dict[str, Any]) -> str:
    return f"/commands/{command['subject']}/{command['id']}/retry"


def test_an_open_command_says_what_it_waits_for_and_when_it_is_tried_next(stuck: Backend) -> None:
    command = the_command(stuck)
    assert (command["kind"], command["status"], command["doubt"]) == ("create_account", "unknown", "no_answer")
    assert command["waits_for"] == "the next look at Stripe"
    assert command["due_at"] > command["created_at"]
    assert command["is_late"] is False
    stuck.wait(24 * 3600 + 1)
    assert the_command(stuck)["is_late"]


def test_a_retry_finishes_it_under_the_same_key_before_it_is_due(stuck: Backend) -> None:
    command = the_command(stuck)
    answer = stuck.send(OPERATOR, "POST", retry(stuck, command))
    assert (answer.status, answer.json["status"], answer.json["stripe_id"]) == (200, "succeeded", "acct_1")
    first, second = (each.key for each in stuck.stripe.asked if each.operation is Operation.CREATE_ACCOUNT)
    assert first == second
    assert stuck.send(OPERATOR, "GET", "/commands").json["data"] == []
    again = stuck.send(OPERATOR, "POST", retry(stuck, command))
    assert (again.status, again.json["status"]) == (200, "succeeded")
    assert len([each for each in stuck.stripe.asked if each.operation is Operation.CREATE_ACCOUNT]) == 2


def test_a_retry_that_stripe_refuses_says_so(stuck: Backend) -> None:
    stuck.stripe.answers[Operation.CREATE_ACCOUNT] = [Refusal("country_unsupported")]
    answer = stuck.send(OPERATOR, "POST", retry(stuck, the_command(stuck)))
    assert (answer.status, answer.json["status"], answer.json["refusal"]) == (200, "refused", "country_unsupported")


def test_a_command_that_a_request_is_at_right_now_is_left_to_it(backend: Backend) -> None:
    """As it is found after the request's process died: nobody knows that yet."""
    backend.stripe.answers[Operation.CREATE_ACCOUNT] = [NoAnswer(Doubt.NO_ANSWER)]
    recorded: list[object] = []
    settle = backend.store.commit

    def dies(*changes: object) -> None:
        if recorded:
            raise KeyboardInterrupt
        recorded.append(changes)
        settle(*changes)  # type: ignore[arg-type]  # passed on

    backend.store.commit = dies  # type: ignore[method-assign]  # the process ends before the outcome
    with pytest.raises(KeyboardInterrupt):
        backend.send(OPERATOR, "POST", "/merchants", MERCHANT)
    backend.store.commit = settle  # type: ignore[method-assign]  # the next process
    command = the_command(backend)
    assert (command["status"], command["waits_for"]) == ("recorded", "Stripe's answer")
    assert backend.send(OPERATOR, "POST", retry(backend, command)).problem == "request-under-way"
    backend.wait(36)
    assert backend.send(OPERATOR, "POST", retry(backend, command)).json["status"] == "succeeded"


def test_what_is_not_there_is_not_found_and_only_operators_ask(stuck: Backend) -> None:
    command = the_command(stuck)
    absent = {**command, "id": "command-01m84400000000000000000000"}
    assert stuck.send(OPERATOR, "POST", retry(stuck, absent)).problem == "not-found"
    assert stuck.send(OPERATOR, "POST", "/commands/nonsense/nonsense/retry").problem == "not-found"
    assert stuck.send(BUYER, "GET", "/commands").problem == "not-allowed"
    assert stuck.send(BUYER, "POST", retry(stuck, command)).problem == "not-allowed"


def test_a_refund_without_an_answer_is_tried_now_and_its_money_booked(backend: Backend) -> None:
    transaction_id = backend.paid_sale(backend.merchant())
    backend.stripe.answers[Operation.CREATE_REFUND] = [NoAnswer(Doubt.NO_ANSWER)]
    path = f"/transactions/{transaction_id}/refunds"
    assert backend.send(OPERATOR, "POST", path, {"amount": 400}, key="refund").status == 202
    command = the_command(backend)
    assert (command["subject"], command["kind"]) == (transaction_id, "create_refund")
    assert backend.send(OPERATOR, "POST", retry(backend, command)).json["status"] == "succeeded"
    (refund,) = backend.books(transaction_id).refunds.values()
    assert refund.status.value == "succeeded"
