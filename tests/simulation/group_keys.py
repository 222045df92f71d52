"""The restricted keys of the functions that a market plays: the simulator refuses what they may not do."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cli.stripe_keys import Group, permissions, rights_of
from cli.stripe_keys import Right as KeyRight
from local.stripe_simulator.restricted_keys import Right
from local.stripe_simulator.simulator import Simulator

# Who finishes what others began, and who hears of all that happens: what they ask is played here.
PLAYED_WHOLE = {Group.EVENTS, Group.RECOVERY}
USED: defaultdict[Group, set[Right]] = defaultdict(set)  # of the whole run


def given(rights: Sequence[KeyRight]) -> set[Right]:
    """The rights as a key has them."""
    own, connect = permissions(rights)
    return {Right(name, level, is_connect=False) for name, level in own.items()} | {
        Right(name, level, is_connect=True) for name, level in connect.items()
    }


class GroupKeys:
    """A key for each group, made when it is first needed. Who plays no function may do everything."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._made: dict[Group, str] = {}
        self._current: str | None = None

    def current(self) -> str | None:
        """The key of whoever runs now."""
        return self._current

    @contextmanager
    def of(self, group: Group) -> Iterator[None]:
        """A function of this group runs."""
        before, self._current = self._current, self._key(group)
        try:
            yield
        finally:
            key = self._simulator.keys.of(self._key(group))
            USED[group] |= key.used
            self._current = before
            assert not key.lacked, f"{group} lacks {key.lacked}"

    def _key(self, group: Group) -> str:
        if group not in self._made:
            own, connect = permissions(rights_of(group))
            made = self._simulator.keys.make({"name": group, "permissions": own, "connect_permissions": connect})
            self._made[group] = str(made["key"])
        return self._made[group]
