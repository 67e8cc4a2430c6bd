"""Linux: pidfd for the end of a process, /proc for what it left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

__all__ = ["ExitWatch", "strays"]


class ExitWatch:
    """Calls `ended` once in the running event loop when process `pid`, child or not, has ended."""

    def __init__(self, pid: int, ended: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = ended
        self._fd = os.pidfd_open(pid)
        self._loop.add_reader(self._fd, self._fire)

    def _fire(self) -> None:
        self.close()
        self._ended()

    def close(self) -> None:
        """Stop watching. Twice is harmless."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
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
