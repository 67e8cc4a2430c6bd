"""What a run would look like: a policy decides, and durations are given instead of taken.

Used to say before a run which deadlines cannot be met, after it what would have made it shorter, and to compare
policies. The policy is driven as the dispatcher drives it.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from orchestro.model import NOTHING, Outcome, Task
from orchestro.records import dataclass
from orchestro.schedule.backfill import may_backfill, reservation
from orchestro.schedule.ready import ReadyQueue, Signature, signature
from orchestro.schedule.strategy import Outlook, SchedulingMetrics, SchedulingStrategy

__all__ = ["Schedule", "simulate"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When and where each task would run. Seconds after the start."""

    makespan_s: float
    starts: Mapping[str, float]
    ends: Mapping[str, float]
    workers: Mapping[str, int]


def simulate(
    tasks: Sequence[Task],
    durations: Mapping[str, float],
    workers: int,
    strategy: SchedulingStrategy,
    *,
    estimates: Mapping[str, float] | None = None,
    capacities: Mapping[str, float] = NOTHING,
) -> Schedule:
    """The schedule of `tasks`, all of which pass after `durations`; needs that are not among them have been met.

    The policy is told `estimates`, by default the durations themselves. A resource without a capacity is a mutex.
    """
    return _Simulation(tasks, durations, workers, strategy, estimates, capacities).run()


class _Simulation:
    def __init__(
        self,
        tasks: Sequence[Task],
        durations: Mapping[str, float],
        workers: int,
        strategy: SchedulingStrategy,
        estimates: Mapping[str, float] | None,
        capacities: Mapping[str, float],
    ) -> None:
        self._tasks = tasks
        self._durations = durations
        self._estimates = durations if estimates is None else estimates
        self._strategy = strategy
        self._queue = ReadyQueue(strategy)
        self._free_workers = set(range(workers))
        self._workers = workers
        self._free: dict[str, float] = {"cpu": float(workers)}
        for task in tasks:
            for name in task.resources:
                self._free.setdefault(name, capacities.get(name, 1.0))
        self._capacity = dict(self._free)
        self._running: dict[str, tuple[float, dict[str, float]]] = {}
        self._ends: list[tuple[float, int, Task, int]] = []
        self._order = 0
        self._done = [0] * workers
        self._busy_s = [0.0] * workers
        self.starts: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.places: dict[str, int] = {}

    def run(self) -> Schedule:
        missing, needed_by = self._needs()
        now = 0.0
        self._strategy.plan(Outlook(self._tasks, self._estimates, self._workers))
        for task in self._tasks:
            if not missing[task.id]:
                self._arrive(task, now)
        self._fill(now)
        while self._ends:
            now = self._ends[0][0]
            while self._ends and self._ends[0][0] == now:
                _, _, task, worker = heapq.heappop(self._ends)
                self._end(task, worker, now)
                for dependant in needed_by[task.id]:
                    missing[dependant.id] -= 1
                    if not missing[dependant.id]:
                        self._arrive(dependant, now)
            self._fill(now)
        return Schedule(max(self.ended.values(), default=0.0), self.starts, self.ended, self.places)

    def _needs(self) -> tuple[dict[str, int], dict[str, list[Task]]]:
        needed_by: dict[str, list[Task]] = {task.id: [] for task in self._tasks}
        missing = dict.fromkeys(needed_by, 0)
        for task in self._tasks:
            for need in dict.fromkeys(task.needs):
                if need in needed_by:
                    needed_by[need].append(task)
                    missing[task.id] += 1
        return missing, needed_by

    def _arrive(self, task: Task, now: float) -> None:
        self._strategy.task_arrived(task, now)
        self._queue.push(task)

    def _need(self, signed: Signature) -> dict[str, float]:
        need = {name: min(amount, self._capacity[name]) for name, amount in signed}
        need.setdefault("cpu", 1.0)
        return need

    def _fits(self, kind: str, signed: Signature) -> bool:
        del kind
        return all(amount <= self._free[name] + 1e-9 for name, amount in self._need(signed).items())

    def _fill(self, now: float) -> None:
        while self._free_workers and self._queue:
            task = self._next(now)
            if task is None:
                return
            self._start(task, now)

    def _next(self, now: float) -> Task | None:
        first = self._queue.first(lambda _kind, _signed: True)
        if first is None or self._fits(first.kind, signature(first)):
            return first
        promise = reservation(self._need(signature(first)), self._free, self._running.values(), now)
        for task in self._queue.heads(self._fits):
            if may_backfill(self._need(signature(task)), self._estimates.get(task.id), self._free, promise, now):
                return task
        return None

    def _start(self, task: Task, now: float) -> None:
        metrics = [self._metrics(worker, now) for worker in sorted(self._free_workers)]
        worker = self._strategy.select_worker(task, metrics)
        self._queue.take(task)
        self._free_workers.remove(worker)
        held = self._need(signature(task))
        for name, amount in held.items():
            self._free[name] -= amount
        duration = self._durations[task.id]
        expected = self._estimates.get(task.id)
        self._running[task.id] = (float("inf") if expected is None else now + expected, held)
        self._order += 1
        heapq.heappush(self._ends, (now + duration, self._order, task, worker))
        self.starts[task.id] = now
        self.places[task.id] = worker
        self._busy_s[worker] += duration
        self._strategy.task_started(task, worker, now)

    def _end(self, task: Task, worker: int, now: float) -> None:
        _, held = self._running.pop(task.id)
        for name, amount in held.items():
            self._free[name] += amount
        self._free_workers.add(worker)
        self._done[worker] += 1
        self.ended[task.id] = now
        self._strategy.task_ended(task, worker, Outcome.PASSED, now - self.starts[task.id], now)

    def _metrics(self, worker: int, now: float) -> SchedulingMetrics:
        done = self._done[worker]
        busy_s = self._busy_s[worker]
        return SchedulingMetrics(
            worker, done, 0, busy_s / done if done else 0.0, min(1.0, busy_s / now) if now > 0 else 0.0, 1.0
        )
