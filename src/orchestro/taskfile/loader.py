"""Paths to tasks: scenarios and task files together, every mistake in all of them at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from orchestro.engine.executors.command import Command
from orchestro.errors import DocumentError, Problem
from orchestro.graph import CycleError, Graph
from orchestro.model import NOTHING, CacheInputs, RetryPolicy, Source, Task
from orchestro.records import dataclass
from orchestro.scenario.finding import LARGEST_BYTES, find_files, looks_like_scenario
from orchestro.taskfile.compiled import SMALLEST_BYTES, keep, kept
from orchestro.taskfile.file import TaskFile
from orchestro.taskfile.routes import DEFAULT_TIMES, DeadEnd, Routes

if TYPE_CHECKING:
    from orchestro.scenario.document import Scenario

# What reads YAML is imported where it is needed: a run whose task files are known already never does.

__all__ = ["Work", "load_work"]

LARGEST_TASK_FILE_BYTES = 64 << 20
"""Task files are often made by programs, so they may be larger than scenarios."""
_NAMED = re.compile(r"(?:.*\.)?tasks\.ya?ml\Z")
_LOOKS_LIKE = re.compile(rb"""^(?:\xef\xbb\xbf)?["']?tasks["']?[ \t]*:""", re.MULTILINE)


@dataclass(slots=True)
class Work:
    """What paths came to."""

    tasks: list[Task] = field(default_factory=list)
    capacities: dict[str, float] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)
    breakers: dict[str, Any] = field(default_factory=dict)
    """Settings by kind of task."""
    retry_budget: int | None = None
    has_task_files: bool = False


def load_work(paths: Sequence[str], *, compiled_in: str = "") -> Work:
    """The tasks of the scenarios and task files in `paths`: files, directories and patterns.

    A task file below a directory is taken when it is called ``tasks.yaml`` or ``NAME.tasks.yaml``; one that is named
    itself, when it has the key ``tasks``. `compiled_in` is a directory that keeps what large files came to. Raises
    DocumentError with every mistake of every file, UserError for paths that are not there.
    """
    return _Loading(compiled_in).load(paths)


