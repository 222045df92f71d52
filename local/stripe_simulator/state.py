"""The simulator's state: every account's objects, changed in transactions that leave no trace when they fail.

All that must outlive a request is an object in here, events, deliveries and idempotency keys included, so that one
commit covers them and one file holds them.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from heapq import nlargest
from typing import Any

from .clock import Clock
from .database import Database, Row, StoredRow
from .errors import ResourceMissingError
from .search import SearchIndex
from .search.query import Query
from .shelves import FIRST, LAST, Collection, Entry, Position, Shelf
from .values import Json, Object


class Store:
    """All shelves of all accounts. One transaction at a time."""

    def __init__(
        self,
        collections: Mapping[str, Collection],
        clock: Clock,
        database: Database | None = None,
        *,
        search_delay_seconds: int = 0,
    ) -> None:
        self.collections = collections
        self.clock = clock
        self.sequence = 0
        self.search = SearchIndex(clock, search_delay_seconds)
        self._database = database
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._accounts_by_id: dict[tuple[str, str], str] = {}
        for row in database.rows() if database else ():
            self._place(row.account, row.collection, row.object_id, Entry(row.item, row.position))
            self.sequence = max(self.sequence, row.position[1])
        self.search.renew(self.rows())

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Changes made within are kept together when the block ends, and undone together when it raises."""
        transaction = Transaction(self)
        try:
            yield transaction
            if self._database and transaction.has_changes:
                self._database.write(transaction.rows())
        except BaseException:
            transaction.undo()
            raise
        for change in transaction.changes():
            self.search.note(*change)
        for act in transaction.after_commit:
            act()

    def shelf(self, account: str, collection: str) -> Shelf:
        """The shelf, made when it is first asked for."""
        key = (account, collection)
        if key not in self._shelves:
            self._shelves[key] = Shelf(self.collections[collection])
        return self._shelves[key]

    def stored(self, collection: Collection) -> Iterator[tuple[str, Object]]:
        """Every account's objects of a collection, oldest first, with the account.

        For rebuilding what is kept beside the state.
        """
        found = [row for row in self.rows() if row.collection == collection.name]
        for row in sorted(found, key=lambda row: row.position[1]):
            yield row.account, row.item

    def rows(self) -> Iterator[StoredRow]:
        """Everything that is stored."""
        for (account, collection), shelf in self._shelves.items():
            for object_id, entry in shelf.entries.items():
                yield StoredRow(account, collection, object_id, *entry)

    def newest(self, limit: int, wanted: Callable[[str], bool]) -> list[StoredRow]:
        """The newest objects of all accounts, the last one first, of the collections whose names are wanted."""
        ends = (
            StoredRow(account, collection, entry.position[2], *entry)
            for (account, collection), shelf in self._shelves.items()
            if wanted(collection)
            for entry in shelf.newest(limit)
        )
        return nlargest(limit, ends, key=lambda row: row.position)

    def wherever(self, object_id: str) -> list[StoredRow]:
        """The objects with an id, of whatever account and kind."""
        return [
            StoredRow(account, collection, object_id, *entry)
            for (account, collection), shelf in self._shelves.items()
            if (entry := shelf.entries.get(object_id)) is not None
        ]

    def replace(self, rows: Sequence[StoredRow], sequence: int) -> None:
        """Let these rows stand in the place of everything stored, and the running number go on after ``sequence``."""
        if self._database:
            self._database.write((Row(*row) for row in rows), instead_of_all=True)
        self._shelves.clear()
        self._accounts_by_id.clear()
        for row in rows:
            self._place(row.account, row.collection, row.object_id, Entry(row.item, row.position))
        self.sequence = sequence
        self.search.renew(self.rows())

    def peek(self, account: str, collection: str, object_id: str) -> Object | None:
        """The account's object, looked at outside of a transaction."""
        shelf = self._shelves.get((account, collection))
        entry = shelf.entries.get(object_id) if shelf else None
        return entry.item if entry else None

    def account_of(self, collection: Collection, object_id: str) -> str | None:
        """Whose object this is, for collections that are ``found_anywhere``."""
        return self._accounts_by_id.get((collection.name, object_id))

    def _place(self, account: str, collection: str, object_id: str, entry: Entry | None) -> Entry | None:
        if self.collections[collection].found_anywhere:
            if entry is None:
                self._accounts_by_id.pop((collection, object_id), None)
            else:
                self._accounts_by_id[collection, object_id] = account
        return self.shelf(account, collection).put(object_id, entry)


