"""One task file: its keys, and what they are read into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from yaml.nodes import MappingNode, Node

from orchestro.model import Backoff, Outcome, RetryPolicy, RetryRule
from orchestro.records import dataclass
from orchestro.scenario.reader import BAD, Bad, Reader, nearest
from orchestro.scenario.shape import (
    Bool,
    Choice,
    Converted,
    Duration,
    Field,
    Fields,
    Int,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Shape,
    Str,
)
from orchestro.taskfile.file import TaskFile

__all__ = ["PRIORITIES", "ROUTE_KEYS", "TASK_KEYS", "TOP_KEYS", "parse_amount", "read_task_file"]

PRIORITIES = {"low": -10, "normal": 0, "high": 10, "critical": 100}
_FULL = Str(empty=False, nul=False)
_NAME = re.compile(r"[^\s:#][^\n]*")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kKMGT]?)(i?)B?")
_POWER = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}
_RETRIED = {"failed": Outcome.FAILED, "timed out": Outcome.TIMED_OUT, "error": Outcome.ERROR}


def parse_amount(text: str) -> float:
    """The number of ``2``, ``0.5``, ``512MB`` (powers of 1000) or ``2GiB`` (of 1024). Raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected an amount such as 2, 0.5, 512MB or 2GiB, got {text[:40]!r}")
    number, unit, binary = match.groups()
    return float(number) * float((1024 if binary else 1000) ** _POWER[unit])


_AMOUNT = Converted(_FULL, parse_amount, what="an amount such as 2, 0.5, 512MB or 2GiB")


def _mutexes(names: tuple[str, ...]) -> dict[str, float]:
    return dict.fromkeys(names, 1.0)


_RESOURCES: Shape[dict[str, float]] = OneOf(
    Converted(ListOf(_FULL, or_single=True), _mutexes),
    MapOf(_AMOUNT),
    what="a mapping such as {cpu: 2, mem: 1GB, db: 1}, or a list of mutexes",
)


def _rule(retries: int, base: float = 0.0, factor: float = 2.0, cap: float = 60.0, jitter: bool = True) -> RetryRule:
    return RetryRule(retries, Backoff(base, factor, cap, jitter))


_RULE_FIELDS: Mapping[str, Field] = {
    "retries": Field(Int(0, 100), "Further attempts."),
    "base": Field(Duration(), "Longest wait before the first retry; it is multiplied by `factor` each time.", "0s"),
    "factor": Field(Number(1, 100), "See `base`.", "2"),
    "cap": Field(Duration(), "No wait is longer.", "60s"),
    "jitter": Field(Bool(), "Wait a random time up to that, so that not all come back at once.", "true"),
}
_RULE: Shape[RetryRule] = OneOf(
    Converted(Int(0, 100), RetryRule),
    Fields(_RULE_FIELDS, required=("retries",), make=_rule, what="{retries: 3, base: 1s, cap: 30s}"),
)


def _for_all(rule: RetryRule) -> RetryPolicy:
    return RetryPolicy(tuple((outcome, rule) for outcome in _RETRIED.values()))


def _by_outcome(**rules: RetryRule) -> RetryPolicy:
    return RetryPolicy(tuple((_RETRIED[name.replace("_", " ")], rule) for name, rule in rules.items()))


def _policies(values: dict[str, RetryRule]) -> RetryPolicy:
    return RetryPolicy(tuple((_RETRIED[name], rule) for name, rule in values.items()))


_RETRIES: Shape[int | RetryPolicy] = OneOf[Any](
    Int(0, 100),
    Converted(Fields(_RULE_FIELDS, required=("retries",), make=_rule), _for_all),
    Converted(Fields({name: Field(_RULE, "") for name in _RETRIED}), _policies),
    what="a number, {retries: 3, base: 1s, cap: 30s}, or such a rule for each of failed, timed out and error",
)


def _named(names: tuple[str, ...]) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for text in names:
        name, equals, value = text.partition("=")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"expected NAME or NAME=value, got {text[:60]!r}")
        values[name] = value if equals else None
    return values


