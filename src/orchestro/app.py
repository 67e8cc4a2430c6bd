"""The composition root: the one place where loader, engine, store and reporters are joined into a run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from orchestro import __version__
from orchestro.engine.dispatcher import Clock, Dispatcher
from orchestro.engine.executors.scenario import ScenarioExecutor, ScenarioSettings
from orchestro.errors import SelectionError
from orchestro.events import Diagnostic, Event, RunFinished, RunStarted, TaskPlanned
from orchestro.exits import Exit
from orchestro.isolate.scratch import Scratch
from orchestro.model import Outcome, Report, Result, Task
from orchestro.schedule import make_scheduler
from orchestro.selection import Selection, select
from orchestro.store.directory import StateDirectory
from orchestro.store.recordings import RecordingWriter
from orchestro.store.run_log import RunLog
from orchestro.terminal.cast import write_cast

if TYPE_CHECKING:
    from orchestro.scenario.document import Scenario
    from orchestro.store.history import History, Seen

__all__ = [
    "Observer",
    "RunOptions",
    "default_workers",
    "exit_code",
    "load_tasks",
    "read_history",
    "run",
    "run_async",
    "usable_processors",
]


class Observer(Protocol):
    """Who sees the events of a run: the reporters, each of them or a fan-out of them."""

    def handle(self, event: Event) -> None:
        """Take an event."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run. The command line's options, one for one."""

    workers: int | None = None
    """Scenarios at once; None chooses by the machine."""
    scheduler: str = "priority"
    retries: int | None = None
    """Overrides each scenario's own number when it is larger."""
    maxfail: int = 0
    """Stop after so many failures; 0 never."""
    selection: Selection = field(default_factory=Selection)
    repeat: int = 1
    timeout_s: float | None = None
    """Overrides the default time-out of the waits."""
    snapshot_mode: str = "verify"
    snapshot_dir: str | None = None
    output_dir: str = ".orchestro"
    argv: tuple[str, ...] = ()
    handle_signals: bool = False
    """Whether Ctrl-C drains and kills; the command line wants it, a library must not take signals over."""


def default_workers() -> int:
    """Twice the processors that this process may use, at least four: terminals mostly wait."""
    return max(4, int(2 * usable_processors()))


def usable_processors() -> float:
    """Processors that this process may use: its affinity, and the limit of its container (cgroup) if there is one."""
    usable = float(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1)
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()[:2]
    except (OSError, ValueError):
        return usable
    return usable if quota == "max" else min(usable, int(quota) / int(period))


def read_history(options: RunOptions) -> dict[str, Seen]:
    """What earlier runs in the state directory taught; empty when there were none."""
    state = StateDirectory(options.output_dir)
    if not os.path.exists(state.history):
        return {}
    history, known, _ = _open_history(state)
    if history is not None:
        history.close()
    return known


def load_tasks(paths: Sequence[str], options: RunOptions, known: dict[str, Seen] | None = None) -> list[Task]:
    """The tasks that `paths` and the selection come to.

    Raises DocumentError with every mistake in every file, SelectionError when nothing is left.
    """
    from orchestro.scenario.loader import load_or_raise

    tasks = [_task(scenario, options) for scenario in load_or_raise(paths)]
    chosen = select(tasks, options.selection, _failed(tasks, known or {}))
    if not chosen:
        raise SelectionError(_why_nothing(tasks, paths, options.selection))
    if options.repeat > 1:
        chosen = [_repeated(task, turn) for turn in range(1, options.repeat + 1) for task in chosen]
    return chosen


def _why_nothing(tasks: Sequence[Task], paths: Sequence[str], selection: Selection) -> str:
    if not tasks:
        looked_for = "*.scenario.yaml, and for *.yaml and *.yml files with a `command` or `steps`"
        return f"there is no scenario in {', '.join(paths)}; looked for {looked_for}"
    asked = [
        f"--tag {selection.tags!r}" if selection.tags else "",
        f"-k {selection.name!r}" if selection.name else "",
        "--last-failed" if selection.last_failed else "",
        f"--shard {selection.shard[0]}/{selection.shard[1]}" if selection.shard else "",
    ]
    found = f"{len(tasks)} scenario" + ("s" if len(tasks) != 1 else "")
    words = " ".join(word for word in asked if word) or "the names that were asked for"
    tags = sorted({tag for task in tasks for tag in task.tags}) if selection.tags else []
    hint = f"; the tags are {', '.join(tags[:20])}" + (", ..." if len(tags) > 20 else "") if tags else ""
    return f"none of {found} is left by {words}{hint}"


def _failed(tasks: Sequence[Task], known: dict[str, Seen]) -> set[str]:
    """Ids of the tasks that did not pass when they last ran."""
    if not known:
        return set()
    from orchestro.store.history import history_key

    last = {task.id: known[key].last_outcome for task in tasks if (key := history_key(task)) in known}
    return {task_id for task_id, outcome in last.items() if outcome is not None and not outcome.ok}


def _task(scenario: Scenario, options: RunOptions) -> Task:
    if options.timeout_s is not None:
        scenario = replace(scenario, timeout_s=options.timeout_s)
    return Task(
        id=scenario.name,
        kind="scenario",
        name=scenario.name,
        payload=scenario,
        priority=scenario.priority,
        deadline_s=scenario.deadline_s,
        needs=scenario.needs,
        retries=max(scenario.retries, options.retries or 0),
        timeout_s=scenario.total_timeout_s,
        tags=scenario.tags,
        source=scenario.source,
        group=scenario.group,
        params=scenario.params,
        skip=scenario.skip_reason(),
    )


