"""The function `process-events` in a process of its own, handed batches as Lambda hands them over.

It is the real module, from its handler to its use cases and to the client of Stripe. Table and Stripe stand at the
other end of a pipe: nothing of them, nor of the measuring, stays in the process that is measured.
"""

import gc
import importlib
import io
import os
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, override

import requests
from requests.adapters import BaseAdapter

from marketplace.adapters.stripe_gateway import StripeGateway
from marketplace.ports import Change, Conflict

MODULE: Final = "functions.webhooks.process"
LEFT_MILLISECONDS: Final = 20_000  # of the function's time, in each batch anew


class Batch(NamedTuple):
    """To the process: what Lambda hands over, and what time it is."""

    event: dict[str, Any]
    now: datetime
    is_measured: bool = False  # garbage is collected and memory looked at, which takes a tenth of a second


class Asked(NamedTuple):
    """From the process: a request to Stripe; answered with an Answered."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Answered(NamedTuple):
    """To the process: what Stripe said."""

    status: int
    headers: dict[str, str]
    body: bytes


class Called(NamedTuple):
    """From the process: a call of the store; answered with a Returned or a Refused."""

    name: str
    arguments: tuple[object, ...]
    named: dict[str, object]


class Returned(NamedTuple):
    """To the process: what the store said."""

    value: object


class Refused(NamedTuple):
    """To the process: the changes that were in conflict."""

    changes: tuple[Change, ...]


class Memory(NamedTuple):
    """What the process holds."""

    peak_bytes: int  # of resident memory, since the process began; Linux says it
    live_blocks: int  # that Python has allocated now, garbage collected

    @classmethod
    def now(cls) -> Self:
        gc.collect()
        status = Path(
            "/proc/self/status"
        ).read_text()  # what getrusage says of a peak is the parent's, before the start
        (peak_kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        return cls(int(peak_kilobytes) * 1024, sys.getallocatedblocks())


class Settled(NamedTuple):
    """From the process: a batch is done; these messages come again."""

    failed: list[str]
    counted: str  # the metrics, a line of JSON for each
    memory: Memory | None = None  # of a batch that is measured


class World:
    """The time of the other end, and a key that does not change."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def value(self) -> str:
        return "sk_test_backlog"

    def forget(self) -> None:
        pass


class RemoteStore:
    """The store at the other end."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __getattr__(self, name: str) -> Callable[..., object]:
        return partial(self._call, name)

    def _call(self, name: str, *arguments: object, **named: object) -> object:
        self._pipe.send(Called(name, arguments, named))
        answer: Returned | Refused = self._pipe.recv()
        if isinstance(answer, Refused):
            raise Conflict(answer.changes)
        return answer.value


class Transport(BaseAdapter):
    """Carries the gateway's requests over the pipe."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    @override
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        assert isinstance(body, bytes)
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        self._pipe.send(Asked(str(request.method), str(request.url), headers, body))
        answer: Answered = self._pipe.recv()
        response = requests.Response()
        response.status_code, response._content = answer.status, answer.body
        response.headers.update(answer.headers)
        response.request, response.url = request, str(request.url)
        return response

    @override
    def close(self) -> None:
        """Nothing is held."""


class Context:
    """Lambda's context object."""

    aws_request_id = "backlog"
    function_name = "process-events"

    def get_remaining_time_in_millis(self) -> int:
        return LEFT_MILLISECONDS


def serve(file_descriptor: int) -> None:
    """Process the batches of a pipe until it is closed."""
    pipe, world = Connection(file_descriptor), World()
    module: Any = importlib.import_module(MODULE)
    gateway = StripeGateway(
        api_key=world, api_base=os.environ["STRIPE_API_BASE"], time_left_seconds=module.invocation.seconds_left,
        jitter=module.ports.ids.jitter, transport=Transport(pipe),
    )  # fmt: skip
    module.ports = module.ports._replace(clock=world, stripe=gateway, store=RemoteStore(pipe))
    while True:
        try:
            batch: Batch = pipe.recv()
        except EOFError:
            return
        world.time = batch.now
        with redirect_stdout(io.StringIO()) as counted:
            answer = module.handler(batch.event, Context())
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        pipe.send(Settled(failed, counted.getvalue(), Memory.now() if batch.is_measured else None))
