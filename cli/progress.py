"""That something is still going on, on the error stream of a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

FIRST_TOLD_SECONDS: Final = 2.0
TOLD_EVERY_SECONDS: Final = 1.0


def say(what: str) -> None:
    """One line of progress."""
    if sys.stderr.isatty():
        print(what, file=sys.stderr, flush=True)


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Tell how long it takes, when it takes long."""
    if not sys.stderr.isatty():
        yield
        return
    ended = Event()
    telling = Thread(target=_tell, args=(what, ended), daemon=True)
    telling.start()
    try:
        yield
    finally:
        ended.set()
        telling.join()


def _tell(what: str, ended: Event) -> None:
    began = time.monotonic()
    if ended.wait(FIRST_TOLD_SECONDS):
        return
    while not ended.wait(TOLD_EVERY_SECONDS):
        print(f"\r{what}: {int(time.monotonic() - began)} s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
