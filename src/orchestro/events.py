"""The events of a run: the only contract between what runs and all that reports, stores or serves it.

Each is a frozen dataclass of plain values. Times: `at` is Unix seconds (UTC) made monotonic within a run, durations
and offsets are seconds. A field may be added with a default; renaming or removing one raises `SCHEMA`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from json.encoder import encode_basestring as _quoted
from typing import Any, ClassVar, TypeAlias

from orchestro.model import NOWHERE, Failure, Finding, Outcome, Source
from orchestro.records import dataclass

__all__ = [
    "EVENT_TYPES",
    "SCHEMA",
    "ArtifactWritten",
    "AttemptFinished",
    "AttemptStarted",
    "BreakerChanged",
    "Diagnostic",
    "Emit",
    "Event",
    "RetryScheduled",
    "RunFinished",
    "RunInterrupted",
    "RunResumed",
    "RunStarted",
    "StepFinished",
    "StepStarted",
    "StrategyChanged",
    "TaskFinished",
    "TaskPlanned",
    "TaskRouted",
    "WorkersChanged",
    "from_dict",
    "to_dict",
    "to_json",
]

SCHEMA = 1
"""Version of the vocabulary, written into `RunStarted`."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first event of a run."""

    type: ClassVar[str] = "run_started"
    at: float
    run_id: str
    version: str
    workers: int
    scheduler: str
    tasks: int
    argv: tuple[str, ...] = ()
    cwd: str = ""
    machine: str = ""
    """Class of the machine, e.g. ``linux-x86_64-2``: durations are comparable within one."""
    kinds: tuple[str, ...] = ()
    """The kinds of its tasks, sorted; empty means scenarios."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class TaskPlanned:
    """A task is part of the run; comes before any of its other events."""

    type: ClassVar[str] = "task_planned"
    at: float
    task_id: str
    kind: str
    name: str
    source: Source = NOWHERE
    tags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    priority: int = 0
    group: str = ""
    params: tuple[tuple[str, str], ...] = ()
    description: str = ""
    estimate_s: float | None = None
    """Expected duration from history; None when there is none."""
    resources: tuple[tuple[str, float], ...] = ()
    """Name and amount of what it takes while it runs."""
    deadline_s: float | None = None
    """Seconds after the start of the run."""


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A worker took the task. `number` counts from 1, `worker` from 0."""

    type: ClassVar[str] = "attempt_started"
    at: float
    task_id: str
    number: int
    worker: int


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began. `index` counts from 0 within its `phase`."""

    type: ClassVar[str] = "step_started"
    at: float
    task_id: str
    number: int
    phase: str
    """``setup``, ``steps``, ``validations`` or ``teardown``."""
    index: int
    label: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended."""

    type: ClassVar[str] = "step_finished"
    at: float
    task_id: str
    number: int
    phase: str
    index: int
    label: str
    """As a person would call it: its `name`, else e.g. ``expect: done``."""
    kind: str
    """The key that names the step, e.g. ``expect``."""
    ok: bool
    started_s: float
    """Offset from the start of the attempt; the recording uses the same clock."""
    duration_s: float
    why: str = ""
    """Why it held or did not, for people: ``matched 'done'``."""
    source: Source = NOWHERE
    note: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactWritten:
    """A file was written for an attempt."""

    type: ClassVar[str] = "artifact_written"
    at: float
    task_id: str
    number: int
    kind: str
    """``recording`` (asciicast v2), ``screenshot-svg``, ``screenshot-png``, ``snapshot`` or a plugin's own."""
    name: str
    path: str
    """Relative to the directory of the run."""


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    """An attempt ended."""

    type: ClassVar[str] = "attempt_finished"
    at: float
    task_id: str
    number: int
    worker: int
    outcome: Outcome
    duration_s: float
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()
    exit_code: int | None = None
    """Of the program: negative for a signal, None when it had to be stopped or never started."""
    output: str = ""
    """The end of what a passed command printed; that of a failed one is in the failure."""


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """The verdict on a task, after its last attempt, or without any when it did not run."""

    type: ClassVar[str] = "task_finished"
    at: float
    task_id: str
    name: str
    outcome: Outcome
    attempts: int
    duration_s: float
    reason: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """An attempt did not pass, and the task will be tried again."""

    type: ClassVar[str] = "retry_scheduled"
    at: float
    task_id: str
    number: int
    """Of the attempt that did not pass."""
    outcome: Outcome
    delay_s: float
    """How long it waits before it is ready again."""


