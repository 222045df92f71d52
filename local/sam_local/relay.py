"""How containers reach the local cloud, which listens on this machine's own address alone.

On Linux the engine's bridge has an address on this machine that only its containers and this machine reach: what comes
to it is passed on. Docker Desktop does that by itself, under a name.
"""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_network
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Final, override

from local.cloud import CannotRun
from local.cloud.ports import HOST

DESKTOP: Final = "host.docker.internal"
SUBNET: Final = "{{(index .IPAM.Config 0).Subnet}}"
CHUNK_BYTES: Final = 65_536


@contextmanager
def reachable(ports: Sequence[int]) -> Iterator[str]:
    """The address under which containers reach these ports of this machine, while they do."""
    gateway = _gateway()
    with ExitStack() as relays:
        try:
            for port in ports:
                relays.enter_context(_relay(gateway, port))
        except OSError:  # no address of this machine: the engine runs in a machine of its own
            yield DESKTOP
            return
        yield gateway


def _gateway() -> str:
    """The bridge's own address: the first of its subnet."""
    asked = subprocess.run(
        ["docker", "network", "inspect", "bridge", "--format", SUBNET], capture_output=True, text=True, check=False
    )
    if asked.returncode or not asked.stdout.strip():
        raise CannotRun(f"Docker has no bridge for containers to reach this machine by: {asked.stderr.strip()}")
    return str(ip_network(asked.stdout.strip())[1])


@contextmanager
def _relay(address: str, port: int) -> Iterator[None]:
    class Passes(BaseRequestHandler):
        @override
        def handle(self) -> None:
            with socket.create_connection((HOST, port)) as inner:
                for end in (inner, self.request):  # a request's body would wait 40 ms for the receipt of its head
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = Thread(target=_pump, args=(inner, self.request), daemon=True)
                back.start()
                _pump(self.request, inner)
                back.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server((address, port), Passes) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Everything from one end to the other, its end included."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
