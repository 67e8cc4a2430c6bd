"""What a run gives up becomes a dead letter: kept until a person looks, and able to be tried again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestro.model import DeadLetter, Outcome, Result, Task
from orchestro.resilience.fingerprint import fingerprint
from orchestro.taskfile.routes import Routes

if TYPE_CHECKING:
    from orchestro.store.dead_letters import DeadLetters

__all__ = ["bury", "dead_letters", "escalate"]


def dead_letters(
    tasks: Mapping[str, Task], results: Sequence[Result], routes: Routes, run_id: str, at: float
) -> list[DeadLetter]:
    """The letters of a run: failures that a route gives up, and those that further attempts did not help.

    A scenario that failed is a verdict on a program and no letter, however often it was tried.
    """
    letters = []
    for result in results:
        task = tasks.get(result.task_id)
        if task is None or result.outcome not in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR):
            continue
        failures = sum(1 for attempt in result.attempts if not attempt.outcome.ok)
        end = routes.dead_ends.get(task.id)
        if end is not None and failures >= end.times:
            reason = f"failed {failures} time{'s' if failures > 1 else ''}"
        elif end is None and task.kind != "scenario" and failures > 1:
            reason = f"failed at each of {failures} attempts"
        else:
            continue
        error = result.failure.message if result.failure else result.reason
        payload = {"path": os.path.abspath(task.source.file), "task": task.name, "cwd": os.getcwd()}
        letters.append(
            DeadLetter(
                fingerprint=fingerprint(f"{os.path.relpath(task.source.file)}::{task.name}", error),
                task_id=task.id,
                kind=task.kind,
                name=task.name,
                source=task.source,
                error=error,
                reason=reason,
                attempts=len(result.attempts),
                count=1,
                first_at=at,
                last_at=at,
                run_id=run_id,
                payload=json.dumps(payload),
                stage=task.id if end is not None else "",
            )
        )
    return letters


def bury(kept: DeadLetters, letters: Sequence[DeadLetter]) -> None:
    """Keep the letters. Raises StoreError."""
    for letter in letters:
        kept.add(letter)


async def escalate(letter: DeadLetter, line: str) -> str:
    """Tell someone: run the line of a route. Returns what went wrong, empty when nothing did."""
    from orchestro.errors import SpawnError
    from orchestro.terminal.pipe_driver import run_command

    env = {
        **os.environ,
        "TASK": letter.name,
        "COUNT": str(letter.attempts),
        "REASON": f"{letter.reason}: {letter.error}",
    }
    folder = os.path.dirname(os.path.abspath(letter.source.file))
    try:
        ended = await run_command(["/bin/sh", "-c", line], cwd=folder, env=env, timeout_s=60.0)
    except SpawnError as error:
        return str(error)
    if ended.timed_out:
        return "no end within 60 s"
    return f"exit code {ended.code}: {ended.text.strip()[-200:]}" if ended.code else ""
