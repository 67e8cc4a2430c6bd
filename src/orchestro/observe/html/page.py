"""Puts gathered events and replays into the one file."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from orchestro.events import Event
from orchestro.observe.analysis_text import analysis_lines
from orchestro.observe.atomic import write_atomically
from orchestro.observe.html.replay import Tables, replay
from orchestro.observe.html.report import AttemptData, RunData, TaskData, gather

__all__ = ["MAX_REPLAYS", "MAX_SHOT", "write_report"]

MAX_REPLAYS = 30_000_000
"""Characters that all replays together may take; beyond, passed scenarios lose theirs first, and the page says so."""
MAX_SHOT = 2_000_000
"""Bytes of a screenshot that is put into the page; a larger one is only named."""


def write_report(events: Iterable[Event], run_dir: str, path: str) -> None:
    """Write the report of a run whose artifacts are in `run_dir`. Raises OSError when it cannot be written."""
    run = gather(events)
    tables = Tables()
    left_out = 0
    tasks: dict[str, dict[str, Any]] = {}
    # Those that did not pass come first, so that they get their replays.
    for task in sorted(run.tasks.values(), key=lambda task: task.outcome in ("passed", "skipped")):
        attempts = []
        for attempt in task.attempts:
            data, dropped = _attempt(attempt, run_dir, tables)
            left_out += dropped
            attempts.append(data)
        tasks[task.planned.task_id] = _task(task, attempts)
    data = {
        "run": _run(run, left_out),
        "tasks": [tasks[task_id] for task_id in run.tasks],
        "rows": tables.rows,
        "styles": tables.styles,
    }
    write_atomically(path, _filled(data, run).encode())


def _filled(data: dict[str, Any], run: RunData) -> str:
    here = files(__package__)
    page = (here / "report.html").read_text(encoding="utf-8")
    # In a script element only "<" could end it or begin a comment.
    packed = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    packed = packed.encode("utf-8", "replace").decode()
    title = f"orchestro {run.started.run_id}" if run.started else "orchestro"
    for mark, text in (
        ("{{title}}", title),
        ("{{css}}", (here / "report.css").read_text(encoding="utf-8")),
        ("{{js}}", (here / "report.js").read_text(encoding="utf-8")),
        ("{{data}}", packed),
    ):
        page = page.replace(mark, text, 1)
    return page


def _run(run: RunData, left_out: int) -> dict[str, Any]:
    started, finished = run.started, run.finished
    analysis = run.measurements.analyze()
    counts: dict[str, int] = {}
    for task in run.tasks.values():
        outcome = task.outcome or "interrupted"
        counts[outcome] = counts.get(outcome, 0) + 1
    return {
        "id": started.run_id if started else "",
        "version": started.version if started else "",
        "at": started.at if started else 0,
        "workers": started.workers if started else 0,
        "scheduler": started.scheduler if started else "",
        "machine": started.machine if started else "",
        "cwd": started.cwd if started else "",
        "argv": [os.path.basename(a) if i == 0 else a for i, a in enumerate(started.argv)] if started else [],
        "duration": finished.duration_s if finished else run.last_at - (started.at if started else run.last_at),
        "exit": finished.exit_code if finished else None,
        "interrupted": run.interrupted,
        "complete": finished is not None,
        "counts": counts,
        "diagnostics": run.diagnostics[:200],
        "obsolete": list(finished.obsolete_snapshots) if finished else [],
        "leftOut": left_out,
        "analysis": analysis_lines(analysis, "›") if analysis.telling else [],
    }


def _task(task: TaskData, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    planned = task.planned
    return {
        "id": planned.task_id,
        "name": planned.name,
        "file": planned.source.file,
        "line": planned.source.line,
        "tags": list(planned.tags),
        "needs": list(planned.needs),
        "group": planned.group,
        "params": [list(pair) for pair in planned.params],
        "description": planned.description,
        "outcome": task.outcome or "interrupted",
        "reason": task.reason,
        "duration": round(task.duration, 4),
        "attempts": attempts,
    }


def _attempt(attempt: AttemptData, run_dir: str, tables: Tables) -> tuple[dict[str, Any], int]:
    """The attempt for the page, and 1 if its replay was left out for want of room."""
    recording: dict[str, Any] | None = None
    missing = ""
    dropped = 0
    if attempt.cast and tables.size > MAX_REPLAYS:
        dropped = 1
        missing = "left out: the report would have become too large"
    elif attempt.cast:
        edges = [edge for step in attempt.steps for edge in (step["start"], step["start"] + step["duration"])]
        try:
            recording = replay(os.path.join(run_dir, attempt.cast), edges, tables).as_json()
        except (OSError, ValueError) as error:
            missing = f"not readable: {error}"
    return {
        "n": attempt.number,
        "worker": attempt.worker,
        "start": round(attempt.start, 4),
        "duration": None if attempt.duration is None else round(attempt.duration, 4),
        "outcome": attempt.outcome if attempt.duration is not None else "interrupted",
        "exit": attempt.exit_code,
        "failure": attempt.failure,
        "findings": attempt.findings,
        "steps": attempt.steps,
        "cast": attempt.cast,
        "replay": recording,
        "missing": missing,
        "shots": [shot for name, path in attempt.shots[:20] if (shot := _shot(name, os.path.join(run_dir, path)))],
    }, dropped


def _shot(name: str, path: str) -> list[str] | None:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_SHOT + 1)
    except OSError:
        return None
    if len(content) > MAX_SHOT:
        return None
    return [name, "data:image/svg+xml;base64," + base64.b64encode(content).decode()]
