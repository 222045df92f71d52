"""F36: a backlog is drained in the memory that one batch needs, however long it is; docs/capacity.md says how fast."""

import gc
import tracemalloc
from collections.abc import Iterator
from itertools import batched
from typing import Any

import pytest

from .backend import Backend, stripe_event
from .test_process import message, process

BATCH = 10  # the most that a FIFO queue hands over
WARM, MEASURED = 300, 1_500  # events
GROWTH_BYTES = 100_000  # kept events would be thirty times as much: each is two kilobytes


def backlog(sale: str, events: int) -> Iterator[dict[str, Any]]:
    """Messages as the queue has them, of a sale that is paid, each event another one, made as they are asked for."""
    for number in range(events):
        charge = {
            "id": "ch_1", "object": "charge", "status": "succeeded", "captured": True, "amount_captured": 1_000,
            "application_fee_amount": 100, "created": 1_795_422_397, "payment_intent": "pi_1",
            "metadata": {"transaction_id": sale}, "description": f"{number:0>2000}",
        }  # fmt: skip
        yield message(stripe_event("charge.succeeded", charge, f"evt_{number}"), group=f"pi_{number % 7}")


def test_f36_a_backlog_is_drained_in_bounded_memory(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    sale = backend.sale(backend.price(backend.merchant()))
    module: Any = backend.modules["webhooks.process"]
    wired, table = module.ports, backend.store  # the table is elsewhere: each batch finds it as it was

    def drain(events: int) -> None:
        for some in batched(backlog(sale, events), BATCH, strict=False):
            module.ports = wired._replace(store=table.fork())  # the fixture puts back what was there
            assert process(backend, *some) == []
            capsys.readouterr()
        gc.collect()

    tracemalloc.start()
    try:
        drain(WARM)
        early, _ = tracemalloc.get_traced_memory()
        drain(MEASURED)
        late, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert late - early <= GROWTH_BYTES
