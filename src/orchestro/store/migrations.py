"""The schema of the store, as the numbered steps that lead to it.

A step that was released is never changed; what has to be different is a further step at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from orchestro.errors import StoreError
from orchestro.store.database import Database

__all__ = ["LATEST", "MIGRATIONS", "Migration", "migrate", "schema_version"]


Migration: TypeAlias = tuple[str | Mapping[str, str], ...]
"""The statements of one step, for both databases, or by dialect where they must differ."""

_TASK = (
    "CREATE TABLE task (key TEXT, machine TEXT, duration_s DOUBLE PRECISION, outcome TEXT, runs BIGINT,"
    " at DOUBLE PRECISION, PRIMARY KEY (key, machine))"
)

# Of the runs before there was this column, only how the last one ended is known.
_RECENT = (
    "UPDATE task SET recent = CASE outcome WHEN 'passed' THEN 'p' WHEN 'flaky' THEN 'y' WHEN 'failed' THEN 'f'"
    " WHEN 'timed out' THEN 't' WHEN 'error' THEN 'e' ELSE '' END"
)
_DEAD_LETTER = (
    "CREATE TABLE dead_letter (fingerprint TEXT PRIMARY KEY, task_id TEXT NOT NULL, kind TEXT NOT NULL,"
    " name TEXT NOT NULL, source_file TEXT NOT NULL, source_line BIGINT NOT NULL, source_column BIGINT NOT NULL,"
    " error TEXT NOT NULL, reason TEXT NOT NULL, attempts BIGINT NOT NULL, count BIGINT NOT NULL,"
    " first_at DOUBLE PRECISION NOT NULL, last_at DOUBLE PRECISION NOT NULL, run_id TEXT NOT NULL,"
    " payload TEXT NOT NULL, stage TEXT NOT NULL)"
)

MIGRATIONS: tuple[Migration, ...] = (
    ({"sqlite": f"{_TASK} WITHOUT ROWID", "postgresql": _TASK},),
    ("ALTER TABLE task ADD COLUMN recent TEXT NOT NULL DEFAULT ''", _RECENT),
    (_DEAD_LETTER, "CREATE INDEX dead_letter_by_time ON dead_letter (last_at)"),
)
"""In order: the first makes version 1 of an empty store, each of the others the next version."""
LATEST = len(MIGRATIONS)
"""The version of the schema that this orchestro reads and writes."""

_HAS_VERSION = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
    # Not to_regclass: that answers from a cache, which may not know yet what another has done while we waited for it.
    "postgresql": "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relname = 'schema_version' AND n.nspname = ANY (current_schemas(false))",
}


def migrate(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the store to the last of `migrations`, in one transaction. Processes that start at once take turns.

    Raises StoreError when a later version of orchestro has written it.
    """
    latest = len(migrations)
    if _checked(database, latest) == latest:
        return
    with database.transaction():
        version = _checked(database, latest)  # another process may have been first
        if not _keeps_version(database):
            database.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            database.execute("INSERT INTO schema_version VALUES (:version)", {"version": version})
        for migration in migrations[version:]:
            for statement in migration:
                database.execute(statement if isinstance(statement, str) else statement[database.dialect])
        database.execute("UPDATE schema_version SET version = :version", {"version": latest})


def schema_version(database: Database) -> int:
    """The version of the schema that the store has; 0 when there is nothing yet."""
    if _keeps_version(database):
        return int(database.query("SELECT version FROM schema_version")[0][0])
    if database.dialect == "sqlite" and database.query("SELECT 1 FROM sqlite_master WHERE name = 'task'"):
        # Version 1 was kept in the header of the file.
        return min(1, int(database.query("PRAGMA user_version")[0][0]))
    return 0


def _keeps_version(database: Database) -> bool:
    return bool(database.query(_HAS_VERSION[database.dialect]))


def _checked(database: Database, latest: int) -> int:
    version = schema_version(database)
    if version > latest:
        raise StoreError(
            f"the store {database.where} was written by a newer orchestro (schema {version}, this one knows {latest}); "
            "update orchestro, or choose another store with --store"
        )
    return version
