"""Shortest job first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from orchestro.model import Outcome, Result, Task
from orchestro.schedule.estimates import typical_longest
from orchestro.schedule.strategy import Outlook, RankedStrategy, SchedulingMetrics

__all__ = ["ShortestJobFirstScheduler", "task_type"]

_OLD, _NEW = 0.7, 0.3
"""Weights of the moving average."""
_MOST_TYPES = 10_000
"""Types whose estimates are kept; the one that was learnt first is forgotten for another."""


def task_type(task: Task) -> str:
    """What tasks that take about as long have in common: ``type`` of the metadata, else the group, else the kind."""
    return task.metadata.get("type") or task.group or task.kind


class ShortestJobFirstScheduler(RankedStrategy):
    """The task that is expected to be over first goes first: the shortest mean waiting time, if not the earliest end.

    A task that ran before is expected to take as long as its own history says, any other as long as those of its type
    in this run: an exponential moving average, 0.7 old + 0.3 actual. Of a type that nothing is known about it is the
    99th percentile of the others, so what is known to be short goes first.
    """

    def __init__(self) -> None:
        self._own: dict[str, float] = {}
        self._types: dict[str, float] = {}
        self._type_of: dict[str, str] = {}
        self._unknown_s = typical_longest(())

    def plan(self, outlook: Outlook) -> None:
        for task in outlook.tasks:
            self._type_of[task.id] = task_type(task)
            if task.id in outlook.estimates:
                self._own[task.id] = outlook.estimates[task.id]
        self._unknown_s = typical_longest([*self._own.values(), *self._types.values()])

    def estimate(self, task: Task) -> float:
        """Seconds that `task` is expected to take."""
        own = self._own.get(task.id)
        return own if own is not None else self._types.get(task_type(task), self._unknown_s)

    def update_estimate(self, result: Result) -> None:
        """Learn from how long a task took. Only what passed tells: a failure may have come early or late."""
        if result.outcome in (Outcome.PASSED, Outcome.FLAKY) and result.attempts:
            self._learn(self._type_of.get(result.task_id, result.task_id), result.attempts[-1].duration_s)

    def task_ended(self, task: Task, worker_id: int, outcome: Outcome, duration_s: float, now_s: float) -> None:
        if outcome is Outcome.PASSED:
            self._learn(task_type(task), duration_s)

    def _learn(self, kind: str, duration_s: float) -> None:
        old = self._types.get(kind)
        if old is None and len(self._types) >= _MOST_TYPES:
            del self._types[next(iter(self._types))]
        self._types[kind] = duration_s if old is None else _OLD * old + _NEW * duration_s

    def group(self, task: Task) -> Hashable:
        """Those with an estimate of their own keep their order; the others go with their type."""
        return None if task.id in self._own else task_type(task)

    def rank(self, task: Task) -> float:
        """The estimate."""
        return self.estimate(task)

    def select_worker(self, task: Task, metrics: Sequence[SchedulingMetrics]) -> int:
        """The worker with the shortest queue time: its load times how long its tasks take."""
        del task
        return min(
            metrics,
            key=lambda m: (m.current_load * m.avg_duration, m.current_load, m.worker_id),
        ).worker_id
