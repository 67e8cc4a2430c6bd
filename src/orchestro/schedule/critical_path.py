"""What the most other work waits for goes first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from orchestro.model import Task
from orchestro.schedule.estimates import Estimates
from orchestro.schedule.strategy import Outlook, RankedStrategy

__all__ = ["CriticalPathScheduler", "bottom_levels"]


class CriticalPathScheduler(RankedStrategy):
    """By bottom level: the length of the longest chain of tasks from this one to the end, itself included.

    Priority goes before that, since a user who gives one means it; of equals the earlier deadline is first. Without
    needs it is longest processing time first, within 4/3 of the best makespan. Sources: T. C. Hu, "Parallel Sequencing
    and Assembly Line Problems" (1961); R. L. Graham, "Bounds on Multiprocessing Timing Anomalies" (1969).
    """

    def __init__(self) -> None:
        self._levels: dict[str, float] = {}

    def plan(self, outlook: Outlook) -> None:
        self._levels.update(bottom_levels(outlook.tasks, outlook.estimates))

    def bottom_level(self, task: Task) -> float:
        """Seconds from the start of the task to the end of all that needs it, at best."""
        return self._levels.get(task.id, 0.0)

    def rank(self, task: Task) -> tuple[int, bool, float, float]:
        """Lower goes first."""
        deadline = math.inf if task.deadline_s is None else task.deadline_s
        return (-task.priority, not task.fix, -self._levels.get(task.id, 0.0), deadline)


def bottom_levels(tasks: Sequence[Task], estimates: Mapping[str, float]) -> dict[str, float]:
    """The bottom level of each task in seconds; an unknown duration is the 99th percentile of the known ones.

    Needs that are not among `tasks` have been met or are planned already. Takes time linear in tasks and needs.
    """
    expected = Estimates(estimates)
    levels = {task.id: expected.of(task.id) for task in tasks}
    if not any(task.needs for task in tasks):
        return levels
    waiting: dict[str, int] = dict.fromkeys(levels, 0)
    for task in tasks:
        for need in task.needs:
            if need in waiting:
                waiting[need] += 1
    by_id = {task.id: task for task in tasks}
    own = dict(levels)
    longest: dict[str, float] = {}
    # From those that nothing needs backwards: a task is done when all that need it are.
    done = [task_id for task_id, count in waiting.items() if not count]
    for task_id in done:  # grows while it is walked
        level = levels[task_id] = own[task_id] + longest.get(task_id, 0.0)
        for need in by_id[task_id].needs:
            if need in waiting:
                if level > longest.get(need, 0.0):
                    longest[need] = level
                waiting[need] -= 1
                if not waiting[need]:
                    done.append(need)
    return levels
