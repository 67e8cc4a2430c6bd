"""What a scheduling policy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from orchestro.model import Task

__all__ = ["SchedulingMetrics", "SchedulingStrategy"]


@dataclass(frozen=True, slots=True)
class SchedulingMetrics:
    """What a policy may know of a worker."""

    worker_id: int
    tasks_completed: int = 0
    tasks_failed: int = 0
    avg_duration: float = 0.0
    """Seconds."""
    current_load: float = 0.0
    """Busy share of the worker, 0 to 1."""
    success_rate: float = 1.0
    """0 to 1; 1 before anything has run."""


class SchedulingStrategy(ABC):
    """Decides; never acts. The dispatcher asks, and tells what happened."""

    @abstractmethod
    def prioritize_tasks(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """The ready tasks in the order in which they should start; `tasks` come in the order of arrival."""

    def select_worker(self, task: Task, metrics: Sequence[SchedulingMetrics]) -> int:
        """Id of the worker, out of the free ones given, that `task` goes to: by default the least loaded."""
        del task
        return min(metrics, key=lambda m: (m.current_load, m.tasks_completed + m.tasks_failed, m.worker_id)).worker_id
