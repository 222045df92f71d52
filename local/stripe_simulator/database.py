"""The optional SQLite file: changed objects are written in each request's own commit, and read back at the start.

A file says which version of this layout it has. An older one is brought up to date when it is opened; a newer one, one
that another simulator has open, and one that is none are refused. What was answered is in the file: a process that is
killed loses nothing, a machine that loses its power may lose the last requests, and never half of one.
"""

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from .shelves import Position
from .values import Object

_MIGRATIONS: Final[Sequence[str]] = (
    """
    CREATE TABLE IF NOT EXISTS objects (
        account TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
        created INTEGER NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (account, collection, id)
    ) WITHOUT ROWID
    """,
)
"""What makes each version of the one before it. A file of version 0 is empty, or older than versions."""
VERSION: Final = len(_MIGRATIONS)
_PUT: Final = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM objects WHERE account = ? AND collection = ? AND id = ?"
_DELETE_ALL: Final = "DELETE FROM objects"
_ALL: Final = "SELECT account, collection, id, created, sequence, body FROM objects ORDER BY created, sequence"


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


class DatabaseError(Exception):
    """The file cannot be used; the message says why, for whoever started the simulator."""


class Database:
    """One file, used by one simulator at a time.

    Raises:
        DatabaseError: it is no such file, one of a newer simulator, or used by another one; or it holds objects of
            collections other than the ``known`` ones.
    """

    def __init__(self, path: Path, known: Container[str]) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        try:
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._migrate()
            self._check(known)
        except (sqlite3.Error, DatabaseError) as error:
            self._connection.close()
            raise error if isinstance(error, DatabaseError) else self._unusable(error) from error

    def _migrate(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")  # from here on the file is this simulator's alone
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise DatabaseError(
                f"{self._path} was written by a newer simulator (version {version} of the file, {VERSION} is known "
                "here). Use that one, or another file."
            )
        for migration in _MIGRATIONS[version:]:
            self._connection.execute(migration)
        self._connection.execute(f"PRAGMA user_version = {VERSION}")
        self._connection.execute("COMMIT")

    def _check(self, known: Container[str]) -> None:
        for (name,) in self._connection.execute("SELECT DISTINCT collection FROM objects"):
            if name not in known:
                raise DatabaseError(f"{self._path} holds objects of {name}, which this simulator does not have.")

    def _unusable(self, error: sqlite3.Error) -> DatabaseError:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return DatabaseError(f"{self._path} is used by another simulator.")
        return DatabaseError(f"{self._path} cannot be used as the simulator's file: {error}.")

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
