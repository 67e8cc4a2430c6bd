"""How tasks ended, with all that a reader of a failure needs."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import field
from typing import Any

from orchestro.model.outcome import Outcome
from orchestro.model.task import NOWHERE, Source
from orchestro.records import dataclass

__all__ = ["Attempt", "Failure", "Finding", "Report", "Result"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt did not pass. Only `message` is always there; empty means not known or not applicable."""

    message: str
    """One line: what did not hold."""
    source: Source = NOWHERE
    """Where the step or validation stands."""
    step: str = ""
    """The step as a person would call it, e.g. ``expect: done``."""
    index: int = -1
    """Position of the step from 0; -1 outside the steps."""
    waited_for: str = ""
    """What was waited for or expected."""
    nearest: str = ""
    """The text that came nearest to it."""
    expected: str = ""
    actual: str = ""
    diff: tuple[str, ...] = ()
    """Unified diff of expected and actual, a line each, without colours."""
    screen: tuple[str, ...] = ()
    """The rows of the screen at that moment, right-trimmed; empty when the screen was never drawn."""
    cursor: tuple[int, int] | None = None
    """Column and row of the cursor, from 0."""
    inputs: tuple[str, ...] = ()
    """The last inputs before it, oldest first, e.g. ``send 'ls'``."""
    output: str = ""
    """The tail of what the program printed since the last input, control sequences removed."""
    hint: str = ""
    """What to try."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a warning that does not change the verdict."""

    code: str
    """Stable name, e.g. ``cursor-hidden``."""
    message: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a task."""

    number: int
    """From 1."""
    outcome: Outcome
    duration_s: float
    worker: int = 0
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()
    value: object = None
    """What a Python callable returned; None for everything else."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a task ended, over all its attempts."""

    task_id: str
    name: str
    outcome: Outcome
    attempts: tuple[Attempt, ...] = ()
    reason: str = ""
    """Why it was skipped, blocked or interrupted."""
    source: Source = NOWHERE

    @property
    def duration_s(self) -> float:
        """Seconds spent in all attempts."""
        return sum(attempt.duration_s for attempt in self.attempts)

    @property
    def value(self) -> object:
        """What the Python callable of the last attempt returned."""
        return self.attempts[-1].value if self.attempts else None

    @property
    def failure(self) -> Failure | None:
        """The failure of the last attempt that had one."""
        return next((a.failure for a in reversed(self.attempts) if a.failure is not None), None)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to. Truthy when it passed."""

    run_id: str
    results: tuple[Result, ...]
    duration_s: float
    exit_code: int
    directory: str = ""
    """Where the record and the artifacts of the run are."""
    artifacts: Sequence[str] = field(default=())

    def __await__(self) -> Generator[Any, None, Report]:
        """Itself, so that what `orchestro.run` returns may be awaited wherever it is called."""
        yield from ()
        return self

    def __bool__(self) -> bool:
        return self.exit_code == 0

    def counts(self) -> dict[Outcome, int]:
        """How many tasks ended each way; outcomes that did not occur are left out."""
        counts: dict[Outcome, int] = {}
        for result in self.results:
            counts[result.outcome] = counts.get(result.outcome, 0) + 1
        return counts
