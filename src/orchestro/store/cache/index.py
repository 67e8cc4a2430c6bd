"""Which results are kept, in one SQLite file: entries, their outputs, when each was last used, hits and misses."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from orchestro.errors import InfrastructureError

__all__ = ["DATABASE", "ENTRY_BYTES", "CacheUnusable", "Entry", "Index", "Output", "Totals", "remove_database"]

DATABASE = "results.db"
"""Name of the file in the directory of the cache."""

_T = TypeVar("_T")
_SCHEMA = 1
_TABLES = ("entry", "use", "output", "text", "counter")
_STATEMENTS = (
    *(f"DROP TABLE IF EXISTS {table}" for table in _TABLES),
    """CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,
     duration_s REAL NOT NULL, created_at REAL NOT NULL, bytes INTEGER NOT NULL)""",
    "CREATE TABLE use (id INTEGER PRIMARY KEY, at REAL NOT NULL)",
    """CREATE TABLE output (id INTEGER, path, digest BLOB NOT NULL, mode INTEGER NOT NULL, size INTEGER NOT NULL,
     PRIMARY KEY (id, path)) WITHOUT ROWID""",
    "CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    f"PRAGMA user_version={_SCHEMA}",
)
"""`use` is apart and narrow, as it is written for every hit; `text` as it is seldom read."""

ENTRY_BYTES = 512
"""Charged for an entry beside its outputs and text, so that many empty results are bounded too."""
_BUSY_S = 10.0
"""How long to wait for another process that writes."""
_AT_ONCE = 900
"""Keys in one query; older SQLite takes 999."""
_ALL_FACTOR = 4
"""When no more than this many times the entries asked for are there, reading all is faster than looking each up."""


class CacheUnusable(InfrastructureError):
    """Raised when the result cache cannot be read or written; a run goes on without it."""

    def __init__(self, path: str, reason: object) -> None:
        self.path = path
        self.reason = str(reason)
        super().__init__(f"the result cache in {path} cannot be used: {reason}; `orchestro cache clear` makes it anew")


class Output(NamedTuple):
    """A file that a task made."""

    path: str
    """Relative to the root of the task."""
    digest: bytes
    mode: int
    """Permission bits."""
    size: int
    """Bytes."""


class Entry(NamedTuple):
    """A result that is kept."""

    key: str
    outputs: tuple[Output, ...]
    duration_s: float
    """How long the task took."""
    created_at: float
    """Unix seconds."""
    id: int
    """Of this entry; a later result of the same key has another."""


class Totals(NamedTuple):
    """What the index adds up to."""

    entries: int
    bytes: int
    """Distinct contents of outputs, texts, and `ENTRY_BYTES` for each entry."""
    hits: int
    misses: int
    oldest_at: float | None
    """Unix seconds; None without entries."""


class Index:
    """The SQLite file at `path`. A damaged file is set aside and begun anew. Raises CacheUnusable throughout.

    It is for one thread at a time. Killing a process loses nothing that was committed; a power failure may take what
    was committed last, but leaves the file sound.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        with self._sound():
            try:
                self._db = _open(path)
            except sqlite3.OperationalError:
                raise  # busy, read-only or full: others may be using it
            except sqlite3.DatabaseError:
                remove_database(path)
                self._db = _open(path)

    def get_many(self, keys: Sequence[str], since: float) -> dict[str, Entry]:
        """Entries of those keys that are kept and were made after `since` (Unix seconds)."""
        with self._sound():
            if len(keys) > _AT_ONCE and self._count() <= len(keys) * _ALL_FACTOR:
                wanted = set(keys)
                rows = self._db.execute("SELECT id, key, duration_s, created_at FROM entry").fetchall()
                outputs = _by_id(self._db.execute("SELECT id, path, digest, mode, size FROM output"))
                rows = [row for row in rows if row[1] in wanted]
            else:
                query = "SELECT id, key, duration_s, created_at FROM entry WHERE key IN (%s)"
                rows = [row for some in _batches(keys) for row in self._db.execute(query % _marks(some), some)]
                query = "SELECT id, path, digest, mode, size FROM output WHERE id IN (%s)"
                ids = [row[0] for row in rows]
                outputs = {}
                for numbers in _batches(ids):
                    outputs.update(_by_id(self._db.execute(query % _marks(numbers), numbers)))
        none: list[Output] = []
        return {
            key: Entry(key, tuple(outputs.get(number, none)), duration_s, created_at, number)
            for number, key, duration_s, created_at in rows
            if created_at >= since
        }

    def text(self, entry: Entry) -> str:
        """What was kept of the output of the command."""
        with self._sound():
            row = self._db.execute("SELECT text FROM text WHERE id = ?", (entry.id,)).fetchone()
        return str(row[0]) if row else ""

    def put(self, key: str, outputs: Iterable[Output], text: str, duration_s: float, at: float) -> None:
        """Keep a result, in the place of an earlier one of that key. One transaction."""
        size = ENTRY_BYTES + len(text)
        with self._transaction() as db:
            for (old,) in db.execute("SELECT id FROM entry WHERE key = ?", (key,)).fetchall():
                self._delete(((old,),))
            number = db.execute(
                "INSERT INTO entry (key, duration_s, created_at, bytes) VALUES (?, ?, ?, ?)",
                (key, duration_s, at, size),
            ).lastrowid
            db.execute("INSERT INTO use VALUES (?, ?)", (number, at))
            db.executemany(
                "INSERT INTO output VALUES (?, ?, ?, ?, ?)",
                [(number, _stored(path), digest, mode, size) for path, digest, mode, size in outputs],
            )
            if text:
                db.execute("INSERT INTO text VALUES (?, ?)", (number, text.encode("utf-8", "replace").decode()))

    def drop(self, ids: Iterable[int]) -> None:
        """Remove entries."""
        with self._transaction():
            self._delete([(number,) for number in ids])

    def touch(self, ids: Sequence[int], at: float, hits: int, misses: int) -> None:
        """Note entries as used, in this order, the last at `at` (Unix seconds), and add to the counts."""
        with self._transaction() as db:
            # A microsecond apart, so that also within one run the order of use is kept.
            first = at - len(ids) * 1e-6
            db.executemany(
                "UPDATE use SET at = ? WHERE id = ?", [(first + i * 1e-6, number) for i, number in enumerate(ids, 1)]
            )
            for name, more in (("hits", hits), ("misses", misses)):
                db.execute(
                    "INSERT INTO counter VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = value + ?2",
                    (name, more),
                )

    def evict(self, max_bytes: int, since: float, used_since: float) -> int:
        """Remove what was made before `since` or last used before `used_since`, and then the least recently used.

        Until what is left is at most `max_bytes`. A content that another entry shares is only freed with the last of
        them. Returns how many entries were removed.
        """
        with self._transaction() as db:
            old = "SELECT entry.id FROM entry JOIN use USING (id) WHERE created_at < ? OR at < ?"
            gone = db.execute(old, (since, used_since)).fetchall()
            self._delete(gone)
            more = [(number,) for number in self._least_used(max_bytes)] if self._bytes() > max_bytes else []
            self._delete(more)
        return len(gone) + len(more)

    def clear(self) -> int:
        """Remove everything, the counts too; returns how many entries there were."""
        with self._transaction() as db:
            entries = self._count()
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names
        with contextlib.suppress(sqlite3.Error):  # another process reads; the space is then used again
            self._db.execute("VACUUM")
        return entries

    def digests(self) -> set[bytes]:
        """Of all contents that some entry needs."""
        with self._sound():
            return {digest for (digest,) in self._db.execute("SELECT DISTINCT digest FROM output")}

    def totals(self) -> Totals:
        """What it adds up to."""
        with self._sound():
            entries, oldest = self._db.execute("SELECT count(*), min(created_at) FROM entry").fetchone()
            counts = dict(self._db.execute("SELECT name, value FROM counter"))
            return Totals(entries, self._bytes(), counts.get("hits", 0), counts.get("misses", 0), oldest)

    def bytes(self) -> int:
        """`Totals.bytes` alone."""
        with self._sound():
            return self._bytes()

    def close(self) -> None:
        """Close the file."""
        with self._sound():
            self._db.close()

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM entry").fetchone()[0])

    def _bytes(self) -> int:
        (own,) = self._db.execute("SELECT total(bytes) FROM entry").fetchone()
        (kept,) = self._db.execute("SELECT total(size) FROM (SELECT DISTINCT digest, size FROM output)").fetchone()
        return int(own + kept)

    def _least_used(self, max_bytes: int) -> Iterator[int]:
        """Ids to remove, the longest unused first."""
        total = self._bytes()
        holders: dict[bytes, int] = {}
        held: dict[int, list[tuple[bytes, int]]] = {}
        for number, digest, size in self._db.execute("SELECT DISTINCT id, digest, size FROM output"):
            holders[digest] = holders.get(digest, 0) + 1
            held.setdefault(number, []).append((digest, size))
        order = "SELECT entry.id, bytes FROM entry JOIN use USING (id) ORDER BY at, entry.id"
        for number, own in self._db.execute(order).fetchall():
            if total <= max_bytes:
                return
            total -= own
            for digest, size in held.get(number, ()):
                holders[digest] -= 1
                if not holders[digest]:
                    total -= size
            yield number

    def _delete(self, ids: Sequence[tuple[int]]) -> None:
        for table in _TABLES[:4]:
            self._db.executemany(f"DELETE FROM {table} WHERE id = ?", ids)  # noqa: S608  # our own names

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise CacheUnusable(self._path, error) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._sound():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise


def remove_database(path: str) -> None:
    """Remove the file and what SQLite keeps beside it; a process that has it open goes on with what it has."""
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + suffix)


def _open(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        if _version(db) != _SCHEMA:
            db.execute("BEGIN IMMEDIATE")
            if _version(db) != _SCHEMA:  # else another process was faster
                for statement in _STATEMENTS:
                    db.execute(statement)
            db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _by_id(rows: Iterable[tuple[int, str | bytes, bytes, int, int]]) -> dict[int, list[Output]]:
    found: dict[int, list[Output]] = {}
    for number, path, digest, mode, size in rows:
        output = Output(path if isinstance(path, str) else os.fsdecode(path), digest, mode, size)
        if number in found:
            found[number].append(output)
        else:
            found[number] = [output]
    return found


def _stored(path: str) -> str | bytes:
    """Names of files need not be text, but what SQLite calls text must."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _batches(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for begin in range(0, len(values), _AT_ONCE):
        yield values[begin : begin + _AT_ONCE]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
