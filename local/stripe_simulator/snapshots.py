"""Snapshots: the whole state under a name, to be gone back to any number of times.

Objects are never altered, so that a snapshot is a list of them: saving copies references and loading places them again.
Clock, the sequence of positions and the source of ids are part of it. It lasts as long as the process; a SQLite file
holds the state that was loaded last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any, Final

from .clock import Reading, rfc3339
from .database import StoredRow
from .errors import ResourceMissingError
from .request_log import RequestLog
from .state import Store
from .values import Object
from .world import World

MAXIMUM_SNAPSHOTS: Final = 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that what follows depends on."""

    rows: tuple[StoredRow, ...]
    sequence: int
    clock: Reading
    chance: tuple[Any, ...]
    taken_at: float


class Snapshots:
    """The snapshots of one simulator."""

    def __init__(
        self, world: World, store: Store, log: RequestLog, lock: RLock, renew_agendas: Callable[[], None]
    ) -> None:
        self._world = world
        self._store = store
        self._log = log
        self._lock = lock
        self._renew_agendas = renew_agendas
        self._saved: dict[str, Snapshot] = {}
        self._at_the_start = self._take()

    def save(self, name: str) -> Object:
        """Keep the state as it stands under ``name``, in the place of what had it before; the oldest of 100 goes."""
        with self._lock:
            self._saved.pop(name, None)
            if len(self._saved) == MAXIMUM_SNAPSHOTS:
                del self._saved[next(iter(self._saved))]
            self._saved[name] = self._take()
            return _shown(name, self._saved[name])

    def load(self, name: str) -> Object:
        """Go back to a snapshot, which stays as it is. The log of requests begins anew.

        A standing clock shows the snapshot's time; a running one keeps the distance to the machine's that it had.

        Raises:
            ResourceMissingError: there is no such snapshot.
        """
        with self._lock:
            found = self._find(name)
            self._restore(found)
            return _shown(name, found)

    def delete(self, name: str) -> None:
        """Let go of a snapshot.

        Raises:
            ResourceMissingError: there is no such snapshot.
        """
        with self._lock:
            self._find(name)
            del self._saved[name]

    def saved(self) -> list[Object]:
        """All of them, oldest first."""
        with self._lock:
            return [_shown(name, each) for name, each in self._saved.items()]

    def reset(self) -> None:
        """Go back to the start of this process: an empty state, or what the SQLite file held."""
        with self._lock:
            self._restore(self._at_the_start)

    def _find(self, name: str) -> Snapshot:
        if name not in self._saved:
            raise ResourceMissingError("snapshot", name)
        return self._saved[name]

    def _take(self) -> Snapshot:
        world, store = self._world, self._store
        return Snapshot(
            tuple(store.rows()),
            store.sequence,
            world.clock.reading(),
            world.ids.random.getstate(),
            world.clock.precise(),
        )

    def _restore(self, snapshot: Snapshot) -> None:
        self._store.replace(snapshot.rows, snapshot.sequence)
        self._world.clock.restore(snapshot.clock)
        self._world.ids.random.setstate(snapshot.chance)
        self._renew_agendas()
        self._log.clear()


def _shown(name: str, snapshot: Snapshot) -> Object:
    return {"name": name, "objects": len(snapshot.rows), "clock": rfc3339(snapshot.taken_at)}
