"""The sweep's function: it finishes what was left, and tells of what it could not finish."""

import io
import json

import pytest

from marketplace.domain.commands import Doubt
from marketplace.domain.errors import Unavailable
from marketplace.operations import Operation
from marketplace.ports import NoAnswer

from .backend import BUYER, Backend, Context


def left_unfinished(backend: Backend) -> str:
    """The id of a sale whose session Stripe did not answer for."""
    price = backend.price(backend.merchant())
    backend.stripe.answers[Operation.CREATE_CHECKOUT_SESSION] = [NoAnswer(Doubt.NO_ANSWER)]
    answer = backend.send(BUYER, "POST", "/checkout/sessions", backend.basket(price), key="k")
    assert (answer.status, answer.problem) == (503, "outcome-unknown")
    assert answer.headers["Retry-After"] == "60"
    return str(backend.send(BUYER, "GET", "/transactions").json["data"][0]["id"])


def test_what_was_left_is_finished_under_the_same_key(backend: Backend) -> None:
    transaction_id = left_unfinished(backend)
    backend.wait(120)
    backend.modules["schedules.sweep"].handler({}, Context())
    assert backend.send(BUYER, "GET", f"/checkout/sessions/{transaction_id}").json["status"] == "open"
    first, second = [each for each in backend.stripe.asked if each.operation is Operation.CREATE_CHECKOUT_SESSION]
    assert (first.key, first.params) == (second.key, second.params)


def test_with_too_little_time_nothing_is_begun(backend: Backend) -> None:
    left_unfinished(backend)
    backend.wait(120)
    asked = len(backend.stripe.asked)
    backend.modules["schedules.sweep"].handler({}, Context(left_ms=10_000))
    assert len(backend.stripe.asked) == asked


def test_a_trouble_is_told_with_its_item_and_stops_no_other(
    backend: Backend, capsys: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    left_unfinished(backend)
    backend.wait(120)

    def fail(call: str, _changes: object) -> None:
        if call == "commit":
            raise Unavailable("DynamoDB did not answer")

    backend.store.before = fail
    capsys.readouterr()
    backend.modules["schedules.sweep"].handler({}, Context())
    counted = json.loads(capsys.readouterr().out)
    assert (counted["looked_at"], counted["troubles"]) == (1, 1)
    told = json.loads(log.getvalue().splitlines()[-1])
    assert (told["message"], told["error"]) == ("not finished", "Unavailable")
    assert told["item_id"].startswith("command-")
