"""Many threads and connections at once: every request is whole, and no cent is missing."""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import stripe

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.messages import Response

from .conftest import START
from .paying import assert_exact, balance, pay_seller
from .shop import ready_seller

THREADS = 8


@pytest.fixture(autouse=True)
def _threads_that_often_take_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_payments_and_refunds_of_eight_threads_end_exact(simulator: Simulator, client: stripe.StripeClient) -> None:
    sellers = [ready_seller(simulator, client) for _ in range(3)]

    def shop(thread: int) -> tuple[int, int]:
        """What this thread's buyers paid, less refunds, and what was refunded of the sellers' shares."""
        own = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
        chance = random.Random(thread)
        paid = refunded = 0
        for _ in range(12):
            amount = chance.randrange(1_000, 9_000)
            intent = pay_seller(own, chance.choice(sellers), amount, 100)
            paid += amount
            if chance.random() < 0.4:
                own.v1.refunds.create(
                    {"payment_intent": intent.id, "reverse_transfer": True, "refund_application_fee": True}
                )
                refunded += amount
        return paid, refunded

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(shop, range(THREADS)))
    assert_exact(simulator)
    charges = list(client.v1.charges.list({"limit": 100}).auto_paging_iter())
    assert sum(charge.amount for charge in charges) == sum(paid for paid, _ in outcomes)
    assert sum(charge.amount_refunded for charge in charges) == sum(refunded for _, refunded in outcomes)
    kept = [charge.amount - 100 for charge in charges if not charge.refunded]
    assert sum(sum(balance(client, seller)) for seller in sellers) == sum(kept)


def test_one_key_in_many_threads_is_one_payment() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7)
    params = {"amount": 1_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}

    def press(_number: int) -> Response:
        return simulator.request("POST", "/v1/payment_intents", params, headers={"Idempotency-Key": "once"})

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(press, range(4 * THREADS)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {200, 409}
    assert len({answer.body for answer in answers if answer.status == 200}) == 1
    assert len(simulator.request("GET", "/v1/charges").json()["data"]) == 1
    assert_exact(simulator)


def test_connections_at_once_get_their_own_answers(served: str) -> None:
    with httpx.Client(base_url=served, headers={"Authorization": "Bearer sk_test_1"}) as client:

        def make(number: int) -> tuple[int, str]:
            answer = client.post("/v1/products", data={"name": str(number)})
            return answer.status_code, answer.json()["name"]

        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(make, range(80)))
    assert answers == [(200, str(number)) for number in range(80)]
