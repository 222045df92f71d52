"""The table of a backlog: the store in memory, where the processor's calls look at a partition, not at everything."""

from collections import defaultdict
from copy import copy
from typing import Any, override

from marketplace.adapters.keys import Key, key_of
from marketplace.adapters.records import all_written
from marketplace.domain.books import Books
from marketplace.domain.debts import Debt
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal
from marketplace.domain.transactions import Transaction
from marketplace.ports import Change, Clock, Page, Ref
from tests.fakes.memory_store import Hook, MemoryStore


class Table(MemoryStore):
    """Holds a million items as fast as a hundred."""

    def __init__(self, clock: Clock, *, after: Hook) -> None:
        super().__init__(clock, after=after)
        self._partitions: defaultdict[str, set[Key]] = defaultdict(set)

    @override
    def commit(self, *changes: Change) -> None:
        super().commit(*changes)
        for key in all_written(changes, self._clock.now()):
            self._partitions[key.pk].add(key)

    @override
    def books(self, transaction_id: str, *, visible_to: Principal) -> Books | None:
        return MemoryStore.books(self._only(Ref(Transaction, transaction_id)), transaction_id, visible_to=visible_to)

    @override
    def debts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Debt]:
        return MemoryStore.debts(self._only(Ref(Merchant, merchant_id)), merchant_id, cursor=cursor, limit=limit)

    def _only(self, subject: Ref[Any]) -> "Table":
        """One that holds the partition of this item, and is asked once."""
        head = key_of(subject)
        assert head is not None
        view = copy(self)
        view._items = {key: self._items[key] for key in self._partitions[head.pk]}
        return view
