"""What is left of a run that was cut off: read from its log, whoever wrote it and however it ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field

from orchestro.errors import UserError
from orchestro.events import (
    ArtifactWritten,
    AttemptFinished,
    AttemptStarted,
    Event,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    TaskFinished,
    TaskPlanned,
)
from orchestro.model import Attempt, Outcome, Result
from orchestro.records import dataclass
from orchestro.store.run_log import read_log

__all__ = ["Earlier", "read_earlier"]


@dataclass(slots=True)
class Earlier:
    """What an earlier attempt at a run has settled."""

    directory: str
    started: RunStarted
    kept: dict[str, Result] = field(default_factory=dict)
    """Verdicts that stand, by task: what has passed."""
    planned: frozenset[str] = frozenset()
    """Tasks that the log knows."""
    finished: bool = False
    """Whether the run came to its end, however it ended."""
    events: list[Event] = field(default_factory=list)
    """What reporters have to be told again: the plan, and all about the tasks that are kept."""
    unwritten: list[TaskFinished] = field(default_factory=list)
    """Verdicts that follow from attempts that passed, and that the log does not hold."""

    @property
    def run_id(self) -> str:
        """Of the run that is resumed."""
        return self.started.run_id


def read_earlier(directory: str) -> Earlier:
    """Read the log of a run. Raises UserError when it does not say how the run was started."""
    started: RunStarted | None = None
    attempts: dict[str, list[AttemptFinished]] = {}
    verdicts: dict[str, TaskFinished] = {}
    planned: dict[str, TaskPlanned] = {}
    events: list[Event] = []
    finished = False
    for event in read_log(directory):
        if isinstance(event, RunStarted):
            started = started or event
        elif isinstance(event, TaskPlanned):
            planned[event.task_id] = event
        elif isinstance(event, AttemptFinished):
            attempts.setdefault(event.task_id, []).append(event)
            events.append(event)
        elif isinstance(event, TaskFinished):
            verdicts[event.task_id] = event
            events.append(event)
        elif isinstance(event, RunFinished):
            finished = True
        elif isinstance(event, AttemptStarted | StepStarted | StepFinished | ArtifactWritten):
            events.append(event)
    if started is None:
        raise UserError(f"the record in {directory} holds no run that could be resumed")
    kept = {
        task_id: _result(planned[task_id], verdict, attempts) for task_id, verdict in _good(planned, verdicts, attempts)
    }
    told = [event for event in events if event.task_id in kept]  # type: ignore[union-attr]  # all of these have one
    # A verdict that was never written follows from its attempt.
    unwritten = [_verdict(planned[task_id], attempts) for task_id in kept if task_id not in verdicts]
    told = [started, *planned.values(), *told]
    return Earlier(os.path.abspath(directory), started, kept, frozenset(planned), finished, told, unwritten)


def _good(
    planned: Mapping[str, TaskPlanned],
    verdicts: Mapping[str, TaskFinished],
    attempts: Mapping[str, list[AttemptFinished]],
) -> list[tuple[str, TaskFinished]]:
    good = []
    for task_id, plan in planned.items():
        verdict = verdicts.get(task_id)
        if verdict is not None:
            if verdict.outcome.ok:
                good.append((task_id, verdict))
        elif task_id in attempts and attempts[task_id][-1].outcome.ok:
            good.append((task_id, _verdict(plan, attempts)))
    return good


def _verdict(plan: TaskPlanned, attempts: Mapping[str, list[AttemptFinished]]) -> TaskFinished:
    """Orchestro was killed after the task had passed and before it said so."""
    done = attempts[plan.task_id]
    last = done[-1]
    flaky = last.outcome is Outcome.PASSED and any(not attempt.outcome.ok for attempt in done)
    outcome = Outcome.FLAKY if flaky else last.outcome
    return TaskFinished(last.at, plan.task_id, plan.name, outcome, len(done), sum(a.duration_s for a in done))


def _result(plan: TaskPlanned, verdict: TaskFinished, attempts: Mapping[str, list[AttemptFinished]]) -> Result:
    done = tuple(
        Attempt(a.number, a.outcome, a.duration_s, a.worker, a.failure, a.findings)
        for a in attempts.get(plan.task_id, ())
    )
    return Result(plan.task_id, plan.name, verdict.outcome, done, verdict.reason, plan.source)