class Transaction:
    """The changes of one request."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.after_commit: list[Callable[[], None]] = []
        self._undo: list[tuple[str, str, str, Entry | None]] = []

    @property
    def has_changes(self) -> bool:
        """Whether anything was put: a request that only reads costs the file nothing."""
        return bool(self._undo)

    def put(self, account: str, collection: str, object_id: str, entry: Entry | None) -> None:
        """Change one object and remember how it was."""
        before = self.store._place(account, collection, object_id, entry)
        self._undo.append((account, collection, object_id, before))

    def undo(self) -> None:
        """Put everything back."""
        self._put_back(self._undo)

    def _put_back(self, changes: Sequence[tuple[str, str, str, Entry | None]]) -> None:
        """The last change first."""
        for account, collection, object_id, before in reversed(changes):
            self.store._place(account, collection, object_id, before)

    @contextmanager
    def tried(self) -> Iterator[None]:
        """What is changed within is undone when the block ends: to see what would come of it."""
        changes, acts = len(self._undo), len(self.after_commit)
        try:
            yield
        finally:
            self._put_back(self._undo[changes:])
            del self._undo[changes:], self.after_commit[acts:]

    def changes(self) -> Iterator[tuple[str, str, str, Entry | None]]:
        """Account, collection and id of what changed, and how it now stands; None when it is gone."""
        for account, collection, object_id in dict.fromkeys(change[:3] for change in self._undo):
            yield account, collection, object_id, self.store.shelf(account, collection).entries.get(object_id)

    def rows(self) -> Iterator[Row]:
        """The same, as the file keeps it."""
        for account, collection, object_id, entry in self.changes():
            yield Row(account, collection, object_id, *(entry or (None, None)))


class State:
    """The objects of one account within a transaction: what a resource reads and changes."""

    def __init__(self, transaction: Transaction, account: str) -> None:
        self.transaction = transaction
        self.account = account
        self._store = transaction.store

    def of(self, account: str) -> "State":
        """Another account's objects, in the same transaction."""
        return State(self.transaction, account)

    def holder_of(self, collection: Collection, object_id: str) -> "State":
        """The account that has the object, whoever asks: for hosted pages.

        Raises:
            ResourceMissingError: nobody has it.
        """
        account = self._store.account_of(collection, object_id)
        if account is None:
            raise ResourceMissingError(collection.name, object_id)
        return self.of(account)

    def is_anywhere(self, collection: Collection, object_id: str) -> bool:
        """Whether any account has the object, of a collection that is ``found_anywhere``."""
        return self._store.account_of(collection, object_id) is not None

    def insert(self, collection: Collection, item: Object) -> Object:
        """Keep a new object. Members with a leading underscore are the simulator's own and never shown."""
        self._store.sequence += 1
        made_at = self._made_at(item.get("created", item.get("date")))  # what invoice items call it
        position: Position = (made_at, self._store.sequence, item["id"])
        self.transaction.put(self.account, collection.name, item["id"], Entry(item, position))
        return item

    def _made_at(self, created: Json) -> float:
        """When an object says that it was made: in seconds, or in API v2's words."""
        if isinstance(created, int):
            return created
        return datetime.fromisoformat(created).timestamp() if created else self._store.clock.now()

    def update(self, collection: Collection, item: Object, changes: Mapping[str, Any]) -> Object:
        """Make the next version of an object: as it stands now, with ``changes``."""
        entry = self._entries(collection.name)[item["id"]]
        changed = {**entry.item, **changes}
        self.transaction.put(self.account, collection.name, item["id"], Entry(changed, entry.position))
        return changed

    def replace(self, collection: Collection, item: Object) -> Object:
        """Let ``item`` stand in the place of the object of its id, such as the stub of a deleted one."""
        entry = self._entries(collection.name)[item["id"]]
        self.transaction.put(self.account, collection.name, item["id"], Entry(item, entry.position))
        return item

    def delete(self, collection: Collection, object_id: str) -> None:
        """Forget an object."""
        self.transaction.put(self.account, collection.name, object_id, None)

    def find(self, collection: Collection | str, object_id: str) -> Object | None:
        """The object as it stands now, or None."""
        entry = self._entries(collection if isinstance(collection, str) else collection.name).get(object_id)
        return entry.item if entry else None

    def get(self, collection: Collection, object_id: str, *, param: str = "id") -> Object:
        """The object as it stands now; ``param`` names the parameter that the id came in, if it was not the path.

        Raises:
            ResourceMissingError: the account has no such object, or it was deleted and is not asked for by its path.
        """
        item = self.find(collection, object_id)
        if item is None or ("deleted" in item and param != "id"):
            raise ResourceMissingError(collection.name, object_id, param=param)
        return item

    def select(
        self,
        collection: Collection,
        where: Mapping[str, Hashable] | None = None,
        *,
        after: tuple[Any, ...] = FIRST,
        before: tuple[Any, ...] = LAST,
        ascending: bool = False,
    ) -> Iterator[Object]:
        """Objects with these values of declared indexes, newest first; the positions bound the walk."""
        shelf = self._store.shelf(self.account, collection.name)
        return shelf.find(where or {}, after=after, before=before, ascending=ascending)

    def search(self, collection: str, query: Query, *, before: tuple[Any, ...] = LAST) -> Iterator[Object]:
        """Objects that the search index finds, as they stand now, newest first; it may lag behind them."""
        for object_id in self._store.search.find(self.account, collection, query, before):
            found = self.find(collection, object_id)
            if found is not None and "deleted" not in found:
                yield found

    def first(self, collection: Collection, where: Mapping[str, Hashable]) -> Object | None:
        """The newest object with these values, or None."""
        return next(self.select(collection, where), None)

    def count(self, collection: Collection, where: Mapping[str, Hashable] | None = None) -> int:
        """How many objects there are, or how many have the one value given."""
        return self._store.shelf(self.account, collection.name).count(where or {})

    def position(self, collection: Collection, object_id: str) -> Position | None:
        """An object's place in lists."""
        entry = self._entries(collection.name).get(object_id)
        return entry.position if entry else None

    def collection_of(self, name: str) -> Collection | None:
        """The collection that Stripe's ``object`` names."""
        return self._store.collections.get(name)

    def _entries(self, collection: str) -> dict[str, Entry]:
        return self._store.shelf(self.account, collection).entries


def public(item: Object) -> Object:
    """The object without the simulator's own members."""
    if any(name[0] == "_" for name in item):
        return {name: value for name, value in item.items() if name[0] != "_"}
    return item
