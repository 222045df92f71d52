"""HTTP for the simulator: an ASGI application, and uvicorn to serve it on this machine only."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .control import PREFIX, Control
from .dispatch import Dispatcher
from .faults import NotAnswered, NotReached
from .laboratory import Laboratory
from .messages import Request, Response
from .simulator import Simulator

HOST: Final = "127.0.0.1"
MAXIMUM_BODY_BYTES: Final = 2 * 1024 * 1024
STOP_WITHIN_SECONDS: Final = 5
_ABORT: Final = "stripe_simulator.abort"  # the extension of ASGI by which a connection is closed without an answer

type Message = MutableMapping[str, Any]


class Application:
    """The ASGI application: requests to the core, one after the other, and the dispatcher beside them."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._control = Control(simulator)
        self._laboratory = Laboratory(simulator)

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve one connection's request, or the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)

    async def _respond(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        try:
            response = self._answer(scope, await _body(receive))
        except NotReached:
            await _abort(scope)
        except NotAnswered as fault:
            with suppress(TimeoutError):  # the caller has lost patience otherwise
                await asyncio.wait_for(receive(), fault.held_seconds)
            await _abort(scope)
        else:
            if response.late_seconds:
                await asyncio.sleep(response.late_seconds)
            await _send(send, response)

    def _answer(self, scope: Message, body: bytes | None) -> Response:
        if body is None:
            return Response(413, b"", {})
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        request = Request(scope["method"], scope["path"], headers, query, body)
        answer = self._laboratory.answer(request)
        if answer is None and request.path.startswith(PREFIX):
            answer = self._control.answer(request)
        return answer or self._simulator.answer(request)

    async def _live(
        self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await receive()
        dispatching = asyncio.create_task(Dispatcher(self._simulator).run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        dispatching.cancel()
        with suppress(asyncio.CancelledError):
            await dispatching
        self._simulator.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """The whole body; None when it is larger than anything Stripe takes here."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
    return None if size > MAXIMUM_BODY_BYTES else b"".join(chunks)


async def _send(send: Callable[[Message], Awaitable[None]], response: Response) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers.items()]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _abort(scope: Message) -> None:
    """Close the connection as it is; a server that offers no way to do it makes a 500 of the exception."""
    if _ABORT not in scope.get("extensions", {}):
        raise ConnectionAbortedError("this ASGI server cannot close a connection without an answer")
    scope["extensions"][_ABORT]()
    await asyncio.sleep(0)  # until uvicorn has seen that nobody is there to be answered


class _Protocol(HttpToolsProtocol):
    """uvicorn's own, with a way for the application to close the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_ABORT: self.transport.abort}  # type: ignore[dict-item]  # values are free in ASGI


class Server(uvicorn.Server):
    """uvicorn on a socket that already listens; stops on SIGTERM or SIGINT."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(
            uvicorn.Config(
                Application(simulator),
                http=_Protocol,
                lifespan="on",
                access_log=False,
                log_level="warning",
                timeout_graceful_shutdown=STOP_WITHIN_SECONDS,
            )
        )
