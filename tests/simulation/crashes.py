"""A process that dies before or after any of its calls, as often as a test likes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marketplace.operations import Operation
from marketplace.ports import Answer, Change, StripeApi


class ProcessDied(BaseException):
    """Nothing of ours runs after this: no except clause of the code under test may catch it."""


class Fuse:
    """Counts steps (before and after every call of a port) and ends the process at the one it is set to."""

    def __init__(self) -> None:
        self.steps = 0
        self.blows_at: int | None = None

    def step(self) -> None:
        """One moment at which a process can die."""
        if self.steps == self.blows_at:
            self.blows_at = None
            raise ProcessDied
        self.steps += 1

    def set(self, blows_at: int | None) -> None:
        """Count from zero, and die at this step; None only counts."""
        self.steps, self.blows_at = 0, blows_at

    def around_store(self, call: str, changes: tuple[Change, ...]) -> None:
        """A hook for MemoryStore's ``before`` and ``after``."""
        self.step()


class FusedStripe:
    """A StripeApi with a fuse before and after every call."""

    def __init__(self, inner: StripeApi, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def ask(
        self, operation: Operation, *ids: str, params: Mapping[str, Any], key: str, account: str | None = None
    ) -> Answer:
        return self._fused(lambda: self._inner.ask(operation, *ids, params=params, key=key, account=account))

    def read(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Mapping[str, Any]:
        return self._fused(lambda: self._inner.read(operation, *ids, params=params, account=account))

    def each(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        return iter(self._fused(lambda: list(self._inner.each(operation, *ids, params=params, account=account))))

    def _fused[T](self, call: Callable[[], T]) -> T:
        self._fuse.step()
        answer = call()
        self._fuse.step()
        return answer
