"""What earlier runs taught: how long each task takes on which class of machine, and how it ended last time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from orchestro.model import Outcome, Task

__all__ = ["History", "Seen", "history_key", "machine_class"]

_SCHEMA = 1
_WEIGHT = 0.3
"""Of the newest duration in the moving average."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a task."""

    duration_s: float | None
    """Exponentially weighted mean of its passed runs on this class of machine; None before the first."""
    last_outcome: Outcome | None
    runs: int


def history_key(task: Task) -> str:
    """What a task is called in the history: the same in every run and checkout, and for its repetitions."""
    file = _relative(task.source.file, os.getcwd()) if task.source.file else ""
    key = f"{file}::{task.name.partition(' #')[0]}"
    # Names of files need not be UTF-8.
    return key if key.isascii() else key.encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=1024)
def _relative(path: str, here: str) -> str:
    return os.path.relpath(path, here)


def machine_class() -> str:
    """Machines of one class run about equally fast: system, processor and number of cores."""
    import platform

    return f"{platform.system().lower()}-{platform.machine()}-{os.cpu_count()}"


class History:
    """An SQLite file. Raises sqlite3.Error when it cannot be used; a run goes on without it."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version < _SCHEMA:
            self._db.executescript(
                "BEGIN IMMEDIATE;"
                "CREATE TABLE IF NOT EXISTS task (key TEXT, machine TEXT, duration_s REAL, outcome TEXT, runs INTEGER,"
                " at REAL, PRIMARY KEY (key, machine)) WITHOUT ROWID;"
                f"PRAGMA user_version={_SCHEMA};"
                "COMMIT;"
            )

    def read(self, machine: str) -> dict[str, Seen]:
        """Everything known of the tasks on this class of machine, by key."""
        rows = self._db.execute("SELECT key, duration_s, outcome, runs FROM task WHERE machine = ?", (machine,))
        return {key: Seen(duration, _outcome(outcome), runs) for key, duration, outcome, runs in rows}

    def add(self, machine: str, at: float, ended: Iterable[tuple[str, Outcome, float]]) -> None:
        """Record how tasks ended: (key, outcome, seconds of its last attempt). One transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT INTO task VALUES (:key, :machine, :duration, :outcome, 1, :at)"
                " ON CONFLICT (key, machine) DO UPDATE SET outcome = :outcome, runs = runs + 1, at = :at,"
                " duration_s = CASE WHEN :duration IS NULL THEN duration_s WHEN duration_s IS NULL THEN :duration"
                " ELSE duration_s + :weight * (:duration - duration_s) END",
                [_row(machine, at, *one) for one in ended],
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _outcome(text: str | None) -> Outcome | None:
    try:
        return Outcome(text) if text else None
    except ValueError:
        return None


def _row(machine: str, at: float, key: str, outcome: Outcome, duration_s: float) -> Mapping[str, object]:
    return {
        "key": key,
        "machine": machine,
        "duration": duration_s if outcome.ok else None,
        "outcome": outcome.value,
        "at": at,
        "weight": _WEIGHT,
    }
