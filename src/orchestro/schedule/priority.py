"""By priority, then deadline, with ageing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestro.model import Task
from orchestro.schedule.strategy import RankedStrategy, SchedulingMetrics

__all__ = ["PriorityScheduler"]


class PriorityScheduler(RankedStrategy):
    """Higher priority first; of the same priority what mends first, then the earlier deadline, then what came first.

    So that nothing starves, a task that waits gains priority in time. All gain at the same pace, so the order of those
    that wait never changes, and a rank that is set at the arrival says it all.
    """

    LEVELS_PER_MINUTE = 10.0
    """Priority that a task gains in a minute of waiting when `fairness_factor` is 1: from normal to high in one."""

    def __init__(self, fairness_factor: float = 0.1) -> None:
        """`fairness_factor` from 0, strictly by priority, to 1. Raises ValueError for anything else."""
        if not 0 <= fairness_factor <= 1:
            raise ValueError(f"expected a fairness factor from 0 to 1, got {fairness_factor:g}")
        self.fairness_factor = fairness_factor
        self._pace = fairness_factor * self.LEVELS_PER_MINUTE / 60.0
        self._arrived: dict[str, float] = {}

    def task_arrived(self, task: Task, now_s: float) -> None:
        if self._pace:
            self._arrived.setdefault(task.id, now_s)

    def task_started(self, task: Task, worker_id: int, now_s: float) -> None:
        self._arrived.pop(task.id, None)

    def rank(self, task: Task) -> tuple[float, bool, float]:
        """Lower goes first."""
        waited_since = self._arrived.get(task.id, 0.0)
        deadline = math.inf if task.deadline_s is None else task.deadline_s
        return (self._pace * waited_since - task.priority, not task.fix, deadline)

    def select_worker(self, task: Task, metrics: Sequence[SchedulingMetrics]) -> int:
        """The worker with the least load and the most success."""
        del task
        return min(
            metrics,
            key=lambda m: (m.current_load + (1 - m.success_rate), m.tasks_completed + m.tasks_failed, m.worker_id),
        ).worker_id
