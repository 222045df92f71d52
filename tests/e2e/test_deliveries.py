"""Stripe's deliveries on their way through API, queue and processor: forged, repeated, redelivered, poisoned."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest
import stripe

from tests.e2e.shop import Json, Shop, at_once, done, until

TOO_OLD_SECONDS = 301
SOON_SECONDS, USUAL_SECONDS = "2", "120"  # a failed message is tried again after this long


def signed(secret: str, body: str, *, at: int | None = None, scheme: str = "v1") -> str:
    """The header Stripe-Signature, made as Stripe's documentation says."""
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},{scheme}={digest}"


def deliver(shop: Shop, body: str, signature: str | None = None) -> int:
    """The status that a delivery to the account's endpoint is answered with; it is well signed, unless told."""
    header = signed(shop.stack.webhook_secrets["account"][0], body) if signature is None else signature
    answer = shop.http.post("/webhooks/stripe/account", content=body, headers={"Stripe-Signature": header})
    return answer.status_code


def events_about(shop: Shop, transaction_id: str) -> dict[str, Json]:
    """The events about a sale that the account's endpoint hears of, by type, the first first."""
    endpoint = account_endpoint(shop)
    url, key = f"{shop.stack.stripe}/v1/events", {"Authorization": f"Bearer {shop.stack.stripe_key}"}
    told = done(httpx.get(url, params={"limit": 100}, headers=key))["data"]
    ours = [each for each in reversed(told) if transaction_id in json.dumps(each)]
    return {each["type"]: each for each in ours if each["type"] in endpoint.enabled_events}


def account_endpoint(shop: Shop) -> stripe.WebhookEndpoint:
    (found,) = [each for each in shop.stripe.v1.webhook_endpoints.list().data if each.url.endswith("/account")]
    return found


def renamed(event: Json) -> tuple[str, str]:
    """The id and body of an event that nobody has heard of, and that says the same."""
    event_id = f"evt_{uuid.uuid4().hex}"
    return event_id, json.dumps({**event, "id": event_id})


def outcomes(shop: Shop, event_id: str) -> list[str]:
    """What became of an event, by its marker in the table."""
    return [row["outcome"]["S"] for row in shop.rows(f"EVENT#{event_id}")]


@pytest.fixture
def by_hand(shop: Shop) -> Iterator[None]:
    """Stripe itself delivers nothing to the account's endpoint: the test does."""
    endpoint = account_endpoint(shop)
    shop.stripe.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    yield
    shop.stripe.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})


def test_f03_the_same_event_a_hundred_times_at_once_is_applied_once(shop: Shop, seller: Json, by_hand: None) -> None:
    session = shop.sell(seller, 10_000)
    assert shop.pay(session).is_redirect
    events = events_about(shop, session["transaction_id"])
    charge = events.pop("charge.succeeded")
    statuses = at_once(100, lambda _: deliver(shop, json.dumps(charge)), abreast=10)
    assert statuses == [200] * 100
    shop.quiet()
    assert outcomes(shop, charge["id"]) == ["applied"]
    assert len([e for e in shop.entries(session["transaction_id"]) if e["kind"] == "charge"]) == 1
    for event in events.values():
        assert deliver(shop, json.dumps(event)) == 200
    shop.settled(session)
    assert shop.ledger(session["transaction_id"]) == {
        "stripe_balance": 680,
        "platform_revenue": -1_000,
        "processor_fees": 320,
    }


def test_f04_an_event_that_the_queue_has_forgotten_changes_nothing_either(shop: Shop, seller: Json) -> None:
    sold = shop.paid_sale(seller, 10_000)
    shop.quiet()
    before = shop.rows(f"TRANSACTION#{sold['id']}")
    queue = shop.stack.client("sqs")
    for event in events_about(shop, sold["id"]).values():
        assert len(outcomes(shop, event["id"])) == 1
        for group in ("again", "and-again"):
            name = {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex}
            queue.send_message(QueueUrl=shop.stack.queue_url, MessageBody=json.dumps(event), **name)
    shop.quiet()
    assert shop.rows(f"TRANSACTION#{sold['id']}") == before


