"""A run from its first event to its last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from orchestro import __version__
from orchestro.app.loading import estimates, open_history, plan_work
from orchestro.app.options import RunOptions, default_workers
from orchestro.engine.autoscale import Autoscaler, Scaling
from orchestro.engine.dispatcher import Clock, Dispatcher
from orchestro.engine.executors.registry import Executors
from orchestro.engine.executors.settings import ExecutorSettings
from orchestro.engine.resources import machine_capacities
from orchestro.engine.scaling import FollowQueue
from orchestro.errors import StoreError
from orchestro.events import (
    BreakerChanged,
    Diagnostic,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
    StrategyChanged,
    TaskRouted,
)
from orchestro.exits import Exit
from orchestro.isolate.scratch import Scratch
from orchestro.model import Outcome, Report, Result
from orchestro.resilience.breaker import BreakerSettings, CircuitBreaker, CountWindow
from orchestro.resilience.retry import RetryBudget
from orchestro.schedule import DEFAULT, Outlook, SchedulingStrategy, late_tasks, make_scheduler
from orchestro.store.directory import StateDirectory
from orchestro.store.recordings import RecordingWriter
from orchestro.store.run_log import RunLog
from orchestro.taskfile.loader import Work
from orchestro.terminal.cast import write_cast

if TYPE_CHECKING:
    from orchestro.app.resuming import Earlier
    from orchestro.engine.caching import CachedResults
    from orchestro.store.history import History, Seen

__all__ = ["Observer", "execute", "exit_code", "run", "run_async"]

_MOST_UNTOLD = 1000
"""Events that wait for the observers; more are told at once."""


class Observer(Protocol):
    """Who sees the events of a run: the reporters, each of them or a fan-out of them."""

    def handle(self, event: Event) -> None:
        """Take an event."""


def exit_code(results: Sequence[Result], interrupted: bool) -> Exit:
    """What a run with these results exits with."""
    outcomes = {result.outcome for result in results}
    if interrupted:
        return Exit.INTERRUPTED
    if outcomes & {Outcome.FAILED, Outcome.TIMED_OUT}:
        return Exit.FAILED
    if Outcome.ERROR in outcomes:
        return Exit.INFRASTRUCTURE
    if outcomes & {Outcome.BLOCKED, Outcome.INTERRUPTED}:
        return Exit.FAILED
    return Exit.PASSED


class _Run:
    """One run: what `run_async` does, step by step."""

    def __init__(
        self, work: Work, options: RunOptions, observers: Sequence[Observer], earlier: Earlier | None = None
    ) -> None:
        self._work = work
        self._tasks = work.tasks
        self._options = options
        self._observers = list(observers)
        self._earlier = earlier
        self._state = StateDirectory(options.output_dir)
        self._interrupts = 0
        self._log: RunLog | None = None
        self._untold: deque[Event] = deque()
        """Events in the record that the observers have not seen yet."""

    async def execute(self, known: dict[str, Seen], machine: str, history: History | None) -> Report:
        """Run the tasks, tell everyone, keep the record."""
        options = self._options
        earlier = self._earlier
        run_id, directory = (earlier.run_id, earlier.directory) if earlier else self._state.new_run()
        self._log = RunLog(directory, resume=earlier is not None)
        self._clock = Clock(time.time(), time.monotonic())
        workers = min(options.workers or default_workers(), max(1, len(self._tasks)))
        stale = Scratch.remove_stale()
        scratch = Scratch(f"{run_id}-{os.getpid()}")
        recordings = RecordingWriter(write_cast)
        executors = Executors(ExecutorSettings(run_id, directory, os.getcwd(), scratch, recordings, self._kinds()))
        strategy = make_scheduler(options.scheduler or DEFAULT)
        began = self._clock()
        self._begin(began, run_id, workers, machine)
        for path in stale:
            self._emit(Diagnostic(began, "warning", f"removed what a killed run had left in {path}"))
        expected = estimates(self._tasks, known)
        cache = self._open_cache()
        try:
            dispatcher = Dispatcher(
                self._tasks,
                executors=executors,
                strategy=strategy,
                workers=workers,
                emit=self._emit,
                clock=self._clock,
                maxfail=options.maxfail,
                estimates=expected,
                capacities={**machine_capacities(), **self._work.capacities, **options.capacities}
                if any(task.resources for task in self._tasks)
                else {},
                settled=earlier.kept if earlier else {},
                announced=earlier.planned if earlier else (),
                budget=RetryBudget(self._work.retry_budget) if self._work.retry_budget is not None else None,
                breakers=self._breakers(),
                cache=cache,
                detour=self._work.routes.detour if self._work.routes.menders else None,
            )
            self._watch(strategy)
            self._warn_of_deadlines(expected, workers)
            autoscaler = self._autoscale(dispatcher)
            with self._signals(dispatcher):
                results = await dispatcher.run()
            if autoscaler is not None:
                autoscaler.close()
            recordings.close()
            for failure in recordings.failures:
                self._emit(Diagnostic(self._clock(), "warning", failure))
            code = exit_code(results, bool(self._interrupts))
            duration = self._clock() - began
            report = Report(run_id, tuple(results), duration, int(code), directory)
            counts = tuple((outcome.value, count) for outcome, count in report.counts().items())
            if history is not None:
                self._learn(history, machine, results)
            if code is Exit.FAILED or code is Exit.INFRASTRUCTURE:
                await self._bury(run_id, results, history)
            looked = (cache.hits, cache.misses) if cache is not None else (0, 0)
            obsolete = self._obsolete_snapshots(executors)
            self._emit(RunFinished(self._clock(), run_id, duration, int(code), counts, obsolete, looked))
            self._tell_all()
            return report
        finally:
            self._tell_all()
            await executors.close()
            recordings.close()
            scratch.close()
            if cache is not None:
                cache.close()
            if self._log is not None:
                self._log.close()

    def _kinds(self) -> Mapping[str, object]:
        """What only the executors of single kinds understand."""
        return {
            "snapshot_mode": self._options.snapshot_mode,
            "snapshot_dir": self._options.snapshot_dir,
            "ci": os.environ.get("CI", "").lower() in ("1", "true"),
        }

    def _begin(self, at: float, run_id: str, workers: int, machine: str) -> None:
        options = self._options
        if self._earlier is not None:
            for event in self._earlier.events:
                self._tell(event)
            kept = len(self._earlier.kept)
            self._emit(RunResumed(at, run_id, workers, kept))
            for verdict in self._earlier.unwritten:
                self._emit(verdict)
            return
        self._emit(
            RunStarted(
                at,
                run_id,
                __version__,
                workers,
                options.scheduler or DEFAULT,
                len(self._tasks),
                options.argv,
                os.getcwd(),
                machine,
                tuple(sorted({task.kind for task in self._tasks})),
            )
        )

    def _breakers(self) -> dict[str, CircuitBreaker]:
        made = {}
        for kind, wish in self._work.breakers.items():
            settings = BreakerSettings(
                wish.error_rate, wish.min_calls, CountWindow(wish.window), wish.open, wish.probes
            )
            made[kind] = CircuitBreaker(kind, clock=self._clock, settings=settings)
            made[kind].callbacks.append(
                lambda breaker, _, state, reason: self._emit(
                    BreakerChanged(self._clock(), breaker.name, state.value, reason)
                )
            )
        return made

    def _watch(self, strategy: SchedulingStrategy) -> None:
        if hasattr(strategy, "on_switch"):
            strategy.on_switch = lambda switch: self._emit(
                StrategyChanged(self._clock(), switch.strategy, switch.reason)
            )

    def _open_cache(self) -> CachedResults | None:
        if not self._options.cache or all(task.cache is None for task in self._tasks):
            return None
        from orchestro.engine.caching import CachedResults
        from orchestro.errors import InfrastructureError

        def complain(message: str) -> None:
            self._emit(Diagnostic(self._clock(), "warning", message))

        try:
            return CachedResults(self._state.results, complain)
        except InfrastructureError as error:
            complain(f"the result cache cannot be used: {error}")
            return None

    def _warn_of_deadlines(self, expected: Mapping[str, float], workers: int) -> None:
        if all(task.deadline_s is None for task in self._tasks):
            return
        by_id = {task.id: task for task in self._tasks}
        for late in late_tasks(Outlook(self._tasks, expected, workers)):
            name = by_id[late.task_id].name
            message = (
                f"{name!r} is expected to end {late.expected_end_s:.3g} s after the start, "
                f"after its deadline of {late.deadline_s:.3g} s"
            )
            self._emit(Diagnostic(self._clock(), "warning", message, late.task_id))

    def _autoscale(self, dispatcher: Dispatcher) -> FollowQueue | None:
        options = self._options
        if options.max_workers is None:
            return None
        fewest = min(options.workers or 1, options.max_workers)
        scaling = Scaling(fewest, options.max_workers, up_threshold=1.0)
        return FollowQueue(dispatcher, Autoscaler(scaling, self._clock))

    async def _bury(self, run_id: str, results: Sequence[Result], history: History | None) -> None:
        """Keep what was given up, and tell those whom the routes name."""
        from orchestro.app.burying import bury, dead_letters, escalate

        by_id = {task.id: task for task in self._tasks}
        routes = self._work.routes
        letters = dead_letters(by_id, results, routes, run_id, time.time())
        if not letters:
            return
        if history is not None:
            from orchestro.store.dead_letters import DeadLetters

            try:
                bury(DeadLetters(history.database), letters)
            except StoreError as error:
                self._emit(Diagnostic(self._clock(), "warning", f"the dead letters were not kept: {error}"))
        for letter in letters:
            end = routes.dead_ends.get(letter.task_id)
            if end is None:
                continue
            self._emit(
                TaskRouted(
                    self._clock(), letter.task_id, Outcome.FAILED, "dead-letter", f"{letter.reason}: {letter.error}"
                )
            )
            if end.escalate:
                wrong = await escalate(letter, end.escalate)
                if wrong:
                    message = f"nobody was told that {letter.name!r} was given up: {wrong}"
                    self._emit(Diagnostic(self._clock(), "error", message, letter.task_id))

    def _emit(self, event: Event) -> None:
        """Write an event into the record at once; the observers see it a moment later.

        When a task ends the next one should start before anything else is done: while a verdict is printed it runs.
        """
        if self._log is not None:
            try:
                self._log.write(event)
            except OSError as error:
                self._log = None
                self._emit(Diagnostic(event.at, "error", f"the record of the run cannot be written: {error}"))
        self._untold.append(event)
        if len(self._untold) == 1:
            asyncio.get_running_loop().call_soon(self._tell_soon)
        elif len(self._untold) >= _MOST_UNTOLD:
            self._tell_all()

    def _tell_soon(self) -> None:
        """In the turn after this one: what was asked for after the event, such as starting a program, comes first."""
        asyncio.get_running_loop().call_soon(self._tell_all)

    def _tell_all(self) -> None:
        while self._untold:
            self._tell(self._untold.popleft())

    def _tell(self, event: Event) -> None:
        for observer in list(self._observers):
            try:
                observer.handle(event)
            except Exception as error:  # noqa: BLE001  # a broken observer is logged and never stops a run
                self._observers.remove(observer)
                name = type(observer).__name__
                self._emit(Diagnostic(event.at, "error", f"the observer {name} failed and was dropped: {error!r}"))

    @contextlib.contextmanager
    def _signals(self, dispatcher: Dispatcher) -> Iterator[None]:
        if not self._options.handle_signals or threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def interrupt(at_least: int) -> None:
            self._interrupts = max(self._interrupts + 1, at_least)
            dispatcher.interrupt(min(self._interrupts, 2))

        handled: list[tuple[int, Callable[[], None]]] = [
            (signal.SIGINT, lambda: interrupt(1)),
            (signal.SIGTERM, lambda: interrupt(2)),
        ]
        if sys.platform != "win32":
            handled.append((signal.SIGHUP, lambda: interrupt(2)))
        added = []
        for number, handler in handled:
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt as usual
                loop.add_signal_handler(number, handler)
                added.append(number)
        try:
            yield
        finally:
            for number in added:
                loop.remove_signal_handler(number)

    def _learn(self, history: History, machine: str, results: Sequence[Result]) -> None:
        from orchestro.store.history import history_key

        by_id = {task.id: task for task in self._tasks}
        ended = [
            (history_key(by_id[r.task_id]), r.outcome, r.attempts[-1].duration_s if r.attempts else 0.0)
            for r in results
            if (r.outcome.ran or r.outcome is Outcome.BLOCKED) and r.task_id in by_id  # not what was added on the way
        ]
        try:
            history.add(machine, time.time(), ended)
        except StoreError as error:
            self._emit(Diagnostic(self._clock(), "warning", f"the history was not written: {error}"))

    def _obsolete_snapshots(self, executors: Executors) -> tuple[str, ...]:
        """Snapshot files beside the scenarios that none of them used; only known when all of them ran to the end."""
        executor = executors.made("scenario")
        used: set[str] = getattr(executor, "snapshots_used", set())
        if not used or self._options.selection.narrows or self._interrupts:
            return ()
        from orchestro.scenario.snapshot import obsolete

        folders = {os.path.dirname(os.path.dirname(path)) for path in used}
        return tuple(str(path) for folder in sorted(folders) for path in obsolete(folder, used))


async def execute(
    work: Work,
    options: RunOptions,
    observers: Sequence[Observer] = (),
    *,
    earlier: Earlier | None = None,
    history: tuple[History | None, dict[str, Seen], str] | None = None,
) -> Report:
    """Run the tasks of `work`, or what is left of them from an earlier attempt at the run."""
    opened = history or open_history(StateDirectory(options.output_dir), options.store)
    try:
        return await _Run(work, options, observers, earlier).execute(opened[1], opened[2], opened[0])
    finally:
        if opened[0] is not None:
            opened[0].close()


async def run_async(
    paths: Sequence[str] | str,
    options: RunOptions | None = None,
    observers: Sequence[Observer] = (),
) -> Report:
    """Run the scenarios and task files in `paths`.

    Raises DocumentError, SelectionError and other UserErrors before anything runs.
    """
    options = options or RunOptions()
    paths = [paths] if isinstance(paths, str) else list(paths)
    make_scheduler(options.scheduler or DEFAULT)
    opened = open_history(StateDirectory(options.output_dir), options.store)
    try:
        work = plan_work(paths, options, opened[1])
    except BaseException:
        if opened[0] is not None:
            opened[0].close()
        raise
    return await execute(work, options, observers, history=opened)


def run(
    paths: Sequence[str] | str,
    *,
    workers: int | None = None,
    observers: Sequence[Observer] = (),
    options: RunOptions | None = None,
) -> Report:
    """Run the scenarios in `paths` and return the report.

    In a running event loop it returns at once with something to await: ``report = await orchestro.run(paths)``.
    """
    chosen = options or RunOptions()
    if workers is not None:
        chosen = replace(chosen, workers=workers)
    running = run_async(paths, chosen, observers)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(running)
    # A Report can be awaited, too (it gives itself), so the annotation holds for both ways of calling.
    return loop.create_task(running)  # type: ignore[return-value]
