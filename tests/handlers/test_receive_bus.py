"""Stripe's events by EventBridge: the same queue, the same names, so that both ways in are once."""

import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

from marketplace.adapters.event_queue import EventQueue
from marketplace.domain.errors import Unavailable
from marketplace.edge.deliveries import Misdirected, Unnamed
from marketplace.services.events import EventOutcome

from .backend import ENVIRONMENT, Backend, charge_of, event, stripe_event
from .test_process import counts, message, process
from .test_receive import EVENT, Receiver

ACCOUNT_EVENT = stripe_event("account.updated", {"id": "acct_1", "object": "account"}, account="acct_1")
THIN_EVENT = {
    "id": "evt_test_1", "object": "v2.core.event", "type": "v2.core.account.updated", "livemode": False,
    "created": "2026-11-23T08:00:00Z", "related_object": {"id": "acct_1", "type": "v2.core.account"},
}  # fmt: skip


class Bus(Receiver):
    """Both ways in, over one queue."""

    def __init__(self, functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(functions["webhooks.receive"], monkeypatch)
        self.bus = functions["webhooks.receive_bus"]
        monkeypatch.setattr(self.bus, "queue", EventQueue(self.sqs, self.url))

    def put(self, detail: Any, **envelope: Any) -> None:
        self.bus.handler(event("event_bridge") | {"detail": detail} | envelope, None)


@pytest.fixture
def bus(functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Bus(functions, monkeypatch)


def test_what_is_in_the_envelope_is_queued_as_a_delivery_would_be(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.put(EVENT)
    (message,) = bus.queued()
    assert json.loads(message["Body"]) == EVENT
    assert message["Attributes"]["MessageGroupId"] == "pi_1"
    assert message["Attributes"]["MessageDeduplicationId"] == "evt_1"
    assert message["MessageAttributes"]["endpoint"]["StringValue"] == "account"
    assert counts(capsys) == {"accepted": 1}


@pytest.mark.parametrize("detail", [ACCOUNT_EVENT, THIN_EVENT], ids=["snapshot", "thin"])
def test_events_of_accounts_belong_to_connect(bus: Bus, detail: dict[str, Any]) -> None:
    bus.put(detail)
    (message,) = bus.queued()
    assert message["Attributes"]["MessageGroupId"] == "acct_1"
    assert message["MessageAttributes"]["endpoint"]["StringValue"] == "connect"


def test_the_same_event_on_both_ways_is_in_the_queue_once(bus: Bus) -> None:
    assert bus.deliver() == 200
    bus.put(EVENT)
    assert len(bus.queued()) == 1


@pytest.mark.parametrize("first", ["webhook", "bus"])
def test_the_same_event_on_both_ways_hours_apart_is_applied_once(backend: Backend, first: str) -> None:
    """After five minutes the queue has forgotten the name; the marker has not."""
    transaction_id = backend.sale(backend.price(backend.merchant()))
    body = stripe_event("charge.succeeded", charge_of(transaction_id))
    with_extras = body | {"pending_webhooks": 0, "request": None, "something_new": {"a": 1}}
    ways = [body, with_extras] if first == "webhook" else [with_extras, body]
    module = backend.modules["webhooks.process"]
    assert [module.take_in(module.ports, each) for each in ways] == [EventOutcome.APPLIED, EventOutcome.DUPLICATE]
    assert backend.books(transaction_id).payment.captured == 1000


def test_s03_an_event_of_the_other_mode_is_ignored_on_this_way_too(bus: Bus, backend: Backend) -> None:
    bus.put(EVENT | {"livemode": True})
    (queued,) = bus.queued()
    assert process(backend, message(json.loads(queued["Body"]))) == []
    (marker,) = backend.store.snapshot().values()
    assert getattr(marker, "outcome", None) == "ignored: livemode"


@pytest.mark.parametrize("source", ["aws.partner/stripe.com/ed_test_2", "aws.s3", "", None])
def test_s03_another_source_is_refused(bus: Bus, source: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Misdirected):
        bus.put(EVENT, source=source)
    assert bus.queued() == []
    assert counts(capsys) == {"refused": 1}


@pytest.mark.parametrize("detail", [None, [], "evt_1", {}, {"id": 5}, {"id": ""}])
def test_f25_what_is_no_event_is_set_aside_by_lambda(bus: Bus, detail: Any) -> None:
    with pytest.raises(Unnamed):
        bus.put(detail)
    assert bus.queued() == []


def test_f01_when_the_queue_fails_lambda_comes_again(bus: Bus) -> None:
    bus.sqs.delete_queue(QueueUrl=bus.url)
    with pytest.raises(Unavailable):
        bus.put(EVENT)


def test_it_hears_only_the_source_that_it_was_deployed_for(bus: Bus) -> None:
    assert event("event_bridge")["source"] == ENVIRONMENT["PARTNER_EVENT_SOURCE"]
