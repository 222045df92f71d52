"""Idempotency keys, by the table that Stripe documents."""

from threading import Barrier, Thread

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.idempotency import IDEMPOTENCY_KEYS
from local.stripe_simulator.messages import Response
from local.stripe_simulator.shelves import Collection
from local.stripe_simulator.state import State

from .conftest import START

DAY = 24 * 3600
DESTINATIONS = "/v2/core/event_destinations"


def create(simulator: Simulator, name: str, key: str = "k", path: str = "/v1/products") -> Response:
    return simulator.request("POST", path, {"name": name}, headers={"Idempotency-Key": key})


def products(simulator: Simulator) -> int:
    return len(simulator.request("GET", "/v1/products").json()["data"])


def test_the_first_answer_is_replayed(simulator: Simulator) -> None:
    first, second = create(simulator, "Tea"), create(simulator, "Tea")
    assert second.body == first.body
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Idempotency-Key"] == "k"
    assert "Idempotent-Replayed" not in first.headers
    assert products(simulator) == 1


@pytest.mark.parametrize(("name", "path"), [("Coffee", "/v1/products"), ("Tea", "/v1/customers")])
def test_another_request_under_the_same_key_is_refused(simulator: Simulator, name: str, path: str) -> None:
    create(simulator, "Tea")
    answer = create(simulator, name, path=path)
    assert (answer.status, answer.json()["error"]["type"]) == (400, "idempotency_error")
    assert products(simulator) == 1


