"""Faults on order: what a caller sees of each, and what was done all the same."""

import json
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.errors import InvalidParameterError
from local.stripe_simulator.faults import NotAnswered, NotReached
from local.stripe_simulator.faults.orders import OPTIONS, Effect
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .test_idempotency import connect

ANY = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]}


def make(simulator: Simulator, key: str | None = None, **headers: str) -> tuple[int, Any]:
    """Create a product; the status and the answer."""
    sent = headers | ({"Idempotency-Key": key} if key else {})
    answer = simulator.request("POST", "/v1/products", {"name": "Tea"}, headers=sent)
    return answer.status, answer.json()


def products(simulator: Simulator) -> int:
    return len(simulator.request("GET", "/v1/products").json()["data"])


def test_an_ordered_error_is_stripes_in_shape_and_happens_as_often_as_ordered(simulator: Simulator) -> None:
    simulator.faults.order("error", method="POST", path="/v1/products", count=2, status=402, type="card_error",
                           code="card_declined", decline_code="do_not_honor", message="No.")  # fmt: skip
    for _ in range(2):
        status, answer = make(simulator)
        error = answer["error"]
        assert (status, error["type"], error["code"], error["decline_code"], error["message"]) == (
            402, "card_error", "card_declined", "do_not_honor", "No.",
        )  # fmt: skip
    assert make(simulator)[0] == 200
    assert products(simulator) == 1


def test_an_ordered_error_is_the_sdks_exception(simulator: Simulator, client: stripe.StripeClient) -> None:
    simulator.faults.order("error", path="/v1/refunds*", code="charge_already_refunded", param="charge")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"charge": "ch_1"})
    assert (caught.value.code, caught.value.param, caught.value.http_status) == (
        "charge_already_refunded",
        "charge",
        400,
    )


def test_a_rate_limit_and_a_lock_leave_nothing_under_the_key(simulator: Simulator) -> None:
    simulator.faults.order("rate_limit")
    status, answer = make(simulator, "k")
    assert (status, answer["error"]["code"]) == (429, "rate_limit")
    simulator.faults.order("lock_timeout")
    status, answer = make(simulator, "k")
    error = answer["error"]
    assert (status, error["code"], error["type"]) == (429, "lock_timeout", "invalid_request_error")
    simulator.faults.order("lock_timeout", status=409)
    assert make(simulator, "k")[0] == 409
    assert products(simulator) == 0
    assert make(simulator, "k")[0] == 200


def test_a_key_said_to_be_in_use_is_a_conflict_for_requests_that_have_one(simulator: Simulator) -> None:
    simulator.faults.order("key_in_use", path="/v1/products")
    assert make(simulator)[0] == 200
    status, answer = make(simulator, "k")
    assert (status, answer["error"]["code"]) == (409, "idempotency_key_in_use")
    assert make(simulator, "k")[0] == 200
    assert products(simulator) == 2


@pytest.mark.parametrize("done", [False, True])
def test_a_500_is_replayed_under_its_key_whether_the_work_was_done_or_not(simulator: Simulator, done: bool) -> None:
    simulator.faults.order("server_error", path="/v1/products", done=done)
    first, again = make(simulator, "k"), make(simulator, "k")
    assert first[0] == 500
    assert first == again
    assert products(simulator) == done
    assert make(simulator, "other")[0] == 200


def test_a_time_out_comes_after_the_work_and_its_key_finds_the_answer(simulator: Simulator) -> None:
    simulator.faults.order("time_out", path="/v1/products")
    with pytest.raises(NotAnswered):
        make(simulator, "k")
    assert products(simulator) == 1
    status, answer = make(simulator, "k")
    assert (status, answer["name"]) == (200, "Tea")
    assert products(simulator) == 1


def test_a_refused_connection_comes_before_the_work(simulator: Simulator) -> None:
    simulator.faults.order("refuse_connection", path="/v1/products")
    with pytest.raises(NotReached):
        make(simulator, "k")
    assert products(simulator) == 0


