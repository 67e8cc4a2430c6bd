"""What to run: the tasks that paths and the selection come to, and what earlier runs taught about them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestro.app.options import RunOptions
from orchestro.errors import SelectionError, StoreError
from orchestro.model import Task
from orchestro.selection import Selection, select
from orchestro.store.directory import StateDirectory
from orchestro.taskfile.loader import Work, load_work

if TYPE_CHECKING:
    from orchestro.store.history import History, Seen

__all__ = ["estimates", "load_tasks", "open_history", "plan_work", "read_history"]


def plan_work(paths: Sequence[str], options: RunOptions, known: dict[str, Seen] | None = None) -> Work:
    """The tasks that `paths` and the selection come to, and what their task files say about the whole run.

    Raises DocumentError with every mistake in every file, SelectionError when nothing is left.
    """
    compiled_in = os.path.join(StateDirectory(options.output_dir).cache, "task-files") if options.cache else ""
    work = load_work(paths, compiled_in=compiled_in)
    tasks = [_adapted(task, options) for task in work.tasks] if _adapts(options) else work.tasks
    chosen = select(tasks, options.selection, _failed(tasks, known or {}) if options.selection.last_failed else ())
    if not chosen:
        raise SelectionError(_why_nothing(tasks, paths, options.selection))
    if options.repeat > 1:
        chosen = [_repeated(task, turn) for turn in range(1, options.repeat + 1) for task in chosen]
    work.tasks = chosen
    return work


def load_tasks(paths: Sequence[str], options: RunOptions, known: dict[str, Seen] | None = None) -> list[Task]:
    """The tasks of `plan_work` alone."""
    return plan_work(paths, options, known).tasks


def _adapts(options: RunOptions) -> bool:
    return options.timeout_s is not None or bool(options.retries)


def _adapted(task: Task, options: RunOptions) -> Task:
    if options.timeout_s is not None and task.kind == "scenario":
        task = replace(task, payload=replace(task.payload, timeout_s=options.timeout_s))
    if options.retries and task.retry is None and options.retries > task.retries:
        task = replace(task, retries=options.retries)
    return task


def _why_nothing(tasks: Sequence[Task], paths: Sequence[str], selection: Selection) -> str:
    if not tasks:
        looked_for = "*.scenario.yaml, tasks.yaml, and *.yaml and *.yml files with a `command` or `steps`"
        return f"there is no scenario in {', '.join(paths)}; looked for {looked_for}"
    asked = [
        f"--tag {selection.tags!r}" if selection.tags else "",
        f"-k {selection.name!r}" if selection.name else "",
        "--last-failed" if selection.last_failed else "",
        f"--shard {selection.shard[0]}/{selection.shard[1]}" if selection.shard else "",
    ]
    found = f"{len(tasks)} {noun(tasks)}" + ("s" if len(tasks) != 1 else "")
    words = " ".join(word for word in asked if word) or "the names that were asked for"
    tags = sorted({tag for task in tasks for tag in task.tags}) if selection.tags else []
    hint = f"; the tags are {', '.join(tags[:20])}" + (", ..." if len(tags) > 20 else "") if tags else ""
    return f"none of {found} is left by {words}{hint}"


def noun(tasks: Sequence[Task]) -> str:
    """What to call them: scenarios when they all are."""
    return "scenario" if all(task.kind == "scenario" for task in tasks) else "task"


def _failed(tasks: Sequence[Task], known: dict[str, Seen]) -> set[str]:
    """Ids of the tasks that did not pass when they last ran."""
    if not known:
        return set()
    from orchestro.store.history import history_key

    last = {task.id: known[key].last_outcome for task in tasks if (key := history_key(task)) in known}
    return {task_id for task_id, outcome in last.items() if outcome is not None and not outcome.ok}


def _repeated(task: Task, turn: int) -> Task:
    mark = f" #{turn}"
    needs = tuple(need + mark for need in task.needs)
    return replace(task, id=task.id + mark, name=task.name + mark, needs=needs)


def estimates(tasks: Sequence[Task], known: dict[str, Seen]) -> dict[str, float]:
    """Expected seconds by the id of the task, of those that passed before on this class of machine."""
    if not known:
        return {}
    from orchestro.store.history import history_key

    found: dict[str, float] = {}
    for task in tasks:
        seen = known.get(history_key(task))
        if seen is not None and seen.duration_s is not None:
            found[task.id] = seen.duration_s
    return found


def read_history(options: RunOptions) -> dict[str, Seen]:
    """What earlier runs taught; empty when there were none. Makes no store where there is none yet."""
    from orchestro.store.database import sqlite_path

    state = StateDirectory(options.output_dir)
    path = sqlite_path(options.store or state.history)
    if path is not None and not os.path.exists(path):
        return {}
    history, known, _ = open_history(state, options.store)
    if history is not None:
        history.close()
    return known


def open_history(state: StateDirectory, store: str = "") -> tuple[History | None, dict[str, Seen], str]:
    """The history, what it knows about this class of machine, and that class.

    None when the one in the state directory cannot be used. Raises StoreError when it is the `store` asked for by name:
    others wait for what this run would record there.
    """
    from orchestro.store.database import open_database
    from orchestro.store.history import History, machine_class

    machine = machine_class()
    try:
        state.prepare()
        history = History(open_database(store or state.history))
        return history, history.read(machine), machine
    except (StoreError, OSError):
        if store:
            raise
        return None, {}, machine
