"""What the dispatcher asks of whoever does the work of one kind of task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from orchestro.errors import InfrastructureError
from orchestro.events import Emit
from orchestro.model import Failure, Finding, Outcome, Task
from orchestro.records import dataclass

__all__ = ["AttemptContext", "AttemptEnd", "Executor", "WorkerLost"]


class WorkerLost(InfrastructureError):
    """Raised by an executor when what ran the task died under it; the task is given to another, a few times."""


@dataclass(frozen=True, slots=True)
class AttemptContext:
    """What an executor is given beside the task."""

    number: int
    """Of the attempt, from 1."""
    worker: int
    emit: Emit
    clock: Callable[[], float]
    """Unix seconds for the `at` of events, monotonic within the run."""
    add_tasks: Callable[[Sequence[Task]], None]
    """Adds tasks to the run. They may need each other and any task of the run, this one included.

    Raises UserError when their needs make no sense, and ValueError for an id that is taken.
    """


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended, in the executor's words."""

    outcome: Outcome
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()
    exit_code: int | None = None
    output: str = ""
    """The end of what a passed command printed; that of a failed one is in the failure."""
    value: object = None
    """What a Python callable returned."""


class Executor(Protocol):
    """Runs tasks of one kind. Cancelling `execute` must end all that it started before it returns."""

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        """Run one attempt. An exception is a bug of the executor and ends the attempt as an error."""
