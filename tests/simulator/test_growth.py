"""What is asked costs as much with many objects as with few: counted in steps, so that no machine's speed matters."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.measure.steps import steps

from .conftest import START
from .paying import ANY, pay_seller
from .shop import ready_seller

FEW, MANY = 30, 330
SAME = 1.02


class Full:
    """A simulator with so many payments, a refund and a dispute for each tenth of them, all events taken."""

    def __init__(self, payments: int) -> None:
        self.simulator = Simulator(clock=Clock.standing(START), seed=7)
        self.client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(self.simulator))
        self.simulator.request("POST", "/v1/webhook_endpoints", ANY)
        self.seller = ready_seller(self.simulator, self.client)
        self.customer = self.client.v1.customers.create({"email": "first@leaf.example"}).id
        self.first = self.pay(0, customer=self.customer)
        for number in range(1, payments):
            self.pay(number)
        self.simulator.take_deliveries()

    def pay(self, number: int, **more: Any) -> stripe.PaymentIntent:
        self.client.v1.customers.create({"email": f"{number}@leaf.example"})
        intent = pay_seller(self.client, self.seller, metadata={"order": str(number)}, **more)
        if number % 10 == 0:
            self.client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
        return intent

    def get(self, path: str, **params: Any) -> Any:
        if path.count("/") == 2 and path != "/v1/balance":
            params.setdefault("limit", 3)  # that even the few fill
        answer = self.simulator.request("GET", path, params)
        assert answer.status == 200, answer.body
        return answer.json()

    def sell(self) -> None:
        self.pay(10)
        self.simulator.take_deliveries()


@pytest.fixture(scope="module")
def few() -> Full:
    return Full(FEW)


@pytest.fixture(scope="module")
def many() -> Full:
    return Full(MANY)


ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "charges": ("/v1/charges", {}),
    "charges of a customer": ("/v1/charges", {"customer": "CUSTOMER"}),
    "charges of an intent": ("/v1/charges", {"payment_intent": "INTENT"}),
    "charges behind one": ("/v1/charges", {"starting_after": "CHARGE"}),
    "charges before one": ("/v1/charges", {"ending_before": "CHARGE"}),
    "charges of a moment": ("/v1/charges", {"created": START}),
    "charges with intents": ("/v1/charges", {"expand": ["data.payment_intent"]}),
    "intents": ("/v1/payment_intents", {}),
    "intents of a customer": ("/v1/payment_intents", {"customer": "CUSTOMER"}),
    "customers by e-mail": ("/v1/customers", {"email": "first@leaf.example"}),
    "transfers to a seller": ("/v1/transfers", {"destination": "SELLER"}),
    "application fees": ("/v1/application_fees", {}),
    "balance transactions": ("/v1/balance_transactions", {"type": "refund"}),
    "refunds of an intent": ("/v1/refunds", {"payment_intent": "INTENT"}),
    "events": ("/v1/events", {}),
    "events of a kind": ("/v1/events", {"type": "charge.*"}),
    "events delivered": ("/v1/events", {"delivery_success": True}),
    "balance": ("/v1/balance", {}),
    "an intent": ("/v1/payment_intents/INTENT", {}),
    "search by e-mail": ("/v1/customers/search", {"query": 'email:"first@leaf.example"'}),
    "search by metadata": ("/v1/payment_intents/search", {"query": 'metadata["order"]:"0" status:"succeeded"'}),
    "search by what all have": ("/v1/charges/search", {"query": 'status:"succeeded" amount>1'}),
    "search before a moment": ("/v1/charges/search", {"query": f"created<{START}"}),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_read_costs_the_same_however_much_is_stored(few: Full, many: Full, name: str) -> None:
    counted = []
    for full in (few, many):
        names = {
            "CUSTOMER": full.customer,
            "INTENT": full.first.id,
            "CHARGE": str(full.first.latest_charge),
            "SELLER": full.seller,
        }
        path, params = ASKED[name]
        for placeholder, value in names.items():
            path = path.replace(placeholder, value)
        params = {key: names.get(value, value) if isinstance(value, str) else value for key, value in params.items()}
        full.get(path, **params)
        counted.append(steps(lambda: full.get(path, **params)))  # noqa: B023 - called at once
    assert counted[1] <= counted[0] * SAME


def test_a_payment_with_all_that_follows_costs_the_same(few: Full, many: Full) -> None:
    few.sell()
    many.sell()
    assert steps(many.sell) <= steps(few.sell) * SAME


def test_counting_sees_a_loop_over_everything(few: Full, many: Full) -> None:
    """What all of these tests stand on."""
    scans = [steps(lambda: list(full.simulator.store.rows())) for full in (few, many)]  # noqa: B023 - called at once
    assert scans[1] > scans[0] * 5


def test_a_year_of_the_clock_does_nothing_where_nothing_is_due() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7)
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    day, year = (steps(lambda: simulator.advance(days * 24 * 3_600)) for days in (1, 365))  # noqa: B023 - called at once
    assert year <= day * SAME


def test_a_year_of_daily_payouts_of_nothing_leaves_nothing() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(payout_interval="daily"))
    ready_seller(simulator, stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator)))
    simulator.advance(1)
    stored = len(list(simulator.store.rows()))
    simulator.advance(365 * 24 * 3_600)
    assert len(list(simulator.store.rows())) == stored
