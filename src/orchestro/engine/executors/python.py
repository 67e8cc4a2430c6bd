"""Runs Python callables: on the event loop, each on a thread, or in worker processes."""

from __future__ import annotations

import asyncio
import inspect
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal

from orchestro.engine.executor import AttemptContext, AttemptEnd
from orchestro.engine.executors.settings import ExecutorSettings
from orchestro.model import NOTHING, Failure, Outcome, Task
from orchestro.records import dataclass

__all__ = ["PythonCall", "PythonExecutor", "Where", "resolve"]

Where = Literal["loop", "thread", "process"]


@dataclass(frozen=True, slots=True)
class PythonCall:
    """The payload of a task of the kind ``python``.

    It passes when the callable returns, unless that is an `AttemptEnd`, which is taken as it is; it fails when the
    callable raises.
    """

    function: Callable[..., Any] | str
    """A callable, or ``module:name`` of one. For a process it must be importable by name."""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    where: Where = "thread"
    """``loop`` for what awaits, ``thread`` for what blocks, ``process`` for what computes or may crash."""
    description: str = ""
    path: str = ""
    """Directory that is put on the path of a process, and where it works; empty for the caller's own."""
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Variables that are set in the process while it runs."""


def resolve(function: Callable[..., Any] | str) -> Callable[..., Any]:
    """The callable of that name. Raises ImportError, AttributeError, and TypeError when it cannot be called."""
    if not isinstance(function, str):
        return function
    from importlib import import_module

    module, _, name = function.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{function!r} is a {type(found).__name__}, which cannot be called")
    return found  # type: ignore[no-any-return]  # just made sure


class PythonExecutor:
    """Implements `Executor` for tasks whose payload is a `PythonCall`.

    A callable that runs out of time is cancelled on the loop and killed in a process; a thread cannot be ended, so it
    is left behind, as a daemon, with its result ignored.
    """

    def __init__(self, settings: ExecutorSettings | None = None) -> None:
        del settings
        self._processes: dict[int, Any] = {}

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        """Run one attempt. Raises WorkerLost when its process dies under it."""
        call: PythonCall = task.payload
        try:
            async with asyncio.timeout(task.timeout_s) as limit:
                if call.where == "process":
                    return await self._in_process(call, context.worker, task)
                if call.where == "thread":
                    return _end(await _in_thread(call))
                value = resolve(call.function)(*call.args, **call.kwargs)
                return _end(await value if inspect.isawaitable(value) else value)
        except TimeoutError as error:
            if limit.expired():
                message = f"no end within {task.timeout_s:g} s"
                return AttemptEnd(Outcome.TIMED_OUT, Failure(message, source=task.source))
            return failed(error, task)
        except Exception as error:  # whatever the callable raises is how the task fails
            from orchestro.engine.executor import WorkerLost

            if isinstance(error, WorkerLost):
                raise
            return failed(error, task)

    async def _in_process(self, call: PythonCall, worker: int, task: Task) -> AttemptEnd:
        from orchestro.engine.executors.process import Job, WorkerProcess

        process = self._processes.get(worker)
        if process is None or not process.alive:
            process = self._processes[worker] = WorkerProcess()
        try:
            answer = await process.call(Job(call.function, call.args, dict(call.kwargs), call.path, dict(call.env)))
        except asyncio.CancelledError:
            self._processes.pop(worker).kill()
            raise
        if answer.ok:
            end = _end(answer.value)
            return AttemptEnd(end.outcome, end.failure, end.findings, end.exit_code, answer.output, end.value)
        failure = Failure(answer.message, source=task.source, output=answer.output + answer.trace)
        return AttemptEnd(Outcome.FAILED, failure)

    def close(self) -> None:
        """End the worker processes."""
        for process in self._processes.values():
            process.kill()
        self._processes.clear()


def _end(value: Any) -> AttemptEnd:
    return value if isinstance(value, AttemptEnd) else AttemptEnd(Outcome.PASSED, value=value)


def failed(error: BaseException, task: Task) -> AttemptEnd:
    """How an attempt ends whose callable raised."""
    trace = "".join(traceback.format_exception(error)[-12:])
    message = traceback.format_exception_only(error)[-1].strip()
    return AttemptEnd(Outcome.FAILED, Failure(message, source=task.source, output=trace))


async def _in_thread(call: PythonCall) -> Any:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def tell(value: Any, error: BaseException | None) -> None:
        if not done.done():
            if error is None:
                done.set_result(value)
            else:
                done.set_exception(error)

    def work() -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            value = resolve(call.function)(*call.args, **call.kwargs)
            if inspect.iscoroutine(value):
                value = asyncio.run(value)
        except BaseException as raised:  # noqa: BLE001  # handed to whoever awaits the thread
            # A future takes no StopIteration, and an exit of the thread is not one of the program.
            error = raised if isinstance(raised, Exception) and not isinstance(raised, StopIteration) else None
            error = error or RuntimeError(f"the callable raised {raised!r}")
        try:
            loop.call_soon_threadsafe(tell, value, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits for a callable that ran out of time

    threading.Thread(target=work, name=f"orchestro-{getattr(call.function, '__name__', 'call')}", daemon=True).start()
    return await done
