"""The one owner of a run: it alone decides what starts, and it alone says how a task ended.

Tasks whose needs have passed wait in the order of the policy; each attempt runs as a coroutine that sends back its end.
A dependant becomes ready the moment its last need has passed. Tasks may be added, and workers come and go, meanwhile.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from orchestro.engine.executor import AttemptContext, AttemptEnd, Executor, WorkerLost
from orchestro.engine.resources import ResourcePool
from orchestro.engine.worker import Slots
from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    Emit,
    RetryScheduled,
    RunInterrupted,
    TaskFinished,
    TaskPlanned,
    TaskRouted,
    WorkersChanged,
)
from orchestro.graph import Progress
from orchestro.model import NOTHING, Attempt, Failure, Outcome, Result, Task
from orchestro.records import dataclass
from orchestro.resilience.breaker import CircuitBreaker, Permit
from orchestro.resilience.retry import RetryBudget, next_retry
from orchestro.schedule import Outlook, SchedulingMetrics, SchedulingStrategy
from orchestro.schedule.backfill import may_backfill, reservation
from orchestro.schedule.ready import ReadyQueue, Signature, signature

__all__ = ["Clock", "Dispatcher", "TaskCache"]

_LOST_WORKERS = 3
"""Workers that may die under one task: the next death ends it as an error, else a poison task would kill them all."""
_UNENDING = float("inf")


class Clock:
    """Unix seconds that never go back: the wall clock at its making, advanced by a monotonic one."""

    def __init__(self, wall: float, monotonic: float) -> None:
        self._offset = wall - monotonic
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> float:
        return self._offset + self._loop.time()


class TaskCache(Protocol):
    """Takes the verdict of a task from an earlier run."""

    def in_place(self, tasks: Sequence[Task]) -> Collection[str]:
        """Ids of those that passed before with the same inputs, and whose outputs are still there."""

    async def through(self, task: Task, execute: Callable[[], asyncio.Future[AttemptEnd]]) -> AttemptEnd:
        """Put the outputs back if the task passed before, else execute it and keep what it made."""


@dataclass(slots=True)
class _State:
    task: Task
    attempts: list[Attempt] = field(default_factory=list)
    failures: dict[Outcome, int] | None = None
    """How often each outcome that is tried again has occurred."""
    lost: int = 0
    detours: int = 0


@dataclass(slots=True)
class _Running:
    worker: int
    number: int
    started: float
    held: Mapping[str, float]
    expected_end: float
    """On the clock of the run; without an estimate it never ends."""
    permit: Permit | None = None
    attempt: asyncio.Task[None] | None = None


class Dispatcher:
    """Runs `tasks` on `workers` slots.

    `maxfail` failed tasks end the run early; 0 never does. `settled` are results that stand from before the run was cut
    off, `announced` the tasks that its record knows already. `detour` is asked for a task that is to mend what another
    found, with how often that was sent off before; when the mending has passed, that one is tried again. Raises
    CycleError, UnknownNeedError, and UserError for resources that will never suffice.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        executors: Mapping[str, Executor],
        strategy: SchedulingStrategy,
        workers: int,
        emit: Emit,
        clock: Callable[[], float],
        maxfail: int = 0,
        estimates: Mapping[str, float] = NOTHING,
        capacities: Mapping[str, float] = NOTHING,
        settled: Mapping[str, Result] = NOTHING,
        announced: Collection[str] = (),
        budget: RetryBudget | None = None,
        breakers: Mapping[str, CircuitBreaker] = NOTHING,
        cache: TaskCache | None = None,
        detour: Callable[[Task, Outcome, int], Task | None] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._executors = executors
        self._strategy = strategy
        self._emit = emit
        self._clock = clock
        self._maxfail = maxfail
        self._estimates = estimates
        self._budget = budget
        self._breakers = breakers
        self._cache = cache
        self._detour = detour
        self._mends: dict[str, str] = {}
        self._chance = chance
        self._started_at = clock()
        self._slots = Slots(workers, 0.0)
        self._resources = ResourcePool(capacities, workers)
        self._states: dict[str, _State] = {}
        self._results: dict[str, Result] = {}
        self._progress = Progress()
        self._ready = ReadyQueue(strategy)
        self._arrivals: deque[str] = deque()
        self._settling = False
        self._running: dict[str, _Running] = {}
        self._delayed: dict[str, asyncio.TimerHandle] = {}
        self._alarms: dict[str, asyncio.TimerHandle] = {}
        self._failed = 0
        self._stopping = ""
        self._idle = asyncio.Event()
        self._idle.set()
        self._bug: BaseException | None = None
        self.on_change: Callable[[], None] | None = None
        """Called when the number of waiting or running tasks has changed."""
        self._first = (tasks, settled)
        self._announced = announced

    # -- for the owner of the run

    def start(self) -> None:
        """Begin with the tasks given at the making."""
        tasks, settled = self._first
        self._add(tasks, settled)

    async def run(self) -> list[Result]:
        """Start, wait for the end of everything, and return the results in the order of the tasks."""
        self.start()
        await self.wait_idle()
        return self.results()

    async def wait_idle(self) -> None:
        """Return once every task has its verdict. Raises what a bug of the engine raised."""
        await self._idle.wait()
        if self._bug is not None:
            raise self._bug

    def results(self) -> list[Result]:
        """The verdicts so far, in the order of the tasks."""
        return [self._results[task_id] for task_id in self._states if task_id in self._results]

    def result(self, task_id: str) -> Result | None:
        """The verdict on one task; None while it has none."""
        return self._results.get(task_id)

    def add(self, tasks: Sequence[Task]) -> None:
        """More tasks. Raises UserError and ValueError as the making does; nothing is added then."""
        self._add(tasks, NOTHING)

    def forget(self) -> None:
        """Drop what has ended, so that a pool that runs for months does not grow; only when nothing is left to run."""
        if not self._idle.is_set():
            raise RuntimeError("there are tasks that have not ended")
        self._states.clear()
        self._results.clear()
        self._progress = Progress()

    def resize(self, workers: int, reason: str = "") -> None:
        """Have so many workers. What runs is never interrupted: a worker that is to go ends its task first."""
        if workers == len(self._slots):
            return
        self._slots.resize(workers, self._now())
        self._resources.resize(workers)
        self._emit(WorkersChanged(self._clock(), workers, reason))
        self._fill()

    @property
    def workers(self) -> int:
        """How many take tasks."""
        return len(self._slots)

    @property
    def queued(self) -> int:
        """Tasks that could run now but for a worker or a resource."""
        return len(self._ready)

    @property
    def running(self) -> int:
        """Tasks that run."""
        return len(self._running)

    def metrics(self) -> list[SchedulingMetrics]:
        """What each worker has done so far."""
        return self._slots.metrics(self._now())

    def interrupt(self, level: int) -> None:
        """1: start nothing more and let what runs end. 2: end what runs, too."""
        self._emit(RunInterrupted(self._clock(), level))
        self._stop("the run was interrupted")
        if level > 1:
            for running in list(self._running.values()):
                if running.attempt is not None:
                    running.attempt.cancel()

    def _stop(self, reason: str) -> None:
        self._stopping = self._stopping or reason
        for timer in (*self._delayed.values(), *self._alarms.values()):
            timer.cancel()
        self._delayed.clear()
        self._alarms.clear()
        self._check_end()

    def _now(self) -> float:
        return self._clock() - self._started_at

    # -- arriving

    def _add(self, tasks: Sequence[Task], settled: Mapping[str, Result]) -> None:
        if not tasks:
            return
        self._resources.check(tasks)
        ready, blocked = self._progress.add({task.id: task.needs for task in tasks})
        self._idle.clear()
        now = self._clock()
        for task in tasks:
            self._states[task.id] = _State(task)
            if task.id not in self._announced:
                self._emit(_planned(now, task, self._estimates.get(task.id)))
        self._strategy.plan(Outlook(tasks, self._estimates, len(self._slots)))
        for task in tasks:
            if task.id in settled:
                self._settle(task, settled[task.id])
        self._arrivals.extend(task_id for task_id in ready if task_id not in settled)
        for task_id, need in blocked:
            self._block(task_id, need)
        if not self._settling:
            self._fill()

    def _settle(self, task: Task, result: Result) -> None:
        self._results[task.id] = result
        if result.outcome.ok:
            self._arrivals.extend(self._progress.passed(task.id))
        else:
            for blocked, need in self._progress.did_not_pass(task.id):
                self._block(blocked, need)

    def _receive(self) -> None:
        """Let those that have become ready wait in their order, or end at once. A chain of these does not recurse."""
        if self._settling:
            return
        self._settling = True
        try:
            while self._arrivals:
                batch = [task for i in self._arrivals if i not in self._results for task in (self._states[i].task,)]
                self._arrivals.clear()
                cached: Collection[str] = ()
                if self._cache is not None and not self._stopping:
                    candidates = [task for task in batch if task.cache is not None and not task.skip]
                    cached = self._cache.in_place(candidates) if candidates else ()
                now = self._now()
                for task in batch:
                    if task.skip:
                        self._finish(task, Outcome.SKIPPED, task.skip)
                    elif task.id in cached:
                        self._finish(task, Outcome.CACHED, "the same inputs passed before")
                    else:
                        self._strategy.task_arrived(task, now)
                        self._ready.push(task)
        finally:
            self._settling = False

    # -- starting

    def _fill(self) -> None:
        self._receive()
        while not self._stopping and self._slots.any_free and self._ready:
            task = self._next()
            if task is None:
                break
            self._start(task)
        self._check_end()
        if self.on_change is not None:
            self.on_change()

    def _next(self) -> Task | None:
        first = self._ready.first(self._is_open)
        if first is None or self._resources.fits(signature(first)):
            return first
        # The first does not fit. Others may go ahead if that does not make it start later.
        candidates = self._ready.heads(
            lambda kind, signed: self._is_open(kind, signed) and self._resources.fits(signed)
        )
        if not candidates:
            return None
        running = [(running.expected_end, running.held) for running in self._running.values()]
        now = self._now()
        free = self._resources.free
        promise = reservation(self._resources.need(signature(first)), free, running, now)
        for task in candidates:
            need = self._resources.need(signature(task))
            if may_backfill(need, self._estimates.get(task.id), free, promise, now):
                return task
        return None

    def _is_open(self, kind: str, signed: Signature) -> bool:
        del signed
        breaker = self._breakers.get(kind) if self._breakers else None
        if breaker is None or breaker.admits():
            return True
        if kind not in self._alarms and breaker.retry_at is not None:
            wait_s = max(0.0, breaker.retry_at - self._clock())
            self._alarms[kind] = asyncio.get_running_loop().call_later(wait_s, self._ring, kind)
        return False

    def _ring(self, kind: str) -> None:
        self._alarms.pop(kind, None)
        self._fill()

    def _start(self, task: Task) -> None:
        now = self._now()
        worker = self._strategy.select_worker(task, self._slots.free_metrics(now))
        self._ready.take(task)
        self._slots.take(worker, now)
        breaker = self._breakers.get(task.kind) if self._breakers else None
        estimate = self._estimates.get(task.id)
        state = self._states[task.id]
        if self._budget is not None and not state.attempts:
            self._budget.attempt_started()
        running = self._running[task.id] = _Running(
            worker,
            len(state.attempts) + 1,
            self._clock(),
            self._resources.take(signature(task)),
            _UNENDING if estimate is None else now + estimate,
            breaker.acquire() if breaker is not None else None,
        )
        self._strategy.task_started(task, worker, now)
        running.attempt = asyncio.ensure_future(self._attempt(task, running))
        running.attempt.add_done_callback(self._attempt_done)

    def _attempt_done(self, attempt: asyncio.Task[None]) -> None:
        """What escapes from an attempt is a bug of ours: it must end the run, not hang it."""
        if not attempt.cancelled() and (error := attempt.exception()) is not None:
            self._bug = self._bug or error
            self._idle.set()

    async def _attempt(self, task: Task, running: _Running) -> None:
        self._emit(AttemptStarted(running.started, task.id, running.number, running.worker))
        lost = False
        try:
            end = await self._execute(
                task, AttemptContext(running.number, running.worker, self._emit, self._clock, self.add)
            )
        except asyncio.CancelledError:
            end = AttemptEnd(Outcome.INTERRUPTED)
        except WorkerLost as error:
            end = AttemptEnd(Outcome.ERROR, Failure(str(error), source=task.source))
            lost = True
        except Exception as error:  # noqa: BLE001  # whatever an executor raises must end this attempt, not the run
            trace = "".join(traceback.format_exception(error)[-3:])
            end = AttemptEnd(Outcome.ERROR, Failure(f"internal error: {error!r}", source=task.source, output=trace))
        self._ended(task, running, end, lost=lost)

    async def _execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        executor = self._executors[task.kind]
        if self._cache is None or task.cache is None:
            return await executor.execute(task, context)
        return await self._cache.through(task, lambda: asyncio.ensure_future(executor.execute(task, context)))

    # -- ending

    def _ended(self, task: Task, running: _Running, end: AttemptEnd, *, lost: bool) -> None:
        at = self._clock()
        now = at - self._started_at
        duration = at - running.started
        outcome = end.outcome
        del self._running[task.id]
        self._slots.give_back(running.worker, now, passed=outcome.ok)
        self._resources.give_back(running.held)
        self._strategy.task_ended(task, running.worker, outcome, duration, now)
        if running.permit is not None:
            if outcome is Outcome.INTERRUPTED:
                running.permit.cancelled()
            elif outcome.ok:
                running.permit.success()
            else:
                running.permit.failure()
        self._emit(
            AttemptFinished(
                at,
                task.id,
                running.number,
                running.worker,
                outcome,
                duration,
                end.failure,
                end.findings,
                end.exit_code,
                end.output,
            )
        )
        state = self._states[task.id]
        state.attempts.append(
            Attempt(running.number, outcome, duration, running.worker, end.failure, end.findings, end.value)
        )
        delay = None if outcome.ok or self._stopping else self._delay(state, outcome, lost)
        if delay is not None:
            self._try_again(state, outcome, delay)
        elif self._send_off(state, outcome):
            pass
        elif outcome is Outcome.PASSED and state.detours:
            self._finish(task, outcome, f"passed at attempt {running.number}, after it was mended")
        elif outcome is Outcome.PASSED and any(not attempt.outcome.ok for attempt in state.attempts):
            self._finish(task, Outcome.FLAKY, f"passed at attempt {running.number}")
        else:
            self._finish(task, outcome, self._stopping if outcome is Outcome.INTERRUPTED else "")
        self._fill()

    def _delay(self, state: _State, outcome: Outcome, lost: bool) -> float | None:
        """Seconds until the next attempt; None when this was the last."""
        if lost and state.lost < _LOST_WORKERS:
            state.lost += 1
            return 0.0
        if outcome is Outcome.INTERRUPTED:
            return None
        failures = state.failures = state.failures or {}
        failures[outcome] = failures.get(outcome, 0) + 1
        return next_retry(state.task, outcome, failures, self._budget, self._chance)

    def _try_again(self, state: _State, outcome: Outcome, delay_s: float) -> None:
        task = state.task
        self._emit(RetryScheduled(self._clock(), task.id, len(state.attempts), outcome, delay_s))
        if delay_s > 0:
            loop = asyncio.get_running_loop()
            self._delayed[task.id] = loop.call_later(delay_s, self._delay_over, task.id)
        else:
            self._arrive_again(task)

    def _delay_over(self, task_id: str) -> None:
        del self._delayed[task_id]
        self._arrive_again(self._states[task_id].task)
        self._fill()

    def _arrive_again(self, task: Task) -> None:
        self._strategy.task_arrived(task, self._now())
        self._ready.push(task)

    def _send_off(self, state: _State, outcome: Outcome) -> bool:
        """Have another task mend what this one found; False when nothing is to be done about it."""
        if self._detour is None or self._stopping or outcome.ok or outcome is Outcome.INTERRUPTED:
            return False
        mending = self._detour(state.task, outcome, state.detours)
        if mending is None:
            return False
        state.detours += 1
        state.failures = None
        self._mends[mending.id] = state.task.id
        self._emit(TaskRouted(self._clock(), state.task.id, outcome, mending.id, f"{outcome} {state.detours} times"))
        self._add([mending], NOTHING)
        return True

    def _mended(self, task_id: str, by: Result) -> None:
        state = self._states[task_id]
        if by.outcome.ok:
            self._arrive_again(state.task)
        else:
            self._finish(
                state.task, state.attempts[-1].outcome, f"{by.name!r} was to mend it and {_ended_as(by.outcome)}"
            )

    def _finish(self, task: Task, outcome: Outcome, reason: str = "") -> None:
        attempts = tuple(self._states[task.id].attempts)
        result = Result(task.id, task.name, outcome, attempts, reason, task.source)
        self._results[task.id] = result
        failure = None if outcome.ok else result.failure
        self._emit(
            TaskFinished(self._clock(), task.id, task.name, outcome, len(attempts), result.duration_s, reason, failure)
        )
        if outcome.ok:
            self._arrivals.extend(self._progress.passed(task.id))
        else:
            for blocked, need in self._progress.did_not_pass(task.id):
                self._block(blocked, need)
        mends = self._mends.pop(task.id, None)
        if mends is not None:
            self._mended(mends, result)
        elif outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR):
            self._failed += 1
            if self._maxfail and self._failed >= self._maxfail:
                self._stop(f"stopped after {self._failed} failure{'s' if self._failed > 1 else ''}")

    def _block(self, task_id: str, need: str) -> None:
        cause = self._results[need].outcome
        self._finish_unstarted(
            task_id,
            Outcome.INTERRUPTED if cause is Outcome.INTERRUPTED else Outcome.BLOCKED,
            f"needs {self._states[need].task.name!r}, which {_ended_as(cause)}",
        )

    def _finish_unstarted(self, task_id: str, outcome: Outcome, reason: str) -> None:
        task = self._states[task_id].task
        self._results[task_id] = Result(task_id, task.name, outcome, (), reason, task.source)
        self._emit(TaskFinished(self._clock(), task_id, task.name, outcome, 0, 0.0, reason))

    def _check_end(self) -> None:
        if self._running:
            return
        if self._stopping:
            for task_id, state in list(self._states.items()):
                if task_id not in self._results:
                    self._finish_or_interrupt(state)
        if len(self._results) == len(self._states):
            self._idle.set()

    def _finish_or_interrupt(self, state: _State) -> None:
        """The run stops: a task that waited for a retry keeps its last verdict, any other was never started."""
        task = state.task
        if not state.attempts:
            self._finish_unstarted(task.id, Outcome.INTERRUPTED, self._stopping)
            return
        last = state.attempts[-1]
        result = Result(task.id, task.name, last.outcome, tuple(state.attempts), self._stopping, task.source)
        self._results[task.id] = result
        self._emit(
            TaskFinished(
                self._clock(),
                task.id,
                task.name,
                last.outcome,
                len(state.attempts),
                result.duration_s,
                self._stopping,
                last.failure,
            )
        )


def _planned(at: float, task: Task, estimate_s: float | None) -> TaskPlanned:
    return TaskPlanned(
        at,
        task.id,
        task.kind,
        task.name,
        task.source,
        task.tags,
        task.needs,
        task.priority,
        task.group,
        tuple(task.params.items()) if task.params else (),
        getattr(task.payload, "description", ""),
        estimate_s,
        tuple(task.resources.items()) if task.resources else (),
        task.deadline_s,
    )


def _ended_as(outcome: Outcome) -> str:
    return {
        Outcome.FAILED: "failed",
        Outcome.TIMED_OUT: "timed out",
        Outcome.ERROR: "ended in an error",
        Outcome.SKIPPED: "was skipped",
        Outcome.BLOCKED: "was blocked",
        Outcome.INTERRUPTED: "was interrupted",
    }.get(outcome, str(outcome))
