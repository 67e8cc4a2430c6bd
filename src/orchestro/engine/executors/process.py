"""A Python process that runs callables one after the other, and the protocol with it: pickles over a pipe.

Unlike the pools of the standard library it survives the death of a worker: the call that died is told apart from those
that fail, and the worker alone is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import field
from multiprocessing.connection import Connection
from typing import Any

from orchestro.engine.executor import WorkerLost
from orchestro.records import dataclass

__all__ = ["Answer", "Job", "WorkerProcess"]

_TAIL_BYTES = 16 << 10
"""Of what a callable prints that is kept, the end."""
_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be called."""

    function: Callable[..., Any] | str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    """Directory to work in, and first on the path of modules; empty for where the process is."""
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call."""

    ok: bool
    value: Any = None
    message: str = ""
    trace: str = ""
    output: str = ""


class WorkerProcess:
    """Started at once, in a session of its own; it ends with this process, however that ends."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # never fork a process that has threads and an event loop
        ours, theirs = context.Pipe()
        self._pipe: Connection = ours
        self._process = context.Process(target=_serve, args=(theirs,), name="orchestro-worker", daemon=True)
        self._process.start()
        theirs.close()
        self._killed = False

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        """Whether it can be called."""
        return not self._killed and self._process.is_alive()

    async def call(self, job: Job) -> Answer:
        """Run a callable there. Raises WorkerLost when the process dies meanwhile, and what pickling raises."""
        request = pickle.dumps(job)
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[bytes] = loop.create_future()

        def read() -> None:
            if answered.done():
                return
            try:
                answered.set_result(self._pipe.recv_bytes())
            except (EOFError, OSError):
                answered.set_exception(WorkerLost(f"its worker process died ({self._how()})"))

        try:
            self._pipe.send_bytes(request)
        except OSError:
            self.kill()
            raise WorkerLost(f"its worker process died ({self._how()})") from None
        loop.add_reader(self._pipe.fileno(), read)
        try:
            data = await answered
        finally:
            loop.remove_reader(self._pipe.fileno())
        answer: Answer = pickle.loads(data)  # noqa: S301  # from the process that this one has started
        return answer

    def _how(self) -> str:
        self._process.join(1.0)  # it has closed its pipe: it is about to be gone
        code = self._process.exitcode
        if code is None:
            return "it closed its pipe"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End it with all that it started, at once."""
        self._killed = True
        pid = self._process.pid
        if pid and self._process.is_alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            self._process.kill()
        self._process.join(5.0)
        self._pipe.close()


def _serve(pipe: Connection) -> None:
    """What the process does."""
    parent = os.getppid()
    with contextlib.suppress(OSError):
        os.setsid()
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who waits
    output = os.memfd_create("output") if hasattr(os, "memfd_create") else None
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    while True:
        try:
            request = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        answer = _answer(request)
        tail = _take_output(output)
        if tail:
            answer = Answer(answer.ok, answer.value, answer.message, answer.trace, tail)
        try:
            data = pickle.dumps(answer)
        except Exception as error:  # noqa: BLE001  # a value that cannot travel is the caller's to know
            data = pickle.dumps(Answer(False, message=f"what it returned cannot be pickled: {error}", output=tail))
        try:
            pipe.send_bytes(data)
        except OSError:
            return


def _answer(request: bytes) -> Answer:
    from orchestro.engine.executors.python import resolve

    here, variables = os.getcwd(), dict(os.environ)
    try:
        job: Job = pickle.loads(request)  # noqa: S301  # from the process that has started this one
        os.environ.update(job.env)
        if job.path:
            os.chdir(job.path)
            if job.path not in sys.path:
                sys.path.insert(0, job.path)
        value = resolve(job.function)(*job.args, **job.kwargs)
        if asyncio.iscoroutine(value):
            value = asyncio.run(value)
        return Answer(True, value)
    except Exception as error:  # noqa: BLE001  # told to whoever waits
        trace = "".join(traceback.format_exception(error)[-12:])
        return Answer(False, message=traceback.format_exception_only(error)[-1].strip(), trace=trace)
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(variables)


def _take_output(file: int | None) -> str:
    if file is None:
        return ""
    sys.stdout.flush()
    sys.stderr.flush()
    size = os.lseek(file, 0, os.SEEK_CUR)
    if not size:
        return ""
    data = os.pread(file, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    return data.decode("utf-8", "replace")


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone, even by SIGKILL, and even in the middle of a call."""
    if sys.platform != "linux":
        return  # elsewhere it ends with the call that it runs, when it finds its pipe closed
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
