"""What a run spent its time on: how near it came to the least time possible, and what kept it from it.

Pure. `Measurements` gathers the few facts that count while the events pass; `analyze_run` does it for a whole log.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from orchestro.events import (
    AttemptFinished,
    Event,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    TaskPlanned,
    WorkersChanged,
)
from orchestro.model import Outcome
from orchestro.observe.task_net import TaskNet
from orchestro.records import dataclass

__all__ = ["MAX_SIMULATED", "Bound", "Measurements", "PathStep", "RunAnalysis", "SpeedUp", "analyze_run"]

Bound: TypeAlias = Literal["work", "critical path", "longest task"]
"""Which limit is the highest: all work over all workers, a chain of needs, or one task."""

MAX_SIMULATED = 5_000
"""Tasks up to which speed-ups are simulated; of a larger run only the bound is worked out."""
_LONGEST = 10
"""So many of the longest tasks are candidates for a speed-up, besides those on the critical path."""
_BUDGET = 100_000
"""Simulated tasks over all candidates: 0.1 to 0.2 s, spent at the end of a run while someone waits for the prompt."""
_TRUSTED = 0.2
"""Share of the makespan by which a simulation may miss it. Beyond, something that events do not tell held the run up,
such as a mutex, and what would have helped is anybody's guess."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """A task on the critical path."""

    task_id: str
    name: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class SpeedUp:
    """The task whose halving would have helped the run most."""

    task_id: str
    name: str
    duration_s: float
    """As measured, not halved."""
    saved_s: float
    """How much sooner the run would have ended."""


@dataclass(frozen=True, slots=True)
class RunAnalysis:
    """How a run went. Durations of tasks are the sums of their attempts; what was cached or not run counts 0.

    A run that was resumed is looked at from its resumption on, because the time between says nothing about it.
    """

    makespan_s: float
    """From the start of the run until its last attempt ended."""
    workers: int
    """The most there were at a time."""
    used_workers: int
    """How many of them ever had something to do."""
    linked: bool
    """Whether any task needed another."""
    complete: bool
    """Whether the run ended by itself, neither cut off nor interrupted."""
    busy_s: float
    """Sum over the workers of the time in which they had a task."""
    lower_bound_s: float
    """No schedule can take less: max(sum of durations / workers, critical path, longest task) (R. L. Graham, Bounds on
    Multiprocessing Timing Anomalies, 1969)."""
    bound: Bound
    """Which of the three it is."""
    efficiency: float
    """`lower_bound_s` over `makespan_s`; 1 is best."""
    idle_share: float
    """Part, from 0 to 1, of the time of all workers in which they had no task."""
    tail_s: float
    """The end of the run, in which at least one worker had nothing left to do: from the last moment at which all
    of them were busy until the last attempt ended. The makespan when they never were."""
    critical_path: tuple[PathStep, ...]
    """The longest chain of needs, first to last, without those that took no time."""
    best_speed_up: SpeedUp | None
    """None when no task would help, or the run is too large or too unlike its simulation to tell."""

    @property
    def telling(self) -> bool:
        """Whether it says something that the duration of the run does not: it was parallel, or had an order to keep."""
        return self.complete and self.makespan_s > 1.0 and (self.linked or self.used_workers > 1)


