"""The index: what was committed becomes searchable ``delay_seconds`` later, indexed by every term it can equal.

It stands beside the state and is made anew from it, whole, when a file or a snapshot is loaded.
"""

import operator
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from heapq import merge
from itertools import groupby
from typing import Any, Final

from ..clock import Clock
from ..database import StoredRow
from ..shelves import FIRST, LAST, Collection, Entry, Index, Position, Shelf
from ..values import Json, Object
from .fields import FIELDS, METADATA, Field, Kind, token_of, words_of
from .query import Clause, Operator, Query

_TERMS: Final = "terms"
_PRESENT: Final = None  # of a key of the metadata, with whatever value
_COMPARED: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EXACT: operator.eq,
    Operator.MORE: operator.gt,
    Operator.LESS: operator.lt,
    Operator.AT_LEAST: operator.ge,
    Operator.AT_MOST: operator.le,
}


class SearchIndex:
    """Everything searchable of all accounts."""

    def __init__(self, clock: Clock, delay_seconds: int) -> None:
        self._clock = clock
        self._delay_seconds = delay_seconds
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._waiting: deque[tuple[float, str, str, str, Entry | None]] = deque()

    def note(self, account: str, collection: str, object_id: str, entry: Entry | None) -> None:
        """Take in an object as it was committed, or (None) its end."""
        if collection not in FIELDS:
            return
        if self._delay_seconds:
            at = self._clock.precise() + self._delay_seconds
            self._waiting.append((at, account, collection, object_id, entry))
        else:
            self._put(account, collection, object_id, entry)

    def renew(self, stored: Iterable[StoredRow]) -> None:
        """Begin anew with what is stored, all of it searchable at once."""
        self._shelves.clear()
        self._waiting.clear()
        for row in stored:
            if row.collection in FIELDS:
                self._put(row.account, row.collection, row.object_id, Entry(row.item, row.position))

    def find(self, account: str, collection: str, query: Query, before: tuple[Any, ...]) -> Iterator[str]:
        """Ids of what the query matches, newest first, of positions before that one."""
        self._take_in_what_is_due()
        shelf = self._shelves.get((account, collection))
        return iter(()) if shelf is None else _find(shelf, FIELDS[collection], query, before)

    def _take_in_what_is_due(self) -> None:
        now = self._clock.precise()
        while self._waiting and self._waiting[0][0] <= now:
            self._put(*self._waiting.popleft()[1:])

    def _put(self, account: str, collection: str, object_id: str, entry: Entry | None) -> None:
        shelf = self._shelves.get((account, collection))
        if shelf is None:
            shelf = self._shelves[account, collection] = Shelf(_indexed(collection))
        if entry is not None or object_id in shelf.entries:
            shelf.put(object_id, entry)


@cache
def _indexed(collection: str) -> Collection:
    fields = FIELDS[collection]
    return Collection(collection, indexes=(Index(_TERMS, lambda item: _terms(item, fields)),))


def _terms(item: Object, fields: Mapping[str, Field]) -> frozenset[Hashable]:
    """``(field, value)`` of each field, a word each of texts, and ``("metadata", key, value)``."""
    terms: list[Hashable] = []
    for name, field in fields.items():
        value = field.value(item)
        if value is not None:
            terms += [(name, each) for each in _comparable(value, field.kind)]
    for key, value in (item.get(METADATA) or {}).items():
        terms += [(METADATA, key, token_of(value)), (METADATA, key, _PRESENT)]
    return frozenset(terms)


def _comparable(value: Json, kind: Kind) -> tuple[Hashable, ...]:
    if kind is Kind.STRING:
        return words_of(value)
    return (value,) if kind is Kind.NUMERIC else (token_of(value),)


def _find(shelf: Shelf, fields: Mapping[str, Field], query: Query, before: tuple[Any, ...]) -> Iterator[str]:
    tests = [_test(clause, fields) for clause in query.clauses]
    if query.any_holds:
        walks = [
            _walk(shelf, _terms_of(clause, fields), FIRST, before, (test,))
            for clause, test in zip(query.clauses, tests, strict=True)
        ]
        return (position[2] for position, _ in groupby(merge(*walks, reverse=True)))
    terms = [term for clause in query.clauses for term in _terms_of(clause, fields)]
    after, latest = _created_between(query)
    return (position[2] for position in _walk(shelf, terms, after, min(before, latest), tests))


def _walk(
    shelf: Shelf,
    terms: Iterable[Hashable],
    after: tuple[Any, ...],
    before: tuple[Any, ...],
    tests: Iterable[Callable[[Object], bool]],
) -> Iterator[Position]:
    """Positions of what passes the tests, newest first; looks only at what has the rarest of the terms, if any."""
    where = min(({_TERMS: term} for term in terms), key=shelf.count, default={})
    for item in shelf.find(where, after=after, before=before):
        if all(test(item) for test in tests):
            yield shelf.entries[item["id"]].position


def _terms_of(clause: Clause, fields: Mapping[str, Field]) -> Iterable[Hashable]:
    """What an object that fulfills the clause is surely indexed by; nothing when only looking at objects tells."""
    if clause.field == METADATA:
        asks_for_any = clause.value is None
        if asks_for_any != clause.is_negated:
            return ()
        return ((METADATA, clause.key, _PRESENT if asks_for_any else token_of(clause.value)),)
    if clause.is_negated or clause.operator is not Operator.EXACT or clause.value is None:
        return ()
    return [(clause.field, each) for each in _comparable(clause.value, fields[clause.field].kind)]


def _created_between(query: Query) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Positions that enclose every moment that the query allows: before a moment is ``(moment,)``, after it a rest."""
    after: tuple[Any, ...] = FIRST
    before: tuple[Any, ...] = LAST
    for clause in query.clauses:
        if clause.field == "created" and clause.value is not None and not clause.is_negated:
            moment = clause.value
            if clause.operator not in (Operator.LESS, Operator.AT_MOST):
                after = max(after, (moment, *LAST) if clause.operator is Operator.MORE else (moment,))
            if clause.operator not in (Operator.MORE, Operator.AT_LEAST):
                before = min(before, (moment,) if clause.operator is Operator.LESS else (moment, *LAST))
    return after, before


def _test(clause: Clause, fields: Mapping[str, Field]) -> Callable[[Object], bool]:
    """Whether an object fulfills the clause."""
    value_of = _metadata(clause.key) if clause.field == METADATA else fields[clause.field].value
    kind = Kind.TOKEN if clause.field == METADATA else fields[clause.field].kind
    holds = _comparison(clause, kind)
    wanted = not clause.is_negated

    def test(item: Object) -> bool:
        value = value_of(item)
        found = value is None if clause.value is None else value is not None and holds(value)
        return found is wanted

    return test


def _metadata(key: str | None) -> Callable[[Object], Json]:
    return lambda item: (item.get(METADATA) or {}).get(key)


def _comparison(clause: Clause, kind: Kind) -> Callable[[Json], bool]:
    if kind is Kind.NUMERIC:
        compared, number = _COMPARED[clause.operator], clause.value
        return lambda value: compared(Decimal(value), number)
    if kind is Kind.TOKEN:
        token = token_of(clause.value)
        return lambda value: token_of(value) == token
    if clause.operator is Operator.SUBSTRING:
        part = token_of(clause.value)
        return lambda value: part in token_of(value)
    phrase = words_of(clause.value)
    return lambda value: _has_phrase(words_of(value), phrase)


def _has_phrase(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Whether the words stand in the text one after the other."""
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1))
