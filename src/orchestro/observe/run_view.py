"""The run as its events tell it so far: what is planned, what runs, how what ended did end, and how long is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    StepStarted,
    TaskFinished,
    TaskPlanned,
    WorkersChanged,
)
from orchestro.model import Failure, Outcome, Source
from orchestro.observe.wording import noun

__all__ = ["RunView", "Running"]


class Running:
    """An attempt that is going on."""

    __slots__ = ("name", "number", "started_at", "step", "step_at", "task_id", "worker")

    def __init__(self, event: AttemptStarted, name: str) -> None:
        self.task_id = event.task_id
        self.name = name
        self.worker = event.worker
        self.number = event.number
        self.started_at = event.at
        self.step = ""
        self.step_at = event.at


class RunView:
    """State built by `apply`, to be read by reporters. Its size is bounded by the number of tasks and attempts."""

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.finished: RunFinished | None = None
        self.interrupted = 0
        """Level of the last interruption; 0 for none."""
        self.planned: dict[str, TaskPlanned] = {}
        self.running: dict[str, Running] = {}
        """By task, the longest running first."""
        self.ended: dict[str, TaskFinished] = {}
        """Verdicts by task, in the order in which they were given."""
        self.attempts: dict[str, list[AttemptFinished]] = {}
        self.counts: dict[Outcome, int] = {}
        self.last_at = 0.0
        """When the newest event happened."""
        self._unstarted_s = 0.0
        self._unstarted_unknown = 0
        self._measured_s = 0.0
        self._measured = 0
        self._unstarted: set[str] = set()
        self._workers = 0
        self._began_at = 0.0
        self._apply: dict[type[Any], Callable[[Any], None]] = {
            RunStarted: self._run_started,
            TaskPlanned: self._task_planned,
            AttemptStarted: self._attempt_started,
            StepStarted: self._step_started,
            AttemptFinished: self._attempt_finished,
            TaskFinished: self._task_finished,
            RunInterrupted: self._run_interrupted,
            RunFinished: self._run_finished,
            WorkersChanged: self._workers_changed,
            RunResumed: self._run_resumed,
        }

    def apply(self, event: Event) -> None:
        """Take an event into account."""
        self.last_at = event.at
        apply = self._apply.get(type(event))
        if apply is not None:
            apply(event)

    @property
    def noun(self) -> str:
        """What to call the tasks: scenarios when they all are."""
        return noun(self.started.kinds if self.started else ())

    @property
    def workers(self) -> int:
        """How many there are now."""
        return self._workers

    @property
    def total(self) -> int:
        """How many tasks the run has."""
        return max(len(self.planned), self.started.tasks if self.started else 0)

    @property
    def unfinished(self) -> list[TaskPlanned]:
        """Tasks without a verdict."""
        return [task for task_id, task in self.planned.items() if task_id not in self.ended]

    def elapsed_s(self, now: float) -> float:
        """Seconds since the start of the run, or since it was last resumed."""
        if self.finished is not None:
            return self.finished.duration_s
        return max(now - self._began_at, 0.0) if self.started else 0.0

    def source(self, task_id: str) -> Source:
        """Where the task is written."""
        task = self.planned.get(task_id)
        return task.source if task else Source()

    def failure(self, task_id: str) -> Failure | None:
        """The failure of a task: of its verdict, else of the last attempt that had one."""
        ended = self.ended.get(task_id)
        if ended is not None and ended.failure is not None:
            return ended.failure
        return next((a.failure for a in reversed(self.attempts.get(task_id, ())) if a.failure is not None), None)

    def remaining_s(self, now: float) -> float | None:
        """How long the rest will take, or None while nothing is known about durations.

        The work left over the workers, but no less than the longest of what runs. A task without an estimate counts
        as the mean of those measured in this run, else of the estimates.
        """
        typical = self._typical_s()
        if typical is None:
            return None
        left = self._unstarted_s + self._unstarted_unknown * typical
        longest = 0.0
        for running in self.running.values():
            task = self.planned.get(running.task_id)
            estimate = task.estimate_s if task and task.estimate_s is not None else typical
            rest = max(estimate - (now - running.started_at), 0.0)
            left += rest
            longest = max(longest, rest)
        return max(left / max(self._workers, 1), longest)

    def _typical_s(self) -> float | None:
        if self._measured:
            return self._measured_s / self._measured
        known = len(self._unstarted) - self._unstarted_unknown
        if known:
            return self._unstarted_s / known
        estimates = [
            task.estimate_s for r in self.running if (task := self.planned.get(r)) and task.estimate_s is not None
        ]
        return sum(estimates) / len(estimates) if estimates else None

    def _run_started(self, event: RunStarted) -> None:
        self.started = event
        self._workers = event.workers
        self._began_at = event.at

    def _run_resumed(self, event: RunResumed) -> None:
        """What had been cut off or had not passed begins afresh."""
        self.finished = None
        self.interrupted = 0
        self._began_at = event.at
        self._workers = event.workers
        self.running.clear()
        for task_id, verdict in list(self.ended.items()):
            if not verdict.outcome.ok:
                del self.ended[task_id]
                self.counts[verdict.outcome] -= 1
        for task_id, attempts in list(self.attempts.items()):
            if task_id not in self.ended and not attempts[-1].outcome.ok:
                del self.attempts[task_id]

    def _workers_changed(self, event: WorkersChanged) -> None:
        self._workers = event.workers

    def _task_planned(self, event: TaskPlanned) -> None:
        if event.task_id in self.planned:
            return
        self.planned[event.task_id] = event
        self._unstarted.add(event.task_id)
        if event.estimate_s is None:
            self._unstarted_unknown += 1
        else:
            self._unstarted_s += event.estimate_s

    def _leave_queue(self, task_id: str) -> None:
        if task_id in self._unstarted:
            self._unstarted.remove(task_id)
            estimate = self.planned[task_id].estimate_s
            if estimate is None:
                self._unstarted_unknown -= 1
            else:
                self._unstarted_s = max(self._unstarted_s - estimate, 0.0)

    def _attempt_started(self, event: AttemptStarted) -> None:
        self._leave_queue(event.task_id)
        task = self.planned.get(event.task_id)
        self.running[event.task_id] = Running(event, task.name if task else event.task_id)

    def _step_started(self, event: StepStarted) -> None:
        running = self.running.get(event.task_id)
        if running is not None:
            running.step = event.label
            running.step_at = event.at

    def _attempt_finished(self, event: AttemptFinished) -> None:
        self.running.pop(event.task_id, None)
        self.attempts.setdefault(event.task_id, []).append(event)
        if event.outcome.ran:
            self._measured += 1
            self._measured_s += event.duration_s

    def _task_finished(self, event: TaskFinished) -> None:
        self._leave_queue(event.task_id)
        self.running.pop(event.task_id, None)
        before = self.ended.pop(event.task_id, None)
        if before is not None:  # the run was resumed
            self.counts[before.outcome] -= 1
        self.ended[event.task_id] = event
        self.counts[event.outcome] = self.counts.get(event.outcome, 0) + 1

    def _run_interrupted(self, event: RunInterrupted) -> None:
        self.interrupted = max(self.interrupted, event.level)

    def _run_finished(self, event: RunFinished) -> None:
        self.finished = event
