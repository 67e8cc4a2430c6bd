"""POSIX systems without pidfd and /proc (macOS, BSD): kqueue for the end of a process, ps for what it left behind."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import Callable

__all__ = ["ExitWatch", "strays"]

if sys.platform != "win32" and sys.platform != "linux":

    class ExitWatch:
        """Calls `ended` once in the running event loop when process `pid` has ended."""

        def __init__(self, pid: int, ended: Callable[[], None]) -> None:
            self._loop = asyncio.get_running_loop()
            self._ended = ended
            self._queue: select.kqueue | None = select.kqueue()
            change = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
            self._loop.add_reader(self._queue.fileno(), self._fire)
            try:
                self._queue.control([change], 0)
            except ProcessLookupError:
                self._loop.call_soon(self._fire)

        def _fire(self) -> None:
            if self._queue is not None:
                self.close()
                self._ended()

        def close(self) -> None:
            """Stop watching. Twice is harmless."""
            if self._queue is not None:
                self._loop.remove_reader(self._queue.fileno())
                self._queue.close()
                self._queue = None

    def strays(leader: int, mark: str, others: set[int]) -> list[int]:
        """Living processes of the session of `leader`; `mark` is looked for where ps shows environments."""
        listing = subprocess.run(
            ["ps", "-axEo", "pid=,stat=,command="], capture_output=True, text=True, check=False
        ).stdout
        found = []
        for line in listing.splitlines():
            fields = line.split(None, 2)
            if len(fields) < 2 or fields[1].startswith("Z"):
                continue
            pid = int(fields[0])
            try:
                session = os.getsid(pid)
            except OSError:
                continue
            if pid == leader or session in others:
                continue
            if session == leader or (len(fields) > 2 and mark in fields[2]):
                found.append(pid)
        return found
