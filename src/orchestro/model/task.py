"""A unit of work, what it asks of the engine, and where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import IntEnum
from typing import Any

from orchestro.model.retry import RetryPolicy
from orchestro.records import dataclass

__all__ = ["NOTHING", "NOWHERE", "CacheInputs", "Priority", "Source", "Task"]

NOTHING: Mapping[str, Any] = {}
"""The empty mapping that tasks share; never written to."""


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


class Priority(IntEnum):
    """The named levels. Any other whole number may stand between, above or below them."""

    CRITICAL = 100
    HIGH = 10
    NORMAL = 0
    LOW = -10


@dataclass(frozen=True, slots=True)
class CacheInputs:
    """What the result of a task depends on: when all of it is as it was, the result is taken from the cache."""

    command: tuple[str, ...]
    root: str
    """Directory that the patterns are relative to."""
    inputs: tuple[str, ...] = ()
    """Patterns of files."""
    outputs: tuple[str, ...] = ()
    """Patterns of files that it makes; they are kept and put back."""
    env: tuple[str, ...] = ()
    """Names of variables of the environment."""
    tools: tuple[str, ...] = ()
    """Programs whose version counts."""


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
    """Higher goes first; `Priority` names some."""
    fix: bool = False
    """Mends what another task found broken: goes before new work of the same priority."""
    deadline_s: float | None = None
    """Seconds after the start of the run by which it should have ended."""
    needs: tuple[str, ...] = ()
    """Ids of tasks that must have passed before this one starts."""
    retries: int = 0
    """How many further attempts a failure is given, at once; `retry` says it in full."""
    retry: RetryPolicy | None = None
    """Takes the place of `retries`: how often and after what wait, by outcome."""
    timeout_s: float | None = None
    """Limit of one attempt in seconds, kill included; None for none."""
    resources: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """What it takes while it runs, by name: ``cpu`` (1 when not named), ``mem`` (bytes), ``gpu``, pools, mutexes."""
    affinity: tuple[str, ...] = ()
    """Labels of what it likes to find on its worker: tasks that share one go to the same worker when they can."""
    cache: CacheInputs | None = None
    """None: never taken from the cache."""
    tags: tuple[str, ...] = ()
    source: Source = NOWHERE
    group: str = ""
    """Name shared by the combinations of one matrix; empty outside a matrix."""
    params: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """The combination of the matrix, for people."""
    metadata: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Whatever a source or a plugin wants to find again; the engine does not look."""
    skip: str = ""
    """The reason not to run it; empty to run it."""
