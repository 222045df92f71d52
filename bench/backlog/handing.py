"""The other side of the pipe: starts the processor, hands it batches, and answers for Stripe and the table."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from local.cloud.places import PROJECT
from local.stripe_simulator.messages import Request
from marketplace.ports import Conflict
from tests.handlers.backend import ENVIRONMENT, event
from tests.simulation.market import STRIPE_URL, Market

from .fifo import Message
from .processor import Answered, Asked, Batch, Called, Refused, Returned, Settled

STOP_SECONDS: Final = 10.0


class Processor:
    """The function's process. ``calls`` are its requests to Stripe."""

    def __init__(self, pipe: Connection, market: Market) -> None:
        self.calls = 0
        self._pipe = pipe
        self._market = market

    def process(self, messages: Sequence[Message], *, is_measured: bool = False) -> Settled:
        """One batch, and whatever it asks for meanwhile."""
        records = {"Records": [record(each) for each in messages]}
        self._pipe.send(Batch(records, self._market.clock.now(), is_measured))
        while True:
            match self._pipe.recv():
                case Asked() as asked:
                    self.calls += 1
                    self._pipe.send(self._answer(asked))
                case Called() as called:
                    self._pipe.send(self._call(called))
                case settled:
                    assert isinstance(settled, Settled)
                    return settled

    def _answer(self, asked: Asked) -> Answered:
        parts = urlsplit(asked.url)
        request = Request(asked.method, unquote(parts.path), asked.headers, parts.query, asked.body)
        answer = self._market.simulator.answer(request)
        return Answered(answer.status, dict(answer.headers), answer.body)

    def _call(self, called: Called) -> Returned | Refused:
        try:
            return Returned(getattr(self._market.store, called.name)(*called.arguments, **called.named))
        except Conflict as conflict:
            return Refused(conflict.changes)


@contextmanager
def processor(market: Market) -> Iterator[Processor]:
    """A processor over the table of a market, told as the deployed function is."""
    ours, its = Pipe()
    environment = {
        **os.environ, **ENVIRONMENT, "STRIPE_API_BASE": STRIPE_URL,
        "PYTHONPATH": os.pathsep.join([str(PROJECT / "shared"), str(PROJECT)]),
    }  # fmt: skip
    program = f"from bench.backlog.processor import serve; serve({its.fileno()})"
    command = [sys.executable, "-c", program]
    child = subprocess.Popen(command, env=environment, pass_fds=[its.fileno()], stdout=subprocess.DEVNULL)  # its log
    its.close()
    try:
        yield Processor(ours, market)
    finally:
        ours.close()
        child.wait(STOP_SECONDS)


def record(message: Message) -> dict[str, Any]:
    """A message as Lambda hands it over."""
    made = event("sqs")
    made["messageId"], made["body"] = message.id, message.body
    made["attributes"] |= {
        "ApproximateReceiveCount": str(message.tries), "MessageGroupId": message.group,
        "MessageDeduplicationId": message.name,
    }  # fmt: skip
    return made
