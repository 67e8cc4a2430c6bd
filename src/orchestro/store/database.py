"""Opening the store, and the little that is asked of a database: SQLite in a file, or PostgreSQL by URL.

SQL is written once, in what both speak, with parameters as ``:name``. Transactions follow one another on both, as if
there were one writer, so that what is read in one still holds when it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias, TypeVar

from orchestro.errors import StoreConflict, UserError

__all__ = [
    "LOCK_TIMEOUT_S",
    "Database",
    "Parameters",
    "Row",
    "open_database",
    "sqlite_path",
    "without_password",
    "write",
]

Parameters: TypeAlias = Mapping[str, object]
Row: TypeAlias = tuple[Any, ...]
_T = TypeVar("_T")

LOCK_TIMEOUT_S = 10.0
"""How long a transaction waits for those of other processes; one takes milliseconds."""
_ATTEMPTS = 5
"""At a transaction that the database gives up for another, which takes nobody's lock twice in a row."""
_NO_PARAMETERS: Parameters = {}
_POSTGRESQL = ("postgresql", "postgres")


class Database(Protocol):
    """A connection, to be used by one thread at a time. Every method raises StoreError."""

    dialect: str
    """``sqlite`` or ``postgresql``."""
    where: str
    """Path, or URL without the password, for messages."""

    def query(self, sql: str, parameters: Parameters = _NO_PARAMETERS) -> list[Row]:
        """All rows that `sql` selects."""

    def execute(self, sql: str, parameters: Parameters = _NO_PARAMETERS) -> int:
        """Carry out one statement; outside of a transaction it is one. Returns the number of rows that it changed."""

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Carry a statement out for each of `rows`, in order; outside of a transaction all of it is one."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside is written together or, when it raises, not at all; no other transaction runs meanwhile.

        Within another it is a part of that one. Waits `LOCK_TIMEOUT_S` for other processes.
        """

    def close(self) -> None:
        """Close the connection. Twice is harmless."""


def open_database(url: str) -> Database:
    """Open a store with the newest schema, making or migrating it when it is not there or older.

    `url` is a path or ``sqlite:///path`` for SQLite (four slashes for an absolute path), ``postgresql://...`` for
    PostgreSQL. Raises StoreError when it cannot be used, UserError for another kind of URL or a missing driver.
    """
    from orchestro.store.migrations import migrate

    database = _connect(url)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def _connect(url: str) -> Database:
    path = sqlite_path(url)
    if path is None:
        from orchestro.store.postgres import PostgresDatabase

        return PostgresDatabase(url)
    from orchestro.store.sqlite import SqliteDatabase

    return SqliteDatabase(path)


def sqlite_path(url: str) -> str | None:
    """The file of the store that `url` names; None for a server. Raises UserError when it names neither."""
    scheme, path = _split(url)
    if scheme in _POSTGRESQL:
        return None
    if scheme not in ("", "sqlite"):
        raise UserError(f"{scheme}:// is no store; expected a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE")
    if scheme:
        if not path.startswith("/"):
            raise UserError(f"{url!r} names a host, but SQLite is a file; write sqlite:///{path}")
        path = path[1:]
    if not path:
        raise UserError("the path of the store is empty; expected a path, sqlite:///PATH or postgresql://...")
    return path


def write(database: Database, work: Callable[[], _T]) -> _T:
    """Do `work` in a transaction, again if the database gives it up in favour of another one's.

    Raises StoreConflict when that happens five times on end.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            with database.transaction():
                return work()
        except StoreConflict:
            continue
    with database.transaction():
        return work()


def _split(url: str) -> tuple[str, str]:
    """Scheme and what follows ``://``; a path has no scheme."""
    scheme, mark, rest = url.partition("://")
    return (scheme.lower(), rest) if mark and scheme.isalnum() else ("", url)


def without_password(text: str) -> str:
    """`text` without the passwords of the URLs of PostgreSQL in it, for what is shown or kept."""
    if "://" not in text:
        return text
    import re  # most runs come without a URL and are spared the patterns

    text = re.sub(r"(?i)(\bpostgres(?:ql)?://[^\s:/?#@]*):\S*@", r"\1@", text)
    return re.sub(r"(?i)([?&])password=[^&\s]*", r"\1password=", text)