_ENV: Shape[dict[str, str | None]] = OneOf[Any](
    Converted(ListOf(_FULL, or_single=True), _named),
    MapOf(Str(nul=False), key=re.compile(r"[A-Za-z_][A-Za-z0-9_]*")),
    what="a list such as [CI, MODE=fast] or a mapping",
)
_FILES = ListOf(_FULL, or_single=True)


def _skip(value: bool | str) -> str:
    if isinstance(value, str):
        return value
    return "skipped by its task file" if value else ""


TASK_KEYS: Mapping[str, Field] = {
    "run": Field(
        OneOf[Any](ListOf(_FULL, 1), _FULL, what="a command"),
        "The command: a list is a program and its arguments, a text is a line for `/bin/sh`.",
    ),
    "scenario": Field(_FULL, "A scenario file, relative to the task file; all that it holds."),
    "python": Field(_FULL, "A Python function, as `module:name`; the directory of the task file is on its path."),
    "where": Field(
        Choice("thread", "process", "loop"), "Where the Python function runs: `process` can be killed.", "process"
    ),
    "needs": Field(ListOf(_FULL, or_single=True), "Names of tasks that must have passed before."),
    "inputs": Field(
        _FILES,
        "Patterns of the files it depends on, relative to `cwd`. With them the result is cached: nothing is run while "
        "inputs, command, variables and tools are what they were.",
    ),
    "outputs": Field(_FILES, "Patterns of the files it makes, relative to `cwd`: kept in the cache, and put back."),
    "env": Field(
        _ENV,
        "Variables of the environment: `NAME` makes the result depend on its value, `NAME=value` sets it. All others "
        "are inherited.",
    ),
    "tools": Field(_FILES, "Programs that the result depends on besides the first word of `run`."),
    "cache": Field(Bool(), "False never takes the result from the cache.", "true with `inputs`"),
    "cwd": Field(_FULL, "Where it runs, relative to the task file.", "the directory of the task file"),
    "resources": Field(
        _RESOURCES,
        "What it takes while it runs: `cpu` (workers, 1 unless said), `mem`, `gpu`, and pools and mutexes by any name.",
    ),
    "retries": Field(_RETRIES, "How many further attempts, after what wait, by outcome.", "0"),
    "timeout": Field(Duration(zero=False), "Limit of one attempt; its processes are then ended."),
    "priority": Field(
        OneOf[Any](Int(-1_000_000, 1_000_000), Converted(Choice(*PRIORITIES), PRIORITIES.__getitem__)),
        "Higher goes first: a number, or low (-10), normal (0), high (10), critical (100).",
        "normal",
    ),
    "deadline": Field(Duration(zero=False), "Time after the start of the run by which it should have ended."),
    "affinity": Field(ListOf(_FULL, or_single=True), "Labels: tasks that share one like the same worker."),
    "tags": Field(ListOf(_FULL, or_single=True), "Words to select tasks by."),
    "description": Field(Str(), "What it is for."),
    "skip": Field(
        Converted(OneOf[Any](Bool(), Str(empty=False)), _skip, what="true or the reason"),
        "Not to run it: `true`, or the reason.",
    ),
}
"""The keys of a task, in the order of the reference."""

ROUTE_KEYS: Mapping[str, Field] = {
    "from": Field(_FULL, "The task whose verdict it is about."),
    "on": Field(Choice("passed", "failed"), "`failed` is anything that did not pass."),
    "then": Field(
        _FULL,
        "The task that follows. After a failure it mends: it runs, and when it has passed, the first one is tried "
        "again. `dead-letter` gives up.",
    ),
    "times": Field(Int(1, 100), "With `dead-letter`: after how many failures; else how often to mend.", "3"),
    "escalate": Field(
        _FULL, "With `dead-letter`: a line for `/bin/sh` that tells someone; it sees TASK, COUNT and REASON."
    ),
}
"""The keys of a route."""


@dataclass(frozen=True, slots=True)
class _Breaker:
    error_rate: float = 0.5
    min_calls: int = 10
    window: int = 20
    open: float = 30.0
    probes: int = 1


