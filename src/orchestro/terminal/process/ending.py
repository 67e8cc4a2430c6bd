"""Ending processes that a program left behind, and awaiting the end of processes that are not our children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence

from orchestro.terminal.process import ExitWatch, strays

__all__ = ["all_ended", "kill_strays"]

_KILLED_WITHIN_S = 5.0
"""How long a killed process may take to go; one in an uninterruptible system call may take longer."""


async def kill_strays(leader: int, mark: str, others: set[int]) -> None:
    """Kill what `strays` finds, again and again until nothing is left: a process may start another meanwhile."""
    while left := strays(leader, mark, others):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not await all_ended(left, _KILLED_WITHIN_S):
            return


async def all_ended(pids: Sequence[int], within_s: float) -> bool:
    """Wait until all have ended; False when time ran out."""
    loop = asyncio.get_running_loop()
    left = set(pids)
    done = loop.create_future()

    def ended(pid: int) -> None:
        left.discard(pid)
        if not left and not done.done():
            done.set_result(None)

    watches = []
    for pid in pids:
        try:
            watches.append(ExitWatch(pid, lambda pid=pid: ended(pid)))  # type: ignore[misc]  # binds the loop variable
        except OSError:
            ended(pid)
    try:
        async with asyncio.timeout(within_s):
            await done
    except TimeoutError:
        return False
    finally:
        for watch in watches:
            watch.close()
    return True