class Measurements:
    """Takes the events of one run in order. Its size is bounded by the tasks, their needs and their attempts."""

    def __init__(self) -> None:
        self._planned: dict[str, TaskPlanned] = {}
        self._workers: list[tuple[float, int]] = []
        self._attempts: list[tuple[float, float, int]] = []
        self._starts: dict[str, float] = {}
        self._durations: dict[str, float] = {}
        self._complete = False
        self._interrupted = False

    def apply(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, TaskPlanned):
            self._planned[event.task_id] = event
        elif isinstance(event, AttemptFinished):
            begin = event.at - event.duration_s
            self._attempts.append((begin, event.at, event.worker))
            took = 0.0 if event.outcome is Outcome.CACHED else event.duration_s
            self._starts.setdefault(event.task_id, begin)
            self._durations[event.task_id] = self._durations.get(event.task_id, 0.0) + took
        elif isinstance(event, RunStarted | RunResumed):
            self._workers = [(event.at, event.workers)]
            self._attempts.clear()
            self._starts.clear()
            self._durations.clear()
            self._complete = self._interrupted = False
        elif isinstance(event, WorkersChanged):
            self._workers.append((event.at, event.workers))
        elif isinstance(event, RunInterrupted):
            self._interrupted = True
        elif isinstance(event, RunFinished):
            self._complete = True

    def analyze(self) -> RunAnalysis:
        """What they come to, as far as the run has got."""
        begin = self._workers[0][0] if self._workers else min((a[0] for a in self._attempts), default=0.0)
        end = max((a[1] for a in self._attempts), default=begin)
        makespan_s = max(end - begin, 0.0)
        used = len({worker for _, _, worker in self._attempts})
        sizes = self._workers or [(begin, max(used, 1))]
        workers = max(1, *(count for _, count in sizes))
        busy_s = sum(ended - began for began, ended, _ in self._attempts)
        capacity_s = _capacity_s(sizes, end)

        net = TaskNet(self._planned, self._starts, self._durations)
        path = net.critical_path()
        path_s = sum(net.durations[task] for task in path)
        work_s = sum(net.durations) / workers
        lower_bound_s = max(work_s, path_s)
        bound: Bound = "work" if work_s > path_s else "critical path" if len(path) > 1 else "longest task"
        speed_up = None
        if self._complete and not self._interrupted and len(net.ids) <= MAX_SIMULATED:
            speed_up = self._best_speed_up(net, path, workers, makespan_s)
        return RunAnalysis(
            makespan_s=makespan_s,
            workers=workers,
            used_workers=used,
            linked=net.linked,
            complete=self._complete and not self._interrupted,
            busy_s=busy_s,
            lower_bound_s=lower_bound_s,
            bound=bound,
            efficiency=min(lower_bound_s / makespan_s, 1.0) if makespan_s > 0 else 1.0,
            idle_share=max(1 - busy_s / capacity_s, 0.0) if capacity_s > 0 else 0.0,
            tail_s=max(end - _last_all_busy(sizes, self._attempts, begin), 0.0),
            critical_path=self._steps(net, path),
            best_speed_up=speed_up,
        )

    def critical_path(self) -> tuple[PathStep, ...]:
        """The longest chain of needs so far, first to last, without those that took no time."""
        net = TaskNet(self._planned, self._starts, self._durations)
        return self._steps(net, net.critical_path())

    def _steps(self, net: TaskNet, path: Sequence[int]) -> tuple[PathStep, ...]:
        return tuple(PathStep(net.ids[i], self._name(net.ids[i]), net.durations[i]) for i in path)

    def _name(self, task_id: str) -> str:
        task = self._planned.get(task_id)
        return task.name if task else task_id

    def _best_speed_up(self, net: TaskNet, path: Sequence[int], workers: int, makespan_s: float) -> SpeedUp | None:
        durations = net.durations
        before_s = net.simulate(durations, workers)
        if abs(before_s - makespan_s) > _TRUSTED * makespan_s:
            return None
        longest = heapq.nlargest(_LONGEST, range(len(durations)), key=durations.__getitem__)
        candidates = sorted({*path, *longest}, key=lambda task: (-durations[task], task))
        best, saved_s = None, 0.0
        for task in candidates[: _BUDGET // max(len(durations), 1)]:
            if durations[task] / 2 <= saved_s:
                break  # nor will any of the rest, which are shorter still
            faster = list(durations)
            faster[task] /= 2
            now_s = before_s - net.simulate(faster, workers)
            if now_s > saved_s + 1e-9:
                best, saved_s = task, now_s
        if best is None:
            return None
        task_id = net.ids[best]
        return SpeedUp(task_id, self._name(task_id), durations[best], saved_s)


def analyze_run(events: Iterable[Event]) -> RunAnalysis:
    """What a run spent its time on, from all its events in order."""
    measurements = Measurements()
    for event in events:
        measurements.apply(event)
    return measurements.analyze()


def _capacity_s(sizes: Sequence[tuple[float, int]], end: float) -> float:
    """Time of all workers until `end`; `sizes` says from when on there were how many."""
    total = 0.0
    for i, (at, count) in enumerate(sizes):
        until = min(sizes[i + 1][0], end) if i + 1 < len(sizes) else end
        total += max(until - at, 0.0) * count
    return total


def _last_all_busy(
    sizes: Sequence[tuple[float, int]], attempts: Sequence[tuple[float, float, int]], begin: float
) -> float:
    """When all workers had a task for the last time; `begin` when they never had."""
    # (when, change of the number that runs, new number of workers or -1); what ends makes room before what begins.
    marks = [(ended, -1, -1) for _, ended, _ in attempts]
    marks += [(began, 1, -1) for began, _, _ in attempts]
    marks += [(at, 0, count) for at, count in sizes]
    marks.sort()
    last = begin
    running = 0
    workers = max(sizes[0][1], 1)
    for at, change, count in marks:
        if running >= workers:
            last = at
        running += change
        workers = workers if count < 0 else max(count, 1)
    return last
