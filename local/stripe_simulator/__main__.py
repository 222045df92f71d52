"""``python -m local.stripe_simulator --port 12111 [--database FILE] [--seed N] [--now SECONDS]``."""

import argparse
import asyncio
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from stripe import api_version as pinned

from .clock import Clock
from .database import DatabaseError
from .errors import InvalidParameterError
from .server import HOST, Server
from .settings import Settings
from .simulator import Simulator
from .versions import check_version

_DEFAULT_PORT = 12111


@dataclass(frozen=True, slots=True)
class _Options:
    port: int
    database: Path | None
    seed: int | None
    now: int | None
    api_version: str


def _read(arguments: list[str]) -> _Options:
    parser = argparse.ArgumentParser(prog="stripe_simulator", description="A stateful Stripe with Connect.")
    parser.add_argument(
        "--port", type=int, default=_DEFAULT_PORT, help=f"on {HOST}; 0 chooses one (default {_DEFAULT_PORT})"
    )
    parser.add_argument("--database", type=Path, help="a SQLite file that keeps the state")
    parser.add_argument("--seed", type=int, help="make the same ids again")
    parser.add_argument("--now", type=int, help="let the clock stand at this second since the epoch")
    parser.add_argument(
        "--default-api-version", default=pinned, help=f"of requests that name none (default {pinned}, the newest)"
    )
    found = parser.parse_args(arguments)
    try:
        version = check_version(found.default_api_version)
    except InvalidParameterError as error:
        parser.error(str(error))
    return _Options(found.port, found.database, found.seed, found.now, version)


def _listen(port: int) -> socket.socket:
    """A listening socket whose protocol is named: asyncio sets TCP_NODELAY on no other (40 ms an answer)."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((HOST, port))
    listening.listen()
    return listening


async def _serve(options: _Options, listening: socket.socket) -> None:
    where = f"http://{HOST}:{listening.getsockname()[1]}"
    simulator = Simulator(
        clock=Clock.running() if options.now is None else Clock.standing(options.now),
        seed=options.seed,
        settings=Settings(base_url=where, api_version=options.api_version),
        database=options.database,
    )
    server = Server(simulator)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        print(f"The Stripe simulator listens at {where} (platform {simulator.platform}).", flush=True)
    await serving


def main() -> int:
    """Serve until told to stop; 1 when the port is taken or the file cannot be used."""
    options = _read(sys.argv[1:])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn stops in good order, then passes the signal on
    try:
        with _listen(options.port) as listening:
            asyncio.run(_serve(options, listening))
    except OSError as error:
        print(f"The Stripe simulator cannot listen on {HOST}:{options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    except DatabaseError as error:
        print(f"The Stripe simulator cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
