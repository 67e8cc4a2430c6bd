"""How a program ended, in words."""

from __future__ import annotations

import signal

__all__ = ["describe_exit"]


def describe_exit(code: int) -> str:
    """``exit code 1`` or ``signal SIGKILL``, which is what a negative code stands for."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
