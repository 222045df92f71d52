"""Events and their deliveries."""

import json
from collections import Counter

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.settings import RETRIES_OVER_THREE_DAYS
from local.stripe_simulator.webhooks import Delivery

from .conftest import START
from .test_idempotency import connect

ANY = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]}


def types(simulator: Simulator) -> list[str]:
    return [delivery.event_type for delivery in simulator.deliveries()]


def endpoint(simulator: Simulator, **params: object) -> str:
    answer = simulator.request("POST", "/v1/webhook_endpoints", {**ANY, **params})
    secret: str = answer.json()["secret"]
    return secret


def test_a_delivery_verifies_with_the_sdk_and_with_no_other_secret(simulator: Simulator) -> None:
    secret, other = endpoint(simulator), "whsec_other"
    simulator.request("POST", "/v1/products", {"name": "Tea"}, headers={"Idempotency-Key": "k"})
    (delivery,) = simulator.deliveries()
    signed = delivery.headers["Stripe-Signature"]
    event = stripe.Webhook.construct_event(delivery.body, signed, secret, tolerance=10**10)
    assert (event.type, event.created, event.pending_webhooks) == ("product.created", START, 1)
    assert event.request
    assert event.request.idempotency_key == "k"
    for body, key in ((delivery.body, other), (delivery.body + b" ", secret)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signed, key, tolerance=10**10)


def test_the_secret_is_shown_at_creation_only(simulator: Simulator) -> None:
    created = simulator.request("POST", "/v1/webhook_endpoints", ANY).json()
    assert created["secret"].startswith("whsec_")
    for path in (f"/v1/webhook_endpoints/{created['id']}", "/v1/webhook_endpoints"):
        assert created["secret"].encode() not in simulator.request("GET", path).body