def test_stripe_python_recognizes_the_refusal(client: stripe.StripeClient) -> None:
    client.v1.products.create({"name": "Tea"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.products.create({"name": "Coffee"}, {"idempotency_key": "k"})


def test_a_failed_validation_is_not_kept(simulator: Simulator) -> None:
    assert create(simulator, "").status == 400
    assert create(simulator, "Tea").status == 200


def test_a_failure_during_execution_is_kept(simulator: Simulator) -> None:
    key = {"Idempotency-Key": "k"}
    missing = simulator.request("POST", "/v1/products/tea", {"name": "x"}, headers=key)
    simulator.request("POST", "/v1/products", {"id": "tea", "name": "Tea"})
    again = simulator.request("POST", "/v1/products/tea", {"name": "x"}, headers=key)
    assert (missing.status, again.status, again.headers["Idempotent-Replayed"]) == (404, 404, "true")


def test_a_500_is_kept(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("local.stripe_simulator.context.events.record", lambda *_args, **_named: 1 / 0)
        assert create(simulator, "Tea").status == 500
    again = create(simulator, "Tea")
    assert (again.status, again.headers["Idempotent-Replayed"]) == (500, "true")
    assert products(simulator) == 0


def test_a_key_is_forgotten_after_a_day(simulator: Simulator) -> None:
    create(simulator, "Tea")
    simulator.advance(DAY - 1)
    create(simulator, "Tea")
    assert products(simulator) == 1
    simulator.advance(1)
    assert create(simulator, "Coffee").status == 200
    assert products(simulator) == 2


def test_a_key_in_use_is_a_conflict(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    reached, released = Barrier(2), Barrier(2)
    answers: list[Response] = []

    def wait(*_args: object, **_named: object) -> None:
        reached.wait(5)
        released.wait(5)

    monkeypatch.setattr("local.stripe_simulator.context.events.record", wait)
    first = Thread(target=lambda: answers.append(create(simulator, "Tea")))
    first.start()
    reached.wait(5)
    second = create(simulator, "Tea")
    released.wait(5)
    first.join(5)
    assert (second.status, second.json()["error"]["type"]) == (409, "idempotency_error")
    assert (second.json()["error"]["code"], second.headers["Idempotency-Key"]) == ("idempotency_key_in_use", "k")
    assert [answer.status for answer in answers] == [200]
    assert create(simulator, "Tea").body == answers[0].body


def test_keys_of_two_accounts_have_nothing_to_do_with_each_other(simulator: Simulator) -> None:
    connect(simulator, "acct_seller")
    here = {"Idempotency-Key": "k"}
    there = here | {"Stripe-Account": "acct_seller"}
    one = simulator.request("POST", "/v1/products", {"name": "Tea"}, headers=here).json()
    two = simulator.request("POST", "/v1/products", {"name": "Coffee"}, headers=there).json()
    assert (one["name"], two["name"]) == ("Tea", "Coffee")


def test_a_get_ignores_its_key(simulator: Simulator) -> None:
    key = {"Idempotency-Key": "k"}
    assert simulator.request("GET", "/v1/products", headers=key).json()["data"] == []
    create(simulator, "Tea", key="other")
    assert len(simulator.request("GET", "/v1/products", headers=key).json()["data"]) == 1


def destination(
    simulator: Simulator, key: str = "k", name: str = "thin", method: str = "POST", path: str = ""
) -> Response:
    """A request of API v2."""
    params = {
        "name": name,
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": ["v1.product.created"],
        "webhook_endpoint": {"url": "http://127.0.0.1:9/"},
    }
    given = params if method == "POST" else {}
    return simulator.request(method, f"{DESTINATIONS}{path}", given, headers={"Idempotency-Key": key})


def destinations(simulator: Simulator) -> int:
    return len(simulator.request("GET", DESTINATIONS).json()["data"])


def test_api_v2_replays_what_was_done_for_thirty_days(simulator: Simulator) -> None:
    first = destination(simulator)
    simulator.advance(30 * DAY - 1)
    assert destination(simulator).body == first.body
    assert destinations(simulator) == 1
    simulator.advance(1)
    assert destination(simulator).json()["id"] != first.json()["id"]
    assert destinations(simulator) == 2


def test_api_v2_executes_again_what_failed(simulator: Simulator) -> None:
    simulator.faults.order("server_error", path=DESTINATIONS)
    assert destination(simulator).status == 500
    assert destinations(simulator) == 0
    again = destination(simulator)
    assert (again.status, "Idempotent-Replayed" in again.headers) == (200, False)


def test_api_v2_does_not_repeat_what_was_done_though_its_caller_was_told_otherwise(simulator: Simulator) -> None:
    simulator.faults.order("server_error", path=DESTINATIONS, done=True)
    assert destination(simulator).status == 500
    again = destination(simulator)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert destinations(simulator) == 1


def test_a_key_of_api_v2_is_one_for_each_kind_of_request(simulator: Simulator) -> None:
    made = destination(simulator).json()
    path = f"/{made['id']}"
    assert simulator.request("POST", f"{DESTINATIONS}{path}/disable", headers={"Idempotency-Key": "k"}).status == 200
    assert destination(simulator, name="other").json()["error"]["type"] == "idempotency_error"


def test_a_delete_heeds_its_key_in_api_v2_only(simulator: Simulator) -> None:
    made = destination(simulator).json()
    gone = destination(simulator, key="d", method="DELETE", path=f"/{made['id']}")
    again = destination(simulator, key="d", method="DELETE", path=f"/{made['id']}")
    assert (gone.status, again.body, again.headers["Idempotent-Replayed"]) == (200, gone.body, "true")
    product = create(simulator, "Tea").json()["id"]
    answers = [simulator.request("DELETE", f"/v1/products/{product}", headers={"Idempotency-Key": "d"}) for _ in "12"]
    assert [answer.status for answer in answers] == [200, 404]


def test_expired_keys_do_not_pile_up(simulator: Simulator) -> None:
    for day in range(3):
        for number in range(20):
            create(simulator, "Tea", key=f"{day}-{number}")
        simulator.advance(DAY)
    with simulator.store.transaction() as transaction:
        assert State(transaction, simulator.platform).count(IDEMPOTENCY_KEYS) <= 20 + 1


def test_a_limit_that_was_set_refuses_what_is_too_much_in_a_second_and_keeps_nothing_of_it() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(requests_per_second=3))
    connect(simulator, "acct_seller")
    answers = [create(simulator, "Tea", key=str(number)) for number in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["error"]["code"] == "rate_limit"
    assert answers[3].headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert simulator.request("GET", "/v1/products", headers={"Stripe-Account": "acct_seller"}).status == 200
    simulator.advance(1)
    again = create(simulator, "Tea", key="3")
    assert (again.status, "Idempotent-Replayed" in again.headers) == (200, False)


def test_searches_have_a_limit_of_their_own() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(requests_per_second=100))
    search = ("GET", "/v1/products/search", {"query": 'name:"tea"'})
    answers = [simulator.request(*search) for _ in range(21)]
    assert [answer.status for answer in answers] == [200] * 20 + [429]
    assert answers[20].headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert simulator.request("GET", "/v1/products").status == 200


def connect(simulator: Simulator, account: str) -> None:
    accounts = simulator.store.collections.get("account") or Collection("account")
    simulator.store.collections = {**simulator.store.collections, "account": accounts}
    with simulator.store.transaction() as transaction:
        State(transaction, simulator.platform).insert(accounts, {"id": account, "object": "account"})
