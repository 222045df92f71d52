"""Where the objects of one kind and one account stand: by id, newest first, and by indexed values."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .values import Object

if TYPE_CHECKING:
    from .state import State

type Position = tuple[float, int, str]
"""``created``, a running number, the id: the order of lists, also where several were made in one second."""

FIRST: Final = ()  # before every position
LAST: Final = (float("inf"),)  # after every position

type Expansion = Callable[["State", Object], Any]
"""Finds what a field stands for where its collection does not tell, or what is shown only when asked for."""


class Index(NamedTuple):
    """A named value, or several, by which objects are found."""

    name: str
    values: Callable[[Object], Iterable[Hashable]]


@dataclass(frozen=True)
class Collection:
    """A kind of object, declared by the resource module that owns it.

    ``name`` is Stripe's ``object``; with a leading underscore only the simulator knows it. ``path`` is the list's URL.
    ``indexes`` are dotted fields, or an ``Index`` where the value is computed; only by these can objects be found and
    listed. ``expands`` leads from a dotted field to the collection of the id in it, or to an ``Expansion``.
    ``found_anywhere`` keeps which account has an id, for hosted pages, whose visitors have no key.
    """

    name: str
    path: str = ""
    indexes: tuple[str | Index, ...] = ()
    expands: Mapping[str, "str | Expansion"] = field(default_factory=dict)
    found_anywhere: bool = False

    def index_list(self) -> list[Index]:
        """All indexes, those on fields included."""
        return [index if isinstance(index, Index) else Index(index, _field(index)) for index in self.indexes]


def _field(dotted: str) -> Callable[[Object], Iterable[Hashable]]:
    first, *rest = dotted.split(".")

    def values(item: Object) -> Iterable[Hashable]:
        value = item.get(first)
        for name in rest:
            value = value.get(name) if isinstance(value, Mapping) else None
        return () if value is None else (value,)

    return values


class Entry(NamedTuple):
    """An object and its place."""

    item: Object
    position: Position


class Shelf:
    """The objects of one collection on one account."""

    def __init__(self, collection: Collection) -> None:
        self.entries: dict[str, Entry] = {}
        self._order: list[Position] = []
        self._indexes = {index.name: index.values for index in collection.index_list()}
        self._postings: dict[str, dict[Hashable, list[Position]]] = {name: {} for name in self._indexes}

    def put(self, object_id: str, entry: Entry | None) -> Entry | None:
        """Place, replace or (None) remove; gives what stood there before, which put back undoes it."""
        before = self.entries.get(object_id)
        if entry is None:
            del self.entries[object_id]
        else:
            self.entries[object_id] = entry
        was_listed, is_listed = _listed(before), _listed(entry)
        if was_listed != is_listed:
            position = (entry or before or _NOWHERE).position
            (_add if is_listed else _remove)(self._order, position)
        for name, values in self._indexes.items():
            self._reindex(name, values, before if was_listed else None, entry if is_listed else None)
        return before

    def _reindex(
        self, name: str, values: Callable[[Object], Iterable[Hashable]], before: Entry | None, after: Entry | None
    ) -> None:
        old = values(before.item) if before else ()
        new = values(after.item) if after else ()
        if old == new:
            return
        postings = self._postings[name]
        for value in old:
            if before and value not in new:
                _remove(postings[value], before.position)
                if not postings[value]:
                    del postings[value]
        for value in new:
            if after and value not in old:
                _add(postings.setdefault(value, []), after.position)

    def newest(self, limit: int) -> list[Entry]:
        """The newest objects, the last one first."""
        return [self.entries[position[2]] for position in self._order[: -limit - 1 : -1]]

    def count(self, where: Mapping[str, Hashable]) -> int:
        """How many objects have one indexed value, or how many there are."""
        return sum(map(len, self._shortest(where)[0]))

    def find(
        self, where: Mapping[str, Hashable], *, after: tuple[Any, ...], before: tuple[Any, ...], ascending: bool = False
    ) -> Iterator[Object]:
        """Objects between two positions (both excluded) that have every value of ``where``, newest first unless told.

        A frozenset stands for any of its values. Walks the shortest list that an index gives and looks at the other
        values on the way.
        """
        lists, looked_up = self._shortest(where)
        rest = [(self._indexes[name], _alternatives(value)) for name, value in where.items() if name != looked_up]
        walks = [_between(positions, after, before, ascending=ascending) for positions in lists]
        for position in walks[0] if len(walks) == 1 else merge(*walks, reverse=not ascending):
            item = self.entries[position[2]].item
            if all(any(value in wanted for value in values(item)) for values, wanted in rest):
                yield item

    def _shortest(self, where: Mapping[str, Hashable]) -> tuple[list[list[Position]], str | None]:
        """The index that leaves the least to walk; a set of values asks for a list each."""
        choices = [
            ([self._postings[name].get(value, []) for value in _alternatives(wanted)], name)
            for name, wanted in where.items()
        ]
        return min(choices, key=lambda choice: sum(map(len, choice[0]))) if choices else ([self._order], None)


def _alternatives(wanted: Hashable) -> frozenset[Hashable]:
    return wanted if isinstance(wanted, frozenset) else frozenset((wanted,))


def _between(
    positions: list[Position], after: tuple[Any, ...], before: tuple[Any, ...], *, ascending: bool
) -> Iterator[Position]:
    start, stop = bisect_right(positions, after), bisect_left(positions, before)
    steps = range(start, stop) if ascending else range(stop - 1, start - 1, -1)
    return (positions[step] for step in steps)


def _listed(entry: Entry | None) -> bool:
    """Stripe keeps a stub of some deleted objects, which can be retrieved and is in no list."""
    return entry is not None and "deleted" not in entry.item


def _add(positions: list[Position], position: Position) -> None:
    if not positions or positions[-1] < position:
        positions.append(position)
    else:
        insort(positions, position)


def _remove(positions: list[Position], position: Position) -> None:
    del positions[bisect_left(positions, position)]


_NOWHERE = Entry({}, (0, 0, ""))
