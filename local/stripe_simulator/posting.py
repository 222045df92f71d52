"""POST over HTTP/1.1 on connections that are kept: what deliveries need, and no more.

Answers are read to their end and thrown away but for their status; redirects are not followed, for Stripe does not.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

import httptools

_PORTS: Final = {"http": 80, "https": 443}
_KEPT_IDLE: Final = 16  # connections to each receiver
_SAFE_IN_TARGETS: Final = "%/:=&?~+!$,;'@()*[]"
_CLOSED: Final = "the receiver closed the connection"


class PostingError(Exception):
    """There was no answer; the message says why."""


class Poster:
    """Posts, with a time-out for each; belongs to one event loop."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._idle: defaultdict[tuple[str, str], list[_Connection]] = defaultdict(list)
        self._tls: ssl.SSLContext | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer.

        Raises:
            PostingError: nobody listens, the time is over, or what came is no HTTP.
        """
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._post(parts, _written(parts, body, headers))
        except TimeoutError:
            raise PostingError(f"no answer within {self._timeout_seconds:g} seconds") from None
        except (OSError, ssl.SSLError, httptools.HttpParserError, ValueError) as error:
            raise PostingError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Let go of the connections."""
        for connections in self._idle.values():
            for each in connections:
                each.close()
        self._idle.clear()

    async def _post(self, parts: SplitResult, request: bytes) -> int:
        idle = self._idle[parts.scheme, parts.netloc]
        while idle:
            connection = idle.pop()
            if connection.is_open:
                try:
                    return await self._exchange(connection, request, idle)
                except ConnectionError:  # closed by the receiver at the same moment: a new one tells for sure
                    break
        return await self._exchange(await self._connect(parts), request, idle)

    async def _exchange(self, connection: "_Connection", request: bytes, idle: list["_Connection"]) -> int:
        is_kept = False
        try:
            status = await connection.exchange(request)
            is_kept = connection.can_be_kept and len(idle) < _KEPT_IDLE
        finally:
            if is_kept:
                idle.append(connection)
            else:
                connection.close()
        return status

    async def _connect(self, parts: SplitResult) -> "_Connection":
        tls = None
        if parts.scheme == "https":
            tls = self._tls = self._tls or ssl.create_default_context()
        port = parts.port or _PORTS[parts.scheme]
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, parts.hostname or "", port, ssl=tls)
        return connection


def _written(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE_IN_TARGETS)
    fields = {"Host": parts.netloc.rpartition("@")[2], "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


class _Connection(asyncio.Protocol):
    """One exchange after the other; httptools calls ``on_headers_complete`` and ``on_message_complete``."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._status: int | None = None
        self._answer: asyncio.Future[int] | None = None
        self.can_be_kept = False

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes) -> int:
        """The status of the answer to a request.

        Raises:
            ConnectionError: the receiver closed the connection before it said one.
        """
        self.can_be_kept = False
        self._status = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError(_CLOSED)
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close it, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection makes
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read on; what comes without having been asked for ends the connection."""
        if self._answer is None or self._answer.done():
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(error)

    def on_headers_complete(self) -> None:
        """Know the status; after an informational one the true one follows."""
        status = self._parser.get_status_code()
        self._status = status if status >= HTTPStatus.OK else None

    def on_message_complete(self) -> None:
        """Read to the end, if that was no informational answer."""
        if self._status is not None:
            self.can_be_kept = self._parser.should_keep_alive()
            self._end(ConnectionResetError(_CLOSED))

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more; an answer that says no length ends so."""
        self._end(exc or ConnectionResetError(_CLOSED))

    def _end(self, error: Exception) -> None:
        """Give the status if it was said, the error otherwise."""
        if self._answer is None or self._answer.done():
            return
        if self._status is not None:
            self._answer.set_result(self._status)
        else:
            self._answer.set_exception(error)
