"""By priority, then deadline."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestro.model import Task
from orchestro.schedule.strategy import SchedulingStrategy

__all__ = ["PriorityScheduler"]


class PriorityScheduler(SchedulingStrategy):
    """Higher priority first; of the same priority, the earlier deadline; then in the order of arrival."""

    def prioritize_tasks(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Stable, so that equals keep their order."""
        return sorted(tasks, key=lambda t: (-t.priority, math.inf if t.deadline_s is None else t.deadline_s))
