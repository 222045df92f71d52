"""What carries deliveries: connections are kept, every kind of answer is read, and trouble has a reason."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from local.stripe_simulator import Simulator
from local.stripe_simulator.dispatch import Dispatcher
from local.stripe_simulator.posting import Poster, PostingError

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return head + await reader.readexactly(length)


def answering(*answers: bytes, closes: bool = False) -> tuple[Serve, list[list[bytes]]]:
    """A receiver with an answer for each request, and the requests of each of its connections."""
    left = list(answers)
    connections: list[list[bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append([])
        here = connections[-1]
        try:
            while left:
                here.append(await read_request(reader))
                writer.write(left.pop(0))
                if closes:
                    break
            writer.write_eof()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    return serve, connections


def play(serve: Serve, times: int = 1, path: str = "/hook", pause: float = 0, timeout: float = 2) -> list[int | str]:
    """What came of posting so often, one after the other."""

    async def run() -> list[int | str]:
        poster = Poster(timeout)
        outcomes: list[int | str] = []
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            for _ in range(times):
                try:
                    outcomes.append(await poster.post(f"http://127.0.0.1:{port}{path}", b'{"a": 1}', {"X-Mark": "m"}))
                except PostingError as error:
                    outcomes.append(str(error))
                await asyncio.sleep(pause)
            poster.close()
        return outcomes

    return asyncio.run(run())


def test_a_post_is_what_it_should_be_and_its_connection_is_kept() -> None:
    serve, connections = answering(OK, OK, OK)
    assert play(serve, 3, path="/hook/a b?c=ä") == [200, 200, 200]
    (requests,) = connections
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook/a%20b?c=%C3%A4 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert (b"\r\nX-Mark: m" in head, body) == (True, b'{"a": 1}')


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 500),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200),
    ],
)
def test_every_kind_of_answer_is_read_to_its_end(answer: bytes, status: int) -> None:
    serve, connections = answering(answer, OK)
    assert play(serve, 2) == [status, 200]
    assert len(connections) == 1


@pytest.mark.parametrize("answer", [b"HTTP/1.0 200 OK\r\n\r\nall of it", b"HTTP/1.1 200 OK\r\n\r\nall of it", OK])
def test_a_receiver_that_closes_is_connected_to_again(answer: bytes) -> None:
    serve, connections = answering(answer, answer, closes=True)
    assert play(serve, 2, pause=0.02) == [200, 200]
    assert len(connections) == 2


def test_a_connection_that_dies_as_it_is_used_again_is_replaced() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)
        await reader.read(1)  # the second request is heard, and never answered
        writer.transport.abort()

    assert play(serve, 2) == [200, 200]
    assert len(seen) == 2


def test_what_is_no_answer_has_a_reason() -> None:
    serve, _ = answering(b"This is not HTTP at all\r\n\r\n")
    (outcome,) = play(serve)
    assert "HttpParserError" in str(outcome)
    serve, _ = answering(b"", closes=True)
    assert play(serve) == ["ConnectionResetError: the receiver closed the connection"]
    serve, _ = answering(b"HTTP/1.1 200", closes=True)
    assert play(serve) == ["ConnectionResetError: the receiver closed the connection"]


def test_a_receiver_that_does_not_answer_is_waited_for_so_long_only() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await reader.read()
        writer.close()

    assert play(serve, timeout=0.05) == ["no answer within 0.05 seconds"]


def test_nobody_listens() -> None:
    with pytest.raises(PostingError, match="ConnectionRefusedError"):
        asyncio.run(Poster(1).post("http://127.0.0.1:9/", b"", {}))


def test_due_work_that_fails_keeps_no_delivery_back(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    serve, connections = answering(OK)

    def fail() -> None:
        raise LookupError("a task of nobody's")

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            simulator.request("POST", "/v1/webhook_endpoints", {"url": url, "enabled_events": ["*"]})
            simulator.request("POST", "/v1/products", {"name": "Tea"})
            monkeypatch.setattr(simulator, "run_due", fail)
            dispatching = asyncio.create_task(Dispatcher(simulator).run())
            async with asyncio.timeout(5):
                while not (connections and connections[0]):
                    await asyncio.sleep(0.01)
            dispatching.cancel()

    asyncio.run(run())
    assert b"product.created" in connections[0][0]
    assert "a task of nobody's" in caplog.text