def test_w4_a_sale_of_which_no_delivery_came_is_replayed(shop: Shop, seller: Json, by_hand: None) -> None:
    """To catch up waits ten minutes for deliveries: tests/simulation/test_catch_up.py has the time."""
    session = shop.sell(seller, 10_000)
    assert shop.pay(session).is_redirect
    sold = session["transaction_id"]
    assert shop.record(sold)["status"] == "open"
    assert shop.invoke("CatchUpFunction")["troubles"] == 0
    replayed = shop.invoke("CatchUpFunction", transaction_id=sold)
    assert replayed["changes"] == {sold: {"before": "open", "after": "paid"}}
    assert len(shop.entries(sold)) == replayed["journal_entries"]
    assert shop.invoke("CatchUpFunction", transaction_id=sold)["changes"] == {}


def test_what_stripe_delivers_again_changes_nothing(shop: Shop, seller: Json) -> None:
    sold = shop.paid_sale(seller, 10_000)
    shop.quiet()
    before = shop.rows(f"TRANSACTION#{sold['id']}")
    events = events_about(shop, sold["id"]).values()
    for event in events:
        assert done(httpx.post(f"{shop.stack.stripe}/_simulator/events/{event['id']}/redeliver"))["queued"] == 1
    shop.quiet()
    log = done(httpx.get(f"{shop.stack.stripe}/_simulator/deliveries/log"))["data"]
    for event in events:
        assert [each["status"] for each in log if each["event"] == event["id"]] == ["succeeded", "succeeded"]
    assert shop.rows(f"TRANSACTION#{sold['id']}") == before


def test_the_same_facts_under_another_event_s_name_are_booked_once(shop: Shop, seller: Json) -> None:
    sold = shop.paid_sale(seller, 10_000)
    entries = shop.entries(sold["id"])
    for event in events_about(shop, sold["id"]).values():
        event_id, body = renamed(event)
        assert deliver(shop, body) == 200
        shop.quiet()
        assert outcomes(shop, event_id) == ["applied"]
    assert shop.entries(sold["id"]) == entries


@pytest.mark.parametrize("forgery", ["unsigned", "empty", "another secret", "connect's", "changed", "old", "v0"])
def test_s01_a_forged_delivery_is_refused_and_nothing_happens(shop: Shop, seller: Json, forgery: str) -> None:
    sold = shop.paid_sale(seller, 10_000)
    event_id, body = renamed(events_about(shop, sold["id"])["charge.succeeded"])
    secret = shop.stack.webhook_secrets["account"][0]
    headers = {
        "unsigned": "",
        "empty": signed("", body),
        "another secret": signed("whsec_guessed", body),
        "connect's": signed(shop.stack.webhook_secrets["connect"][0], body),
        "changed": signed(secret, body.replace(event_id, "evt_1")),
        "old": signed(secret, body, at=int(time.time()) - TOO_OLD_SECONDS),
        "v0": signed(secret, body, scheme="v0"),
    }
    assert deliver(shop, body, headers[forgery]) == 400
    shop.quiet()
    assert outcomes(shop, event_id) == []


def test_f25_a_poison_message_ends_in_the_dead_letter_queue_while_others_go_on(shop: Shop, seller: Json) -> None:
    queue, dead = shop.stack.client("sqs"), shop.stack.dead_letter_queue_url
    body = json.dumps({"id": f"evt_{uuid.uuid4().hex}", "object": "event", "type": "charge.succeeded"})
    queue.set_queue_attributes(QueueUrl=shop.stack.queue_url, Attributes={"VisibilityTimeout": SOON_SECONDS})
    try:
        assert deliver(shop, body) == 200
        assert shop.paid_sale(seller, 10_000)["status"] == "paid"
        shop.quiet()
        found = until(lambda: queue.receive_message(QueueUrl=dead).get("Messages", []), bool)
    finally:
        queue.set_queue_attributes(QueueUrl=shop.stack.queue_url, Attributes={"VisibilityTimeout": USUAL_SECONDS})
    assert [json.loads(message["Body"]) for message in found] == [json.loads(body)]
    queue.delete_message(QueueUrl=dead, ReceiptHandle=found[0]["ReceiptHandle"])
