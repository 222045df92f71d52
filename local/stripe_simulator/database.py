"""The optional SQLite file: changed objects are written in each request's own commit, and read back at the start."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .shelves import Position
from .values import Object

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    account TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
    created INTEGER NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, collection, id)
) WITHOUT ROWID
"""
_PUT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM objects WHERE account = ? AND collection = ? AND id = ?"
_DELETE_ALL = "DELETE FROM objects"
_ALL = "SELECT account, collection, id, created, sequence, body FROM objects ORDER BY created, sequence"


class Row(NamedTuple):
    """An object as it stands after a change; without item and position it is gone."""

    account: str
    collection: str
    object_id: str
    item: Object | None
    position: Position | None


class StoredRow(NamedTuple):
    """An object as it was found in the file."""

    account: str
    collection: str
    object_id: str
    item: Object
    position: Position


class Database:
    """One file, used by one simulator at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_SCHEMA)

    def rows(self) -> Iterator[StoredRow]:
        """Everything stored, oldest first."""
        for account, collection, object_id, created, sequence, body in self._connection.execute(_ALL):
            yield StoredRow(account, collection, object_id, json.loads(body), (created, sequence, object_id))

    def write(self, rows: Iterable[Row], *, instead_of_all: bool = False) -> None:
        """Write one request's changes, or a whole state in the place of what is there; all or none."""
        self._connection.execute("BEGIN")
        try:
            if instead_of_all:
                self._connection.execute(_DELETE_ALL)
            for row in rows:
                self._write_one(row)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _write_one(self, row: Row) -> None:
        key = (row.account, row.collection, row.object_id)
        if row.item is None or row.position is None:
            self._connection.execute(_DELETE, key)
        else:
            created, sequence, _ = row.position
            self._connection.execute(_PUT, (*key, created, sequence, json.dumps(row.item)))

    def close(self) -> None:
        """Leave the file whole for the next start."""
        self._connection.close()