def _repeated(task: Task, turn: int) -> Task:
    mark = f" #{turn}"
    needs = tuple(need + mark for need in task.needs)
    return replace(task, id=task.id + mark, name=task.name + mark, needs=needs)


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

    def __init__(self, tasks: Sequence[Task], options: RunOptions, observers: Sequence[Observer]) -> None:
        self._tasks = tasks
        self._options = options
        self._observers = list(observers)
        self._state = StateDirectory(options.output_dir)
        self._interrupts = 0
        self._log: RunLog | None = None

    async def execute(self, known: dict[str, Seen], machine: str, history: History | None) -> Report:
        """Run the tasks, tell everyone, keep the record."""
        options = self._options
        run_id, directory = self._state.new_run()
        self._log = RunLog(directory)
        self._clock = Clock(time.time(), time.monotonic())
        workers = min(options.workers or default_workers(), max(1, len(self._tasks)))
        scratch = Scratch(f"{run_id}-{os.getpid()}")
        stale = Scratch.remove_stale()
        settings = ScenarioSettings(
            run_id,
            directory,
            os.getcwd(),
            options.snapshot_mode,
            options.snapshot_dir,
            ci=os.environ.get("CI", "").lower() in ("1", "true"),
        )
        recordings = RecordingWriter(write_cast)
        executor = ScenarioExecutor(settings, scratch, recordings)
        began = self._clock()
        self._emit(
            RunStarted(
                began,
                run_id,
                __version__,
                workers,
                options.scheduler,
                len(self._tasks),
                options.argv,
                os.getcwd(),
                machine,
            )
        )
        for path in stale:
            self._emit(Diagnostic(began, "warning", f"removed what a killed run had left in {path}"))
        from orchestro.store.history import history_key

        for task in self._tasks:
            seen = known.get(history_key(task))
            self._emit(_planned(began, task, seen.duration_s if seen else None))
        dispatcher = Dispatcher(
            self._tasks,
            executors={"scenario": executor},
            strategy=make_scheduler(options.scheduler),
            workers=workers,
            emit=self._emit,
            clock=self._clock,
            maxfail=options.maxfail,
        )
        try:
            with self._signals(dispatcher):
                results = await dispatcher.run()
            recordings.close()
            for failure in recordings.failures:
                self._emit(Diagnostic(self._clock(), "warning", failure))
            code = exit_code(results, bool(self._interrupts))
            duration = self._clock() - began
            report = Report(run_id, tuple(results), duration, int(code), directory)
            counts = tuple((outcome.value, count) for outcome, count in report.counts().items())
            if history is not None:
                self._learn(history, machine, results)
            obsolete = self._obsolete_snapshots(executor)
            self._emit(RunFinished(self._clock(), run_id, duration, int(code), counts, obsolete))
            return report
        finally:
            recordings.close()
            scratch.close()
            if self._log is not None:
                self._log.close()

    def _emit(self, event: Event) -> None:
        if self._log is not None:
            try:
                self._log.write(event)
            except OSError as error:
                self._log = None
                self._emit(Diagnostic(event.at, "error", f"the record of the run cannot be written: {error}"))
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
        import sqlite3

        from orchestro.store.history import history_key

        by_id = {task.id: task for task in self._tasks}
        ended = [
            (history_key(by_id[r.task_id]), r.outcome, r.attempts[-1].duration_s if r.attempts else 0.0)
            for r in results
            if r.outcome.ran or r.outcome is Outcome.BLOCKED
        ]
        try:
            history.add(machine, time.time(), ended)
        except sqlite3.Error as error:
            self._emit(Diagnostic(self._clock(), "warning", f"the history was not written: {error}"))

    def _obsolete_snapshots(self, executor: ScenarioExecutor) -> tuple[str, ...]:
        """Snapshot files beside the scenarios that none of them used; only known when all of them ran to the end."""
        from orchestro.scenario.snapshot import obsolete

        if not executor.snapshots_used or self._options.selection.narrows or self._interrupts:
            return ()
        folders = {os.path.dirname(os.path.dirname(path)) for path in executor.snapshots_used}
        return tuple(str(path) for folder in sorted(folders) for path in obsolete(folder, executor.snapshots_used))


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
        tuple(task.params.items()),
        getattr(task.payload, "description", ""),
        estimate_s,
    )


def _open_history(state: StateDirectory) -> tuple[History | None, dict[str, Seen], str]:
    import sqlite3

    from orchestro.store.history import History, machine_class

    machine = machine_class()
    try:
        state.prepare()
        history = History(state.history)
        return history, history.read(machine), machine
    except (sqlite3.Error, OSError):
        return None, {}, machine


async def run_async(
    paths: Sequence[str] | str,
    options: RunOptions | None = None,
    observers: Sequence[Observer] = (),
) -> Report:
    """Run the scenarios in `paths`. Raises DocumentError, SelectionError and other UserErrors before anything runs."""
    options = options or RunOptions()
    paths = [paths] if isinstance(paths, str) else list(paths)
    make_scheduler(options.scheduler)
    history, known, machine = _open_history(StateDirectory(options.output_dir))
    try:
        tasks = load_tasks(paths, options, known)
        return await _Run(tasks, options, observers).execute(known, machine, history)
    finally:
        if history is not None:
            history.close()


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
