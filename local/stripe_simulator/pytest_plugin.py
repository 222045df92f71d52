"""Fixtures for pytest: ``pytest_plugins = ["local.stripe_simulator.pytest_plugin"]`` in the topmost conftest.py.

stripe_simulator          a simulator of the test's own, in process: its clock stands, its ids are the same each time
stripe_client             a StripeClient of it
served_stripe_simulator   the same over HTTP, with webhooks sent as they fall due: ``url``, ``simulator``
stripe_settings, stripe_seed, stripe_now    what it is made with, to be overridden in a module or a conftest.py
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, NamedTuple

import pytest
import stripe

from .clock import Clock
from .in_process import InProcessClient
from .server import HOST, Server
from .settings import Settings
from .simulator import Simulator

START: Final = 1_800_000_000  # a Friday in January 2027
_START_WITHIN_SECONDS: Final = 10
_STOP_WITHIN_SECONDS: Final = 10


class Served(NamedTuple):
    """A simulator that listens; ``url`` is what ``base_addresses={"api": url}`` takes."""

    url: str
    simulator: Simulator


@pytest.fixture
def stripe_settings() -> Settings:
    """Tariff, rounding, delays."""
    return Settings()


@pytest.fixture
def stripe_seed() -> int:
    """Where ids come from."""
    return 1


@pytest.fixture
def stripe_now() -> int:
    """Where the clock stands at first."""
    return START


@pytest.fixture
def stripe_simulator(stripe_settings: Settings, stripe_seed: int, stripe_now: int) -> Simulator:
    """A Stripe of the test's own."""
    return Simulator(clock=Clock.standing(stripe_now), seed=stripe_seed, settings=stripe_settings)


@pytest.fixture
def stripe_client(stripe_simulator: Simulator) -> stripe.StripeClient:
    """The SDK on that simulator, without a network; it does not retry by itself, so that a fault is seen."""
    return stripe.StripeClient("sk_test_1", http_client=InProcessClient(stripe_simulator), max_network_retries=0)


@pytest.fixture
def served_stripe_simulator(stripe_settings: Settings, stripe_seed: int, stripe_now: int) -> Iterator[Served]:
    """The simulator on a port of its own choice, until the test ends."""
    with socket.create_server((HOST, 0)) as listening:
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        settings = replace(stripe_settings, base_url=url)
        simulator = Simulator(clock=Clock.standing(stripe_now), seed=stripe_seed, settings=settings)
        with _serving(Server(simulator), listening):
            yield Served(url, simulator)


@contextmanager
def _serving(server: Server, listening: socket.socket) -> Iterator[None]:
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    give_up = time.monotonic() + _START_WITHIN_SECONDS
    while not server.started:
        if time.monotonic() > give_up or not thread.is_alive():
            raise RuntimeError("the Stripe simulator did not start")
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_STOP_WITHIN_SECONDS)
