"""Even load, and tasks where they fared well before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from orchestro.model import Outcome, Task
from orchestro.schedule.shortest_job_first import task_type
from orchestro.schedule.strategy import RankedStrategy, SchedulingMetrics

__all__ = ["LoadBalancingScheduler"]

_NEUTRAL, _STEP = 0.5, 0.1
_MOST_SCORES = 10_000
"""Pairs of label and worker that are remembered; the one that was used longest ago is forgotten for another."""


class LoadBalancingScheduler(RankedStrategy):
    """In the order of arrival, to the worker with the least load that the task has the most affinity to."""

    def __init__(self, affinity_factor: float = 0.3) -> None:
        """`affinity_factor`, 0 to 1, is the weight of affinity against load. Raises ValueError for anything else."""
        if not 0 <= affinity_factor <= 1:
            raise ValueError(f"expected an affinity factor from 0 to 1, got {affinity_factor:g}")
        self.affinity_factor = affinity_factor
        self._scores: OrderedDict[tuple[str, int], float] = OrderedDict()

    def rank(self, task: Task) -> int:
        """All are equal; what came first goes first."""
        del task
        return 0

    def record_affinity(self, task: Task, worker_id: int, success: bool) -> None:
        """Move the score of the task's labels, or of its type, on that worker by 0.1, within 0 and 1."""
        for label in task.affinity or (task_type(task),):
            key = (label, worker_id)
            score = self._scores.pop(key, _NEUTRAL) + (_STEP if success else -_STEP)
            self._scores[key] = round(min(1.0, max(0.0, score)), 10)
            if len(self._scores) > _MOST_SCORES:
                self._scores.popitem(last=False)

    def affinity(self, task: Task, worker_id: int) -> float:
        """Score of the task on that worker, 0 to 1: the mean over its labels; 0.5 when nothing is known."""
        labels = task.affinity or (task_type(task),)
        return sum(self._scores.get((label, worker_id), _NEUTRAL) for label in labels) / len(labels)

    def task_ended(self, task: Task, worker_id: int, outcome: Outcome, duration_s: float, now_s: float) -> None:
        if outcome is not Outcome.INTERRUPTED:
            self.record_affinity(task, worker_id, outcome.ok)

    def select_worker(self, task: Task, metrics: Sequence[SchedulingMetrics]) -> int:
        """The best of (1 - factor) * (1 - load) + factor * affinity."""
        weight = self.affinity_factor
        return max(
            metrics,
            key=lambda m: (
                (1 - weight) * (1 - m.current_load) + weight * self.affinity(task, m.worker_id),
                -(m.tasks_completed + m.tasks_failed),
                -m.worker_id,
            ),
        ).worker_id