@dataclass(frozen=True, slots=True)
class TaskRouted:
    """A rule took the verdict on a task on to the next stage; a failure is thereby in hands."""

    type: ClassVar[str] = "task_routed"
    at: float
    task_id: str
    outcome: Outcome
    to: str
    """Id of the task that was added, or ``dead-letter``."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WorkersChanged:
    """The number of workers was raised or lowered."""

    type: ClassVar[str] = "workers_changed"
    at: float
    workers: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StrategyChanged:
    """An adaptive scheduler chose another policy."""

    type: ClassVar[str] = "strategy_changed"
    at: float
    strategy: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """The circuit breaker of a kind of tasks opened, probes, or closed."""

    type: ClassVar[str] = "breaker_changed"
    at: float
    kind: str
    state: str
    """``open``, ``half-open`` or ``closed``."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """A run that had been cut off goes on; what had succeeded is not run again."""

    type: ClassVar[str] = "run_resumed"
    at: float
    run_id: str
    workers: int
    kept: int
    """Tasks whose verdicts stand."""


@dataclass(frozen=True, slots=True)
class RunInterrupted:
    """Ctrl-C or SIGTERM came: `level` 1 drains, 2 kills."""

    type: ClassVar[str] = "run_interrupted"
    at: float
    level: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something about the run itself that a person should know; `level` is ``warning`` or ``error``."""

    type: ClassVar[str] = "diagnostic"
    at: float
    level: str
    message: str
    task_id: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event of a run."""

    type: ClassVar[str] = "run_finished"
    at: float
    run_id: str
    duration_s: float
    exit_code: int
    counts: tuple[tuple[str, int], ...] = ()
    """Outcome and how many tasks ended so."""
    obsolete_snapshots: tuple[str, ...] = ()
    cache: tuple[int, int] = (0, 0)
    """Tasks whose results were taken from the cache, and those that were looked for in vain."""


Event: TypeAlias = (
    RunStarted
    | TaskPlanned
    | AttemptStarted
    | StepStarted
    | StepFinished
    | ArtifactWritten
    | AttemptFinished
    | TaskFinished
    | RetryScheduled
    | TaskRouted
    | WorkersChanged
    | StrategyChanged
    | BreakerChanged
    | RunResumed
    | RunInterrupted
    | Diagnostic
    | RunFinished
)
Emit: TypeAlias = Callable[[Event], None]

EVENT_TYPES: dict[str, type[Any]] = {
    cls.type: cls
    for cls in (
        RunStarted,
        TaskPlanned,
        AttemptStarted,
        StepStarted,
        StepFinished,
        ArtifactWritten,
        AttemptFinished,
        TaskFinished,
        RetryScheduled,
        TaskRouted,
        WorkersChanged,
        StrategyChanged,
        BreakerChanged,
        RunResumed,
        RunInterrupted,
        Diagnostic,
        RunFinished,
    )
}
"""Every event class by its `type`."""

_FIELDS: dict[type[Any], tuple[str, ...]] = {}


def _names(cls: type[Any]) -> tuple[str, ...]:
    names = _FIELDS.get(cls)
    if names is None:
        names = _FIELDS[cls] = tuple(field.name for field in fields(cls))
    return names


def _plain(value: Any) -> Any:
    if value is None or type(value) in (str, float, int, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in _names(type(value))}
    return value


def to_dict(event: Event) -> dict[str, Any]:
    """The event as plain JSON values, with its `type` first."""
    cls = type(event)
    return {"type": cls.type, **{name: _plain(getattr(event, name)) for name in _names(cls)}}


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, default=_plain).encode
_LITERALS: dict[Any, str] = {None: "null", True: "true", False: "false", (): "[]"}
_KEYS: dict[type[Any], tuple[tuple[str, str], ...]] = {}


def _keys(cls: type[Any]) -> tuple[tuple[str, str], ...]:
    """The names of the fields, each with what stands before its value."""
    keys = _KEYS.get(cls)
    if keys is None:
        keys = _KEYS[cls] = tuple((name, f',"{name}":') for name in _names(cls))
    return keys


def to_json(event: Event) -> str:
    """The event as one line of JSON, without the line feed.

    The values that most fields have are written here: that takes 2 microseconds, the encoder of the standard library 6.
    """
    cls = type(event)
    parts = ['{"type":"', cls.type, '"']
    for name, key in _keys(cls):
        value = getattr(event, name)
        kind = type(value)
        parts.append(key)
        if kind is str:
            parts.append(_quoted(value))
        elif kind is float and value - value == 0.0:  # neither infinite nor not a number
            parts.append(repr(value))
        elif kind is int:
            parts.append(str(value))
        elif value is None or value is True or value is False or value == ():
            parts.append(_LITERALS[value])
        else:
            parts.append(_encode(value))
    parts.append("}")
    return "".join(parts)


def _source(value: Any) -> Source:
    return Source(**value)


def _failure(value: Any) -> Failure | None:
    if value is None:
        return None
    known = {name: value[name] for name in _names(Failure) if name in value}
    known["source"] = _source(known.get("source", {}))
    for name in ("diff", "screen", "inputs"):
        known[name] = tuple(known.get(name, ()))
    if known.get("cursor") is not None:
        known["cursor"] = tuple(known["cursor"])
    return Failure(**known)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "source": _source,
    "failure": _failure,
    "outcome": Outcome,
    "findings": lambda value: tuple(Finding(**item) for item in value),
    "params": lambda value: tuple((key, text) for key, text in value),
    "resources": lambda value: tuple((key, amount) for key, amount in value),
    "counts": lambda value: tuple((key, number) for key, number in value),
}


def from_dict(data: dict[str, Any]) -> Event | None:
    """The event that `to_dict` wrote; None for a type that this version does not know. Unknown fields are dropped."""
    cls = EVENT_TYPES.get(data.get("type", ""))
    if cls is None:
        return None
    known: dict[str, Any] = {}
    for name in _names(cls):
        if name in data:
            value = data[name]
            decode = _DECODERS.get(name)
            known[name] = decode(value) if decode else tuple(value) if isinstance(value, list) else value
    event: Event = cls(**known)
    return event
