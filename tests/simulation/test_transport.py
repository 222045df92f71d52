"""The transport in process fails as one over sockets does."""

from collections.abc import Iterator

import pytest
import requests

from local.stripe_simulator.simulator import Simulator

from .transport import InProcess

URL = "https://api.stripe.test"


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(seed=7)


@pytest.fixture
def session(simulator: Simulator) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount(URL, InProcess(simulator))
        session.headers["Authorization"] = "Bearer sk_test_1"
        yield session


def products(session: requests.Session) -> int:
    return len(session.get(f"{URL}/v1/products").json()["data"])


def test_a_connection_refused_on_order_is_one_and_nothing_is_done(
    simulator: Simulator, session: requests.Session
) -> None:
    simulator.faults.order("refuse_connection", method="POST")
    with pytest.raises(requests.ConnectionError):
        session.post(f"{URL}/v1/products", {"name": "Tea"})
    assert products(session) == 0


def test_an_answer_lost_on_order_is_a_time_out_after_the_work(simulator: Simulator, session: requests.Session) -> None:
    simulator.faults.order("time_out", method="POST")
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{URL}/v1/products", {"name": "Tea"})
    assert products(session) == 1
