"""The events of a run gathered for the page: plain lists and dictionaries that become its JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any

from orchestro.events import (
    ArtifactWritten,
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    Diagnostic,
    Event,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    StepFinished,
    StrategyChanged,
    TaskFinished,
    TaskPlanned,
    WorkersChanged,
)
from orchestro.model import Failure, Outcome
from orchestro.observe.analysis import Measurements
from orchestro.records import dataclass

__all__ = ["AttemptData", "RunData", "TaskData", "gather"]

_GOOD = frozenset(outcome.value for outcome in Outcome if outcome.ok)


@dataclass(slots=True)
class AttemptData:
    """One attempt."""

    number: int
    worker: int
    start: float
    """Seconds since the start of the run."""
    duration: float | None = None
    outcome: str = "running"
    failure: dict[str, Any] | None = None
    findings: list[list[str]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    cast: str = ""
    shots: list[tuple[str, str]] = field(default_factory=list)
    """(name, path) of SVG screenshots."""
    exit_code: int | None = None


@dataclass(slots=True)
class TaskData:
    """One task."""

    planned: TaskPlanned
    attempts: list[AttemptData] = field(default_factory=list)
    outcome: str = ""
    reason: str = ""
    duration: float = 0.0

    def attempt(self, number: int) -> AttemptData | None:
        """The attempt of this number."""
        return next((a for a in self.attempts if a.number == number), None)


@dataclass(slots=True)
class RunData:
    """A whole run, or what a killed one left of it."""

    started: RunStarted | None = None
    finished: RunFinished | None = None
    interrupted: bool = False
    tasks: dict[str, TaskData] = field(default_factory=dict)
    diagnostics: list[str] = field(default_factory=list)
    last_at: float = 0.0
    measurements: Measurements = field(default_factory=Measurements)


def gather(events: Iterable[Event]) -> RunData:
    """Sort the events by task and attempt; an attempt without an end was cut off."""
    run = RunData()
    for event in events:
        run.last_at = max(run.last_at, event.at)
        run.measurements.apply(event)
        if isinstance(event, RunStarted):
            run.started = event
        elif isinstance(event, TaskPlanned):
            run.tasks[event.task_id] = TaskData(event)
        elif isinstance(event, RunFinished):
            run.finished = event
        elif isinstance(event, RunInterrupted):
            run.interrupted = True
        elif isinstance(event, RunResumed):
            _resume(run)
        elif isinstance(event, Diagnostic):
            run.diagnostics.append(event.message)
        elif not isinstance(event, WorkersChanged | StrategyChanged | BreakerChanged):
            task = run.tasks.get(event.task_id)
            if task is not None:
                _add(task, event, run.started.at if run.started else event.at)
    return run


def _resume(run: RunData) -> None:
    """What had been cut off or had not passed begins afresh, with attempts that count from 1 again."""
    run.finished = None
    run.interrupted = False
    for task in run.tasks.values():
        kept = task.outcome or (task.attempts[-1].outcome if task.attempts else "")
        if kept not in _GOOD:
            task.attempts.clear()
            task.outcome = task.reason = ""
            task.duration = 0.0


def _add(task: TaskData, event: Event, zero: float) -> None:
    if isinstance(event, AttemptStarted):
        task.attempts.append(AttemptData(event.number, event.worker, event.at - zero))
    elif isinstance(event, TaskFinished):
        task.outcome, task.reason, task.duration = event.outcome.value, event.reason, event.duration_s
    elif isinstance(event, AttemptFinished | StepFinished | ArtifactWritten):
        attempt = task.attempt(event.number)
        if attempt is None:
            return
        if isinstance(event, StepFinished):
            attempt.steps.append(_step(event))
        elif isinstance(event, ArtifactWritten):
            if event.kind == "recording":
                attempt.cast = event.path
            elif event.kind == "screenshot-svg":
                attempt.shots.append((event.name, event.path))
        else:
            attempt.duration = event.duration_s
            attempt.outcome = event.outcome.value
            attempt.exit_code = event.exit_code
            attempt.findings = [[finding.code, finding.message] for finding in event.findings]
            attempt.failure = None if event.failure is None else _failure(event.failure)


def _step(event: StepFinished) -> dict[str, Any]:
    return {
        "phase": event.phase,
        "index": event.index,
        "label": event.label,
        "ok": event.ok,
        "start": round(event.started_s, 4),
        "duration": round(event.duration_s, 4),
        "why": event.why,
        "line": event.source.line,
        "note": event.note,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "message": failure.message,
        "where": str(failure.source),
        "step": failure.step,
        "index": failure.index,
        "waited": failure.waited_for,
        "nearest": failure.nearest,
        "expected": failure.expected,
        "actual": failure.actual,
        "diff": list(failure.diff),
        "screen": list(failure.screen),
        "cursor": failure.cursor,
        "inputs": list(failure.inputs),
        "output": failure.output,
        "hint": failure.hint,
    }
