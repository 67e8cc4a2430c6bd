"""The exit codes of the command line, named. The documentation's table is made from this enum."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Exit"]


class Exit(IntEnum):
    """What the exit code of ``orchestro`` means."""

    PASSED = 0
    """Everything that ran passed (flaky counts as passed)."""
    FAILED = 1
    """At least one scenario failed, timed out or was blocked."""
    USAGE = 2
    """Bad usage or configuration: nothing was run."""
    INTERNAL = 3
    """A bug in Orchestro or in a plugin."""
    NOTHING_SELECTED = 4
    """The selection left nothing to run."""
    INFRASTRUCTURE = 5
    """Only infrastructure errors: some scenario could not be started, or a report not written; none failed."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C or SIGTERM."""
