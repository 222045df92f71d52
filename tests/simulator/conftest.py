import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient

START = 1_800_000_000
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=Clock.standing(START), seed=7)


@pytest.fixture
def client(simulator: Simulator) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The URL of a simulator that runs as its users start it, on a port of its own choice."""
    command = [sys.executable, "-m", "local.stripe_simulator", "--port", "0", "--seed", "7"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
    output = process.stdout
    assert output is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", output.readline())
        assert found
        yield found[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
        output.close()
