"""F36: what was written reaches the marketplace's own bus, in the words of docs/events.md."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from marketplace.adapters.event_bus import MOST_AT_ONCE, SOURCE, EventBus
from marketplace.adapters.records import item_attributes
from marketplace.domain.errors import Unavailable
from marketplace.domain.outgoing import events_of
from marketplace.domain.transactions import Payment, TransactionStatus
from marketplace.ports import Item

from ..contract.examples import START as AT
from ..contract.examples import Examples
from .backend import ENVIRONMENT, Context

BUS = ENVIRONMENT["EVENT_BUS_NAME"]


class Bus:
    """A bus, and the entries that it is to be given."""

    def __init__(self, function: ModuleType) -> None:
        self.function = function
        client = boto3.client("events", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stub = Stubber(client)
        self.stub.activate()
        self.bus = EventBus(client, BUS)

    def takes(self, entries: list[Any], failed: int = 0) -> None:
        answer = {"FailedEntryCount": failed, "Entries": [{} for _ in entries]}
        self.stub.add_response("put_events", answer, {"Entries": entries})

    def refuses(self) -> None:
        self.stub.add_client_error("put_events", "ThrottlingException")

    def send(self, *records: Mapping[str, Any]) -> None:
        """Hand the function a batch of the stream."""
        self.function.handler({"Records": list(records)}, Context())


@pytest.fixture
def bus(functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Bus:
    made = Bus(functions["events.send"])
    monkeypatch.setattr(made.function, "bus", made.bus)
    return made


def paid(number: int = 0) -> tuple[Payment, Payment]:
    examples = Examples(seed=number)
    before = examples.new_payment(examples.transaction(examples.merchant()))
    after = replace(before, captured=before.amount, charge_id="ch_1", payment_intent_id="pi_1", paid_at=AT, version=2)
    assert after.status is TransactionStatus.PAID
    return before, after


def record(before: Item | None, after: Item | None) -> dict[str, Any]:
    """A record of the stream, as Lambda hands it over."""
    images: dict[str, Any] = {"ApproximateCreationDateTime": AT.timestamp(), "StreamViewType": "NEW_AND_OLD_IMAGES"}
    for name, item in (("OldImage", before), ("NewImage", after)):
        if item is not None:
            images[name] = item_attributes(item, AT)
    return {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": images}


def entry(before: Payment | None, after: Payment) -> dict[str, Any]:
    (event,) = events_of(before, after, at=AT)
    detail = json.dumps(event.detail, separators=(",", ":"))
    return {"EventBusName": BUS, "Source": SOURCE, "DetailType": event.type, "Time": AT, "Detail": detail}


def test_a_write_that_pays_a_sale_is_told_and_one_that_changes_nothing_is_not(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = paid()
    bus.takes([entry(before, after)])
    bus.send(record(before, after), record(after, replace(after, version=3)), record(after, None))
    bus.stub.assert_no_pending_responses()
    assert json.loads(capsys.readouterr().out)["sent"] == 1


def test_an_event_is_what_the_documentation_says() -> None:
    before, after = paid()
    (event,) = events_of(before, after, at=AT)
    assert event.detail == {
        "id": event.id,
        "type": "transaction.paid",
        "schema_version": 1,
        "occurred_at": AT.isoformat(),
        "revision": 2,
        "object": {
            "id": after.transaction_id, "status": "paid", "amount": before.amount, "currency": "usd",
            "authorized": None, "captured": before.amount, "capture_before": None, "payment_intent_id": "pi_1",
        },
    }  # fmt: skip


def test_events_are_handed_over_ten_at_a_time_in_their_order(bus: Bus) -> None:
    writes = [paid(number) for number in range(MOST_AT_ONCE + 2)]
    entries = [entry(*write) for write in writes]
    bus.takes(entries[:MOST_AT_ONCE])
    bus.takes(entries[MOST_AT_ONCE:])
    bus.send(*(record(*write) for write in writes))
    bus.stub.assert_no_pending_responses()


@pytest.mark.parametrize("how", ["one of them is not taken", "the bus refuses"])
def test_what_is_not_taken_fails_the_batch_so_that_it_comes_again(
    bus: Bus, how: str, capsys: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    if how == "the bus refuses":
        bus.refuses()
    else:
        bus.takes([ANY], failed=1)
    with pytest.raises(Unavailable):
        bus.send(record(*paid()))
    assert json.loads(capsys.readouterr().out)["failed"] == 1
    assert json.loads(log.getvalue().splitlines()[-1])["message"] == "not sent"


def test_a_record_of_a_kind_that_this_version_does_not_know_tells_nothing(bus: Bus) -> None:
    images = {"NewImage": {"pk": {"S": "TRANSACTION#1"}, "sk": {"S": "NEWS#1"}}, "ApproximateCreationDateTime": 1}
    bus.send({"eventName": "INSERT", "dynamodb": images})


def test_a_record_that_cannot_be_read_fails_and_its_contents_are_not_logged(bus: Bus, log: io.StringIO) -> None:
    images = dict(record(None, paid()[1])["dynamodb"])
    images["NewImage"] = {**images["NewImage"], "paid_at": {"S": "a secret"}}
    with pytest.raises(ValueError, match="a secret"):
        bus.send({"eventName": "INSERT", "dynamodb": images})
    assert "a secret" not in log.getvalue()
