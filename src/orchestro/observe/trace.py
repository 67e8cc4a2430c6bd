"""The run as a timeline for ui.perfetto.dev and chrome://tracing: a track for each worker, written as it goes on.

Attempts are slices with their steps inside, arrows lead from what was needed to what needed it, and counters show how
many tasks run, could run and wait. `trace_file.py` holds the file, `readiness.py` who waits for what.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestro.errors import UserError
from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    Diagnostic,
    Event,
    RetryScheduled,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    StepFinished,
    StrategyChanged,
    TaskPlanned,
    TaskRouted,
    WorkersChanged,
)
from orchestro.observe.analysis import Measurements
from orchestro.observe.readiness import Readiness
from orchestro.observe.reporter import Reporter
from orchestro.observe.trace_file import TraceFile

if TYPE_CHECKING:
    from orchestro.observe.registry import ReporterOptions

__all__ = ["MAX_FLOWS", "MAX_MESSAGE", "MAX_STEPS", "TraceReporter", "build"]

MAX_STEPS = 2_000
"""Steps of one attempt that become slices; they are held until the attempt ends, because it has to come first."""
MAX_FLOWS = 100
"""Arrows that lead to one task; of more needs, those that ended last, because they are what it waited for."""
MAX_MESSAGE = 1_000
"""Characters of a message."""

_PID = 1
_RUN = 1
_CRITICAL = 2
_FIRST_WORKER = 10
"""Numbers of the tracks; readers sort by them."""
_HEEL_NS = 1_000
"""So long before the end of a slice an arrow leaves it: at the very end, readers take it for closed."""


class _Open:
    """An attempt that is going on."""

    __slots__ = ("begin_ns", "number", "ready_at", "steps", "track")

    def __init__(self, number: int, track: int, begin_ns: int, ready_at: float | None) -> None:
        self.number = number
        self.track = track
        self.begin_ns = begin_ns
        self.ready_at = ready_at
        self.steps: list[StepFinished] = []


class TraceReporter(Reporter):
    """Writes the trace to `path`. The file is begun with the first event, and takes its place when closed.

    Memory: a few numbers for each task and attempt, and the steps of what runs. Raises OSError.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: TraceFile | None = None
        self._zero = 0.0
        self._last_at = 0.0
        self._title = "run"
        self._about: dict[str, Any] = {}
        self._readiness = Readiness()
        self._measurements = Measurements()
        self._counted: tuple[int, int, int] = (0, 0, 0)
        self._planned: dict[str, TaskPlanned] = {}
        self._open: dict[str, _Open] = {}
        self._tracks: dict[int, int] = {}
        self._ends: dict[str, tuple[int, int]] = {}
        """Track and time of the last attempt of each task, a heel before its end."""
        self._written: dict[str, list[tuple[int, int, int]]] = {}
        """Place in the file, begin and end of the attempts of each task."""
        self._flows = 0
        self._show: dict[type[Any], Callable[[Any], None]] = {
            RunStarted: self._run_started,
            TaskPlanned: self._task_planned,
            AttemptStarted: self._attempt_started,
            StepFinished: self._step_finished,
            AttemptFinished: self._attempt_finished,
            RetryScheduled: self._retry_scheduled,
            TaskRouted: self._task_routed,
            WorkersChanged: self._workers_changed,
            StrategyChanged: self._strategy_changed,
            BreakerChanged: self._breaker_changed,
            RunResumed: self._run_resumed,
            RunInterrupted: self._run_interrupted,
            Diagnostic: self._diagnostic,
            RunFinished: self._run_finished,
        }

    def handle(self, event: Event) -> None:
        if self._file is None:
            self._begin(event)
        elif event.at > self._last_at:
            # What happened at one moment is counted once, when that is over.
            self._count()
        if isinstance(event, RunResumed):
            self._cut_off("orchestro was killed")
        self._last_at = max(self._last_at, event.at)
        self._readiness.apply(event)
        self._measurements.apply(event)
        show = self._show.get(type(event))
        if show is not None:
            show(event)

    def close(self) -> None:
        """Finish the file; without any event there is none."""
        if self._file is None:
            return
        self._cut_off("the record ends")
        self._count()
        self._add({"name": self._title, "cat": "run", "args": self._about}, _RUN, 0, self._ns(self._last_at))
        self._mark_critical()
        self._file.close()
        self._file = None

    # -- events

    def _begin(self, event: Event) -> None:
        self._file = TraceFile(self._path)
        self._zero = self._last_at = event.at
        self._raw({"ph": "M", "pid": _PID, "tid": _RUN, "name": "process_name", "args": {"name": "orchestro"}})
        self._name_track(_RUN, "run")

    def _run_started(self, event: RunStarted) -> None:
        self._title = f"run {event.run_id}"
        self._about = {
            "run": event.run_id,
            "workers": event.workers,
            "scheduler": event.scheduler,
            "tasks": event.tasks,
            "machine": event.machine,
            "version": event.version,
        }

    def _task_planned(self, event: TaskPlanned) -> None:
        self._planned[event.task_id] = event

    def _attempt_started(self, event: AttemptStarted) -> None:
        track = self._tracks.get(event.worker)
        if track is None:
            track = self._tracks[event.worker] = _FIRST_WORKER + event.worker
            self._name_track(track, f"worker {event.worker}")
        ready_at = self._readiness.ready_at(event.task_id)
        self._open[event.task_id] = _Open(event.number, track, self._ns(event.at), ready_at)

    def _step_finished(self, event: StepFinished) -> None:
        attempt = self._open.get(event.task_id)
        if attempt is not None and len(attempt.steps) < MAX_STEPS:
            attempt.steps.append(event)

    def _attempt_finished(self, event: AttemptFinished) -> None:
        attempt = self._open.pop(event.task_id, None)
        if attempt is None:
            return
        args: dict[str, Any] = {"outcome": event.outcome.value}
        if event.failure is not None:
            args["failure"] = event.failure.message[:MAX_MESSAGE]
        if event.exit_code is not None:
            args["exit_code"] = event.exit_code
        self._write_attempt(event.task_id, attempt, self._ns(event.at), args)

    def _retry_scheduled(self, event: RetryScheduled) -> None:
        track = self._ends[event.task_id][0] if event.task_id in self._ends else _RUN
        wait = f" in {event.delay_s:.3g} s" if event.delay_s > 0 else ""
        args = {"task": event.task_id, "outcome": event.outcome.value, "delay_s": round(event.delay_s, 6)}
        self._instant(event.at, f"retry{wait}: {self._name(event.task_id)}", args, track)

    def _task_routed(self, event: TaskRouted) -> None:
        args = {"task": event.task_id, "to": event.to, "reason": event.reason}
        self._instant(event.at, f"{self._name(event.task_id)} goes on to {self._name(event.to)}", args)

    def _workers_changed(self, event: WorkersChanged) -> None:
        self._instant(event.at, f"workers: {event.workers}", {"workers": event.workers, "reason": event.reason})

    def _strategy_changed(self, event: StrategyChanged) -> None:
        self._instant(event.at, f"scheduler: {event.strategy}", {"reason": event.reason})

    def _breaker_changed(self, event: BreakerChanged) -> None:
        self._instant(event.at, f"circuit breaker of {event.kind}: {event.state}", {"reason": event.reason})

    def _run_resumed(self, event: RunResumed) -> None:
        self._about["workers"] = event.workers
        self._instant(event.at, f"resumed, {event.kept} tasks kept", {"workers": event.workers, "kept": event.kept})

    def _run_interrupted(self, event: RunInterrupted) -> None:
        what = "interrupted, ending what runs" if event.level > 1 else "interrupted, letting what runs end"
        self._instant(event.at, what, {"level": event.level})

    def _diagnostic(self, event: Diagnostic) -> None:
        args = {"message": event.message[:MAX_MESSAGE], "task": event.task_id}
        self._instant(event.at, f"{event.level}: {event.message[:80]}", args)

    def _run_finished(self, event: RunFinished) -> None:
        self._about["exit_code"] = event.exit_code
        self._about.update(dict(event.counts))

    # -- attempts

    def _write_attempt(self, task_id: str, attempt: _Open, end_ns: int, args: dict[str, Any]) -> None:
        begin_ns = attempt.begin_ns
        end_ns = max(end_ns, begin_ns)
        task = self._planned.get(task_id)
        about: dict[str, Any] = {"critical": False, "task": task_id, "attempt": attempt.number, **args}
        if attempt.ready_at is not None:
            about["ready_for_s"] = round(max(begin_ns / 1e9 + self._zero - attempt.ready_at, 0.0), 6)
        if task is not None and task.source.file:
            about["source"] = str(task.source)
        again = f" (attempt {attempt.number})" if attempt.number > 1 else ""
        slice_ = {"name": self._name(task_id) + again, "cat": task.kind if task else "task", "args": about}
        place = self._add(slice_, attempt.track, begin_ns, end_ns)
        # Of slices that begin together readers take the first for the outer one; arrows go to what is open by then.
        if attempt.number == 1 and task is not None and task.needs:
            self._write_flows(task, attempt)
        self._write_steps(attempt, end_ns)
        self._ends[task_id] = (attempt.track, max(end_ns - _HEEL_NS, begin_ns))
        self._written.setdefault(task_id, []).append((place, begin_ns, end_ns))

    def _write_flows(self, task: TaskPlanned, attempt: _Open) -> None:
        ends = [self._ends[need] for need in dict.fromkeys(task.needs) if need in self._ends]
        for track, at_ns in heapq.nlargest(MAX_FLOWS, ends, key=lambda end: end[1]):
            self._flows += 1
            flow = {"name": "needed by", "cat": "needs", "id": self._flows, "pid": _PID}
            self._raw({**flow, "ph": "s", "tid": track, "ts": min(at_ns, attempt.begin_ns) / 1000})
            self._raw({**flow, "ph": "f", "bp": "e", "tid": attempt.track, "ts": attempt.begin_ns / 1000})

    def _write_steps(self, attempt: _Open, end_ns: int) -> None:
        at_ns = attempt.begin_ns
        for step in sorted(attempt.steps, key=lambda step: step.started_s):
            # Steps follow each other. The clocks of step and attempt may differ by some microseconds.
            begin_ns = min(max(attempt.begin_ns + round(step.started_s * 1e9), at_ns), end_ns)
            at_ns = min(max(begin_ns + round(step.duration_s * 1e9), begin_ns), end_ns)
            label = step.label if step.phase == "steps" else f"{step.phase}: {step.label}"
            args: dict[str, Any] = {"ok": step.ok, "why": step.why[:MAX_MESSAGE]}
            if step.source.file:
                args["source"] = str(step.source)
            self._add({"name": label, "cat": "step", "args": args}, attempt.track, begin_ns, at_ns)

    def _cut_off(self, why: str) -> None:
        """End what never ended at the last moment that is known."""
        at_ns = self._ns(self._last_at)
        for task_id, attempt in self._open.items():
            self._write_attempt(task_id, attempt, at_ns, {"outcome": "cut off", "failure": why})
        self._open.clear()
        self._readiness.cut_off()

    def _mark_critical(self) -> None:
        """A track of its own for the critical path, and a mark at each of its attempts."""
        path = self._measurements.critical_path()
        places = [place for step in path for place, _, _ in self._written.get(step.task_id, ())]
        if len(path) > 1:
            self._name_track(_CRITICAL, "critical path")
            last_ns = 0
            for step in path:
                for _, begin_ns, end_ns in self._written.get(step.task_id, ()):
                    if begin_ns >= last_ns:
                        self._add({"name": step.name, "cat": "critical path"}, _CRITICAL, begin_ns, end_ns)
                        last_ns = end_ns
        if self._file is not None:
            self._file.set_critical(places)

    # -- trace events

    def _ns(self, at: float) -> int:
        return max(round((at - self._zero) * 1e9), 0)

    def _name(self, task_id: str) -> str:
        task = self._planned.get(task_id)
        return task.name if task else task_id

    def _name_track(self, track: int, name: str) -> None:
        meta = {"ph": "M", "pid": _PID, "tid": track}
        self._raw({**meta, "name": "thread_name", "args": {"name": name}})
        self._raw({**meta, "name": "thread_sort_index", "args": {"sort_index": track}})

    def _add(self, slice_: dict[str, Any], track: int, begin_ns: int, end_ns: int) -> int:
        times = {"pid": _PID, "tid": track, "ts": begin_ns / 1000, "dur": (end_ns - begin_ns) / 1000}
        return self._raw({"ph": "X", **times, **slice_})

    def _instant(self, at: float, name: str, args: dict[str, Any], track: int = _RUN) -> None:
        place = {"pid": _PID, "tid": track, "ts": self._ns(at) / 1000}
        self._raw({"ph": "i", "s": "t", **place, "name": name, "cat": "run", "args": args})

    def _count(self) -> None:
        seen = self._readiness
        counts = (seen.running, seen.ready, seen.waiting)
        for name, before, now in zip(("running", "ready", "waiting"), self._counted, counts, strict=True):
            if now != before:
                ts = self._ns(self._last_at) / 1000
                # Readers put the two names together: "running tasks".
                self._raw({"ph": "C", "pid": _PID, "ts": ts, "name": name, "args": {"tasks": now}})
        self._counted = counts

    def _raw(self, event: dict[str, Any]) -> int:
        if self._file is None:  # nothing is written before the first event
            return -1
        return self._file.add(event)


def build(options: ReporterOptions) -> TraceReporter:
    """The factory of the registry. Raises UserError for standard output, in which nothing can be marked later."""
    if options.target == "-":
        raise UserError("the reporter 'trace' needs the path of a file, e.g. trace=trace.json")
    return TraceReporter(options.target or "trace.json")
