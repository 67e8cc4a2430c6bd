"""First in, first out."""

from __future__ import annotations

from collections.abc import Sequence

from orchestro.model import Task
from orchestro.schedule.strategy import RankedStrategy

__all__ = ["FIFOScheduler"]


class FIFOScheduler(RankedStrategy):
    """In the order of arrival, to the least loaded worker."""

    def rank(self, task: Task) -> int:
        """All are equal; what came first goes first."""
        del task
        return 0

    def prioritize_tasks(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """As they came."""
        return tasks
