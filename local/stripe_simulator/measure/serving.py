"""Speed over HTTP: the simulator in a process of its own, as its users start it; buyers and a receiver in this one."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httptools

from .market import Send, open_shop, over_http, pay
from .report import Measured, at_least, at_most

_HOST: Final = "127.0.0.1"
_CONNECTIONS: Final = 4
_PAYMENTS: Final = 100  # on each
_READS: Final = 200
_QUIET_SECONDS: Final = 0.5
_SIMULATOR: Final = __name__.rpartition(".measure.")[0]


def serving() -> Iterator[Measured]:
    """A keep-alive request, and payments on several connections at once."""
    receiver = _Receiver()
    with _served() as port:
        send = over_http(_HOST, port)
        seller = open_shop(send, receiver.url)
        pay(send, seller, 0)
        began = time.perf_counter()
        for _ in range(_READS):
            send("GET", "/v1/balance", {})
        yield at_most("a request on a kept connection", (time.perf_counter() - began) / _READS * 1_000, "ms", 3)
        heard, began = receiver.when_quiet(), time.perf_counter()
        _buy(port, seller)
        answered = time.perf_counter()
        events = receiver.when_quiet() - heard
        payments = _CONNECTIONS * _PAYMENTS
        yield at_least("payments over HTTP", payments / (answered - began), "a second", 150)
        yield at_least(
            "payments over HTTP, their events delivered", payments / (receiver.last_at - began), "a second", 150
        )
        yield Measured("events of a payment", events / payments, "events")


def _buy(port: int, seller: str) -> None:
    def shop(first: int) -> None:
        own: Send = over_http(_HOST, port)
        for number in range(_PAYMENTS):
            pay(own, seller, first + number)

    buyers = [threading.Thread(target=shop, args=(1 + each * _PAYMENTS,)) for each in range(_CONNECTIONS)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()


@contextmanager
def _served() -> Iterator[int]:
    """The port of a simulator that runs until the block ends."""
    command = [sys.executable, "-m", _SIMULATOR, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r":(\d+) ", process.stdout.readline() if process.stdout else "")
            if not found:
                raise RuntimeError("the simulator did not start")
            yield int(found[1])
        finally:
            process.terminate()


class _Receiver:
    """Counts the deliveries that come, in a thread of its own."""

    def __init__(self) -> None:
        self.last_at = 0.0
        self._received = 0
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(loop.create_server(lambda: _Reception(self.note), _HOST, 0))
        self.url = f"http://{_HOST}:{server.sockets[0].getsockname()[1]}/"
        threading.Thread(target=loop.run_forever, daemon=True).start()

    def note(self) -> None:
        """One more has come."""
        self._received += 1
        self.last_at = time.perf_counter()

    def when_quiet(self) -> int:
        """How many have come, once no more do."""
        while time.perf_counter() - self.last_at < _QUIET_SECONDS:
            time.sleep(_QUIET_SECONDS / 10)
        return self._received


class _Reception(asyncio.Protocol):
    """One connection, on which each delivery is answered with 200."""

    def __init__(self, note: Any) -> None:  # noqa: ANN401
        self._note = note
        self._parser = httptools.HttpRequestParser(self)
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Take the delivery."""
        self._note()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
