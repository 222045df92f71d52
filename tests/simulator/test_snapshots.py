"""Snapshots, the reset, a file's clock, and the log of requests."""

from pathlib import Path
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.errors import ResourceMissingError
from local.stripe_simulator.faults import NotAnswered, NotReached
from local.stripe_simulator.request_log import KEPT

from .conftest import START
from .paying import ANY, assert_exact, pay_seller
from .shop import ready_seller


def run(simulator: Simulator, client: stripe.StripeClient, seller: str) -> list[Any]:
    """A payment, its events and what its bank does days later; everything that a client can see of it."""
    transfer = {"transfer_data": {"destination": seller}, "application_fee_amount": 1_000}
    card = {"confirm": True, "payment_method": "pm_card_visa"}
    intent = simulator.request("POST", "/v1/payment_intents", {"amount": 10_000, "currency": "usd", **card, **transfer})
    simulator.advance(3 * 24 * 3_600)
    assert_exact(simulator)
    balance = client.v1.balance.retrieve({}, {"stripe_account": seller}).to_dict()
    told = [(each.id, each.body, each.headers) for each in simulator.deliveries()]
    return [intent.body, intent.headers, balance, told, simulator.clock.now()]


def test_two_runs_from_one_snapshot_are_identical(simulator: Simulator, client: stripe.StripeClient) -> None:
    simulator.request("POST", "/v1/webhook_endpoints", ANY)
    seller = ready_seller(simulator, client)
    simulator.faults.order("duplicate", event_type="charge.*", probability=0.5, count=None)
    simulator.snapshots.save("ready")
    first = run(simulator, client, seller)
    for _ in range(2):
        simulator.snapshots.load("ready")
        assert simulator.clock.now() == START
        assert run(simulator, client, seller) == first


def test_a_snapshot_holds_what_is_due_and_what_was_answered(simulator: Simulator, client: stripe.StripeClient) -> None:
    pay_seller(client, ready_seller(simulator, client))
    made = simulator.request("POST", "/v1/products", {"name": "Tea"}, headers={"Idempotency-Key": "k"}).json()
    simulator.snapshots.save("paid")
    simulator.reset()
    assert simulator.request("GET", "/v1/products").json()["data"] == []
    simulator.snapshots.load("paid")
    again = simulator.request("POST", "/v1/products", {"name": "Tea"}, headers={"Idempotency-Key": "k"})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (made, "true")
    simulator.advance(3 * 24 * 3_600)
    balance = client.v1.balance.retrieve()
    assert [each.amount for each in balance.pending] == [0]
    assert_exact(simulator)


def test_what_was_due_after_a_snapshot_falls_due_again(simulator: Simulator, client: stripe.StripeClient) -> None:
    simulator.request("POST", "/v1/webhook_endpoints", ANY)
    pay_seller(client, ready_seller(simulator, client))
    simulator.run_due()
    simulator.snapshots.save("paid")
    for _ in range(2):
        simulator.snapshots.load("paid")
        simulator.advance(3 * 24 * 3_600)
        assert [each.amount for each in client.v1.balance.retrieve().pending] == [0]
        assert simulator.next_due_delivery(signed_at=START)


def test_snapshots_are_listed_replaced_and_deleted(simulator: Simulator) -> None:
    simulator.snapshots.save("a")
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    simulator.snapshots.save("b")
    simulator.snapshots.save("a")
    assert [each["name"] for each in simulator.snapshots.saved()] == ["b", "a"]
    simulator.snapshots.delete("b")
    for act in (simulator.snapshots.delete, simulator.snapshots.load):
        with pytest.raises(ResourceMissingError):
            act("b")


def test_a_reset_simulator_is_as_new(simulator: Simulator) -> None:
    new = simulator.request("POST", "/v1/products", {"name": "Tea"}).body
    simulator.advance(3_600)
    simulator.faults.order("rate_limit")
    simulator.reset()
    assert (simulator.clock.now(), simulator.faults.ordered()) == (START, [])
    assert simulator.request("POST", "/v1/products", {"name": "Tea"}).body == new


def test_a_moved_clock_and_a_loaded_snapshot_survive_the_file(tmp_path: Path) -> None:
    file = tmp_path / "state"
    first = Simulator(clock=Clock.standing(START), seed=7, database=file)
    first.request("POST", "/v1/products", {"name": "Tea"})
    first.advance(3_600)
    first.snapshots.save("one")
    first.request("POST", "/v1/products", {"name": "Chai"})
    first.snapshots.load("one")
    first.close()
    second = Simulator(clock=Clock.standing(START), seed=7, database=file)
    assert second.clock.now() == START + 3_600
    assert [each["name"] for each in second.request("GET", "/v1/products").json()["data"]] == ["Tea"]
    second.close()


def test_a_running_clock_keeps_its_distance_to_the_machines_in_the_file(tmp_path: Path) -> None:
    first = Simulator(database=tmp_path / "state")
    first.advance(10_000)
    moved = first.clock.now()
    first.close()
    second = Simulator(database=tmp_path / "state")
    assert 0 <= second.clock.now() - moved < 60
    second.reset()
    assert 0 <= second.clock.now() - moved < 60
    second.close()


def test_the_log_says_how_each_request_ended(simulator: Simulator) -> None:
    key = {"Idempotency-Key": "k"}
    made = simulator.request("POST", "/v1/products", {"name": "Tea"}, headers=key)
    simulator.request("POST", "/v1/products", {"name": "Tea"}, headers=key)
    simulator.request("GET", "/v1/products/none", headers={"Stripe-Account": "acct_none"})
    order = simulator.faults.order("refuse_connection", path="/v1/events")
    with pytest.raises(NotReached):
        simulator.request("GET", "/v1/events")
    simulator.faults.order("time_out", path="/v1/events")
    with pytest.raises(NotAnswered):
        simulator.request("GET", "/v1/events")
    log = simulator.log.newest()[::-1]
    assert [each["status"] for each in log] == [200, 200, 403, None, None]
    assert [each["outcome"] for each in log] == ["answered"] * 3 + ["not_reached", "not_answered"]
    assert [each["replayed"] for each in log] == [False, True, False, False, False]
    first = log[0]
    assert (first["at"], first["method"], first["path"]) == (START, "POST", "/v1/products")
    assert (first["object_id"], first["idempotency_key"]) == (made.json()["id"], "k")
    assert first["request_id"] == made.headers["Request-Id"]
    assert (log[2]["account"], log[3]["fault"]) == ("acct_none", order["id"])
    assert simulator.log.newest(1) == log[-1:]


def test_the_log_knows_the_object_of_every_kind_of_answer(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    intent = pay_seller(client, seller)
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    client.v1.balance.retrieve()
    assert [each["object_id"] for each in simulator.log.newest(3)] == [None, refund.id, intent.id]
    assert seller in {each["object_id"] for each in simulator.log.newest()}


def test_the_log_is_bounded_and_holds_no_secret_and_nobodys_name(simulator: Simulator) -> None:
    simulator.request("POST", "/v1/customers", {"email": "ann@example.com", "name": "Ann"})
    simulator.request("GET", "/v1/customers/ann@example.com")
    simulator.request("GET", "/connect/links/tokenthatopens")
    shown = str(simulator.log.newest())
    assert not any(each in shown for each in ("Ann", "ann@", "sk_test", "tokenthatopens"))
    for _ in range(KEPT + 10):
        simulator.request("GET", "/v1/products/none")
    assert len(simulator.log.newest()) == KEPT
