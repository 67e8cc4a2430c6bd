"""First in, first out."""

from __future__ import annotations

from collections.abc import Sequence

from orchestro.model import Task
from orchestro.schedule.strategy import SchedulingStrategy

__all__ = ["FIFOScheduler"]


class FIFOScheduler(SchedulingStrategy):
    """In the order of arrival."""

    def prioritize_tasks(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """As they came."""
        return tasks
