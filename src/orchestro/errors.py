"""Every error that Orchestro raises on purpose, as one tree; anything else that escapes is a bug.

`UserError` and below are the user's to mend (exit code 2); `InfrastructureError` is the machine's (exit code 5).
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestro.records import dataclass

__all__ = [
    "BreakerOpen",
    "DocumentError",
    "InfrastructureError",
    "OrchestroError",
    "Problem",
    "SelectionError",
    "SpawnError",
    "StoreConflict",
    "StoreError",
    "TerminalClosed",
    "UnknownKey",
    "UserError",
    "WaitTimeout",
]


class OrchestroError(Exception):
    """Base of every error raised on purpose."""


class UserError(OrchestroError):
    """Raised when what the user wrote or typed cannot be carried out; the message says where and what to do."""


class SelectionError(UserError):
    """Raised when no scenario is left after the selection that was asked for (exit code 4)."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a document. Lines and columns count from 1, as editors do."""

    file: str
    line: int
    column: int
    key: str
    """Dotted path of the key, e.g. ``steps[2].expect``; empty for the document itself."""
    message: str
    """What is wrong and what was expected, one sentence without the location."""
    hint: str = ""
    """The nearest valid key, or what to do; empty when there is nothing better to say."""

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {key}{self.message}{hint}"


class DocumentError(UserError):
    """Raised when documents hold mistakes; carries all of them, in the order of files and lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InfrastructureError(OrchestroError):
    """Raised when the machine, not the program under test, is at fault (no pty, disk full, ...)."""


class SpawnError(InfrastructureError):
    """Raised when a program cannot be started at all."""

    def __init__(self, argv: Sequence[str], reason: str) -> None:
        self.argv = tuple(argv)
        self.reason = reason
        super().__init__(f"cannot start {argv[0] if argv else '(empty command)'!r}: {reason}")


class StoreError(InfrastructureError):
    """Raised when the store cannot be opened, read or written; the message says why and what to do."""


class StoreConflict(StoreError):
    """Raised when the database gave a transaction up in favour of another; nothing of it was written."""


class BreakerOpen(InfrastructureError):
    """Raised when a call is not made because its circuit breaker is open."""

    def __init__(self, name: str, retry_in_s: float) -> None:
        self.name = name
        self.retry_in_s = retry_in_s
        super().__init__(f"the circuit breaker {name!r} is open; it will be tried again in {retry_in_s:.3g} s")


class TerminalClosed(OrchestroError):
    """Raised when input is sent to a program that has ended or whose terminal is closed."""


class WaitTimeout(OrchestroError):
    """Raised when what was waited for did not come in time."""

    def __init__(self, what: str, timeout_s: float) -> None:
        self.what = what
        self.timeout_s = timeout_s
        super().__init__(f"{what}: not within {timeout_s:g} s")


class UnknownKey(UserError):
    """Raised when the name of a key such as ``ctrl+entre`` is not known."""

    def __init__(self, key: str, nearest: str | None = None) -> None:
        self.key = key
        self.nearest = nearest
        super().__init__(f"unknown key {key!r}" + (f", did you mean {nearest!r}?" if nearest else ""))
