"""Two runs of one seed are identical, whatever goes wrong in them on order."""

from typing import Any

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.faults import NotAnswered, NotReached

from .conftest import START
from .paying import ANY, assert_exact

EVERYWHERE: dict[str, Any] = {"count": None, "seed": 11}
PAYMENT = {"amount": 1_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}


def trouble(simulator: Simulator) -> None:
    """Every kind of trouble, now and then."""
    for effect in ("rate_limit", "lock_timeout", "server_error", "time_out", "refuse_connection", "key_in_use"):
        simulator.faults.order(effect, method="POST", probability=0.1, **EVERYWHERE)
    simulator.faults.order("server_error", method="POST", done=True, probability=0.1, **EVERYWHERE)
    for effect in ("lose", "duplicate", "postpone", "reorder", "sign_wrongly", "deliver_as_live"):
        simulator.faults.order(effect, probability=0.1, **EVERYWHERE)


def play(seed: int) -> tuple[list[Any], list[Any]]:
    """What a persistent client is answered, and what its endpoint hears."""
    simulator = Simulator(clock=Clock.standing(START), seed=seed)
    simulator.request("POST", "/v1/webhook_endpoints", ANY)
    trouble(simulator)
    answers: list[Any] = []
    for number in range(40):
        for _attempt in range(4):
            try:
                answer = simulator.request(
                    "POST", "/v1/payment_intents", PAYMENT, headers={"Idempotency-Key": f"pay-{number}"}
                )
            except (NotReached, NotAnswered) as fault:
                answers.append(repr(fault))
            else:
                answers.append((answer.status, answer.body, answer.headers))
        simulator.advance(30)
    simulator.advance(3_600)
    assert_exact(simulator)
    charged = [charge["id"] for charge in simulator.request("GET", "/v1/charges", {"limit": 100}).json()["data"]]
    assert len(charged) <= 40
    return answers, [(each.body, each.headers) for each in simulator.take_deliveries()]


def test_two_runs_of_one_seed_are_identical() -> None:
    assert play(7) == play(7)


def test_runs_of_two_seeds_are_not() -> None:
    assert play(7) != play(8)
