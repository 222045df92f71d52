"""Child processes that listen on a port: started, awaited, and stopped with all that they started."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, Never

from .failures import CannotRun
from .ports import is_listening

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
LAST_LINES: Final = 8
STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


def stop_in_order() -> None:
    """From now on Ctrl-C and SIGTERM raise KeyboardInterrupt, once: the impatient would leave processes behind."""
    for each in STOPPING:
        signal.signal(each, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> Never:
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    print("\nStopping ...", flush=True)
    raise KeyboardInterrupt


@contextmanager
def serving(
    command: Sequence[str | Path], *, port: int, log: Path, environment: Mapping[str, str],
    stop_seconds: float = STOP_SECONDS,
) -> Iterator[None]:  # fmt: skip
    """A child on ``port``, in a session of its own: a Ctrl-C at the terminal is for us, not for it.

    Told to stop, it has ``stop_seconds`` to put away what is its own.

    Raises:
        CannotRun: the child ends or stays silent.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        _await_listening(child, port, log)
        yield
    finally:
        _stop(child, stop_seconds)


def failure(what: str, log: Path) -> CannotRun:
    """That something failed, with what it said last."""
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return CannotRun("\n".join([f"{what}; the end of {log}:", *lines]))


def _await_listening(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_listening(port):
        if child.poll() is not None or time.monotonic() > deadline:
            raise failure(f"Nothing came up on port {port}", log)
        time.sleep(POLL_SECONDS)


def _stop(child: subprocess.Popen[bytes], seconds: float) -> None:
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    with suppress(ProcessLookupError):  # what it left behind, and itself if it did not heed
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
