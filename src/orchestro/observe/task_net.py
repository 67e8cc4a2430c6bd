"""Tasks, how long they took and who needed whom, by number: longest chain and simulation. Every walk is iterative."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from orchestro.events import TaskPlanned

__all__ = ["TaskNet"]


class TaskNet:
    """Tasks by number, in the order in which they started; those that never did come last."""

    def __init__(
        self, planned: Mapping[str, TaskPlanned], starts: Mapping[str, float], durations: Mapping[str, float]
    ) -> None:
        never = float("inf")
        self.ids = sorted({**planned, **durations}, key=lambda task_id: starts.get(task_id, never))
        self.durations = [durations.get(task_id, 0.0) for task_id in self.ids]
        number = {task_id: i for i, task_id in enumerate(self.ids)}
        self._needed_by: list[list[int]] = [[] for _ in self.ids]
        self._missing = [0] * len(self.ids)
        for i, task_id in enumerate(self.ids):
            task = planned.get(task_id)
            for need in dict.fromkeys(task.needs) if task is not None else ():
                if need in number:
                    self._needed_by[number[need]].append(i)
                    self._missing[i] += 1
        self.linked = any(self._needed_by)

    def critical_path(self) -> list[int]:
        """The tasks of the longest chain that took any time, first to last."""
        missing = list(self._missing)
        before = [-1] * len(missing)
        reached = list(self.durations)
        order = [i for i, count in enumerate(missing) if not count]
        for i in order:  # grows while it is walked
            for dependant in self._needed_by[i]:
                if reached[i] + self.durations[dependant] > reached[dependant]:
                    reached[dependant] = reached[i] + self.durations[dependant]
                    before[dependant] = i
                missing[dependant] -= 1
                if not missing[dependant]:
                    order.append(dependant)
        at = max(order, key=reached.__getitem__, default=-1)
        path: list[int] = []
        while at >= 0:
            if self.durations[at] > 0:
                path.append(at)
            at = before[at]
        return path[::-1]

    def simulate(self, durations: Sequence[float], workers: int) -> float:
        """The makespan of list scheduling: a free worker takes the first ready task in the order of the real starts.

        What takes no time takes no worker. Tasks that were added during the run count as known from its start.
        """
        missing = list(self._missing)
        needed_by = self._needed_by
        ready: list[int] = []
        passed: list[int] = []
        for i, count in enumerate(missing):
            if not count:
                (ready if durations[i] > 0 else passed).append(i)
        ends: list[tuple[float, int]] = []
        now = 0.0
        while True:
            while passed:
                for dependant in needed_by[passed.pop()]:
                    missing[dependant] -= 1
                    if missing[dependant]:
                        continue
                    if durations[dependant] > 0:
                        heapq.heappush(ready, dependant)
                    else:
                        passed.append(dependant)
            while ready and len(ends) < workers:
                i = heapq.heappop(ready)
                heapq.heappush(ends, (now + durations[i], i))
            if not ends:
                return now
            now, ended = heapq.heappop(ends)
            passed.append(ended)