class _Loading:
    def __init__(self, compiled_in: str) -> None:
        self._compiled_in = compiled_in
        self._problems: list[Problem] = []
        self._files: list[TaskFile] = []
        self._drafts: list[Any] = []

    def load(self, paths: Sequence[str]) -> Work:
        for path, explicit in find_files(paths):
            self._read(path, explicit)
        named = {name for found in self._files for name in found.tasks}
        work = Work(has_task_files=bool(self._files))
        if self._drafts:
            from orchestro.scenario.loader import join_documents
            from orchestro.scenario.tasks import scenario_task

            loaded = join_documents(self._drafts, self._problems, named)
            self._problems = list(loaded.problems)
            work.tasks = [scenario_task(scenario) for scenario in loaded.scenarios]
        self._join(work)
        if self._problems:
            raise DocumentError(sorted(self._problems, key=lambda p: (p.file, p.line, p.column)))
        return work

    # -- reading

    def _read(self, path: str, explicit: bool) -> None:
        try:
            with open(path, "rb") as file:
                data = file.read(LARGEST_TASK_FILE_BYTES + 1)
        except OSError as error:
            self._problems.append(Problem(path, 1, 1, "", f"cannot be read: {error.strerror or error}"))
            return
        named = _NAMED.match(os.path.basename(path)) is not None
        if (named or os.path.isfile(path)) and _LOOKS_LIKE.search(data) and (named or not looks_like_scenario(data)):
            if named or explicit:
                self._read_tasks(path, data)
        elif explicit or looks_like_scenario(data):
            from orchestro.scenario.loader import read_documents

            read_documents(data[: LARGEST_BYTES + 1], path, self._drafts, self._problems)

    def _read_tasks(self, path: str, data: bytes) -> None:
        large = bool(self._compiled_in) and len(data) >= SMALLEST_BYTES
        known = kept(self._compiled_in, data, path) if large else None
        if known is not None:
            self._files.append(known)
            return
        from orchestro.scenario.nodes import compose
        from orchestro.scenario.reader import BAD, Reader
        from orchestro.taskfile.document import read_task_file

        roots, broken = compose(data, path, largest_bytes=LARGEST_TASK_FILE_BYTES)
        reader = Reader(path)
        found = [one for root in roots if (one := read_task_file(root, reader)) is not BAD]
        self._problems += [*reader.problems, *broken]
        self._files += found
        if large and len(found) == 1 and not reader.problems and not broken:
            keep(self._compiled_in, data, found[0])

    # -- joining

    def _join(self, work: Work) -> None:
        taken: dict[str, Source] = {task.id: task.source for task in work.tasks}
        members: dict[str, tuple[str, ...]] = {task.id: (task.id,) for task in work.tasks}
        menders: dict[str, tuple[Task, int]] = {}
        dead_ends: dict[str, DeadEnd] = {}
        for found in self._files:
            made = self._tasks_of(found, taken, members)
            after = {(r["then"], r["from_"]) for r in found.routes if r["on"] == "passed"}
            mending = {route["then"] for route in found.routes if route["on"] == "failed"} - {"dead-letter"}
            for route in found.routes:
                if route["on"] == "failed":
                    _route(route, made, menders, dead_ends)
            for name, tasks in made.items():
                if name in mending:
                    continue
                first = tuple(need for then, need in sorted(after) if then == name and need not in mending)
                work.tasks += [replace(task, needs=(*task.needs, *first)) for task in tasks] if first else tasks
            work.capacities.update(found.resources)
            work.breakers.update(found.breakers)
            if found.retry_budget is not None:
                work.retry_budget = (work.retry_budget or 0) + found.retry_budget
        if not self._problems:
            self._resolve_needs(work, members, {mender.id for mender, _ in menders.values()})
        work.routes = Routes(menders, dead_ends)

    def _tasks_of(
        self, found: TaskFile, taken: dict[str, Source], members: dict[str, tuple[str, ...]]
    ) -> dict[str, list[Task]]:
        made: dict[str, list[Task]] = {}
        folder = os.path.dirname(os.path.abspath(found.file))
        for name, spec in found.tasks.items():
            source = Source(found.file, spec["line"], spec["column"])
            if name in taken:
                other = taken[name]
                message = f"the name {name!r} is already taken at {other.file}:{other.line}"
                self._problems.append(Problem(found.file, source.line, source.column, f"tasks.{name}", message))
                continue
            taken[name] = source
            made[name] = (
                self._scenarios(name, spec, source, folder)
                if "scenario" in spec
                else [_task(name, spec, source, folder)]
            )
            members[name] = tuple(task.id for task in made[name])
        return made

    def _scenarios(self, name: str, spec: Mapping[str, Any], source: Source, folder: str) -> list[Task]:
        from orchestro.scenario.loader import join_documents, read_documents

        path = os.path.relpath(os.path.join(folder, spec["scenario"]))
        drafts: list[Any] = []
        problems: list[Problem] = []
        try:
            with open(path, "rb") as file:
                read_documents(file.read(LARGEST_BYTES + 1), path, drafts, problems)
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror or error}"
            self._problems.append(Problem(source.file, source.line, source.column, f"tasks.{name}.scenario", message))
            return []
        loaded = join_documents(drafts, problems)
        self._problems += loaded.problems
        single = len(loaded.scenarios) == 1
        common = _common(name, spec, source)
        return [
            _joined(common, scenario, name if single else f"{name}/{scenario.name}") for scenario in loaded.scenarios
        ]

    def _resolve_needs(self, work: Work, members: Mapping[str, tuple[str, ...]], mending: set[str]) -> None:
        simple = all(len(ids) == 1 and ids[0] == name for name, ids in members.items())
        known = {task.id for task in work.tasks}
        for index, task in enumerate(work.tasks):
            if not task.needs:
                continue
            missing = [need for need in task.needs if need not in members or (need in mending and need not in known)]
            for need in missing:
                self._missing(task, need, members, mending)
            if not simple and not missing:
                ids = dict.fromkeys(one for need in task.needs for one in members[need])
                work.tasks[index] = replace(task, needs=tuple(ids))
        if self._problems:
            return
        try:
            Graph({task.id: task.needs for task in work.tasks})
        except CycleError as error:
            first = next(task for task in work.tasks if task.id == error.path[0])
            message = f"the needs go in a circle: {' -> '.join(error.path)}"
            where = first.source
            self._problems.append(Problem(where.file, where.line, where.column, f"tasks.{first.id}.needs", message))

    def _missing(self, task: Task, need: str, members: Iterable[str], mending: set[str]) -> None:
        if need in mending:
            hint = "it mends and is run only when a route leads to it"
        else:
            from orchestro.scenario.reader import nearest

            near = nearest(need, members)
            hint = f"did you mean {near!r}?" if near else "what is needed must be in the paths of the run"
        where = task.source
        message = f"there is no task {need!r}"
        self._problems.append(Problem(where.file, where.line, where.column, f"tasks.{task.id}.needs", message, hint))


