"""The processor: order within a group, other groups done, poison left to the queue, everything counted."""

import io
import json
from typing import Any

import pytest

from marketplace.domain.errors import Unavailable
from marketplace.domain.transactions import TransactionStatus
from marketplace.edge.deliveries import MOST_TRIES
from marketplace.operations import Operation
from marketplace.ports import Done
from marketplace.services.events import EventOutcome

from .backend import OPERATOR, Backend, Context, charge_of, event, stripe_event


def message(body: Any, *, group: str = "pi_1") -> dict[str, Any]:
    """A message of the queue."""
    made = event("sqs")
    made["body"] = body if isinstance(body, str) else json.dumps(body)
    made["messageId"] = body["id"] if isinstance(body, dict) else "poison"
    made["attributes"] |= {"MessageGroupId": group, "MessageDeduplicationId": made["messageId"]}
    return made


def other(event_id: str) -> dict[str, Any]:
    """An event of a type that nobody reads."""
    return stripe_event("product.created", {"id": "prod_1", "object": "product"}, event_id)


def process(backend: Backend, *messages: dict[str, Any], context: Context | None = None) -> list[str]:
    """What comes again."""
    answer = backend.modules["webhooks.process"].handler({"Records": list(messages)}, context or Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def counts(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """The sums of what was counted."""
    found: dict[str, int] = {}
    for line in filter(None, capsys.readouterr().out.splitlines()):
        counted = json.loads(line)
        for metric in counted.get("_aws", {}).get("CloudWatchMetrics", []):
            for named in metric["Metrics"]:
                found[named["Name"]] = found.get(named["Name"], 0) + counted[named["Name"]]
    return found


def test_each_event_is_applied_once_and_counted(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    transaction_id = backend.sale(backend.price(backend.merchant()))
    paid = message(stripe_event("charge.succeeded", charge_of(transaction_id)))
    capsys.readouterr()
    assert process(backend, paid, paid, message(other("evt_2"), group="prod_1")) == []
    assert counts(capsys) == {"applied": 1, "duplicate": 1, "ignored": 1}
    assert backend.books(transaction_id).payment.captured == 1000


def test_f33_a_failed_event_holds_back_its_own_group_and_no_other(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = backend.modules["webhooks.process"]
    seen: list[str] = []

    def take_in(_ports: object, body: dict[str, Any]) -> EventOutcome:
        seen.append(body["id"])
        if body["id"] == "evt_a1":
            raise Unavailable("DynamoDB did not answer")
        return EventOutcome.APPLIED

    monkeypatch.setattr(module, "take_in", take_in)
    batch = [
        message(other(event_id), group=event_id[4])
        for event_id in ("evt_a0", "evt_b1", "evt_a1", "evt_b2", "evt_a2", "evt_c1")
    ]
    assert process(backend, *batch) == ["evt_a1", "evt_a2"]
    assert seen == ["evt_a0", "evt_b1", "evt_a1", "evt_b2", "evt_c1"]
    assert counts(capsys) == {"applied": 4, "failed": 1}


def test_f33_the_next_batch_does_not_remember_the_failed_groups(backend: Backend) -> None:
    assert process(backend, message("not json", group="a")) == ["poison"]
    assert process(backend, message(other("evt_1"), group="a")) == []


def test_f25_an_event_that_is_set_aside_takes_none_of_its_group_with_it(backend: Backend) -> None:
    """SQS counts a try of every message that it hands over: those behind would be set aside as well."""
    poison, good = message("not json", group="a"), message(other("evt_1"), group="a")
    for tries in range(1, MOST_TRIES):
        for each in (poison, good):
            each["attributes"]["ApproximateReceiveCount"] = str(tries)
        assert process(backend, poison, good) == ["poison", "evt_1"]
    for each in (poison, good):
        each["attributes"]["ApproximateReceiveCount"] = str(MOST_TRIES)
    assert process(backend, poison, good) == ["poison"]
    assert {type(item).__name__ for item in backend.store.snapshot().values()} == {"EventMarker"}


@pytest.mark.parametrize(
    "body",
    ["not json", "[]", '{"id": "evt_1"}', '{"object": "event", "id": "evt_1", "type": "x", "created": "soon"}'],
)
def test_f25_poison_comes_again_until_the_queue_sets_it_aside_and_others_are_done(backend: Backend, body: str) -> None:
    assert process(backend, message(body, group="a"), message(other("evt_1"), group="b")) == ["poison"]
    stored = {type(item).__name__ for item in backend.store.snapshot().values()}
    assert stored == {"EventMarker"}


def test_f25_an_exception_that_nobody_foresaw_is_a_failure_of_that_event_only(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    module = backend.modules["webhooks.process"]
    real = module.take_in

    def take_in(ports: Any, body: dict[str, Any]) -> EventOutcome:
        if body["id"] == "evt_1":
            raise KeyError("nora@nordlicht.example")
        outcome: EventOutcome = real(ports, body)
        return outcome

    monkeypatch.setattr(module, "take_in", take_in)
    assert process(backend, message(other("evt_1"), group="a"), message(other("evt_2"), group="b")) == ["evt_1"]
    logged = log.getvalue() + caplog.text
    assert '"error":"KeyError"' in logged
    assert "nordlicht" not in logged


def test_f35_an_event_of_a_newer_version_with_more_in_it_is_applied(backend: Backend) -> None:
    transaction_id = backend.sale(backend.price(backend.merchant()))
    charge = charge_of(transaction_id, settlement_lane={"kind": "of next year"}, outcome={"type": "of_next_year"})
    body = stripe_event("charge.succeeded", charge, api_version="2027-09-30.foxglove", context_of_next_year={"a": [1]})
    assert process(backend, message(body)) == []
    assert backend.books(transaction_id).payment.captured == 1000


def test_f35_a_thin_event_is_a_reason_to_read_the_account_again(backend: Backend) -> None:
    merchant_id = backend.merchant()
    thin = {
        "id": "evt_thin", "object": "v2.core.event", "type": "v2.core.account[requirements].updated",
        "created": "2026-11-23T08:00:00.123Z", "livemode": False, "context": "acct_1", "changes_of_next_year": {},
        "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
    }  # fmt: skip
    reads = len([each for each in backend.stripe.asked if each.operation is Operation.READ_ACCOUNT])
    assert process(backend, message(thin, group="acct_1")) == []
    asked = [each for each in backend.stripe.asked if each.operation is Operation.READ_ACCOUNT]
    assert len(asked) > reads
    assert backend.send(OPERATOR, "GET", f"/merchants/{merchant_id}").json["account_id"] == "acct_1"


@pytest.mark.parametrize("seconds", [-600, 600])
def test_f29_an_event_of_a_clock_that_is_ten_minutes_off_is_applied_like_any_other(
    backend: Backend, seconds: int
) -> None:
    transaction_id = backend.sale(backend.price(backend.merchant()))
    at = int(backend.clock.now().timestamp()) + seconds
    body = stripe_event("charge.succeeded", charge_of(transaction_id, created=at)) | {"created": at}
    assert process(backend, message(body)) == []
    assert process(backend, message(body | {"id": "evt_2", "created": at - 2 * seconds})) == []
    books = backend.books(transaction_id)
    assert (books.payment.captured, len(books.entries)) == (1000, 1)


def test_when_everything_fails_everything_comes_again_without_an_error_of_the_function(backend: Backend) -> None:
    assert process(backend, message("not json", group="a"), message(other("evt_1"), group="a")) == ["poison", "evt_1"]


def test_f27_with_too_little_time_an_event_is_left_for_the_next_invocation(backend: Backend) -> None:
    hurried = Context(left_ms=4_000)
    assert process(backend, message(other("evt_1")), context=hurried) == ["evt_1"]
    assert backend.store.snapshot() == {}


def test_s03_an_event_of_the_other_mode_is_ignored(backend: Backend) -> None:
    live = other("evt_1") | {"livemode": True}
    assert process(backend, message(live)) == []
    (marker,) = backend.store.snapshot().values()
    assert getattr(marker, "outcome", None) == "ignored: livemode"


def test_an_authorization_without_a_deadline_of_a_card_can_be_captured_too(backend: Backend) -> None:
    sale = backend.sale(backend.price(backend.merchant()))
    charge = charge_of(sale, captured=False, amount=1_000, amount_captured=0, payment_method_details={"klarna": {}})
    assert process(backend, message(stripe_event("charge.succeeded", charge))) == []
    payment = backend.books(sale).payment
    assert (payment.status, payment.authorized, payment.capture_before) == (TransactionStatus.AUTHORIZED, 1_000, None)


def test_a_dispute_is_booked_with_its_sale(backend: Backend) -> None:
    sale = backend.paid_sale(backend.merchant())
    charge = charge_of(sale)
    dispute = {
        "id": "du_1", "object": "dispute", "amount": 1_000, "currency": "usd", "charge": "ch_1", "metadata": {},
        "created": 1_795_422_400, "reason": "fraudulent", "status": "needs_response", "balance_transactions": [],
        "evidence_details": {"due_by": 1_796_000_000}, "evidence": {},
    }  # fmt: skip
    backend.stripe.answers[Operation.READ_CHARGE] = [Done(charge)]
    assert process(backend, message(stripe_event("charge.dispute.created", dispute, "evt_2"))) == []
    assert [each.stripe_dispute_id for each in backend.books(sale).disputes.values()] == ["du_1"]
