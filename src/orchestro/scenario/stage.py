"""What a step sees while it runs, what a validation sees afterwards, and how either says that it failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestro.errors import OrchestroError
from orchestro.model import NOWHERE, Failure, Finding, Source
from orchestro.records import dataclass
from orchestro.terminal.probe import Missing

if TYPE_CHECKING:
    from orchestro.terminal.stream import CommandOutput
    from orchestro.terminal.terminal import Terminal

__all__ = ["Aftermath", "SnapshotMode", "Stage", "StepFailed"]

SnapshotMode = str
"""``verify``, ``update`` or ``record``."""


class StepFailed(OrchestroError):
    """Raised when a step or validation does not hold; `timed_out` tells a wait from a plain mismatch."""

    def __init__(
        self, missing: Missing, *, waited_for: str = "", diff: tuple[str, ...] = (), timed_out: bool = False
    ) -> None:
        self.missing = missing
        self.waited_for = waited_for
        self.diff = diff
        self.timed_out = timed_out
        super().__init__(missing.why)

    def failure(self, **where: object) -> Failure:
        """The failure for the report; `where` gives the fields that the step does not know."""
        missing = self.missing
        return Failure(
            message=missing.why,
            waited_for=self.waited_for,
            nearest=missing.nearest,
            expected=missing.expected,
            actual=missing.actual,
            hint=missing.hint,
            diff=self.diff,
            **where,  # type: ignore[arg-type]  # fields of Failure, named by the one caller in session.py
        )


@dataclass(slots=True)
class Stage:
    """Where a step acts. One is made for each attempt; the session moves `timeout_s` and `source` on."""

    terminal: Terminal
    variables: dict[str, str]
    """Values for ``${NAME}``; ``capture`` adds to it."""
    cwd: Path
    """Where the program and ``run`` commands start."""
    env: Mapping[str, str]
    """The whole environment of the program and of ``run`` commands."""
    scenario: str
    """Name of the scenario, for the names of files."""
    snapshot_dir: Path
    snapshot_mode: SnapshotMode
    write_artifact: Callable[[str, str, str, bytes], Path]
    """(kind, name, suffix, content) -> path of the file in the artifacts of the run; reports it as an event."""
    timeout_s: float = 5.0
    """Of the step under way, in seconds."""
    source: Source = NOWHERE
    """Of the step under way."""
    ci: bool = False
    """Whether missing snapshots are a failure."""
    findings: list[Finding] = field(default_factory=list)
    """Warnings that steps add."""
    last_run: CommandOutput | None = None
    """What the ``run`` of the step under way printed; checks of the same step look at it."""
    snapshots_used: set[str] = field(default_factory=set)
    """Paths of the snapshot files that were compared or written."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What validations look at, after the program has ended."""

    cwd: Path
    """Relative paths are relative to it."""
    exit_code: int | None
    """None when the program had to be stopped."""
    env: Mapping[str, str]
    variables: Mapping[str, str]
