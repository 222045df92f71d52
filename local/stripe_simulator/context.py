"""What a handler gets: the account it acts on, what was asked, and everything it may touch."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import events, lists
from .agenda import TASKS
from .clock import Clock
from .errors import UnsupportedError
from .ids import Ids
from .settings import Settings
from .shelves import Collection
from .state import State
from .values import Json, Object
from .world import World

NO_REQUEST = events.Origin()


@dataclass(frozen=True, slots=True)
class Context:
    """One request, hosted page or piece of due work, within its transaction.

    ``params`` were validated and have their types; ``expand`` was taken out of them.
    """

    world: World
    state: State
    params: Mapping[str, Any]
    path: str
    api_version: str
    origin: events.Origin = NO_REQUEST

    @property
    def account(self) -> str:
        """The account whose objects these are."""
        return self.state.account

    @property
    def is_platform(self) -> bool:
        """Whether that is the platform itself."""
        return self.state.account == self.world.platform

    @property
    def clock(self) -> Clock:
        """The simulator's time."""
        return self.world.clock

    @property
    def ids(self) -> Ids:
        """Where new ids and all chance come from."""
        return self.world.ids

    @property
    def settings(self) -> Settings:
        """Tariff, rounding, base URL."""
        return self.world.settings

    def on(self, account: str) -> "Context":
        """The same request on another account's objects: events go to that account's endpoints."""
        return replace(self, state=self.state.of(account))

    def on_platform(self) -> "Context":
        """The same request on the platform's objects."""
        return self.on(self.world.platform)

    def emit(
        self, event_type: str, item: Object, *, previous: Object | None = None, data: Object | None = None
    ) -> Object:
        """Record and give an event of ``item`` on this account: ``v2.`` types as thin events, others with a snapshot.

        ``previous`` is the version before an update; ``data`` belongs to some v2 events.
        """
        return events.record(self.state, self.world, self.origin, event_type, item, previous=previous, data=data)

    def schedule(self, name: str, *, at: int, **arguments: Json) -> None:
        """Let the handler registered with ``routes.due(name)`` run on this account when the clock shows ``at``."""
        task_id = self.ids.new("_task")
        self.state.insert(TASKS, {"id": task_id, "name": name, "at": at, "arguments": arguments})
        world, account = self.world, self.account
        self.state.transaction.after_commit.append(lambda: world.tasks.note(at, account, task_id))

    def unsupported(self, *names: str) -> None:
        """Say so when a parameter is given that the resource does not follow, instead of ignoring it.

        Raises:
            UnsupportedError: 501, naming the parameter.
        """
        for name in names:
            if name in self.params:
                raise UnsupportedError(f"the parameter {name} of {self.path}")

    def list(
        self,
        collection: Collection,
        where: Mapping[str, Hashable | None] | None = None,
        *,
        since: float | None = None,
    ) -> Object:
        """The page of API v1 that was asked for; a filter of None filters nothing."""
        return lists.page(self.state, collection, _given(where), self.params, self.path, since=since)

    def list_v2(
        self,
        collection: Collection,
        where: Mapping[str, Hashable | None] | None = None,
        *,
        since: float | None = None,
    ) -> Object:
        """The page of API v2 that was asked for."""
        return lists.page_v2(self.state, collection, _given(where), self.params, self.path, since=since)


def _given(where: Mapping[str, Hashable | None] | None) -> dict[str, Hashable]:
    return {name: value for name, value in (where or {}).items() if value is not None}
