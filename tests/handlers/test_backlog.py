"""F36: a backlog is drained in the memory that one batch needs, however long it is; docs/capacity.md says how fast."""

import gc
import io
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import batched
from types import ModuleType
from typing import Any

import pytest

from bench.backlog.draining import drain
from bench.backlog.fifo import FifoQueue, Message
from bench.backlog.handing import record
from bench.backlog.processor import Settled
from bench.backlog.reckoning import books
from bench.backlog.story import Story

from ..simulation.market import Market
from .backend import Backend, Context, charge_of, stripe_event
from .test_process import message, process

BATCH = 10  # the most that a FIFO queue hands over
WARM, MEASURED = 300, 1_500  # events
PLAYED, WINDOW = 400, 50  # events of sales, and sales that are mixed; the bench plays 100,000
GROWTH_BYTES = 100_000  # kept events would be thirty times as much: each is two kilobytes


def backlog(sale: str, events: int) -> Iterator[dict[str, Any]]:
    """Messages as the queue has them, of a sale that is paid, each event another one, made as they are asked for."""
    for number in range(events):
        charge = charge_of(sale, description=f"{number:0>2000}")
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


@dataclass
class InProcess:
    """The function, over a market."""

    module: Any
    market: Market

    @property
    def calls(self) -> int:
        return len(self.market.calls)

    def process(self, messages: Sequence[Message], *, is_measured: bool) -> Settled:
        with redirect_stdout(io.StringIO()) as counted:
            answer = self.module.handler({"Records": [record(each) for each in messages]}, Context())
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        return Settled(failed, counted.getvalue())


def test_f36_a_backlog_with_poison_is_drained_each_effect_is_there_once_and_the_books_are_stripes(
    functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    market, module = Market(), functions["webhooks.process"]
    wired = module.ports._replace(store=market.store, stripe=market.ports.stripe, clock=market.clock)
    monkeypatch.setattr(module, "ports", wired)
    story, queue = Story(market, window=WINDOW), FifoQueue()
    accepted = list(story.messages(PLAYED))
    for each in accepted:
        queue.put(each)
    drained = drain(queue, InProcess(module, market), story)
    assert len(queue) == 0
    assert {each.id for each in queue.dead_letters} == story.poison != set()
    done = [drained.outcomes[name] for name in ("applied", "duplicate", "ignored")]
    assert all(done)
    assert sum(done) == len(accepted) - len(story.poison) + drained.came
    assert [each.what for each in books(market, story) if not each.is_kept] == []