def test_an_event_keeps_the_object_as_it_was_and_says_what_changed(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ann", "metadata": {"a": "1", "b": "2"}})
    client.v1.customers.update(customer.id, {"name": "Bea", "metadata": {"a": "3", "c": "4"}})
    client.v1.customers.update(customer.id, {"name": "Bea"})  # nothing changes: nothing is told
    updated, created = client.v1.events.list({"type": "customer.*"}).data
    assert (updated.type, created.type) == ("customer.updated", "customer.created")
    assert (created.data.object["name"], updated.data.object["name"]) == ("Ann", "Bea")
    assert updated.data.to_dict()["previous_attributes"] == {"name": "Ann", "metadata": {"a": "1", "c": None}}


def test_each_endpoint_hears_what_it_asked_for_from_whom_it_asked(simulator: Simulator) -> None:
    connect(simulator, "acct_seller")
    seller = {"Stripe-Account": "acct_seller"}
    endpoint(simulator, url="http://own.test/")
    endpoint(simulator, url="http://connected.test/", connect=True)
    endpoint(simulator, url="http://customers.test/", enabled_events=["customer.created"])
    simulator.request("POST", "/v1/webhook_endpoints", {**ANY, "url": "http://sellers-own.test/"}, headers=seller)
    simulator.request("POST", "/v1/products", {"name": "ours"})
    simulator.request("POST", "/v1/customers")
    simulator.request("POST", "/v1/products", {"name": "theirs"}, headers=seller)
    heard = Counter((delivery.url, delivery.event_type, delivery.account) for delivery in simulator.deliveries())
    assert heard == Counter(
        [
            ("http://own.test/", "product.created", simulator.platform),
            ("http://own.test/", "customer.created", simulator.platform),
            ("http://customers.test/", "customer.created", simulator.platform),
            ("http://connected.test/", "product.created", "acct_seller"),
            ("http://sellers-own.test/", "product.created", "acct_seller"),
        ]
    )
    bodies = [json.loads(each.body) for each in simulator.deliveries() if each.account == "acct_seller"]
    assert {body.get("account") for body in bodies} == {"acct_seller"}
    assert simulator.request("GET", "/v1/products", headers=seller).json()["data"][0]["name"] == "theirs"


def test_thin_events_refer_to_the_object_and_can_be_fetched(simulator: Simulator, client: stripe.StripeClient) -> None:
    destination = client.v2.core.event_destinations.create(
        {
            "name": "thin",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.product.created"],
            "webhook_endpoint": {"url": "http://127.0.0.1:9/"},
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    assert destination.webhook_endpoint
    secret = destination.webhook_endpoint.signing_secret
    assert secret
    product = client.v1.products.create({"name": "Tea"})
    (delivery,) = simulator.deliveries()
    told = client.parse_event_notification(
        delivery.body, delivery.headers["Stripe-Signature"], secret, tolerance=10**10
    )
    assert (told.type, b"Tea" in delivery.body) == ("v1.product.created", False)
    fetched = client.v2.core.events.retrieve(told.id)
    assert fetched["related_object"]["id"] == product.id
    with pytest.raises(ValueError, match="thin event"):
        client.construct_event(delivery.body, delivery.headers["Stripe-Signature"], secret, tolerance=10**10)
    assert client.v2.core.event_destinations.retrieve(destination.id).webhook_endpoint.signing_secret is None  # type: ignore[union-attr]


def test_v2_lists_page_by_url(simulator: Simulator, client: stripe.StripeClient) -> None:
    for number in range(5):
        client.v2.core.event_destinations.create(
            {
                "name": str(number),
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": ["v1.product.created"],
                "webhook_endpoint": {"url": "http://127.0.0.1:9/"},
            }
        )
    pages = client.v2.core.event_destinations.list({"limit": 2})
    assert [each.name for each in pages.auto_paging_iter()] == ["4", "3", "2", "1", "0"]


def test_a_failed_delivery_is_tried_again_later_and_later_and_given_up_within_three_days(simulator: Simulator) -> None:
    endpoint(simulator)
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    times: list[int] = []
    for _ in range(4 * 24 * 3600 // 60):
        while (delivery := simulator.next_due_delivery(signed_at=simulator.clock.now())) is not None:
            times.append(simulator.clock.now())
            simulator.finish_delivery(delivery.id, status=500)
        simulator.advance(60)
    assert len(times) == len(RETRIES_OVER_THREE_DAYS) + 1
    assert times[-1] - times[0] < 3 * 24 * 3600
    assert simulator.deliveries() == []
    (logged,) = simulator.delivery_log(10)
    assert (logged["status"], len(logged["attempts"])) == ("failed", len(times))
    (event,) = simulator.request("GET", "/v1/events", {"delivery_success": False}).json()["data"]
    assert simulator.redeliver(event["id"]) == 1
    assert types(simulator) == ["product.created"]


def test_a_delivered_event_has_no_webhooks_pending(simulator: Simulator) -> None:
    endpoint(simulator)
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    delivery = simulator.next_due_delivery(signed_at=START)
    assert delivery
    simulator.finish_delivery(delivery.id, status=200)
    (event,) = simulator.request("GET", "/v1/events").json()["data"]
    assert event["pending_webhooks"] == 0
    assert simulator.next_due_delivery(signed_at=START) is None


def test_what_is_taken_is_the_callers_to_play(simulator: Simulator) -> None:
    endpoint(simulator)
    for name in ("a", "b"):
        simulator.request("POST", "/v1/products", {"name": name})
    taken = simulator.take_deliveries()
    assert [json.loads(each.body)["data"]["object"]["name"] for each in taken] == ["a", "b"]
    assert simulator.deliveries() == []
    assert simulator.next_due_delivery(signed_at=START) is None


def test_nothing_waits_for_an_endpoint_that_is_gone(simulator: Simulator) -> None:
    endpoint(simulator)
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    (found,) = simulator.request("GET", "/v1/webhook_endpoints").json()["data"]
    simulator.request("DELETE", f"/v1/webhook_endpoints/{found['id']}")
    assert simulator.deliveries() == []
    assert simulator.next_due_delivery(signed_at=START) is None


def roll(simulator: Simulator, endpoint_id: str, **params: int) -> str:
    answer = simulator.request("POST", f"/_simulator/endpoints/{endpoint_id}/roll_secret", params)
    assert answer.status == 200, answer.body
    return str(answer.json()["secret"])


def accepted(simulator: Simulator, secret: str) -> list[bool]:
    """Which of the waiting deliveries a receiver with that secret takes."""

    def takes(delivery: Delivery) -> bool:
        try:
            stripe.Webhook.construct_event(
                delivery.body, delivery.headers["Stripe-Signature"], secret, tolerance=10**10
            )
        except stripe.SignatureVerificationError:
            return False
        return True

    return [takes(delivery) for delivery in simulator.deliveries()]


def test_after_its_secret_was_rolled_both_sign_until_the_old_one_expires(simulator: Simulator) -> None:
    made = simulator.request("POST", "/v1/webhook_endpoints", ANY).json()
    new = roll(simulator, made["id"], expires_in_seconds=3600)
    assert new != made["secret"]
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    (delivery,) = simulator.deliveries()
    assert delivery.headers["Stripe-Signature"].count("v1=") == 2
    assert accepted(simulator, made["secret"]) == accepted(simulator, new) == [True]
    simulator.advance(3600)
    assert (accepted(simulator, made["secret"]), accepted(simulator, new)) == ([False], [True])


def test_a_secret_is_rolled_at_once_unless_told_and_for_a_day_at_most(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    destination = client.v2.core.event_destinations.create(
        {
            "name": "snapshots",
            "type": "webhook_endpoint",
            "event_payload": "snapshot",
            "enabled_events": ["product.created"],
            "webhook_endpoint": {"url": "http://127.0.0.1:9/"},
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    assert destination.webhook_endpoint
    new = roll(simulator, destination.id)
    client.v1.products.create({"name": "Tea"})
    assert accepted(simulator, str(destination.webhook_endpoint.signing_secret)) == [False]
    assert accepted(simulator, new) == [True]
    path = f"/_simulator/endpoints/{destination.id}/roll_secret"
    for wrong in (86_401, -1, "soon"):
        assert simulator.request("POST", path, {"expires_in_seconds": wrong}).status == 400
    assert simulator.request("POST", "/_simulator/endpoints/we_none/roll_secret").status == 404


def test_retries_can_be_set_as_in_a_sandbox_and_stop_when_the_endpoint_is_disabled() -> None:
    settings = Settings(webhook_retry_delays_seconds=(600, 3_600, 7_200))
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=settings)
    made = simulator.request("POST", "/v1/webhook_endpoints", ANY).json()
    simulator.request("POST", "/v1/products", {"name": "Tea"})

    def attempt() -> bool:
        delivery = simulator.next_due_delivery(signed_at=simulator.clock.now())
        if delivery:
            simulator.finish_delivery(delivery.id, status=None, error="refused")
        return delivery is not None

    attempts = [attempt()]
    for seconds in (599, 1, 3_600):
        simulator.advance(seconds)
        attempts.append(attempt())
    assert attempts == [True, False, True, True]
    simulator.request("POST", f"/v1/webhook_endpoints/{made['id']}", {"disabled": True})
    simulator.advance(7_200)
    assert not attempt()
    simulator.request("POST", f"/v1/webhook_endpoints/{made['id']}", {"disabled": False})
    simulator.advance(86_400)
    assert not attempt()
    assert simulator.delivery_log(1)[0]["status"] == "failed"
