"""The hourly function that catches up, and replays when asked."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.domain.errors import NotFound
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer, Refusal

from .backend import OPERATOR, Backend, Context

NOTHING: dict[str, Any] = {"object": "list", "data": [], "has_more": False}


def run(backend: Backend, *, left_ms: int = 500_000, **asked: Any) -> dict[str, Any]:
    done: dict[str, Any] = backend.modules["schedules.catch_up"].handler(asked, Context(left_ms=left_ms))
    return done


def lists(backend: Backend, *pages: Any) -> None:
    backend.stripe.answers[Operation.LIST_EVENTS] = list(pages)


def test_what_is_listed_is_taken_in_and_counted(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    of_others = {
        "id": "evt_1", "object": "event", "type": "transfer.reversed", "created": 1_795_000_000, "livemode": False,
        "data": {"object": {"id": "tr_1", "reversals": {"data": [], "has_more": False}}},
    }  # fmt: skip
    listed = {**NOTHING, "data": [of_others]}
    lists(backend, Done(listed), Done(NOTHING))
    done = run(backend)
    assert done == {"pages": 3, "listed": 1, "applied": 0, "accounts": 0, "troubles": 0}
    counted = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {name: counted[name] for name in done} == done
    first, second, third = backend.stripe.asked
    begins = backend.clock.now() - timedelta(days=30)
    ends = backend.clock.now() - timedelta(minutes=10)
    assert first.params["created"] == {"gte": int(begins.timestamp()), "lt": int(ends.timestamp())}
    types = [each for asked in (first, second, third) for each in asked.params["types"]]
    assert len(types) == len(set(types))


def test_a_list_that_stripe_does_not_give_keeps_no_other_waiting_and_is_read_again(
    backend: Backend, capsys: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    lists(backend, NoAnswer(Doubt.NO_ANSWER), Done(NOTHING))
    assert run(backend) == {"pages": 2, "listed": 0, "applied": 0, "accounts": 0, "troubles": 1}
    told = json.loads(log.getvalue().splitlines()[-1])
    assert (told["message"], told["item_id"], told["error"]) == ("not taken in", "payments", "StripeUnavailable")
    lists(backend, Done(NOTHING))
    assert run(backend)["pages"] == 1
    capsys.readouterr()


def test_a_key_that_may_not_read_one_list_reads_the_others(backend: Backend, log: io.StringIO) -> None:
    lists(backend, Refusal("more_permissions_required"), Done(NOTHING))
    assert run(backend) == {"pages": 2, "listed": 0, "applied": 0, "accounts": 0, "troubles": 1}
    told = json.loads(log.getvalue().splitlines()[-1])
    assert (told["item_id"], told["error"]) == ("payments", "StripeRefused")


def test_f27_with_too_little_time_nothing_is_read(backend: Backend) -> None:
    assert run(backend, left_ms=40_000)["pages"] == 0
    assert backend.stripe.asked == []


def test_since_is_a_time_with_its_zone(backend: Backend) -> None:
    for wrong in ("yesterday", "2026-11-20", "2026-11-20T00:00:00"):
        with pytest.raises(ValueError, match=r"zone|isoformat"):
            run(backend, since=wrong)
    assert backend.stripe.asked == []


def test_a_transaction_that_is_not_here_is_not_replayed(backend: Backend) -> None:
    for wrong in ("transaction-1", "", "../x"):
        with pytest.raises(NotFound):
            run(backend, transaction_id=wrong)
    assert backend.stripe.asked == []


def test_a_transaction_is_replayed_from_what_stripe_has_of_it(backend: Backend) -> None:
    sale = backend.paid_sale(backend.merchant())
    backend.stripe.answers[Operation.LIST_REFUNDS] = [Done(NOTHING)]
    backend.stripe.answers[Operation.LIST_DISPUTES] = [Done(NOTHING)]
    payment = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "metadata": {"transaction_id": sale}}
    backend.stripe.answers[Operation.READ_PAYMENT_INTENT] = [Done(payment)]
    assert run(backend, transaction_id=sale) == {"transaction_id": sale, "changes": {}, "journal_entries": 0}


def test_an_account_of_which_no_delivery_told_is_read(backend: Backend) -> None:
    merchant = backend.merchant()
    lists(backend, Done(NOTHING))
    backend.stripe.answers[Operation.READ_ACCOUNT] = [Refusal("account_invalid"), Refusal("rate_limit")]
    assert run(backend) == {"pages": 3, "listed": 0, "applied": 0, "accounts": 0, "troubles": 0}
    again = run(backend, since=f"{backend.clock.now():%Y-%m-%dT%H:%M:%SZ}")
    assert (again["accounts"], again["troubles"]) == (0, 1)
    assert [each.ids for each in backend.stripe.asked if each.operation is Operation.READ_ACCOUNT] == 2 * [("acct_1",)]
    assert backend.send(OPERATOR, "GET", f"/merchants/{merchant}").json["status"] == "ready"
