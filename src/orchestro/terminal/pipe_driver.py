"""A program on pipes, for programs that need no terminal and for systems without one (Windows)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from orchestro.errors import SpawnError, TerminalClosed
from orchestro.records import dataclass
from orchestro.terminal.driver import MAX_PENDING_INPUT, Sink
from orchestro.terminal.process import MARK, strays

__all__ = ["Completed", "PipeDriver", "run_command"]

if sys.platform == "win32":
    _GROUP: dict[str, Any] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    _GROUP: dict[str, Any] = {"start_new_session": True}


async def _start(
    argv: Sequence[str], cwd: str, env: Mapping[str, str], protocol: asyncio.SubprocessProtocol, stdin: int
) -> asyncio.SubprocessTransport:
    if not argv:
        raise SpawnError(argv, "the command is empty")
    try:
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: protocol,
            *argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            **_GROUP,
        )
    except FileNotFoundError:
        reason = "no such program on PATH" if os.path.isdir(cwd) else f"its working directory {cwd} does not exist"
        raise SpawnError(argv, reason) from None
    except (OSError, ValueError) as error:
        raise SpawnError(argv, getattr(error, "strerror", None) or str(error)) from None
    return transport


def _kill_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
        else:
            os.killpg(pid, number)


def _kill_strays(leader: int, mark: str) -> list[int]:
    left = [] if sys.platform == "win32" else strays(leader, mark, set())
    for pid in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return left


class PipeDriver(asyncio.SubprocessProtocol):
    """Implements `Driver` without a terminal: Enter is a line feed, resizing does nothing."""

    is_terminal = False

    def __init__(
        self, argv: Sequence[str], cwd: str, env: Mapping[str, str], size: tuple[int, int], sink: Sink
    ) -> None:
        del size
        self._sink = sink
        self._transport: asyncio.SubprocessTransport | None = None
        self._mark = f"{MARK}={env.get(MARK, f'none-{os.getpid()}')}"
        self._code: int | None = None
        self._gone = asyncio.Event()
        self._starting = asyncio.ensure_future(self._launch(argv, cwd, env))

    async def _launch(self, argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> None:
        self._transport = await _start(argv, cwd, env, self, subprocess.PIPE)

    async def started(self) -> None:
        """Return once the program runs. Raises SpawnError when it could not be started."""
        await self._starting

    def _pipe(self) -> asyncio.WriteTransport:
        if self._transport is None:
            raise TerminalClosed("the program was not started")
        return cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))

    @property
    def pid(self) -> int:
        pid = self._transport.get_pid() if self._transport is not None else None
        return pid or 0

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        del fd
        self._sink.received(data)

    def process_exited(self) -> None:
        if self._transport is not None:
            self._code = self._transport.get_returncode()
        self._sink.exited(self._code if self._code is not None else -signal.SIGTERM)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._sink.hung_up()
        self._gone.set()

    def write(self, data: bytes) -> None:
        data = data.replace(b"\r", b"\n")
        pipe = self._pipe()
        if self._code is not None or pipe.is_closing():
            raise TerminalClosed("the program has ended or closed its input")
        if pipe.get_write_buffer_size() + len(data) > MAX_PENDING_INPUT:
            raise TerminalClosed(f"the program does not read: more than {MAX_PENDING_INPUT >> 20} MiB of input wait")
        pipe.write(data)

    def line_mode(self) -> tuple[bool, bool]:
        return True, False

    def foreground(self) -> int:
        return 0

    def resize(self, cols: int, rows: int) -> None:
        del cols, rows

    def signal(self, number: int) -> None:
        if self.pid:
            _kill_group(self.pid, number)

    async def stop(self, grace_s: float) -> Sequence[int]:
        with contextlib.suppress(SpawnError):
            await self._starting
        transport = self._transport
        if transport is None:
            return ()
        by_itself = self._code is not None
        pid = self.pid
        if not by_itself:
            self._pipe().close()
            _kill_group(pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._gone.wait()
        _kill_group(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        left = _kill_strays(pid, self._mark)
        transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._gone.wait()
        return tuple(left) if by_itself else ()


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended."""

    code: int
    """Exit code; negative for the number of a signal."""
    text: str
    """Standard output and standard error as they came, line ends as line feeds."""
    timed_out: bool = False
    cut: int = 0
    """Bytes dropped from the head of the output because of the limit."""


class _Collector(asyncio.SubprocessProtocol):
    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._output = bytearray()
        self.cut = 0
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        del fd
        self._output += data
        if len(self._output) > 2 * self._limit:
            self._trim()

    def _trim(self) -> None:
        excess = len(self._output) - self._limit
        if excess > 0:
            self.cut += excess
            del self._output[:excess]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del exc
        if fd == 1:
            self.closed.set()

    def process_exited(self) -> None:
        self.exited.set()

    def text(self) -> str:
        self._trim()
        return self._output.decode("utf-8", "replace").replace("\r\n", "\n")


async def run_command(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    timeout_s: float | None = None,
    limit_bytes: int = 1 << 20,
    input_text: str | None = None,
) -> Completed:
    """Run a command to its end, without a terminal, and return what it printed; the last `limit_bytes` of it.

    At the time limit, and when cancelled, its whole process group is killed. What it leaves running on purpose (a
    server that set-up starts) is the caller's to end, by its mark. Raises SpawnError.
    """
    collector = _Collector(limit_bytes)
    stdin = subprocess.DEVNULL if input_text is None else subprocess.PIPE
    transport = await _start(argv, cwd, env, collector, stdin)
    pid = transport.get_pid() or 0
    timed_out = False
    try:
        if input_text is not None:
            pipe = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
            pipe.write(input_text.encode())
            pipe.write_eof()
        try:
            async with asyncio.timeout(timeout_s):
                await collector.exited.wait()
                # Someone in the background may hold the pipe open; the command itself has ended.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await collector.closed.wait()
        except TimeoutError:
            timed_out = True
    finally:
        if not collector.exited.is_set():
            _kill_group(pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await collector.exited.wait()
            _kill_group(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
            await collector.exited.wait()
        code = transport.get_returncode()
        transport.close()
    return Completed(-signal.SIGTERM if code is None else code, collector.text(), timed_out, collector.cut)
