"""A Stripe that answers as it is told to, over HTTP, and a gateway to it with everything that a test may set."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from local.stripe_simulator.messages import Request
from local.stripe_simulator.simulator import Simulator
from marketplace.adapters.stripe_gateway import StripeGateway
from marketplace.domain.commands import Doubt
from marketplace.operations import Exchange, Operation
from marketplace.ports import Answer, NoAnswer

UNKNOWN = NoAnswer(Doubt.NO_ANSWER)
FAILED = NoAnswer(Doubt.STRIPE_FAILED)


@dataclass
class Key:
    """An API key that changes when it is forgotten."""

    keys: list[str] = field(default_factory=lambda: ["sk_test_1"])
    forgotten: int = 0

    def value(self) -> str:
        return self.keys[min(self.forgotten, len(self.keys) - 1)]

    def forget(self) -> None:
        self.forgotten += 1


@dataclass
class Lab:
    """A gateway with everything that a test may want to set or to know."""

    base: str
    key: Key = field(default_factory=Key)
    seconds_left: float = 25.0
    calls: list[Operation] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    told: list[Exchange] = field(default_factory=list)

    @property
    def gateway(self) -> StripeGateway:
        return StripeGateway(
            api_key=self.key,
            api_base=self.base,
            time_left_seconds=lambda: self.seconds_left,
            jitter=lambda: 0.5,
            on_call=self.calls.append,
            on_answer=self.told.append,
            sleep=self.pauses.append,
        )

    def create(self, key: str = "command-1:1", **params: Any) -> Answer:
        return self.gateway.ask(Operation.CREATE_PRODUCT, params={"name": "Tea"} | params, key=key)


type Reply = Callable[[BaseHTTPRequestHandler], None]


class Stripe(ThreadingHTTPServer):
    """Answers as it is told to: one reply for each request, the last one for all that follow."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: list[Reply] = []
        self.seen: list[tuple[str, str, Mapping[str, str], str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Those who hung up are no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, Stripe)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        server.seen.append((self.command, self.path, dict(self.headers), body))
        reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
        reply(self)

    do_DELETE = do_GET = do_POST = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_args: object) -> None:
        pass


def say(status: int, body: Any, **headers: str) -> Reply:
    """An answer; a body is JSON unless it is text."""
    text = body if isinstance(body, str) else json.dumps(body)

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return reply


def error(status: int, code: str | None = None, kind: str = "invalid_request_error", **headers: str) -> Reply:
    """An error in Stripe's shape."""
    said = {"type": kind, "message": "for nora@nordlicht.example"} | ({"code": code} if code else {})
    return say(status, {"error": said}, **headers)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """The connection is lost after the request arrived."""
    handler.close_connection = True


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    """The connection is lost within the answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "prod_1"')
    handler.close_connection = True


def sleep(seconds: float) -> Reply:
    """No answer for so long."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return reply


PRODUCT = {"id": "prod_1", "object": "product", "name": "Tea"}


@pytest.fixture
def stripe() -> Iterator[Stripe]:
    with Stripe() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def lab(stripe: Stripe) -> Lab:
    return Lab(stripe.url)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(seed=7)


@pytest.fixture
def simulated(stripe: Stripe, simulator: Simulator) -> Lab:
    """A gateway to the Stripe simulator, over HTTP."""

    def carry(handler: BaseHTTPRequestHandler) -> None:
        method, path, headers, body = stripe.seen[-1]
        parts = urlsplit(path)
        sent = {name.lower(): value for name, value in headers.items()}
        answer = simulator.answer(Request(method, unquote(parts.path), sent, parts.query, body.encode()))
        own = {name.replace("-", "_"): value for name, value in answer.headers.items()}
        say(answer.status, answer.body.decode(), **own)(handler)

    stripe.replies = [carry]
    return Lab(stripe.url)