BREAKER_KEYS: Mapping[str, Field] = {
    "error_rate": Field(Number(0.01, 1), "Share of failures at which it opens.", "0.5"),
    "min_calls": Field(Int(1, 10_000), "Attempts before it may open.", "10"),
    "window": Field(Int(1, 10_000), "How many of the last attempts are looked at.", "20"),
    "open": Field(Duration(zero=False), "How long nothing of the kind is started.", "30s"),
    "probes": Field(Int(1, 1000), "Attempts that are then let through to see.", "1"),
}

TOP_KEYS: Mapping[str, Field] = {
    "tasks": Field(MapOf(Fields(TASK_KEYS, one_of=("run", "scenario", "python"))), "The tasks by name."),
    "resources": Field(MapOf(_AMOUNT), "How much there is of each pool; a name without an amount is a mutex."),
    "routes": Field(ListOf(Fields(ROUTE_KEYS, required=("from", "on", "then"))), "What follows a verdict."),
    "breakers": Field(
        MapOf(Fields(BREAKER_KEYS, make=_Breaker)),
        "Circuit breakers by kind (`command`, `python`, `scenario`): while too much fails, nothing of the kind starts.",
    ),
    "retry_budget": Field(Int(0, 1_000_000), "How many retries the whole run may spend.", "no limit"),
}
"""The keys of the file."""


_TASK = Fields(TASK_KEYS, one_of=("run", "scenario", "python"))
_LINE = TASK_KEYS["run"].shape


def read_task_file(node: Node, reader: Reader) -> TaskFile | Bad:
    """Read one document; every mistake goes to `reader`, and then the answer is `BAD`."""
    if not isinstance(node, MappingNode):
        return reader.wrong(node, "a mapping with `tasks`")
    before = len(reader.problems)
    found = TaskFile(reader.file)
    for key, key_node, value in reader.items(node):
        if key == "tasks":
            _read_tasks(found, value, reader)
        elif key in TOP_KEYS:
            read = reader.at(key, TOP_KEYS[key].shape, value)
            if read is not BAD:
                setattr(found, key, read)
        else:
            reader.unknown(key_node, key, TOP_KEYS, f"one of {', '.join(TOP_KEYS)}")
    if len(reader.problems) == before:
        _check_routes(found, node, reader)
    return BAD if len(reader.problems) > before else found


def _read_tasks(found: TaskFile, node: Node, reader: Reader) -> None:
    if not isinstance(node, MappingNode):
        reader.wrong(node, "a mapping of tasks by name")
        return
    reader.path.append("tasks")
    try:
        for name, key_node, value in reader.items(node):
            if not _NAME.fullmatch(name):
                reader.problem(key_node, f"expected a name, got {name!r}")
                continue
            if isinstance(value, MappingNode):
                read: Any = reader.at(name, _TASK, value)
            else:
                line: Any = reader.at(name, _LINE, value)  # a command alone
                read = BAD if line is BAD else {"run": line}
            if read is not BAD:
                mark = key_node.start_mark
                read["line"], read["column"] = mark.line + 1, mark.column + 1
                found.tasks[name] = read
    finally:
        reader.path.pop()


def _check_routes(found: TaskFile, node: MappingNode, reader: Reader) -> None:
    routes_node = next((value for key, value in node.value if key.value == "routes"), None)
    for index, route in enumerate(found.routes):
        if routes_node is None:
            break
        place = routes_node.value[index]
        for key in ("from_", "then"):
            name = route[key]
            if name in found.tasks or (key == "then" and name == "dead-letter"):
                continue
            near = nearest(name, found.tasks)
            hint = f"did you mean {near!r}?" if near else "a route joins tasks of its own file"
            reader.problem(place, f"there is no task {name!r}", hint, key=f"routes[{index}].{key.rstrip('_')}")
        if route["on"] == "passed" and route["then"] == "dead-letter":
            reader.problem(place, "what has passed is no dead letter", key=f"routes[{index}].then")
