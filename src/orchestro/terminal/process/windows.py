"""Windows: there is no session to look through, and the end of a process is told by asyncio's own transport."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["ExitWatch", "strays"]


class ExitWatch:
    """Only the pty driver watches processes itself, and there is none on Windows yet."""

    def __init__(self, pid: int, ended: Callable[[], None]) -> None:
        raise NotImplementedError(f"process {pid} cannot be watched on Windows; use the pipe driver ({ended!r} unused)")

    def close(self) -> None:
        """Nothing to stop."""


def strays(leader: int, mark: str, others: set[int]) -> list[int]:
    """Nothing: ending a program ends its whole tree through taskkill."""
    del leader, mark, others
    return []
