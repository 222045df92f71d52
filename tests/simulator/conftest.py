import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.messages import Request, Response

from . import openapi

START = 1_800_000_000
PROJECT = Path(__file__).parents[2]


MOST_JUDGED = 400  # answers, and events, of one test: the rest of a long one is of the same kinds


@pytest.fixture(autouse=True)
def judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every answer and event of every simulator in this process is held against Stripe's OpenAPI document."""
    answers: list[tuple[Request, Response]] = []
    made: list[Simulator] = []
    answer, begin = Simulator.answer, Simulator.__init__

    def remember_answer(simulator: Simulator, request: Request) -> Response:
        response = answer(simulator, request)
        if len(answers) < MOST_JUDGED and "stripe-version" not in request.headers:
            answers.append((request, response))
        return response

    def remember(simulator: Simulator, **settings: Any) -> None:
        begin(simulator, **settings)
        if len(made) < MOST_JUDGED:
            made.append(simulator)

    monkeypatch.setattr(Simulator, "answer", remember_answer)
    monkeypatch.setattr(Simulator, "__init__", remember)
    yield
    wrong = [each for request, response in answers for each in openapi.of_answer(request, response)]
    wrong += [each for simulator in made for each in openapi.of_events(simulator, MOST_JUDGED)]
    assert not wrong, "\n".join(dict.fromkeys(wrong))


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
