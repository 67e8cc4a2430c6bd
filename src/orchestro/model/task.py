"""A unit of work and where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NOWHERE", "Source", "Task"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was written. Lines and columns count from 1; 0 means the whole file."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Source()
"""For what was not written in a file."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the engine schedules; it never looks into `payload`."""

    id: str
    """Unique in a run."""
    kind: str
    """Which executor runs it, e.g. ``scenario``."""
    name: str
    """What people call it."""
    payload: Any = None
    """What only the executor of this kind understands."""
    priority: int = 0
    """Higher goes first."""
    deadline_s: float | None = None
    """Seconds after the start of the run by which it should have ended."""
    needs: tuple[str, ...] = ()
    """Ids of tasks that must have passed before this one starts."""
    retries: int = 0
    """How many further attempts a failure is given."""
    timeout_s: float | None = None
    """Limit of one attempt in seconds, kill included; None for none."""
    tags: tuple[str, ...] = ()
    source: Source = NOWHERE
    group: str = ""
    """Name shared by the combinations of one matrix; empty outside a matrix."""
    params: Mapping[str, str] = field(default_factory=dict)
    """The combination of the matrix, for people."""
    skip: str = ""
    """The reason not to run it; empty to run it."""
