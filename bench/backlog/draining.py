"""The backlog, put onto a queue and taken in until nothing is left; then everything is held against Stripe's books."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bench.promises import Measured
from tests.fakes.meter import Meter
from tests.simulation.market import Market

from .fifo import FifoQueue, Message
from .handing import processor
from .processor import Memory, Settled
from .reckoning import books
from .story import Story
from .table import Table

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
    market.store = Table(market.clock, after=meter.after)
    market.ports = market.ports._replace(store=market.store)
    story, queue = Story(market), FifoQueue()
    messages = list(story.messages(events))
    for message in messages:
        queue.put(message)
    with processor(market) as by:
        yield from _costs(meter, lambda: drain(queue, by, story))
        yield from _left(queue, story)
        yield from _again(messages, by, story, meter)
    yield from books(market, story)


def _costs(meter: Meter, draining: Callable[[], Drained]) -> Iterator[Measured]:
    trips, units = meter.round_trips, meter.write_units
    drained = draining()
    done = sum(drained.outcomes[name] for name in ("applied", "duplicate", "ignored"))
    for name in ("applied", "duplicate", "ignored", "failed"):
        yield Measured(f"events {name}", drained.outcomes[name], "times")
    yield Measured("calls to Stripe for each event", drained.calls / done, "calls")
    yield Measured("round trips to DynamoDB for each event", (meter.round_trips - trips) / done, "trips", 3)
    yield Measured("write units for each event", (meter.write_units - units) / done, "units", 9)
    yield Measured("minutes, here", drained.seconds / 60, "min")
    yield from _memory(drained)


def _left(queue: FifoQueue, story: Story) -> Iterator[Measured]:
    dead = {message.id for message in queue.dead_letters}
    yield Measured("sales", len(story.sales), "sales")
    yield Measured("events left in the queue", len(queue), "events", 0)
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
