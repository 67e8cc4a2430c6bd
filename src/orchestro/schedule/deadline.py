"""Earliest deadline first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestro.model import Task
from orchestro.records import dataclass
from orchestro.schedule.estimates import Estimates
from orchestro.schedule.strategy import Outlook, RankedStrategy, SchedulingMetrics

__all__ = ["DeadlineAwareScheduler", "LateTask", "late_tasks"]


@dataclass(frozen=True, slots=True)
class LateTask:
    """A task that is expected to miss its deadline. Seconds after the start of the run."""

    task_id: str
    deadline_s: float
    expected_end_s: float


class DeadlineAwareScheduler(RankedStrategy):
    """The task with the earliest deadline goes first (EDF), on the fastest worker; those without one come last.

    Source: C. L. Liu and J. W. Layland, "Scheduling Algorithms for Multiprogramming in a Hard-Real-Time Environment"
    (1973).
    """

    def __init__(self) -> None:
        self._deadlines: dict[str, float] = {}

    def set_deadline(self, task: Task | str, when: float) -> None:
        """Give a task, or the one with that id, a deadline in seconds after the start, in place of its own."""
        self._deadlines[task if isinstance(task, str) else task.id] = when
        self.version += 1

    def deadline(self, task: Task) -> float | None:
        """The deadline that holds for a task, in seconds after the start; None when it has none."""
        return self._deadlines.get(task.id, task.deadline_s)

    def rank(self, task: Task) -> tuple[float, int, bool]:
        """By deadline, then priority, what mends first."""
        deadline = self.deadline(task)
        return (math.inf if deadline is None else deadline, -task.priority, not task.fix)

    def select_worker(self, task: Task, metrics: Sequence[SchedulingMetrics]) -> int:
        """The fastest worker for a task with a deadline, the least loaded for any other.

        A worker that has done nothing yet counts as fast as the fastest: else it would never be tried.
        """
        if self.deadline(task) is None:
            return super().select_worker(task, metrics)
        return min(metrics, key=lambda m: (m.avg_duration, m.current_load, m.worker_id)).worker_id

    def late_tasks(self, outlook: Outlook) -> list[LateTask]:
        """The tasks that cannot meet their deadlines, by a simulation of the run with the estimates."""
        return late_tasks(outlook, self)


def late_tasks(outlook: Outlook, strategy: DeadlineAwareScheduler | None = None) -> list[LateTask]:
    """The tasks that would miss their deadlines even if the earliest deadline always went first."""
    from orchestro.schedule.simulate import simulate

    policy = strategy or DeadlineAwareScheduler()
    if all(policy.deadline(task) is None for task in outlook.tasks):
        return []
    expected = Estimates(outlook.estimates)
    durations = {task.id: expected.of(task.id) for task in outlook.tasks}
    schedule = simulate(outlook.tasks, durations, outlook.workers, policy)
    late = []
    for task in outlook.tasks:
        deadline = policy.deadline(task)
        if deadline is not None and schedule.ends[task.id] > deadline:
            late.append(LateTask(task.id, deadline, schedule.ends[task.id]))
    return sorted(late, key=lambda one: (one.deadline_s, one.task_id))
