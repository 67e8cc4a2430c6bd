"""The one owner of a run: it alone decides what starts, and it alone says how a task ended.

Ready tasks are ordered by the policy and given to free worker slots; each attempt runs as a coroutine that sends back
its end. A dependant becomes ready the moment its last need has passed.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestro.engine.executor import AttemptContext, AttemptEnd, Executor
from orchestro.engine.worker import Slots
from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    Emit,
    RunInterrupted,
    TaskFinished,
)
from orchestro.graph import Graph, Progress
from orchestro.model import Attempt, Failure, Outcome, Result, Task
from orchestro.schedule import SchedulingStrategy

__all__ = ["Clock", "Dispatcher"]


class Clock:
    """Unix seconds that never go back: the wall clock at its making, advanced by a monotonic one."""

    def __init__(self, wall: float, monotonic: float) -> None:
        self._offset = wall - monotonic
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> float:
        return self._offset + self._loop.time()


@dataclass(slots=True)
class _State:
    task: Task
    attempts: list[Attempt] = field(default_factory=list)


class Dispatcher:
    """Runs `tasks` on `workers` slots. `maxfail` failed tasks end the run early; 0 never does."""

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        executors: Mapping[str, Executor],
        strategy: SchedulingStrategy,
        workers: int,
        emit: Emit,
        clock: Clock,
        maxfail: int = 0,
    ) -> None:
        self._states = {task.id: _State(task) for task in tasks}
        self._progress = Progress(Graph({task.id: task.needs for task in tasks}))
        self._executors = executors
        self._strategy = strategy
        self._slots = Slots(workers)
        self._emit = emit
        self._clock = clock
        self._maxfail = maxfail
        self._failed = 0
        self._ready: list[Task] = []
        self._ordered: list[Task] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping = ""
        self._results: dict[str, Result] = {}
        self._all_done = asyncio.Event()
        self._bug: BaseException | None = None
        self._started_at = clock()

    async def run(self) -> list[Result]:
        """Run everything and return the results in the order of the tasks."""
        if self._states:
            for task_id in self._progress.initially_ready():
                self._arrive(task_id)
            self._fill()
            self._check_end()
            await self._all_done.wait()
            if self._bug is not None:
                raise self._bug
        return [self._results[task_id] for task_id in self._states]

    def interrupt(self, level: int) -> None:
        """1: start nothing more and let what runs end. 2: end what runs, too."""
        self._emit(RunInterrupted(self._clock(), level))
        self._stop("the run was interrupted")
        if level > 1:
            for running in list(self._running.values()):
                running.cancel()

    def _stop(self, reason: str) -> None:
        self._stopping = self._stopping or reason
        self._check_end()

    # -- starting

    def _arrive(self, task_id: str) -> None:
        task = self._states[task_id].task
        if task.skip:
            self._finish(task, Outcome.SKIPPED, task.skip)
        else:
            self._ready.append(task)

    def _fill(self) -> None:
        while not self._stopping and self._slots.any_free and (self._ready or self._ordered):
            if self._ready:
                # New arrivals: ask the policy for the order of everything that waits.
                waiting = self._ordered[::-1] + self._ready
                self._ordered = list(self._strategy.prioritize_tasks(waiting))[::-1]
                self._ready = []
            task = self._ordered.pop()
            worker = self._strategy.select_worker(task, self._slots.free_metrics(self._clock() - self._started_at))
            self._slots.take(worker)
            running = self._running[task.id] = asyncio.ensure_future(self._attempt(task, worker))
            running.add_done_callback(self._attempt_done)

    def _attempt_done(self, attempt: asyncio.Task[None]) -> None:
        """What escapes from an attempt is a bug of ours: it must end the run, not hang it."""
        if not attempt.cancelled() and (error := attempt.exception()) is not None:
            self._bug = self._bug or error
            self._all_done.set()

    async def _attempt(self, task: Task, worker: int) -> None:
        number = len(self._states[task.id].attempts) + 1
        started = self._clock()
        self._emit(AttemptStarted(started, task.id, number, worker))
        try:
            context = AttemptContext(number, worker, self._emit, self._clock)
            end = await self._executors[task.kind].execute(task, context)
        except asyncio.CancelledError:
            end = AttemptEnd(Outcome.INTERRUPTED)
        except Exception as error:  # noqa: BLE001  # whatever an executor raises must end this attempt, not the run
            trace = "".join(traceback.format_exception(error)[-3:])
            end = AttemptEnd(Outcome.ERROR, Failure(f"internal error: {error!r}", source=task.source, output=trace))
        self._ended(task, number, worker, started, end)

    # -- ending

    def _ended(self, task: Task, number: int, worker: int, started: float, end: AttemptEnd) -> None:
        now = self._clock()
        duration = now - started
        del self._running[task.id]
        self._slots.give_back(worker, duration, end.outcome.ok)
        self._emit(
            AttemptFinished(
                now, task.id, number, worker, end.outcome, duration, end.failure, end.findings, end.exit_code
            )
        )
        state = self._states[task.id]
        state.attempts.append(Attempt(number, end.outcome, duration, worker, end.failure, end.findings))
        retry = end.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR) and number <= task.retries
        if retry and not self._stopping:
            self._ready.append(task)
        elif end.outcome is Outcome.PASSED and number > 1:
            self._finish(task, Outcome.FLAKY, f"passed at attempt {number}")
        else:
            self._finish(task, end.outcome, self._stopping if end.outcome is Outcome.INTERRUPTED else "")
        self._fill()
        self._check_end()

    def _finish(self, task: Task, outcome: Outcome, reason: str = "") -> None:
        attempts = tuple(self._states[task.id].attempts)
        result = Result(task.id, task.name, outcome, attempts, reason, task.source)
        self._results[task.id] = result
        failure = None if outcome.ok else result.failure
        self._emit(
            TaskFinished(self._clock(), task.id, task.name, outcome, len(attempts), result.duration_s, reason, failure)
        )
        if outcome.ok:
            for ready in self._progress.passed(task.id):
                self._arrive(ready)
            return
        for blocked, need in self._progress.did_not_pass(task.id):
            cause = self._results[need].outcome
            self._finish_unstarted(
                blocked,
                Outcome.INTERRUPTED if cause is Outcome.INTERRUPTED else Outcome.BLOCKED,
                f"needs {self._states[need].task.name!r}, which {_ended_as(cause)}",
            )
        if outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR):
            self._failed += 1
            if self._maxfail and self._failed >= self._maxfail:
                self._stop(f"stopped after {self._failed} failure{'s' if self._failed > 1 else ''}")

    def _finish_unstarted(self, task_id: str, outcome: Outcome, reason: str) -> None:
        task = self._states[task_id].task
        self._results[task_id] = Result(task_id, task.name, outcome, (), reason, task.source)
        self._emit(TaskFinished(self._clock(), task_id, task.name, outcome, 0, 0.0, reason))

    def _check_end(self) -> None:
        if self._running:
            return
        if self._stopping:
            for task_id, state in self._states.items():
                if task_id not in self._results:
                    failure = bool(state.attempts)
                    self._finish_or_interrupt(state, failure)
        if len(self._results) == len(self._states):
            self._all_done.set()

    def _finish_or_interrupt(self, state: _State, attempted: bool) -> None:
        """The run stops: a task that waited for a retry keeps its last verdict, any other was never started."""
        task = state.task
        if attempted:
            last = state.attempts[-1]
            attempts = tuple(state.attempts)
            self._results[task.id] = Result(task.id, task.name, last.outcome, attempts, self._stopping, task.source)
            duration = sum(attempt.duration_s for attempt in attempts)
            self._emit(
                TaskFinished(
                    self._clock(),
                    task.id,
                    task.name,
                    last.outcome,
                    len(attempts),
                    duration,
                    self._stopping,
                    last.failure,
                )
            )
        else:
            self._finish_unstarted(task.id, Outcome.INTERRUPTED, self._stopping)


def _ended_as(outcome: Outcome) -> str:
    return {
        Outcome.FAILED: "failed",
        Outcome.TIMED_OUT: "timed out",
        Outcome.ERROR: "ended in an error",
        Outcome.SKIPPED: "was skipped",
        Outcome.BLOCKED: "was blocked",
        Outcome.INTERRUPTED: "was interrupted",
    }.get(outcome, str(outcome))
