"""Running a command to its end on a pipe: `posix_spawn`, a pidfd and one reader, without a thread or a second process.

asyncio's own subprocesses cost three times as much, which shows when a run starts thousands of small commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence

from orchestro.records import dataclass
from orchestro.terminal.process import ExitWatch, Watcher
from orchestro.terminal.process.spawn import exit_code, spawn

__all__ = ["Ended", "run_piped"]

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    """Exit code; negative for the number of a signal."""
    output: bytes
    """The last bytes of standard output and standard error, as they came."""
    cut: int = 0
    """Bytes dropped from the head of the output because of the limit."""
    timed_out: bool = False


class _Command:
    """One process and its pipe, until both have ended."""

    def __init__(self, argv: Sequence[str], cwd: str, env: Mapping[str, str], limit_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self._limit = limit_bytes
        self._output = bytearray()
        self._cut = 0
        self._ended: asyncio.Future[None] = loop.create_future()
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()
        self._pipe = reading
        try:
            os.set_blocking(writing, True)
            os.set_blocking(reading, False)
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_DUP2, writing, 2),
            ]
            self.pid = spawn(argv, cwd, env, actions)
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._watch = ExitWatch(self.pid, self._exited)
        self._watcher = Watcher.of(loop)
        self._watcher.add(reading, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._pipe, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._watcher.remove(self._pipe)
            return
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        self._output += data
        if len(self._output) > 2 * self._limit:
            excess = len(self._output) - self._limit
            self._cut += excess
            del self._output[:excess]

    def _exited(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    async def wait(self, timeout_s: float | None) -> bool:
        """Return when the command has ended; False when time ran out before."""
        if timeout_s is None:
            await self._ended
            return True
        done, _ = await asyncio.wait((self._ended,), timeout=timeout_s)
        return bool(done)

    def signal_group(self, number: int) -> None:
        """Send a signal to the command and to what it started in its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def finish(self, *, timed_out: bool) -> Ended:
        """End what is left of the group, take the last of the output, reap. Only after the command has ended."""
        # While the command is a zombie, its number and that of its group belong to nobody else.
        self.signal_group(signal.SIGKILL)
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._pipe, _CHUNK):
                self._keep(data)
        self.close()
        code = exit_code(self.pid, reap=True)
        excess = len(self._output) - self._limit
        if excess > 0:
            self._cut += excess
            del self._output[:excess]
        return Ended(code, bytes(self._output), self._cut, timed_out)

    def close(self) -> None:
        if self._pipe >= 0:
            self._watcher.remove(self._pipe)
            os.close(self._pipe)
            self._pipe = -1
        self._watch.close()


async def run_piped(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    timeout_s: float | None = None,
    grace_s: float = 2.0,
    limit_bytes: int = 1 << 20,
) -> Ended:
    """Run a command in a session of its own, without standard input; keep the last `limit_bytes` of its output.

    At the time limit, and when cancelled, its process group is sent SIGTERM, and SIGKILL `grace_s` later. What it left
    in its group is killed when it ends. Raises SpawnError.
    """
    command = _Command(argv, cwd, env, limit_bytes)
    timed_out = False
    try:
        timed_out = not await command.wait(timeout_s)
    except asyncio.CancelledError:
        await asyncio.shield(_end(command, grace_s))
        command.finish(timed_out=False)
        raise
    if timed_out:
        await asyncio.shield(_end(command, grace_s))
    return command.finish(timed_out=timed_out)


async def _end(command: _Command, grace_s: float) -> None:
    command.signal_group(signal.SIGTERM)
    if not await command.wait(grace_s):
        command.signal_group(signal.SIGKILL)
        await command.wait(None)
