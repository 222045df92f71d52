"""Dead letters over HTTP: looked at without losing any, put back so that they are applied."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from marketplace.adapters.dead_letter_queue import DeadLetterQueue

from .backend import BUYER, ENVIRONMENT, OPERATOR, Answer, Backend, charge_of, merchant_user, stripe_event
from .test_process import message, process

FIFO: Any = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
PAID = stripe_event(
    "charge.succeeded",
    {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {"transaction_id": "transaction-1"}},
)
POISON = {"id": "evt_9", "object": "event"}


class Letters:
    """The function over two queues of moto."""

    def __init__(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        self.backend = backend
        self.sqs = boto3.client("sqs", region_name=ENVIRONMENT["AWS_DEFAULT_REGION"])
        self.events = self.sqs.create_queue(QueueName="events.fifo", Attributes=FIFO)["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName="dead.fifo", Attributes=FIFO)["QueueUrl"]
        self.queue = DeadLetterQueue(self.sqs, self.dead, self.events)
        monkeypatch.setattr("marketplace.adapters.dead_letter_queue.LOOK_SECONDS", 0)
        monkeypatch.setattr(backend.modules["dead_letters.app"], "queue", self.queue)

    def set_aside(self, body: Any, *, group: str = "pi_1", name: str | None = None) -> str:
        """The id of a message as SQS moved it."""
        sent = self.sqs.send_message(
            QueueUrl=self.dead,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageGroupId=group,
            MessageDeduplicationId=name or body["id"],
            MessageAttributes={"endpoint": {"DataType": "String", "StringValue": "account"}},
        )
        return sent["MessageId"]

    def seen(self) -> Any:
        answer = self.backend.send(OPERATOR, "GET", "/dead-letters")
        assert answer.status == 200, answer.text
        return answer.json

    def redrive(self, letter_id: str) -> Answer:
        return self.backend.send(OPERATOR, "POST", f"/dead-letters/{letter_id}/redrive")

    def waiting(self, url: str) -> list[Any]:
        return self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"],
            VisibilityTimeout=0,
        ).get("Messages", [])  # fmt: skip


@pytest.fixture
def letters(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Letters]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Letters(backend, monkeypatch)


def test_a_look_says_what_was_set_aside_and_leaves_it_there_for_the_next_one(letters: Letters) -> None:
    letter_id = letters.set_aside(PAID)
    for look in (1, 2):
        answer = letters.seen()
        (found,) = answer["data"]
        assert (answer["waiting"], answer["is_complete"]) == (1, True)
        assert (found["id"], found["event_id"], found["event_type"]) == (letter_id, "evt_1", "charge.succeeded")
        assert (found["transaction_id"], found["group"], found["endpoint"]) == ("transaction-1", "pi_1", "account")
        assert found["is_readable"] is True
        assert found["tries"] == look  # a look is a try: SQS knows no other way
        assert "body" not in found


def test_a_look_tells_how_many_there_are_where_it_does_not_see_all(letters: Letters) -> None:
    for number in range(25):
        letters.set_aside(PAID | {"id": f"evt_{number}"}, group=f"pi_{number}")
    hidden = letters.sqs.receive_message(QueueUrl=letters.dead, MaxNumberOfMessages=5, VisibilityTimeout=60)
    answer = letters.seen()
    assert len(answer["data"]) == 25 - len(hidden["Messages"])
    assert (answer["waiting"], answer["is_complete"]) == (25, False)


def test_one_is_read_whole(letters: Letters) -> None:
    letter_id = letters.set_aside(PAID)
    answer = letters.backend.send(OPERATOR, "GET", f"/dead-letters/{letter_id}")
    assert json.loads(answer.json["body"]) == PAID
    assert letters.backend.send(OPERATOR, "GET", "/dead-letters/other").problem == "not-found"


def test_f25_one_is_put_back_with_its_group_and_its_endpoint_and_is_applied(letters: Letters) -> None:
    backend = letters.backend
    transaction_id = backend.sale(backend.price(backend.merchant()))
    letter_id = letters.set_aside(stripe_event("charge.succeeded", charge_of(transaction_id)))
    other = letters.set_aside(PAID | {"id": "evt_2"}, group="pi_2")
    answer = letters.redrive(letter_id)
    assert (answer.status, answer.json["transaction_id"]) == (202, transaction_id)
    (back,) = letters.waiting(letters.events)
    assert back["Attributes"]["MessageGroupId"] == "pi_1"
    assert back["MessageAttributes"]["endpoint"]["StringValue"] == "account"
    assert process(backend, message(json.loads(back["Body"]))) == []
    assert backend.books(transaction_id).payment.captured == 1000
    assert [each["id"] for each in letters.seen()["data"]] == [other]


def test_put_back_within_five_minutes_of_the_last_time_it_is_not_taken_for_a_repetition(letters: Letters) -> None:
    """SQS drops a name that it has had in five minutes, and says nothing of it: the event would be gone."""
    letters.sqs.send_message(
        QueueUrl=letters.events, MessageBody="{}", MessageGroupId="pi_1", MessageDeduplicationId="evt_1"
    )
    (first,) = letters.waiting(letters.events)
    letters.sqs.delete_message(QueueUrl=letters.events, ReceiptHandle=first["ReceiptHandle"])
    assert letters.redrive(letters.set_aside(PAID, name="evt_1")).status == 202  # SQS keeps the name when it moves one
    (again,) = letters.waiting(letters.events)
    assert again["Attributes"]["MessageDeduplicationId"].startswith("evt_1.")


def test_f25_poison_is_not_put_back_and_stays(letters: Letters) -> None:
    poison = letters.set_aside(POISON)
    (found,) = letters.seen()["data"]
    assert (found["is_readable"], found["event_id"]) == (False, None)
    assert letters.redrive(poison).problem == "dead-letter-unreadable"
    assert letters.waiting(letters.events) == []


def test_a_crash_between_the_two_queues_leaves_it_in_both(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    letter_id = letters.set_aside(PAID)

    def fails(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "InternalFailure"}}, "DeleteMessage")

    with monkeypatch.context() as patch:
        patch.setattr(letters.sqs, "delete_message", fails)
        assert letters.redrive(letter_id).problem == "unavailable"
    assert len(letters.waiting(letters.events)) == 1
    assert letters.redrive(letter_id).problem == "request-under-way"  # hidden for half a minute, and not gone


def test_when_the_queue_of_events_does_not_take_it_it_stays_set_aside(letters: Letters) -> None:
    letter_id = letters.set_aside(PAID)
    letters.sqs.delete_queue(QueueUrl=letters.events)
    assert letters.redrive(letter_id).problem == "unavailable"
    counted = letters.sqs.get_queue_attributes(QueueUrl=letters.dead, AttributeNames=["All"])["Attributes"]
    assert int(counted["ApproximateNumberOfMessages"]) + int(counted["ApproximateNumberOfMessagesNotVisible"]) == 1


def test_what_somebody_else_is_looking_at_is_not_called_absent(letters: Letters) -> None:
    letter_id = letters.set_aside(PAID)
    letters.sqs.receive_message(QueueUrl=letters.dead, VisibilityTimeout=60)
    assert letters.redrive(letter_id).problem == "request-under-way"
    assert letters.backend.send(OPERATOR, "GET", f"/dead-letters/{letter_id}").problem == "request-under-way"


def test_only_operators_see_them(letters: Letters) -> None:
    letter_id = letters.set_aside(PAID)
    for user in (BUYER, merchant_user("merchant-1")):
        assert letters.backend.send(user, "GET", "/dead-letters").problem == "not-allowed"
        assert letters.backend.send(user, "POST", f"/dead-letters/{letter_id}/redrive").problem == "not-allowed"
    assert letters.seen()["data"][0]["tries"] == 1
