"""Where the parts of a local cloud listen, on this machine only."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from .failures import CannotRun

HOST: Final = "127.0.0.1"
AWS_SETTING: Final = "MARKETPLACE_AWS_PORT"
STRIPE_SETTING: Final = "MARKETPLACE_STRIPE_PORT"
DEFAULTS: Final = {AWS_SETTING: "4566", STRIPE_SETTING: "12111"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One for MiniStack and the API in it, one for the simulator."""

    aws: int
    stripe: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The usual ones, unless the environment says otherwise.

        Raises:
            CannotRun: it names no number.
        """
        chosen = {setting: environment.get(setting, usual) for setting, usual in DEFAULTS.items()}
        for setting, port in chosen.items():
            if not port.isdecimal():
                raise CannotRun(f"{setting} is no port: {port}")
        return cls(aws=int(chosen[AWS_SETTING]), stripe=int(chosen[STRIPE_SETTING]))

    @classmethod
    def free(cls) -> Self:
        """Two that nobody listens on just now."""
        with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
            return cls(aws=one.getsockname()[1], stripe=other.getsockname()[1])


def require_free(port: int, setting: str) -> None:
    """Raises CannotRun, with the setting that chooses another port, where somebody listens on this one."""
    if is_listening(port):
        raise CannotRun(f"Port {port} is in use: stop what listens there, or set {setting} to another one.")


def is_listening(port: int) -> bool:
    """Whether somebody does on this port."""
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
