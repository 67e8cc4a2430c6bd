"""What a scheduling policy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field
from typing import Any

from orchestro.model import Outcome, Task
from orchestro.records import dataclass

__all__ = ["Outlook", "RankedStrategy", "SchedulingMetrics", "SchedulingStrategy"]


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


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known before the run starts."""

    tasks: Sequence[Task] = ()
    estimates: Mapping[str, float] = field(default_factory=dict)
    """Seconds by task id; only those that ran before on this class of machine."""
    workers: int = 1


class SchedulingStrategy(ABC):
    """Decides; never acts. The dispatcher asks, and tells what happened. It has no clock: `now_s` is given, in seconds.

    A policy of one's own overrides `prioritize_tasks`; it is then asked again whenever tasks have become ready. One
    whose order follows from a number for each task derives from `RankedStrategy`, which stays fast with many tasks.
    """

    @abstractmethod
    def prioritize_tasks(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """The ready tasks in the order in which they should start; `tasks` come in the order of arrival."""

    def select_worker(self, task: Task, metrics: Sequence[SchedulingMetrics]) -> int:
        """Id of the worker, out of the free ones given, that `task` goes to: by default the least loaded."""
        del task
        return min(metrics, key=lambda m: (m.current_load, m.tasks_completed + m.tasks_failed, m.worker_id)).worker_id

    # What the dispatcher tells. Each does nothing unless overridden.

    def plan(self, outlook: Outlook) -> None:
        """The run is about to start; also called when tasks are added to it, with those alone."""

    def task_arrived(self, task: Task, now_s: float) -> None:
        """`task` became ready."""

    def task_started(self, task: Task, worker_id: int, now_s: float) -> None:
        """An attempt at `task` began on a worker."""

    def task_ended(self, task: Task, worker_id: int, outcome: Outcome, duration_s: float, now_s: float) -> None:
        """An attempt at `task` ended after `duration_s`."""


class RankedStrategy(SchedulingStrategy):
    """A policy that can tell the place of a task from the task alone: the lowest `rank` starts first."""

    version: int = 0
    """Raised when the order within a group may have changed: everything that waits is then ranked anew."""

    @abstractmethod
    def rank(self, task: Task) -> Any:
        """Something that sorts: lowest first, equals in the order of arrival."""

    def group(self, task: Task) -> Hashable:
        """Tasks of one group keep their order among themselves, whatever happens; their ranks may move together.

        Ranks are asked anew for the first of each group only, so there should be few groups.
        """
        del task
        return None

    def prioritize_tasks(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """By rank; stable, so that equals keep their order."""
        return sorted(tasks, key=self.rank)
