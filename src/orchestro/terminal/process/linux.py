"""Linux: pidfd for the end of a process, epoll for many of them, /proc for what a program left behind."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable
from typing import ClassVar
from weakref import WeakKeyDictionary

__all__ = ["ExitWatch", "Watcher", "strays"]


class Watcher:
    """Calls back when descriptors can be read. One for each event loop, which sees a single descriptor of it.

    Adding and removing one costs 1 microsecond each, a tenth of what the event loop takes for its own: with thousands
    of short commands that is what bounds how fast they start.
    """

    _made: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Watcher]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        loop.add_reader(self._epoll.fileno(), self._wake)

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Watcher:
        """The one of that loop."""
        made = cls._made.get(loop)
        if made is None:
            made = cls._made[loop] = cls(loop)
        return made

    def add(self, fd: int, ready: Callable[[], None]) -> None:
        """Call `ready` whenever `fd` can be read, until it is removed, which must be before it is closed."""
        self._ready[fd] = ready
        self._epoll.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """Call nothing for `fd` any more. Twice is harmless."""
        if self._ready.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def _wake(self) -> None:
        for fd, _ in self._epoll.poll(0):
            ready = self._ready.get(fd)
            if ready is not None:  # another of this turn may have removed it
                ready()


class ExitWatch:
    """Calls `ended` once in the running event loop when process `pid`, child or not, has ended."""

    def __init__(self, pid: int, ended: Callable[[], None]) -> None:
        self._watcher = Watcher.of(asyncio.get_running_loop())
        self._ended = ended
        self._fd = os.pidfd_open(pid)
        self._watcher.add(self._fd, self._fire)

    def _fire(self) -> None:
        self.close()
        self._ended()

    def close(self) -> None:
        """Stop watching. Twice is harmless."""
        if self._fd >= 0:
            self._watcher.remove(self._fd)
            os.close(self._fd)
            self._fd = -1


def strays(leader: int, mark: str, others: set[int]) -> list[int]:
    """Living processes of the session of `leader`, and those outside it whose environment has `mark`; not `leader`.

    `others` are leaders of sessions known to belong elsewhere: their members are not looked into. With `leader` 0 only
    the environment counts. Process numbers grow, so only newer ones than `leader` are candidates, unless the numbers
    have wrapped around since.
    """
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    oldest = leader if _last_pid() >= leader else 0
    found: list[int] = []
    wanted = mark.encode()
    own = os.getpid()
    for pid in pids:
        if pid <= oldest or pid in (own, leader):
            continue
        try:
            session = os.getsid(pid)
            if not session:
                continue  # a kernel thread
            if session in others or ((session != leader or not leader) and not _has(pid, wanted)):
                continue
            if not _is_zombie(pid):
                found.append(pid)
        except OSError:
            continue  # it ended meanwhile
    return found


def _last_pid() -> int:
    with open("/proc/loadavg", "rb") as loadavg:
        return int(loadavg.read(256).split()[4])


def _has(pid: int, wanted: bytes) -> bool:
    with open(f"/proc/{pid}/environ", "rb") as environ:
        return wanted in environ.read(1 << 17)


def _is_zombie(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", "rb") as stat:
        # The name in parentheses may itself hold parentheses; the state is the first field after the last one.
        return stat.read(4096).rpartition(b")")[2].split(None, 1)[0] in (b"Z", b"X")
