"""The function `process-events` in a process of its own, handed batches as Lambda hands them over.

It is the real module, from its handler to botocore. What it asks of Stripe goes back by the pipe to the simulator, and
so does what it writes, to be counted: nothing of the measuring stays in the process that is measured.
"""

import gc
import importlib
import io
import os
import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, override

import botocore.session
import requests
from requests.adapters import BaseAdapter

from marketplace.adapters.codec import Attributes
from marketplace.adapters.dynamodb_calls import CONFIG
from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.adapters.stripe_gateway import StripeGateway
from tests.fakes.meter import Meter

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


class Wrote(NamedTuple):
    """From the process: the items of a commit that DynamoDB took."""

    items: list[Attributes]


class Settled(NamedTuple):
    """From the process: a batch is done; these messages come again."""

    failed: list[str]
    counted: str  # the metrics, a line of JSON for each
    round_trips: int  # to DynamoDB, since the process began
    memory: "Memory | None"  # of a batch that is measured


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


@dataclass
class World:
    """The time of the other end, and a key that does not change."""

    time: datetime | None = None

    def now(self) -> datetime:
        assert self.time is not None, "no batch was handed over"
        return self.time

    def value(self) -> str:
        return "sk_test_backlog"

    def forget(self) -> None:
        pass


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


class Reporting(Meter):
    """Counts round trips, and leaves what was written to the other end."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    @override
    def count(self, items: Any) -> None:
        if items:
            self._pipe.send(Wrote(items))


class Context:
    """Lambda's context object."""

    aws_request_id = "backlog"
    function_name = "process-events"

    def get_remaining_time_in_millis(self) -> int:
        return LEFT_MILLISECONDS


def serve(file_descriptor: int) -> None:
    """Process the batches of a pipe until it is closed."""
    pipe = Connection(file_descriptor)
    world, meter = World(), Reporting(pipe)
    module: Any = importlib.import_module(MODULE)
    client: Any = botocore.session.get_session().create_client("dynamodb", config=CONFIG)
    meter.attach(client)
    ids = module.ports.ids
    gateway = StripeGateway(
        api_key=world, api_base=os.environ["STRIPE_API_BASE"], time_left_seconds=module.invocation.seconds_left,
        jitter=ids.jitter, transport=Transport(pipe),
    )  # fmt: skip
    store = DynamoDBStore(client, os.environ["TABLE_NAME"], clock=world, ids=ids)
    module.ports = module.ports._replace(clock=world, stripe=gateway, store=store)
    while True:
        try:
            batch: Batch = pipe.recv()
        except EOFError:
            return
        world.time = batch.now
        with redirect_stdout(io.StringIO()) as counted:
            answer = module.handler(batch.event, Context())
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        pipe.send(Settled(failed, counted.getvalue(), meter.round_trips, Memory.now() if batch.is_measured else None))