@pytest.mark.parametrize("effect", ["time_out", "refuse_connection"])
def test_the_sdk_in_process_sees_a_connection_error_and_retries_under_its_key(
    simulator: Simulator, effect: str
) -> None:
    simulator.faults.order(effect, method="POST", path="/v1/products")
    carrier = InProcessClient(simulator)
    client = stripe.StripeClient("sk_test_1", http_client=carrier, max_network_retries=0)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.products.create({"name": "Tea"})
    simulator.reset()
    simulator.faults.order(effect, method="POST", path="/v1/products")
    stripe.StripeClient("sk_test_1", http_client=carrier, max_network_retries=1).v1.products.create({"name": "Tea"})
    assert products(simulator) == 1


def test_a_late_answer_moves_the_clock_of_a_client_in_process(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    simulator.faults.order("delay", path="/v1/products", seconds=30)
    assert client.v1.products.create({"name": "Tea"}).created == START
    assert client.v1.products.create({"name": "Tea"}).created == START + 30


def test_a_replay_uses_up_no_fault_of_the_work_it_does_not_do(simulator: Simulator) -> None:
    make(simulator, "k")
    simulator.faults.order("server_error", path="/v1/products")
    assert make(simulator, "k")[0] == 200
    assert make(simulator, "new")[0] == 500


def test_an_order_concerns_its_method_path_and_account_only(simulator: Simulator) -> None:
    connect(simulator, "acct_seller")
    product = make(simulator)[1]["id"]
    simulator.faults.order(
        "rate_limit", method="POST", path="/v1/products/{product}", account="acct_seller", count=None
    )
    assert make(simulator, **{"Stripe-Account": "acct_seller"})[0] == 200
    path = f"/v1/products/{product}"
    assert simulator.request("POST", path, {"name": "Chai"}).status == 200
    seller = {"Stripe-Account": "acct_seller"}
    assert simulator.request("GET", path, headers=seller).status == 404
    assert simulator.request("POST", path, {"name": "Chai"}, headers=seller).status == 429


def test_occasions_can_be_let_pass_and_the_oldest_order_comes_first(simulator: Simulator) -> None:
    simulator.faults.order("rate_limit", path="/v1/products", skip=1)
    simulator.faults.order("server_error", path="/v1/products", skip=1)
    assert [make(simulator)[0] for _ in range(4)] == [200, 429, 500, 200]


def test_chance_is_the_same_for_the_same_seed(simulator: Simulator) -> None:
    def play(seed: int) -> list[int]:
        other = Simulator(clock=Clock.standing(START), seed=7)
        other.faults.order("rate_limit", path="/v1/products", count=None, probability=0.5, seed=seed)
        return [make(other)[0] for _ in range(40)]

    assert play(1) == play(1)
    assert play(1) != play(2)
    assert set(play(1)) == {200, 429}


def test_orders_can_be_seen_and_taken_back(simulator: Simulator) -> None:
    made = simulator.faults.order("rate_limit", count=None)
    make(simulator)
    (seen,) = simulator.faults.ordered()
    assert (seen["id"], seen["seen"], seen["met"]) == (made["id"], 1, 1)
    assert simulator.faults.cancel(made["id"])
    assert not simulator.faults.cancel(made["id"])
    assert make(simulator)[0] == 200
    simulator.faults.order("rate_limit")
    assert (simulator.faults.clear(), simulator.faults.ordered()) == (1, [])


@pytest.mark.parametrize(
    ("effect", "options"),
    [
        ("explode", {}),
        ("rate_limit", {"event_type": "*"}),
        ("lose", {"path": "/v1/*"}),
        ("duplicate", {"copies": 0}),
        ("delay", {"seconds": -1}),
        ("delay", {"seconds": "soon"}),
        ("error", {"status": 200}),
        ("rate_limit", {"count": 0}),
        ("rate_limit", {"probability": 2}),
        ("server_error", {"done": "perhaps"}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(simulator: Simulator, effect: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        simulator.faults.order(effect, **options)


def test_every_effect_can_be_ordered(simulator: Simulator) -> None:
    for effect in Effect:
        assert OPTIONS[effect].items() <= simulator.faults.order(effect).items()


def tell(simulator: Simulator, *names: str) -> None:
    """Have one product.created each."""
    for name in names:
        simulator.request("POST", "/v1/products", {"name": name})


def heard(simulator: Simulator) -> list[str]:
    return [json.loads(each.body)["data"]["object"]["name"] for each in simulator.take_deliveries()]


@pytest.fixture
def secret(simulator: Simulator) -> str:
    """What signs for the one endpoint."""
    found: str = simulator.request("POST", "/v1/webhook_endpoints", ANY).json()["secret"]
    return found


@pytest.mark.usefixtures("secret")
def test_a_lost_delivery_never_comes_and_its_event_can_be_read_and_sent_again(simulator: Simulator) -> None:
    simulator.faults.order("lose", event_type="product.*")
    tell(simulator, "lost", "kept")
    assert heard(simulator) == ["kept"]
    (lost,) = simulator.request("GET", "/v1/events", {"delivery_success": False}).json()["data"]
    assert lost["data"]["object"]["name"] == "lost"
    assert simulator.next_due_delivery(signed_at=START) is None
    assert simulator.redeliver(lost["id"]) == 1
    assert heard(simulator) == ["lost"]


@pytest.mark.usefixtures("secret")
def test_a_delivery_is_duplicated_and_its_event_is_one(simulator: Simulator) -> None:
    simulator.faults.order("duplicate", copies=2)
    tell(simulator, "often", "once")
    deliveries = simulator.take_deliveries()
    assert [json.loads(each.body)["data"]["object"]["name"] for each in deliveries] == ["often"] * 3 + ["once"]
    assert len({each.event_id for each in deliveries}) == 2
    events = simulator.request("GET", "/v1/events").json()["data"]
    assert [each["pending_webhooks"] for each in events] == [0, 0]


@pytest.mark.usefixtures("secret")
def test_an_event_waits_for_its_other_endpoint_however_often_it_came_to_the_first(simulator: Simulator) -> None:
    simulator.faults.order("duplicate")
    simulator.request("POST", "/v1/webhook_endpoints", {**ANY, "url": "http://127.0.0.1:9/other"})
    tell(simulator, "Tea")
    for expected in (1, 1, 0):
        delivery = simulator.next_due_delivery(signed_at=START)
        assert delivery
        simulator.finish_delivery(delivery.id, status=200)
        (event,) = simulator.request("GET", "/v1/events").json()["data"]
        assert event["pending_webhooks"] == expected


@pytest.mark.usefixtures("secret")
def test_a_postponed_delivery_comes_in_its_time_to_whoever_sends_it(simulator: Simulator) -> None:
    simulator.faults.order("postpone", seconds=60)
    tell(simulator, "late", "early")
    assert heard(simulator) == ["early"]
    simulator.advance(59)
    assert heard(simulator) == []
    assert simulator.next_due_delivery(signed_at=START) is None
    simulator.advance(1)
    assert len(simulator.deliveries()) == 1
    assert simulator.next_due_delivery(signed_at=START)


def test_deliveries_are_reordered_in_the_same_way_for_the_same_seed() -> None:
    def play(seed: int) -> list[str]:
        simulator = Simulator(clock=Clock.standing(START), seed=7)
        simulator.request("POST", "/v1/webhook_endpoints", ANY)
        simulator.faults.order("reorder", seconds=600, count=None, seed=seed)
        tell(simulator, *"abcdefgh")
        simulator.advance(600)
        return heard(simulator)

    assert play(1) == play(1)
    assert play(1) != play(2)
    assert sorted(play(1)) == list("abcdefgh")
    assert play(1) != list("abcdefgh")


def test_a_wrong_signature_is_refused_and_the_next_delivery_is_right(simulator: Simulator, secret: str) -> None:
    simulator.faults.order("sign_wrongly")
    tell(simulator, "forged", "true")
    forged, true = simulator.take_deliveries()
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(forged.body, forged.headers["Stripe-Signature"], secret, tolerance=10**10)
    stripe.Webhook.construct_event(true.body, true.headers["Stripe-Signature"], secret, tolerance=10**10)


def test_a_live_event_is_signed_well_and_says_that_it_is_live(simulator: Simulator, secret: str) -> None:
    simulator.faults.order("deliver_as_live", event_type="product.created", account=simulator.platform)
    tell(simulator, "live", "test")
    events = [
        stripe.Webhook.construct_event(each.body, each.headers["Stripe-Signature"], secret, tolerance=10**10)
        for each in simulator.take_deliveries()
    ]
    assert [event.livemode for event in events] == [True, False]