def _route(
    route: Mapping[str, Any],
    made: Mapping[str, list[Task]],
    menders: dict[str, tuple[Task, int]],
    dead_ends: dict[str, DeadEnd],
) -> None:
    times = route.get("times", DEFAULT_TIMES)
    for task in made.get(route["from_"], ()):
        if route["then"] == "dead-letter":
            dead_ends[task.id] = DeadEnd(route.get("times", 1), route.get("escalate", ""))
        else:
            for mender in made.get(route["then"], ())[:1]:
                menders[task.id] = (mender, times)


def _task(name: str, spec: Mapping[str, Any], source: Source, folder: str) -> Task:
    cwd = os.path.normpath(os.path.join(folder, spec["cwd"])) if "cwd" in spec else folder
    description = spec.get("description", "")
    env: Mapping[str, str | None] = spec.get("env") or NOTHING
    given = {key: value for key, value in env.items() if value is not None} if env else NOTHING
    if "python" in spec:
        from orchestro.engine.executors.python import PythonCall

        payload: Any = PythonCall(
            spec["python"], where=spec.get("where", "process"), description=description, path=cwd, env=given
        )
        command: tuple[str, ...] = ("python", spec["python"])
    else:
        run = spec["run"]
        shell = isinstance(run, str)
        command = (run,) if shell else tuple(run)
        payload = Command(command, cwd, shell, given, description)
    cache = None
    if "inputs" in spec and spec.get("cache", True):
        named = tuple(f"{key}={value}" if value is not None else key for key, value in env.items())
        tools = spec.get("tools", ())
        first = () if "python" in spec or isinstance(spec["run"], str) else (command[0],)
        shell_mark = ("sh -c",) if isinstance(spec.get("run"), str) else ()
        cache = CacheInputs(
            (*shell_mark, *command), cwd, tuple(spec["inputs"]), tuple(spec.get("outputs", ())), named, (*first, *tools)
        )
    return _common(name, spec, source, "python" if "python" in spec else "command", payload, cache)


def _common(
    name: str,
    spec: Mapping[str, Any],
    source: Source,
    kind: str = "command",
    payload: Any = None,
    cache: CacheInputs | None = None,
) -> Task:
    retries = spec.get("retries", 0)
    policy = retries if isinstance(retries, RetryPolicy) else None
    return Task(
        name,
        kind,
        name,
        payload,
        priority=spec.get("priority", 0),
        deadline_s=spec.get("deadline"),
        needs=tuple(spec.get("needs", ())),
        retries=0 if policy is not None else retries,
        retry=policy,
        timeout_s=spec.get("timeout"),
        resources=spec.get("resources") or NOTHING,
        affinity=tuple(spec.get("affinity", ())),
        cache=cache,
        tags=tuple(spec.get("tags", ())),
        source=source,
        skip=spec.get("skip", ""),
    )


def _joined(common: Task, scenario: Scenario, name: str) -> Task:
    """A scenario as a task of a task file: what the task file says goes before what the scenario says."""
    from orchestro.scenario.tasks import scenario_task

    task = scenario_task(scenario)
    return replace(
        task,
        id=name,
        name=name,
        priority=common.priority or task.priority,
        deadline_s=common.deadline_s if common.deadline_s is not None else task.deadline_s,
        needs=common.needs,
        retries=max(common.retries, task.retries),
        retry=common.retry,
        timeout_s=common.timeout_s if common.timeout_s is not None else task.timeout_s,
        resources=common.resources,
        affinity=common.affinity,
        tags=(*task.tags, *common.tags),
        skip=common.skip or task.skip,
    )
