"""The receiver: 2xx only when the queue has the event, and nothing of Stripe's that Stripe did not sign."""

import base64
import json
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from marketplace.adapters.event_queue import EventQueue
from marketplace.adapters.secrets import Secret
from marketplace.domain.errors import Unavailable
from marketplace.edge.deliveries import endpoint_of

from ..unit.test_signatures import sign
from .backend import ENVIRONMENT, event, stripe_event

SECRETS = {"account": ["whsec_account_old", "whsec_account"], "connect": ["whsec_connect"]}
EVENT = stripe_event("charge.succeeded", {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"})


class Receiver:
    """The real handler over SQS and Secrets Manager of moto."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        region = ENVIRONMENT["AWS_DEFAULT_REGION"]
        self.sqs = boto3.client("sqs", region_name=region)
        self.url = self.sqs.create_queue(
            QueueName="events.fifo",
            Attributes={
                "FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"
            },
        )["QueueUrl"]  # fmt: skip
        self.secrets = boto3.client("secretsmanager", region_name=region)
        self.secrets.create_secret(Name="webhooks", SecretString=json.dumps(SECRETS))
        self.seconds = 0.0
        self.secret = Secret(self.secrets, "webhooks", seconds=lambda: self.seconds)
        monkeypatch.setattr(module, "queue", EventQueue(self.sqs, self.url))
        monkeypatch.setattr(module, "secret", self.secret)
        self.module = module

    def deliver(
        self, body: bytes | dict[str, Any] = EVENT, *, endpoint: str = "account", secret: str | None = None,
        at: int = 0, header: str | None = None, name: str = "stripe-signature", in_base64: bool = False,
    ) -> int:  # fmt: skip
        """The status that a delivery is answered with; signed rightly where nothing else is said."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        made = event("webhook")
        made["rawPath"] = f"/webhooks/stripe/{endpoint}"
        made["isBase64Encoded"] = in_base64
        made["body"] = base64.b64encode(sent).decode() if in_base64 else sent.decode()
        signed = sign(secret or SECRETS[endpoint][-1], at=int(time.time()) + at, body=sent)
        made["headers"][name] = signed if header is None else header
        return int(self.module.handler(made, None)["statusCode"])

    def queued(self) -> list[dict[str, Any]]:
        """All that waits in the queue."""
        found: list[Any] = []
        while True:
            some = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
            ).get("Messages", [])  # fmt: skip
            if not some:
                return found
            found += some


@pytest.fixture
def receiver(functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Receiver(functions["webhooks.receive"], monkeypatch)


def test_what_stripe_signed_is_queued_with_its_group_and_its_endpoint(receiver: Receiver) -> None:
    assert receiver.deliver() == 200
    (message,) = receiver.queued()
    assert json.loads(message["Body"]) == EVENT
    assert message["Attributes"]["MessageGroupId"] == "pi_1"
    assert message["Attributes"]["MessageDeduplicationId"] == "evt_1"
    assert message["MessageAttributes"]["endpoint"]["StringValue"] == "account"


def test_a_delivery_that_comes_twice_is_queued_once_and_answered_twice(receiver: Receiver) -> None:
    assert [receiver.deliver(), receiver.deliver()] == [200, 200]
    assert len(receiver.queued()) == 1


@pytest.mark.parametrize("name", ["Stripe-Signature", "STRIPE-SIGNATURE", "stripe-signature"])
@pytest.mark.parametrize("in_base64", [False, True])
def test_the_bytes_count_however_they_are_wrapped(receiver: Receiver, name: str, in_base64: bool) -> None:
    body = json.dumps(EVENT | {"note": "Café \u2028 \ud83d\ude00"}, indent=2, ensure_ascii=False)
    body = body.encode("utf-16", "surrogatepass").decode("utf-16")
    assert receiver.deliver(body.encode(), name=name, in_base64=in_base64) == 200
    (message,) = receiver.queued()
    assert json.loads(message["Body"]) == json.loads(body)


def test_characters_that_sqs_refuses_do_not_keep_an_event_out(receiver: Receiver) -> None:
    assert receiver.deliver(EVENT | {"note": "\uffff"}) == 200
    (message,) = receiver.queued()
    assert message["Body"].isascii()


FORGED: dict[str, dict[str, Any]] = {
    "the wrong secret": {"secret": "whsec_wrong"},
    "the other endpoint's secret": {"secret": "whsec_connect"},
    "no secret at all": {"secret": "whsec_"},
    "no header": {"header": ""},
    "a signature of other bytes": {"header": sign("whsec_account", body=b"{}")},
    "an older scheme": {"header": sign("whsec_account", scheme="v0")},
    "a replay after 301 seconds": {"at": -301},
    "a time 302 seconds ahead": {"at": 302},
    "two headers in one": {"header": f"{sign('whsec_account')},{sign('whsec_account')}"},
    "a body of another encoding than it says": {"in_base64": True, "header": sign("whsec_account")},
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGED)
def test_s01_s02_nothing_forged_or_stale_is_queued(
    receiver: Receiver, forged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert receiver.deliver(**FORGED[forged]) == 400
    assert receiver.queued() == []
    counted = json.loads(capsys.readouterr().out)
    assert counted["refused"] == 1
    assert counted["reason"].startswith("signature: ")


@pytest.mark.parametrize("seconds", [-299, 298])
def test_within_the_tolerance_a_delivery_passes(receiver: Receiver, seconds: int) -> None:
    assert receiver.deliver(at=seconds) == 200


def test_f30_while_a_secret_is_rotated_old_and_new_pass_and_later_only_the_new(receiver: Receiver) -> None:
    assert receiver.deliver(secret="whsec_account_old") == 200
    assert receiver.deliver(secret="whsec_account") == 200
    assert receiver.deliver(endpoint="connect", secret="whsec_account") == 400
    rotated = {**SECRETS, "account": ["whsec_account"]}
    receiver.secrets.put_secret_value(SecretId="webhooks", SecretString=json.dumps(rotated))
    receiver.seconds += 301
    assert receiver.deliver(secret="whsec_account_old") == 400
    assert receiver.deliver(secret="whsec_account") == 200


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_account", "[]", "{}", '{"account": "whsec_account"}', '{"account": []}', '{"account": [""]}',
     '{"account": ["sk_test_1"]}', '{"account": [5]}'],
)  # fmt: skip
def test_without_a_real_secret_nothing_is_taken_and_stripe_comes_again(receiver: Receiver, secret: str) -> None:
    receiver.secrets.put_secret_value(SecretId="webhooks", SecretString=secret or " ")
    assert receiver.deliver(secret="whsec_account") == 500
    assert receiver.deliver(secret="whsec_") == 500
    assert receiver.queued() == []


def test_a_secret_that_cannot_be_read_again_goes_on_serving(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert receiver.deliver() == 200
    receiver.secrets.delete_secret(SecretId="webhooks", ForceDeleteWithoutRecovery=True)
    receiver.seconds += 301
    assert receiver.deliver() == 200


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"id": 5}', b'{"id": ""}', b'{"id": "evt_1"', b"\xff\xfe"]
)
def test_f25_a_signed_body_that_is_no_event_is_refused(receiver: Receiver, body: bytes) -> None:
    assert receiver.deliver(body, in_base64=True) == 400
    assert receiver.queued() == []


@pytest.mark.parametrize("endpoint", ["account", "connect"])
def test_s03_an_event_at_the_other_endpoint_is_refused(
    receiver: Receiver, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = EVENT if endpoint == "connect" else EVENT | {"account": "acct_1"}
    assert receiver.deliver(foreign, endpoint=endpoint) == 400
    assert receiver.queued() == []
    assert json.loads(capsys.readouterr().out)["reason"] == "endpoint"


@pytest.mark.parametrize("seconds", [-299, 299])
def test_f29_s02_within_299_seconds_a_delivery_passes(
    receiver: Receiver, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(receiver.module.time, "time", lambda: now)
    assert receiver.deliver(at=seconds) == 200
    assert receiver.deliver(EVENT | {"id": "evt_2"}, at=301 if seconds > 0 else -301) == 400
    assert len(receiver.queued()) == 1


def test_a_body_over_256_kb_is_refused(receiver: Receiver) -> None:
    assert receiver.deliver(EVENT | {"note": 262_144 * "a"}) == 400
    assert receiver.queued() == []


def test_f01_truxify_6069_when_the_queue_fails_stripe_comes_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.sqs.delete_queue(QueueUrl=receiver.url)
    assert receiver.deliver() == 503


def test_f01_when_the_queue_took_it_and_its_answer_is_lost_stripe_comes_again_and_it_is_there_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = receiver.module.queue

    class Deaf:
        def put(self, *args: Any, **options: Any) -> None:
            queue.put(*args, **options)
            raise Unavailable("no answer")

    monkeypatch.setattr(receiver.module, "queue", Deaf())
    assert receiver.deliver() == 503
    monkeypatch.setattr(receiver.module, "queue", queue)
    assert receiver.deliver() == 200
    assert len(receiver.queued()) == 1


GROUPS: dict[str, tuple[dict[str, Any], str]] = {
    "a payment intent": (stripe_event("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"}), "pi_1"),
    "a charge of one": (
        stripe_event("charge.succeeded", {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}), "pi_1"),
    "a charge by itself": (
        stripe_event("charge.succeeded", {"id": "ch_1", "object": "charge", "payment_intent": None}), "ch_1"),
    "a session that is paid": (
        stripe_event("checkout.session.completed", {"id": "cs_1", "object": "checkout.session",
                                                    "payment_intent": "pi_1"}), "pi_1"),
    "a session that ended": (
        stripe_event("checkout.session.expired", {"id": "cs_1", "object": "checkout.session",
                                                  "payment_intent": None}), "cs_1"),
    "a refund": (
        stripe_event("refund.created", {"id": "re_1", "object": "refund", "charge": "ch_1",
                                        "payment_intent": "pi_1"}), "pi_1"),
    "a refund of a charge": (
        stripe_event("refund.created", {"id": "re_1", "object": "refund", "charge": "ch_1"}), "ch_1"),
    "an account": (
        stripe_event("account.updated", {"id": "acct_1", "object": "account"}, account="acct_1"), "acct_1"),
    "something of an account": (
        stripe_event("payout.paid", {"id": "po_1", "object": "payout"}, account="acct_1"), "acct_1"),
    "a thin event": (
        {"id": "evt_1", "object": "v2.core.event", "type": "v2.core.account.updated", "livemode": False,
         "created": "2026-11-23T08:00:00Z", "related_object": {"id": "acct_1", "type": "v2.core.account"}}, "acct_1"),
    "a product": (stripe_event("product.created", {"id": "prod_1", "object": "product"}), "prod_1"),
    "an object without an id": (stripe_event("balance.available", {"object": "balance"}), "evt_1"),
    "a name that SQS does not take": (
        stripe_event("product.created", {"id": "prod é/" + 200 * "x", "object": "product"}),
        "prod---" + 121 * "x"),
}  # fmt: skip


@pytest.mark.parametrize("kind", GROUPS)
def test_events_of_one_payment_stay_in_one_group(receiver: Receiver, kind: str) -> None:
    sent, group = GROUPS[kind]
    assert receiver.deliver(sent, endpoint=endpoint_of(sent)) == 200
    (message,) = receiver.queued()
    assert message["Attributes"]["MessageGroupId"] == group


def test_what_is_accepted_is_counted_and_nothing_personal_is_logged(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.deliver(stripe_event("account.updated", {"id": "acct_1", "email": "nora@nordlicht.example"}))
    line = capsys.readouterr().out
    counted = json.loads(line)
    assert (counted["accepted"], counted["event_id"], counted["event_type"]) == (1, "evt_1", "account.updated")
    assert counted["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "accepted", "Unit": "Count"}]
    assert "nordlicht" not in line
    assert "whsec" not in line
