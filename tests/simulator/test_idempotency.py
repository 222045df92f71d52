"""Idempotency keys, by the table that Stripe documents."""

from threading import Barrier, Thread

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.errors import IdempotencyError
from local.stripe_simulator.messages import Response
from local.stripe_simulator.shelves import Collection
from local.stripe_simulator.state import State

DAY = 24 * 3600


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
    record = "local.stripe_simulator.context.events.record"

    def wait(*_args: object, **_named: object) -> None:
        reached.wait(5)
        released.wait(5)

    monkeypatch.setattr(record, wait)
    first = Thread(target=lambda: answers.append(create(simulator, "Tea")))
    first.start()
    reached.wait(5)
    held = simulator._api.keys_in_use.hold(simulator.platform, "k")
    with pytest.raises(IdempotencyError, match="in-progress") as refused, held:
        pass
    released.wait(5)
    first.join(5)
    assert (refused.value.http_status, refused.value.code) == (409, "idempotency_key_in_use")
    assert [answer.status for answer in answers] == [200]


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


def connect(simulator: Simulator, account: str) -> None:
    accounts = simulator.store.collections.get("account") or Collection("account")
    simulator.store.collections = {**simulator.store.collections, "account": accounts}
    with simulator.store.transaction() as transaction:
        State(transaction, simulator.platform).insert(accounts, {"id": account, "object": "account"})
