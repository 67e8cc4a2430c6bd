"""How a task or an attempt can end: a closed set."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Outcome"]


class Outcome(StrEnum):
    """How a task ended. `passed`, `flaky` and `cached` are good; what needs the task may then start."""

    PASSED = "passed"
    """Everything held at the first attempt."""
    FLAKY = "flaky"
    """Failed at first and passed on a retry."""
    CACHED = "cached"
    """Not run, because it passed before with the same inputs; its outputs were restored."""
    FAILED = "failed"
    """Something that was asserted did not hold."""
    TIMED_OUT = "timed out"
    """A wait or the whole task ran out of time."""
    ERROR = "error"
    """Could not start, or the machine failed it: infrastructure, not a verdict on the program."""
    SKIPPED = "skipped"
    """Not run, on purpose; the reason is given."""
    BLOCKED = "blocked"
    """Not run, because something that it needs did not pass."""
    INTERRUPTED = "interrupted"
    """Cut off, or never started, because the run was stopped."""

    @property
    def ok(self) -> bool:
        """Whether it is good enough for what needs it."""
        return self in _GOOD

    @property
    def ran(self) -> bool:
        """Whether the task was really executed to a verdict."""
        return self not in _NOT_RUN


_GOOD = frozenset({Outcome.PASSED, Outcome.FLAKY, Outcome.CACHED})
_NOT_RUN = frozenset({Outcome.CACHED, Outcome.SKIPPED, Outcome.BLOCKED, Outcome.INTERRUPTED})
