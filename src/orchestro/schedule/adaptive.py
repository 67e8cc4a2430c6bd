"""The policy that fits what is waiting."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from orchestro.model import Outcome, Task
from orchestro.records import dataclass
from orchestro.schedule.critical_path import CriticalPathScheduler
from orchestro.schedule.deadline import DeadlineAwareScheduler
from orchestro.schedule.fifo import FIFOScheduler
from orchestro.schedule.load_balancing import LoadBalancingScheduler
from orchestro.schedule.priority import PriorityScheduler
from orchestro.schedule.shortest_job_first import ShortestJobFirstScheduler
from orchestro.schedule.strategy import Outlook, RankedStrategy, SchedulingMetrics

__all__ = ["AdaptiveScheduler", "Switch"]

_LONG_QUEUE = 50
_WIDE_SPREAD = 5
_MOST_SWITCHES = 1000
"""Switches that are remembered, the last ones."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of policy."""

    at_s: float
    """Seconds after the start of the run."""
    strategy: str
    reason: str


class AdaptiveScheduler(RankedStrategy):
    """Chooses by rule, each time the queue changes.

    Deadlines present: ``deadline``; a graph with needs: ``critical_path``; more than 50 queued: ``sjf``; priorities
    that are more than 5 apart: ``priority``; else ``load_balance``. Before anything has come it is ``fifo``.
    """

    def __init__(self) -> None:
        self._policies: dict[str, RankedStrategy] = {
            "fifo": FIFOScheduler(),
            "priority": PriorityScheduler(),
            "sjf": ShortestJobFirstScheduler(),
            "load_balance": LoadBalancingScheduler(),
            "deadline": DeadlineAwareScheduler(),
            "critical_path": CriticalPathScheduler(),
        }
        self.current_strategy = "fifo"
        """Name of the policy that decides now."""
        self._history: deque[Switch] = deque(maxlen=_MOST_SWITCHES)
        self.on_switch: Callable[[Switch], None] | None = None
        """Called after each change."""
        self._queued = 0
        self._with_deadline = 0
        self._with_needs = 0
        self._priorities: Counter[int] = Counter()
        self._graph = False

    @property
    def history(self) -> tuple[Switch, ...]:
        """The switches, oldest first."""
        return tuple(self._history)

    @property
    def _policy(self) -> RankedStrategy:
        return self._policies[self.current_strategy]

    def plan(self, outlook: Outlook) -> None:
        self._graph = self._graph or any(task.needs for task in outlook.tasks)
        for policy in self._policies.values():
            policy.plan(outlook)

    def task_arrived(self, task: Task, now_s: float) -> None:
        self._count(task, 1)
        for policy in self._policies.values():
            policy.task_arrived(task, now_s)
        self._decide(now_s)

    def task_started(self, task: Task, worker_id: int, now_s: float) -> None:
        self._count(task, -1)
        for policy in self._policies.values():
            policy.task_started(task, worker_id, now_s)
        if self._queued:  # with nothing left to decide, what decided last stands
            self._decide(now_s)

    def task_ended(self, task: Task, worker_id: int, outcome: Outcome, duration_s: float, now_s: float) -> None:
        for policy in self._policies.values():
            policy.task_ended(task, worker_id, outcome, duration_s, now_s)

    def _count(self, task: Task, change: int) -> None:
        self._queued += change
        self._with_deadline += change * (task.deadline_s is not None)
        self._with_needs += change * bool(task.needs)
        self._priorities[task.priority] += change
        if not self._priorities[task.priority]:
            del self._priorities[task.priority]

    def _decide(self, now_s: float) -> None:
        name, reason = _choose(self._with_deadline, self._graph or self._with_needs > 0, self._queued, self._priorities)
        if name != self.current_strategy:
            self.current_strategy = name
            self.version += 1
            switch = Switch(now_s, name, reason)
            self._history.append(switch)
            if self.on_switch is not None:
                self.on_switch(switch)

    def rank(self, task: Task) -> Any:
        """As the current policy says."""
        return self._policy.rank(task)

    def group(self, task: Task) -> Hashable:
        """As the current policy says."""
        return self._policy.group(task)

    def prioritize_tasks(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Choose by these tasks alone, and order them."""
        priorities = Counter(task.priority for task in tasks)
        deadlines = sum(task.deadline_s is not None for task in tasks)
        name, _ = _choose(deadlines, any(task.needs for task in tasks), len(tasks), priorities)
        if name != self.current_strategy:
            self.current_strategy = name
            self.version += 1
        return self._policy.prioritize_tasks(tasks)

    def select_worker(self, task: Task, metrics: Sequence[SchedulingMetrics]) -> int:
        """As the current policy says."""
        return self._policy.select_worker(task, metrics)


def _choose(deadlines: int, graph: bool, queued: int, priorities: Counter[int]) -> tuple[str, str]:
    if deadlines:
        return "deadline", f"{deadlines} of {queued} waiting tasks have a deadline"
    if graph:
        return "critical_path", "tasks need each other"
    if queued > _LONG_QUEUE:
        return "sjf", f"{queued} tasks wait"
    if priorities and max(priorities) - min(priorities) > _WIDE_SPREAD:
        return "priority", f"priorities from {min(priorities)} to {max(priorities)} wait"
    return "load_balance", f"{queued} tasks of about the same priority wait"
