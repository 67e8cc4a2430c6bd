"""What the dispatcher asks of whoever does the work of one kind of task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from orchestro.events import Emit
from orchestro.model import Failure, Finding, Outcome, Task

__all__ = ["AttemptContext", "AttemptEnd", "Executor"]


@dataclass(frozen=True, slots=True)
class AttemptContext:
    """What an executor is given beside the task."""

    number: int
    """Of the attempt, from 1."""
    worker: int
    emit: Emit
    clock: Callable[[], float]
    """Unix seconds for the `at` of events, monotonic within the run."""


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended, in the executor's words."""

    outcome: Outcome
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()
    exit_code: int | None = None


class Executor(Protocol):
    """Runs tasks of one kind. Cancelling `execute` must end all that it started before it returns."""

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        """Run one attempt. An exception is a bug of the executor and ends the attempt as an error."""
