"""The backlog, put onto a queue and taken in until nothing is left; then everything is held against Stripe's books."""

import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from bench.promises import Measured
from local.cloud.aws import client, ministack
from local.cloud.ports import HOST, Ports
from marketplace.adapters.dynamodb_calls import CONFIG
from marketplace.adapters.dynamodb_store import DynamoDBStore
from tests.contract.table import create_table
from tests.fakes.meter import Meter
from tests.simulation.market import Market

from .fifo import FifoQueue, Message
from .handing import processor
from .processor import Memory, Settled
from .reckoning import books
from .story import Story

TABLE: Final = "backlog"
AGAIN: Final = 1_000  # events that are sent once more at the end
TENTH: Final = 10
GROWTH_BYTES: Final = 4_000_000  # of resident memory while nine tenths are drained; the events have 250 million
GROWTH_BLOCKS: Final = 5_000  # of Python's, meanwhile


@dataclass
class Drained:
    """What was seen while a backlog was taken in."""

    outcomes: Counter[str] = field(default_factory=Counter)
    settled: int = 0  # messages, each time that they were
    came: int = 0  # messages, meanwhile
    calls: int = 0  # to Stripe
    round_trips: int = 0  # to DynamoDB
    memory: list[tuple[int, Memory]] = field(default_factory=list)  # after so many messages
    seconds: float = 0.0


class Hands(Protocol):
    """Whoever takes batches in. ``calls`` are the requests to Stripe until now."""

    @property
    def calls(self) -> int: ...

    def process(self, messages: Sequence[Message], *, is_measured: bool) -> Settled: ...


def drain(queue: FifoQueue, by: Hands, story: Story) -> Drained:
    """Until the queue is empty, with what Stripe sends meanwhile. Memory is looked at after each tenth."""
    drained, began, calls = Drained(), time.monotonic(), by.calls
    step = max(1, len(queue) // TENTH)
    while batch := queue.receive():
        is_measured = drained.settled // step < (drained.settled + len(batch)) // step
        settled = by.process(batch, is_measured=is_measured)
        queue.settle(settled.failed)
        drained.settled += len(batch)
        drained.round_trips = settled.round_trips
        drained.outcomes.update(_sums(settled.counted))
        if settled.memory:
            drained.memory.append((drained.settled, settled.memory))
        if by.calls > calls + drained.calls:
            drained.calls = by.calls - calls
            for message in story.more():
                queue.put(message)
                drained.came += 1
    drained.seconds = time.monotonic() - began
    return drained


def backlog(events: int) -> Iterator[Measured]:
    """This many events of sales and their like, and what was seen."""
    market, meter = Market(), Meter()
    with _dynamodb() as endpoint:
        dynamodb = client(endpoint, "dynamodb", CONFIG)
        create_table(dynamodb, TABLE)
        meter.attach(dynamodb)
        store = DynamoDBStore(dynamodb, TABLE, clock=market.clock, ids=market.ids)
        market.ports = market.ports._replace(store=store)
        market.store = store  # type: ignore[assignment]  # a Store too, and no other is asked for its snapshot here
        story, queue = Story(market), FifoQueue()
        messages = list(story.messages(events))
        for message in messages:
            queue.put(message)
        before = meter.write_units
        with processor(endpoint, TABLE, market, meter) as by:
            drained = drain(queue, by, story)
            yield from _drained(drained, queue, story, meter.write_units - before)
            yield from _memory(drained)
            yield from _again(messages, by, story, meter)
        yield from books(market, story)


def _drained(drained: Drained, queue: FifoQueue, story: Story, units: int) -> Iterator[Measured]:
    done = sum(drained.outcomes[name] for name in ("applied", "duplicate", "ignored"))
    yield Measured("sales", len(story.sales), "sales")
    for name in ("applied", "duplicate", "ignored", "failed"):
        yield Measured(f"events {name}", drained.outcomes[name], "times")
    yield Measured("calls to Stripe for each event", drained.calls / done, "calls")
    yield Measured("round trips to DynamoDB for each event", drained.round_trips / done, "trips", 3)
    yield Measured("write units for each event", units / done, "units", 9)
    yield Measured("seconds for each event, here", drained.seconds / drained.settled, "s")
    yield Measured("events left in the queue", len(queue), "events", 0)
    dead = {message.id for message in queue.dead_letters}
    yield Measured("dead letters", len(dead), "messages")
    yield Measured("dead letters that are no poison", len(dead - story.poison), "messages", 0)
    yield Measured("poison that is no dead letter", len(story.poison - dead), "messages", 0)


def _memory(drained: Drained) -> Iterator[Measured]:
    for settled, memory in drained.memory:
        yield Measured(f"peak memory after {settled:,} messages", memory.peak_bytes / 1e6, "MB")
    (_, first), *_, (_, last) = drained.memory
    yield Measured("peak memory, more than after the first tenth", last.peak_bytes - first.peak_bytes, "bytes",
                   GROWTH_BYTES)  # fmt: skip
    yield Measured("live blocks, more than after the first tenth", last.live_blocks - first.live_blocks, "blocks",
                   GROWTH_BLOCKS)  # fmt: skip


def _again(messages: list[Message], by: Hands, story: Story, meter: Meter) -> Iterator[Measured]:
    """Some of the events once more, when all is done: nothing is written."""
    good = [each for each in messages if each.id not in story.poison]
    queue, before = FifoQueue(), meter.write_units
    for message in random.Random(1).sample(good, min(AGAIN, len(good))):
        queue.put(Message(f"again-{message.id}", message.name, message.group, message.body))
    sent = len(queue)
    outcomes = drain(queue, by, story).outcomes
    yield Measured("sent once more and no duplicate", sent - outcomes["duplicate"], f"of {sent:,}", 0)
    yield Measured("write units of what was sent once more", meter.write_units - before, "units", 0)


def _sums(counted: str) -> Mapping[str, int]:
    """What the function counted, from its metrics."""
    sums: Counter[str] = Counter()
    for line in filter(None, counted.splitlines()):
        said = json.loads(line)
        for metric in said.get("_aws", {}).get("CloudWatchMetrics", []):
            for each in metric["Metrics"]:
                sums[each["Name"]] += said[each["Name"]]
    return sums


@contextmanager
def _dynamodb() -> Iterator[str]:
    port = Ports.free().aws
    with tempfile.TemporaryDirectory() as folder, ministack(port=port, folder=Path(folder)):
        yield f"http://{HOST}:{port}"
