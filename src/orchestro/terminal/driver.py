"""What carries bytes to and from a program: the edge between Orchestro and a process.

`pty_driver.py` gives a program a real terminal, `pipe_driver.py` only pipes. Packages add others under the entry point
group ``orchestro.drivers``: a callable with the signature of `DriverFactory`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

__all__ = ["MAX_PENDING_INPUT", "Driver", "DriverFactory", "Sink"]

MAX_PENDING_INPUT = 4 * 1024 * 1024
"""Bytes of input that may wait for a program that does not read; more is refused."""


class Sink(Protocol):
    """Who is told what the program did. Called from the event loop."""

    def received(self, data: bytes) -> None:
        """Output came."""

    def hung_up(self) -> None:
        """No more output can come: every holder of the terminal or pipe has closed it."""

    def exited(self, code: int) -> None:
        """The program ended; negative for the number of a signal."""


class Driver(Protocol):
    """One running program, or one that is being started; the sink hears nothing before `started` has returned."""

    async def started(self) -> None:
        """Return once the program runs. Raises SpawnError when it cannot be started."""

    @property
    def pid(self) -> int: ...

    @property
    def is_terminal(self) -> bool:
        """Whether the program has a terminal: modes, echo, size."""

    def write(self, data: bytes) -> None:
        """Send input, in order, without blocking. Raises TerminalClosed when nobody can read it any more."""

    def line_mode(self) -> tuple[bool, bool]:
        """(canonical, echo) of the line discipline now; (True, False) without a terminal."""

    def foreground(self) -> int:
        """Process group that has the terminal now; 0 when there is none or it is not known."""

    def resize(self, cols: int, rows: int) -> None:
        """Tell the program of a new size, as a window manager does."""

    def signal(self, number: int) -> None:
        """Send a signal to the foreground process group, or to the program when there is none."""

    async def stop(self, grace_s: float) -> Sequence[int]:
        """End the program and every process it left behind, politely first; then free everything.

        Returns the pids of processes that outlived a program that had ended by itself. Twice is harmless.
        """


DriverFactory: TypeAlias = Callable[[Sequence[str], str, Mapping[str, str], tuple[int, int], Sink], Driver]
"""(argv, cwd, environment, (cols, rows), sink) -> driver. May raise SpawnError at once."""
