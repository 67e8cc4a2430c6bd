"""A driver that starts the program with low priority, on a terminal as usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestro.terminal.driver import Driver, Sink
from orchestro.terminal.pty_driver import PtyDriver

__all__ = ["nice"]


def nice(argv: Sequence[str], cwd: str, env: Mapping[str, str], size: tuple[int, int], sink: Sink) -> Driver:
    """The pty driver, with the program behind ``nice``."""
    return PtyDriver(["nice", "-n", "10", *argv], cwd, env, size, sink)
