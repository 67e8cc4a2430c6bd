"""What each task waits for while a run goes on: other tasks, a worker, or nothing any more."""

from __future__ import annotations

from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    RetryScheduled,
    TaskFinished,
    TaskPlanned,
    TaskRouted,
)

__all__ = ["Readiness"]

_WAITING, _READY, _RUNNING, _ENDED = range(4)


class Readiness:
    """Takes the events of one run in order. Its size is bounded by the tasks and their needs."""

    def __init__(self) -> None:
        self._states: dict[str, int] = {}
        self._counts = [0, 0, 0, 0]
        self._missing: dict[str, int] = {}
        self._needed_by: dict[str, list[str]] = {}
        self._passed: set[str] = set()
        self._ready_at: dict[str, float] = {}

    @property
    def waiting(self) -> int:
        """Tasks that wait for what they need, or for the pause before another attempt to be over."""
        return self._counts[_WAITING]

    @property
    def ready(self) -> int:
        """Tasks that could run, but for a worker or a resource."""
        return self._counts[_READY]

    @property
    def running(self) -> int:
        """Tasks that run."""
        return self._counts[_RUNNING]

    def ready_at(self, task_id: str) -> float | None:
        """When the task could have begun what was its last attempt or will be its next; None when not known."""
        return self._ready_at.get(task_id)

    def apply(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, TaskPlanned):
            self._plan(event)
        elif isinstance(event, AttemptStarted):
            self._set(event.task_id, _RUNNING)
        elif isinstance(event, AttemptFinished):
            self._set(event.task_id, _ENDED)
        elif isinstance(event, RetryScheduled):
            self._set(event.task_id, _WAITING if event.delay_s > 0 else _READY)
            self._ready_at[event.task_id] = event.at + event.delay_s
        elif isinstance(event, TaskRouted):
            # Unless its verdict was given, it is tried again once another task has mended what it found.
            self._set(event.task_id, _WAITING)
            self._ready_at.pop(event.task_id, None)
        elif isinstance(event, TaskFinished):
            self._finish(event)

    def cut_off(self) -> None:
        """Nothing runs any more, because orchestro was killed."""
        for task_id, state in self._states.items():
            if state == _RUNNING:
                self._set(task_id, _READY)

    def _plan(self, event: TaskPlanned) -> None:
        missing = 0
        for need in set(event.needs):
            if need not in self._passed:
                missing += 1
                self._needed_by.setdefault(need, []).append(event.task_id)
        self._missing[event.task_id] = missing
        if not missing:
            self._ready_at[event.task_id] = event.at
        self._set(event.task_id, _WAITING if missing else _READY)

    def _finish(self, event: TaskFinished) -> None:
        self._set(event.task_id, _ENDED)
        if not event.outcome.ok or event.task_id in self._passed:
            return
        self._passed.add(event.task_id)
        for dependant in self._needed_by.pop(event.task_id, ()):
            self._missing[dependant] -= 1
            if not self._missing[dependant] and self._states[dependant] == _WAITING:
                self._set(dependant, _READY)
                self._ready_at[dependant] = event.at

    def _set(self, task_id: str, state: int) -> None:
        before = self._states.get(task_id)
        if before is not None:
            self._counts[before] -= 1
        self._states[task_id] = state
        self._counts[state] += 1
