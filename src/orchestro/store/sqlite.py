"""The store in a file: SQLite in WAL mode, where readers never wait and writers take turns."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator

from orchestro.errors import StoreError
from orchestro.store.database import LOCK_TIMEOUT_S, Parameters, Row

__all__ = ["SqliteDatabase"]

_REASONS = {
    sqlite3.SQLITE_BUSY: f"another process has kept it locked for {LOCK_TIMEOUT_S:g} s; end that one, or try again",
    sqlite3.SQLITE_READONLY: "it is read-only; make it and its directory writable, or choose another with --store",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; its directory must exist and be writable",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database; move the file away, or choose another with --store",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; move the file away, and a new one is begun",
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_PROTOCOL: "its file system cannot lock; put the store on a local disk, or use PostgreSQL",
}
"""What is wrong and what to do, by the primary result code."""
_TURNS = 100
"""How often it is tried to switch to WAL while others open the same new file."""


class SqliteDatabase:
    """A `Database` in a file, which is made when it is not there."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        self.where = path
        self._db: sqlite3.Connection | None = None
        try:
            self._db = sqlite3.connect(os.fsencode(path), timeout=LOCK_TIMEOUT_S, isolation_level=None)
            self._use_wal(self._db)
            # A crash of the machine may lose the last transactions, never damage the file; one of orchestro loses none.
            self._db.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error as error:
            self.close()
            raise self._explained(error) from error

    @staticmethod
    def _use_wal(db: sqlite3.Connection) -> None:
        for _ in range(_TURNS):
            try:
                db.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                # The switch does not wait for others that are at it, but a transaction does.
                db.execute("BEGIN IMMEDIATE")
                db.execute("ROLLBACK")
            else:
                return
        db.execute("PRAGMA journal_mode=WAL")

    def query(self, sql: str, parameters: Parameters = {}) -> list[Row]:  # noqa: B006  # never written to
        """All rows that `sql` selects."""
        with self._explaining() as db:
            return db.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Parameters = {}) -> int:  # noqa: B006  # never written to
        """Carry out one statement and return the number of rows that it changed."""
        with self.transaction(), self._explaining() as db:
            return db.execute(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Carry a statement out for each of `rows`."""
        with self.transaction(), self._explaining() as db:
            db.executemany(sql, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written together or not at all."""
        with self._explaining() as db:
            nested = db.in_transaction
            if not nested:
                # A deferred one that reads first and then writes fails when another has written in between.
                db.execute("BEGIN IMMEDIATE")
        if nested:
            yield
            return
        try:
            yield
            with self._explaining():
                db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if db.in_transaction:  # some errors, such as a full disk, have rolled it back already
                    db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file. Twice is harmless."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[sqlite3.Connection]:
        if self._db is None:
            raise StoreError(f"the store {self.where} is closed")
        try:
            yield self._db
        except sqlite3.ProgrammingError:
            raise  # a bug of ours
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest is the extended code
        return StoreError(f"the store {self.where}: {_REASONS.get(code, str(error))}")
