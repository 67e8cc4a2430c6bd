"""A program on a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from collections import deque
from collections.abc import Mapping, Sequence

from orchestro.errors import InfrastructureError, TerminalClosed
from orchestro.terminal.driver import MAX_PENDING_INPUT, Sink
from orchestro.terminal.process import MARK, ExitWatch, strays
from orchestro.terminal.process.ending import all_ended, kill_strays
from orchestro.terminal.process.spawn import exit_code, spawn

__all__ = ["PtyDriver"]

_READ = 65536
_READS_A_TURN = 16
"""Reads before others get their turn: a flood must not starve the loop."""
_IUTF8 = 0x4000
"""Erase whole characters, not bytes, in canonical mode; not in the termios module."""
_TAIL_S = 0.1
"""How long output may still arrive after the end of a program while someone else holds its terminal open."""
_STRAY_GRACE_S = 0.1
"""How long a child may outlive its program before it counts as left behind."""

_live_sessions: set[int] = set()


class PtyDriver:
    """Implements `Driver`; the program leads a session whose controlling terminal is the slave side."""

    is_terminal = True

    def __init__(
        self, argv: Sequence[str], cwd: str, env: Mapping[str, str], size: tuple[int, int], sink: Sink
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sink = sink
        self._mark = f"{MARK}={env[MARK]}" if MARK in env else f"{MARK}=none-{os.getpid()}"
        self._pending: deque[bytes] = deque()
        self._pending_size = 0
        self._code: int | None = None
        self._ended = asyncio.Event()
        self._stopped = False
        self._tail_timer: asyncio.TimerHandle | None = None
        try:
            self._master, slave = os.openpty()
        except OSError as error:
            raise InfrastructureError(f"no pseudo-terminal to be had: {error.strerror}") from None
        try:
            _set_size(self._master, *size)
            _set_utf8(slave)
            name = os.ttyname(slave)
            # Opening the slave as session leader makes it the controlling terminal.
            self.pid = spawn(
                argv,
                cwd,
                env,
                (
                    (os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_DUP2, 0, 2),
                ),
            )
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        _live_sessions.add(self.pid)
        os.set_blocking(self._master, False)
        self._open = True
        self._loop.add_reader(self._master, self._readable)
        self._watch = ExitWatch(self.pid, self._exited)

    async def started(self) -> None:
        """It runs from its making."""

    # -- output and end

    def _readable(self) -> None:
        chunks = []
        hung_up = False
        for _ in range(_READS_A_TURN):
            try:
                data = os.read(self._master, _READ)
            except BlockingIOError:
                break
            except OSError:
                data = b""  # EIO: nobody holds the slave any more
            if not data:
                hung_up = True
                break
            chunks.append(data)
            if len(data) < 2048:
                break  # more would have come in one piece; saves the read that only says "nothing"
        if chunks:
            self._sink.received(chunks[0] if len(chunks) == 1 else b"".join(chunks))
        if hung_up:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._open:
            self._open = False
            if self._tail_timer is not None:
                self._tail_timer.cancel()
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            self._pending.clear()
            self._sink.hung_up()

    def _exited(self) -> None:
        self._code = exit_code(self.pid, reap=False)
        self._ended.set()
        if self._open:
            # What it printed may still be on its way through the kernel; the hang-up comes after it, unless another
            # process holds the terminal.
            self._tail_timer = self._loop.call_later(_TAIL_S, self._hang_up)
        self._sink.exited(self._code)

    # -- input

    def write(self, data: bytes) -> None:
        if not self._open or self._code is not None:
            raise TerminalClosed("the program has ended")
        if self._pending:
            self._queue(data)
            return
        try:
            sent = os.write(self._master, data)
        except BlockingIOError:
            sent = 0
        except OSError:
            raise TerminalClosed("the program has closed its terminal") from None
        if sent < len(data):
            self._queue(data[sent:])
            self._loop.add_writer(self._master, self._writable)

    def _queue(self, data: bytes) -> None:
        if self._pending_size + len(data) > MAX_PENDING_INPUT:
            raise TerminalClosed(f"the program does not read: more than {MAX_PENDING_INPUT >> 20} MiB of input wait")
        self._pending.append(data)
        self._pending_size += len(data)

    def _writable(self) -> None:
        while self._pending:
            data = self._pending[0]
            try:
                sent = os.write(self._master, data)
            except BlockingIOError:
                return
            except OSError:
                self._pending.clear()
                break
            self._pending_size -= sent
            if sent < len(data):
                self._pending[0] = data[sent:]
                return
            self._pending.popleft()
        self._pending_size = 0
        self._loop.remove_writer(self._master)

    def line_mode(self) -> tuple[bool, bool]:
        try:
            local = termios.tcgetattr(self._master)[3]
        except (OSError, termios.error):
            return True, False
        return bool(local & termios.ICANON), bool(local & termios.ECHO)

    def foreground(self) -> int:
        """Process group that has the terminal now; 0 when that is not known."""
        try:
            return os.tcgetpgrp(self._master)
        except OSError:
            return 0

    def resize(self, cols: int, rows: int) -> None:
        if not self._stopped:
            _set_size(self._master, cols, rows)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.foreground() or self.pid, number)

    # -- end

    async def stop(self, grace_s: float) -> Sequence[int]:
        if self._stopped:
            return ()
        self._stopped = True
        by_itself = self._code is not None
        try:
            if not by_itself:
                # What closing the window does, and TERM for programs that ignore it.
                self._kill_group(signal.SIGHUP)
                self._kill_group(signal.SIGTERM)
                self._kill_group(signal.SIGCONT)
                await self._await_end(grace_s)
                self._kill_group(signal.SIGKILL)
                await self._ended.wait()
            return await self._end_strays(by_itself)
        finally:
            self._free()

    async def _await_end(self, grace_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._ended.wait()

    def _kill_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def _end_strays(self, by_itself: bool) -> Sequence[int]:
        others = _live_sessions - {self.pid}
        left = strays(self.pid, self._mark, others)
        if not left:
            return ()
        if by_itself:
            # Children that are about to end on the hang-up that the kernel sent them are not left behind.
            await all_ended(left, _STRAY_GRACE_S)
            left = strays(self.pid, self._mark, others)
        reported = left
        await kill_strays(self.pid, self._mark, others)
        return tuple(reported) if by_itself else ()

    def _free(self) -> None:
        self._watch.close()
        if self._code is None:
            # Cancelled while ending it: do not leave it running.
            self._kill_group(signal.SIGKILL)
        self._hang_up()
        os.close(self._master)
        exit_code(self.pid, reap=True)
        _live_sessions.discard(self.pid)


def _set_size(fd: int, cols: int, rows: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, cols * 8, rows * 16))


def _set_utf8(fd: int) -> None:
    attributes = termios.tcgetattr(fd)
    attributes[0] |= _IUTF8
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
