"""A pool of workers for programs: tasks are submitted while it runs, results are awaited. A front of the dispatcher."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from types import TracebackType
from typing import Any, Self

from orchestro.engine.autoscale import Autoscaler, Scaling
from orchestro.engine.dispatcher import Clock, Dispatcher
from orchestro.engine.executor import Executor
from orchestro.engine.executors.python import PythonCall, Where
from orchestro.engine.executors.registry import Executors
from orchestro.engine.executors.settings import ExecutorSettings
from orchestro.engine.scaling import FollowQueue
from orchestro.engine.task_queue import TaskQueue
from orchestro.events import Emit, Event, TaskFinished
from orchestro.isolate.scratch import Scratch
from orchestro.model import NOTHING, Result, Task
from orchestro.records import dataclass
from orchestro.resilience.breaker import BreakerSettings, CircuitBreaker
from orchestro.resilience.retry import RetryBudget
from orchestro.schedule import SchedulingMetrics, SchedulingStrategy, make_scheduler
from orchestro.schedule.registry import DEFAULT
from orchestro.store.recordings import RecordingWriter
from orchestro.terminal.cast import write_cast
from orchestro.trees import remove_tree

__all__ = ["PoolStatistics", "WorkerPool", "WorkerPoolConfig"]

Progress = Callable[[Result, int, int], None]
"""Called after each verdict with the result, how many have ended, and how many were submitted."""


@dataclass(slots=True)
class WorkerPoolConfig:
    """How a pool works."""

    num_workers: int = 4
    autoscale: bool = False
    """Whether the number of workers follows the queue, by the rules of `scaling`."""
    scaling: Scaling = field(default_factory=Scaling)
    max_queue_size: int = 10_000
    """Tasks that may have been submitted and not ended; `submit` waits while there are as many."""
    output_dir: str = ""
    """Where recordings and artifacts go; empty for a temporary directory that is removed with the pool."""
    capacities: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    breakers: Mapping[str, BreakerSettings] = field(default_factory=lambda: NOTHING)
    """By kind of task."""
    retry_budget: int | None = None
    """Retries that the pool may spend in all; None for no limit."""


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """What a pool has done so far."""

    workers: int
    running: int
    queued: int
    completed: int
    failed: int
    elapsed_s: float
    utilisation: float
    """Busy share of all workers since the start, 0 to 1, as measured."""
    per_worker: tuple[SchedulingMetrics, ...]


class WorkerPool:
    """Runs what is submitted to it, and takes more meanwhile.

    >>> async with WorkerPool(config=WorkerPoolConfig(num_workers=4)) as pool:
    ...     await pool.submit(TaskQueue.create_task("login.yaml", priority=10))
    ...     results = await pool.wait_all()
    """

    def __init__(
        self,
        config: WorkerPoolConfig | None = None,
        scheduler: SchedulingStrategy | str = DEFAULT,
        *,
        executors: Mapping[str, Executor] | None = None,
        on_progress: Progress | None = None,
        emit: Emit | None = None,
    ) -> None:
        """`executors` go before those that are known by the kind of a task; `emit` gets every event."""
        self.config = config or WorkerPoolConfig()
        if self.config.num_workers < 1:
            raise ValueError(f"expected at least 1 worker, got {self.config.num_workers}")
        self.scheduler = make_scheduler(scheduler) if isinstance(scheduler, str) else scheduler
        self._extra = executors
        self._on_progress = on_progress
        self._emit_to = emit
        self._dispatcher: Dispatcher | None = None
        self._follow: FollowQueue | None = None
        self._submitted = 0
        self._ended = 0
        self._calls = 0
        self._room = asyncio.Event()
        self._room.set()
        self._draining = False
        self._temporary = ""

    # -- life

    async def start(self) -> None:
        """Begin. Twice is harmless."""
        if self._dispatcher is not None:
            return
        config = self.config
        directory = config.output_dir
        if not directory:
            directory = self._temporary = tempfile.mkdtemp(prefix="orchestro-pool-")
        os.makedirs(os.path.join(directory, "recordings"), exist_ok=True)
        self._scratch = Scratch(f"pool-{os.getpid()}-{id(self):x}")
        self._recordings = RecordingWriter(write_cast)
        settings = ExecutorSettings("pool", directory, os.getcwd(), self._scratch, self._recordings)
        self._executors = Executors(settings, self._extra)
        self._clock = Clock(time.time(), time.monotonic())
        self._began = self._clock()
        workers = config.scaling.min_workers if config.autoscale else config.num_workers
        breakers = {
            kind: CircuitBreaker(kind, clock=self._clock, settings=one) for kind, one in config.breakers.items()
        }
        self._dispatcher = Dispatcher(
            (),
            executors=self._executors,
            strategy=self.scheduler,
            workers=workers,
            emit=self._emit,
            clock=self._clock,
            capacities=config.capacities,
            breakers=breakers,
            budget=RetryBudget(config.retry_budget) if config.retry_budget is not None else None,
        )
        self.breakers = breakers
        if config.autoscale:
            config.scaling.check()
            self._follow = FollowQueue(self._dispatcher, Autoscaler(config.scaling, self._clock))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del error, trace
        await self.stop(wait=kind is None)

    async def stop(self, wait: bool = True) -> None:
        """Take nothing more; let what was submitted end, or without `wait` end what runs. Twice is harmless."""
        dispatcher = self._dispatcher
        if dispatcher is None:
            return
        self._draining = True
        if not wait:
            dispatcher.interrupt(2)
        await dispatcher.wait_idle()
        if self._follow is not None:
            self._follow.close()
        await self._executors.close()
        self._recordings.close()
        self._scratch.close()
        if self._temporary:
            remove_tree(self._temporary)
            self._temporary = ""
        self._dispatcher = None
        self._draining = False

    async def drain(self) -> list[Result]:
        """Take nothing more, and return the results when all that was submitted has ended."""
        self._draining = True
        return await self.wait_all()

    # -- work

    async def submit(self, task: Task | Callable[..., Any] | str, *args: Any, where: Where = "thread") -> str:
        """Add a task, a callable with its arguments, or the path of a scenario; returns the id of the task.

        Waits while `max_queue_size` tasks have not ended. Raises RuntimeError for a pool that is not running or that
        drains, ValueError for an id that is taken, UserError for needs that are not there.
        """
        await self._has_room()
        return self._add([self._task(task, args, where)])[0]

    async def submit_batch(self, tasks: Iterable[Task | Callable[..., Any] | str]) -> list[str]:
        """Add many at once, which may need each other; returns their ids."""
        await self._has_room()
        return self._add([self._task(task, (), "thread") for task in tasks])

    def _task(self, task: Task | Callable[..., Any] | str, args: Sequence[Any], where: Where) -> Task:
        if isinstance(task, Task):
            return task
        if isinstance(task, str):
            return TaskQueue.create_task(task)
        self._calls += 1
        name = f"{getattr(task, '__name__', 'call')} #{self._calls}"
        return Task(name, "python", name, PythonCall(task, tuple(args), where=where))

    async def _has_room(self) -> None:
        while not self._room.is_set():
            await self._room.wait()
        if self._dispatcher is None:
            raise RuntimeError("the pool is not running: use `async with`, or call start() first")
        if self._draining:
            raise RuntimeError("the pool takes nothing more: it drains")

    def _add(self, tasks: list[Task]) -> list[str]:
        assert self._dispatcher is not None  # noqa: S101  # `_has_room` has seen to it
        self._submitted += len(tasks)
        try:
            self._dispatcher.add(tasks)
        except BaseException:
            self._submitted -= len(tasks)
            raise
        self._measure_room()
        return [task.id for task in tasks]

    def _measure_room(self) -> None:
        if self._submitted - self._ended < self.config.max_queue_size:
            self._room.set()
        else:
            self._room.clear()

    async def wait_all(self) -> list[Result]:
        """The results of everything submitted since the last call, in the order of submission, when all has ended."""
        dispatcher = self._running()
        await dispatcher.wait_idle()
        results = dispatcher.results()
        dispatcher.forget()
        return results

    def _running(self) -> Dispatcher:
        if self._dispatcher is None:
            raise RuntimeError("the pool is not running: use `async with`, or call start() first")
        return self._dispatcher

    def _emit(self, event: Event) -> None:
        if isinstance(event, TaskFinished):
            self._ended += 1
            self._measure_room()
        if self._emit_to is not None:
            self._emit_to(event)
        if isinstance(event, TaskFinished) and self._on_progress is not None and self._dispatcher is not None:
            result = self._dispatcher.result(event.task_id)
            if result is not None:
                self._on_progress(result, self._ended, self._submitted)

    # -- measures

    def resize(self, workers: int) -> None:
        """Have so many workers from now on. What runs is never interrupted. Raises ValueError below 1."""
        if workers < 1:
            raise ValueError(f"expected at least 1 worker, got {workers}")
        if self._follow is not None:
            rules = self.config.scaling
            rules.min_workers = min(rules.min_workers, workers)
            rules.max_workers = max(rules.max_workers, workers)
        self._running().resize(workers, "asked for")

    def statistics(self) -> PoolStatistics:
        """What the pool has done so far."""
        dispatcher = self._running()
        per_worker = tuple(dispatcher.metrics())
        failed = sum(worker.tasks_failed for worker in per_worker)
        load = [worker.current_load for worker in per_worker]
        return PoolStatistics(
            dispatcher.workers,
            dispatcher.running,
            dispatcher.queued,
            sum(worker.tasks_completed for worker in per_worker),
            failed,
            self._clock() - self._began,
            sum(load) / len(load) if load else 0.0,
            per_worker,
        )
