"""F36 on the local cloud: from the table's stream over the bus to a queue of the marketplace's own."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.e2e.shop import Json, Shop, done, until


class Listener:
    """A system of the marketplace's own: a queue behind a rule on the bus."""

    def __init__(self, shop: Shop) -> None:
        self._sqs = shop.stack.client("sqs")
        self._events = shop.stack.client("events")
        self._rule = {"Name": "everything", "EventBusName": shop.stack.event_bus_name}
        self._queue = self._sqs.create_queue(QueueName="own-system")["QueueUrl"]
        wanted = {"QueueUrl": self._queue, "AttributeNames": ["QueueArn"]}
        arn = self._sqs.get_queue_attributes(**wanted)["Attributes"]["QueueArn"]
        self._events.put_rule(**self._rule, EventPattern=json.dumps({"source": ["marketplace"]}))
        target = {"Rule": self._rule["Name"], "EventBusName": shop.stack.event_bus_name}
        self._events.put_targets(**target, Targets=[{"Id": "queue", "Arn": arn}])
        self._heard: list[Json] = []

    def heard(self) -> list[Json]:
        """Details of all that came so far."""
        while got := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            self._heard += [json.loads(each["Body"]) for each in got]
        return self._heard

    def about(self, transaction_id: str) -> list[Json]:
        told = [each["detail"] for each in self.heard()]
        return [each for each in told if transaction_id in json.dumps(each["object"])]

    def close(self) -> None:
        target = {"Rule": self._rule["Name"], "EventBusName": self._rule["EventBusName"]}
        self._events.remove_targets(**target, Ids=["queue"])
        self._events.delete_rule(**self._rule)
        self._sqs.delete_queue(QueueUrl=self._queue)


@pytest.fixture
def listener(shop: Shop) -> Iterator[Listener]:
    made = Listener(shop)
    yield made
    made.close()


def test_a_sale_and_its_refund_are_told_once_each_by_id(shop: Shop, seller: Json, listener: Listener) -> None:
    sold = shop.paid_sale(seller, 10_000)
    done(shop.refund(sold["id"], 1_000))
    told = until(lambda: listener.about(sold["id"]), lambda all_: any(e["type"] == "refund.succeeded" for e in all_))
    shop.quiet()
    told = listener.about(sold["id"])
    by_id = {each["id"]: each for each in told}
    assert Counter(each["type"] for each in by_id.values()) == {"transaction.paid": 1, "refund.succeeded": 1}
    (paid,) = (each for each in by_id.values() if each["type"] == "transaction.paid")
    said = [paid["object"][name] for name in ("id", "amount", "captured", "currency")]
    assert said == [sold["id"], 10_000, 10_000, "usd"]
    entries = [each for each in listener.heard() if each["detail"]["id"] in by_id]
    assert {(each["source"], each["detail-type"]) for each in entries} == {
        ("marketplace", "transaction.paid"),
        ("marketplace", "refund.succeeded"),
    }
