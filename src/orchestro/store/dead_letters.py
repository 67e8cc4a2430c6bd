"""What was given up, until a person looks: one letter for each fingerprint, with how often it came."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from orchestro.errors import UserError
from orchestro.model import DeadLetter, Source
from orchestro.store.database import Database, Row, write

__all__ = ["MAX_LETTERS", "DeadLetters"]

MAX_LETTERS = 10_000
"""Letters that are kept; those that did not come again for the longest are dropped."""

_SELECT = (
    "SELECT fingerprint, task_id, kind, name, source_file, source_line, source_column, error, reason, attempts, count,"
    " first_at, last_at, run_id, payload, stage FROM dead_letter"
)
_UPSERT = (
    "INSERT INTO dead_letter (fingerprint, task_id, kind, name, source_file, source_line, source_column, error, reason,"
    " attempts, count, first_at, last_at, run_id, payload, stage)"
    " VALUES (:fingerprint, :task_id, :kind, :name, :source_file, :source_line, :source_column, :error, :reason,"
    " :attempts, 1, :first_at, :last_at, :run_id, :payload, :stage)"
    " ON CONFLICT (fingerprint) DO UPDATE SET task_id = excluded.task_id, kind = excluded.kind, name = excluded.name,"
    " source_file = excluded.source_file, source_line = excluded.source_line,"
    " source_column = excluded.source_column, error = excluded.error, reason = excluded.reason,"
    " attempts = excluded.attempts, count = dead_letter.count + 1,"
    # Processes need not come in the order of their clocks.
    " last_at = CASE WHEN excluded.last_at > dead_letter.last_at THEN excluded.last_at ELSE dead_letter.last_at END,"
    " run_id = excluded.run_id, payload = excluded.payload, stage = excluded.stage"
)
_DROP_OLDEST = (
    "DELETE FROM dead_letter WHERE fingerprint IN"
    " (SELECT fingerprint FROM dead_letter ORDER BY last_at, fingerprint LIMIT :surplus)"
)


class DeadLetters:
    """The part of the store about what was given up. Every method raises StoreError when it cannot be used."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, letter: DeadLetter) -> None:
        """Keep a letter. If there is one with its fingerprint, it is counted there and takes the place of its text.

        The store counts: `letter.count` is not looked at, and `letter.first_at` only when the letter is new.
        """
        write(self._database, lambda: self._add(_row(letter)))

    def _add(self, row: Mapping[str, object]) -> None:
        self._database.execute(_UPSERT, row)
        surplus = len(self) - MAX_LETTERS
        if surplus > 0:
            self._database.execute(_DROP_OLDEST, {"surplus": surplus})

    def __len__(self) -> int:
        return int(self._database.query("SELECT count(*) FROM dead_letter")[0][0])

    def list(self, limit: int = 100, offset: int = 0) -> list[DeadLetter]:
        """Letters, those that came last first."""
        sql = _SELECT + " ORDER BY last_at DESC, fingerprint LIMIT :limit OFFSET :offset"
        return [_letter(row) for row in self._database.query(sql, {"limit": limit, "offset": offset})]

    def get(self, prefix: str) -> DeadLetter:
        """The letter with this fingerprint, or the only one whose fingerprint begins so.

        Raises UserError when there is none, or there are several.
        """
        sql = (
            _SELECT + " WHERE substr(fingerprint, 1, length(CAST(:prefix AS TEXT))) = :prefix"
            " ORDER BY length(fingerprint), fingerprint LIMIT 2"
        )
        found = [_letter(row) for row in self._database.query(sql, {"prefix": _text(prefix)})] if prefix else []
        if len(found) == 1 or (found and found[0].fingerprint == prefix):
            return found[0]
        problem = f"several dead letters begin with {prefix!r}" if found else f"there is no dead letter {prefix!r}"
        raise UserError(f"{problem}; `orchestro dlq list` lists them")

    def remove(self, fingerprint: str) -> bool:
        """Remove the letter with exactly this fingerprint; whether there was one."""
        sql = "DELETE FROM dead_letter WHERE fingerprint = :fingerprint"
        return self._database.execute(sql, {"fingerprint": _text(fingerprint)}) > 0

    def purge(self, older_than_s: float | None = None) -> int:
        """Remove the letters that came last so many seconds ago or more, or all; returns how many."""
        if older_than_s is None:
            return self._database.execute("DELETE FROM dead_letter")
        before = self._clock() - older_than_s
        return self._database.execute("DELETE FROM dead_letter WHERE last_at <= :before", {"before": before})

    def reset_count(self, fingerprint: str) -> bool:
        """Count the letter from 0 again, as it is being replayed; whether there is one."""
        sql = "UPDATE dead_letter SET count = 0 WHERE fingerprint = :fingerprint"
        return self._database.execute(sql, {"fingerprint": _text(fingerprint)}) > 0


def _text(text: str) -> str:
    """What every database takes: names of files need not be UTF-8, and what a program printed may hold NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\ufffd")


def _row(letter: DeadLetter) -> Mapping[str, object]:
    texts = ("fingerprint", "task_id", "kind", "name", "error", "reason", "run_id", "payload", "stage")
    return {
        **{name: _text(getattr(letter, name)) for name in texts},
        "source_file": _text(letter.source.file),
        "source_line": letter.source.line,
        "source_column": letter.source.column,
        "attempts": letter.attempts,
        "first_at": letter.first_at,
        "last_at": letter.last_at,
    }


def _letter(row: Row) -> DeadLetter:
    fingerprint, task_id, kind, name, file, line, column, *rest = row
    error, reason, attempts, count, first_at, last_at, run_id, payload, stage = rest
    return DeadLetter(
        fingerprint=fingerprint,
        task_id=task_id,
        kind=kind,
        name=name,
        source=Source(file, line, column),
        error=error,
        reason=reason,
        attempts=attempts,
        count=count,
        first_at=first_at,
        last_at=last_at,
        run_id=run_id,
        payload=payload,
        stage=stage,
    )
