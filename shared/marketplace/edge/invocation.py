"""How long the invocation that is going on may still take."""

from typing import Protocol


class LambdaContext(Protocol):
    """What of Lambda's context object is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda stops the function."""


class Invocation:
    """The invocation that the process is at: Lambda gives a process one event at a time."""

    def __init__(self) -> None:
        self._context: LambdaContext | None = None

    def begin(self, context: LambdaContext) -> None:
        """Another event has come."""
        self._context = context

    def seconds_left(self) -> float:
        """Until Lambda stops the function; none where no invocation was begun, so that nothing is started outside."""
        return 0.0 if self._context is None else self._context.get_remaining_time_in_millis() / 1000
