"""What falls due when: a heap of moments beside the state, rebuilt from it at the start."""

import heapq
from typing import Final

from .shelves import Collection

TASKS: Final = Collection("_task")
"""Work that a resource put off: ``{id, name, at, arguments}``, on the account that it concerns."""


class Agenda:
    """Moments and what they are for, soonest first; equal moments keep the order they were noted in."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str, str]] = []
        self._noted = 0

    def note(self, at: int, account: str, object_id: str) -> None:
        """Remember an object of an account for a moment."""
        self._noted += 1
        heapq.heappush(self._heap, (at, self._noted, account, object_id))

    def clear(self) -> None:
        """Forget everything, to be noted anew."""
        self._heap.clear()

    def next_moment(self) -> int | None:
        """When the next thing falls due."""
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> tuple[int, str, str] | None:
        """The soonest that is due, taken off: moment, account, object id."""
        if not self._heap or self._heap[0][0] > now:
            return None
        at, _, account, object_id = heapq.heappop(self._heap)
        return at, account, object_id
