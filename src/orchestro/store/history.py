"""What earlier runs taught: how long each task takes on which class of machine, and how it ended lately."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache

from orchestro.model import Outcome, Task
from orchestro.records import dataclass
from orchestro.store.database import Database, write

__all__ = ["MAX_TASKS", "RECENT_RUNS", "History", "Seen", "history_key", "machine_class"]

_WEIGHT = 0.3
"""Of the newest duration in the moving average."""
RECENT_RUNS = 50
"""Runs of a task whose outcomes are kept."""
MAX_TASKS = 200_000
"""Tasks that are kept, counted for each class of machine; those that were not run for the longest are dropped."""

_LETTERS = {
    Outcome.PASSED: "p",
    Outcome.FLAKY: "y",
    Outcome.FAILED: "f",
    Outcome.TIMED_OUT: "t",
    Outcome.ERROR: "e",
}
"""How the outcomes of real runs are stored, a letter each, oldest first."""
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_TELLING = frozenset({*_LETTERS, Outcome.BLOCKED})
"""Outcomes that are recorded. The others say nothing new about a task: it was not tried."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a task."""

    duration_s: float | None
    """Exponentially weighted mean of its passed runs on this class of machine; None before the first."""
    last_outcome: Outcome | None
    runs: int
    recent: str = ""
    """How the last `RECENT_RUNS` real runs ended, a letter each, oldest first; `counts` reads it."""

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many of the last `RECENT_RUNS` real runs ended each way; outcomes that did not occur are left out."""
        return {outcome: n for outcome, letter in _LETTERS.items() if (n := self.recent.count(letter))}

    @property
    def flaky_rate(self) -> float:
        """Share, 0 to 1, of those of the last `RECENT_RUNS` real runs that passed only on a retry; 0 before any.

        Errors of the machine are no verdict on the task and are left out of the count.
        """
        verdicts = len(self.recent) - self.recent.count(_LETTERS[Outcome.ERROR])
        return self.recent.count(_LETTERS[Outcome.FLAKY]) / verdicts if verdicts else 0.0


def history_key(task: Task) -> str:
    """What a task is called in the history: the same in every run and checkout, and for its repetitions."""
    file = _relative(task.source.file, os.getcwd()) if task.source.file else ""
    key = f"{file}::{task.name.partition(' #')[0]}"
    if key.isascii() and "\0" not in key:
        return key
    # Names of files need not be UTF-8, and PostgreSQL takes no NUL.
    return key.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


@lru_cache(maxsize=1024)
def _relative(path: str, here: str) -> str:
    return os.path.relpath(path, here)


def machine_class() -> str:
    """Machines of one class run about equally fast: system, processor and number of cores."""
    if hasattr(os, "uname"):
        system, machine = os.uname().sysname, os.uname().machine
    else:
        import platform  # which takes its time

        system, machine = platform.system(), platform.machine()
    return f"{system.lower()}-{machine}-{os.cpu_count()}"


class History:
    """The part of the store about tasks. Its methods raise StoreError when it cannot be used; a run goes on without."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def read(self, machine: str) -> dict[str, Seen]:
        """Everything known of the tasks on this class of machine, by key."""
        sql = "SELECT key, duration_s, outcome, runs, recent FROM task WHERE machine = :machine"
        known = _OUTCOMES.get
        return {
            key: Seen(duration, known(outcome), runs, recent)
            for key, duration, outcome, runs, recent in self.database.query(sql, {"machine": machine})
        }

    def add(self, machine: str, at: float, ended: Iterable[tuple[str, Outcome, float]]) -> None:
        """Record how tasks ended: (key, outcome, seconds of its last attempt). One transaction.

        Only runs that passed move the duration. What was not tried (cached, skipped, interrupted) changes nothing;
        what was blocked is remembered as the last outcome alone.
        """
        # In the order of the keys, which is also how the table lies in the file.
        rows = sorted((one for one in ended if one[1] in _TELLING), key=lambda one: one[0])
        if rows:
            write(self.database, lambda: self._add([_row(machine, at, *one) for one in rows]))

    def _add(self, rows: Iterable[Mapping[str, object]]) -> None:
        self.database.execute_many(_UPSERT, rows)
        surplus = self.database.query("SELECT count(*) FROM task")[0][0] - MAX_TASKS
        if surplus > 0:
            self.database.execute(_DROP_OLDEST, {"surplus": surplus})

    def close(self) -> None:
        """Close the database."""
        self.database.close()


_UPSERT = (
    "INSERT INTO task (key, machine, duration_s, outcome, runs, at, recent)"
    " VALUES (:key, :machine, :duration, :outcome, 1, :at, :letter)"
    " ON CONFLICT (key, machine) DO UPDATE SET outcome = excluded.outcome, runs = task.runs + 1, at = excluded.at,"
    " recent = CASE WHEN length(task.recent) + length(excluded.recent) > :kept THEN substr(task.recent, 2)"
    " ELSE task.recent END || excluded.recent,"
    " duration_s = CASE WHEN excluded.duration_s IS NULL THEN task.duration_s"
    " WHEN task.duration_s IS NULL THEN excluded.duration_s"
    " ELSE task.duration_s + :weight * (excluded.duration_s - task.duration_s) END"
)
_DROP_OLDEST = (
    "DELETE FROM task WHERE (key, machine) IN (SELECT key, machine FROM task ORDER BY at, key, machine LIMIT :surplus)"
)


def _row(machine: str, at: float, key: str, outcome: Outcome, duration_s: float) -> Mapping[str, object]:
    return {
        "key": key,
        "machine": machine,
        "duration": duration_s if outcome.ok else None,
        "outcome": outcome.value,
        "at": at,
        "letter": _LETTERS.get(outcome, ""),
        "kept": RECENT_RUNS,
        "weight": _WEIGHT,
    }
