"""Combinations of one matrix: which belong together, and when they can be said in one line."""

from __future__ import annotations

from orchestro.events import TaskFinished, TaskPlanned
from orchestro.observe.run_view import RunView
from orchestro.observe.wording import plural

__all__ = ["Matrices", "group_name"]


def group_name(group: str, members: int) -> str:
    """What a collapsed matrix is called."""
    return f"{group} [{plural(members, 'combination')}]"


class Matrices:
    """The matrices of a run. A group of one combination is none."""

    def __init__(self, view: RunView) -> None:
        self._view = view
        self._members: dict[tuple[str, str], list[str]] = {}

    def plan(self, event: TaskPlanned) -> None:
        """Learn about a task."""
        if event.group:
            self._members.setdefault((event.source.file, event.group), []).append(event.task_id)

    def members(self, task_id: str) -> list[str]:
        """Ids of all combinations of the task's matrix, itself included; empty outside a matrix."""
        task = self._view.planned.get(task_id)
        if task is None or not task.group:
            return []
        members = self._members.get((task.source.file, task.group), [])
        return members if len(members) > 1 else []

    def group(self, task_id: str) -> str:
        """The name of the task's matrix."""
        return self._view.planned[task_id].group

    def finished(self, members: list[str]) -> list[TaskFinished] | None:
        """The verdicts of the members, or None while one is missing."""
        ended = self._view.ended
        return [ended[member] for member in members] if all(member in ended for member in members) else None

    def agree(self, verdicts: list[TaskFinished]) -> bool:
        """Whether one line can stand for all: the same outcome for the same reason."""
        return len({(v.outcome, self._cause(v)) for v in verdicts}) == 1

    def first_like(self, event: TaskFinished) -> TaskFinished | None:
        """An earlier verdict of the same matrix with the very same failure."""
        cause = self._cause(event)
        for member in self.members(event.task_id):
            other = self._view.ended.get(member)
            if other is None or other is event or other.outcome is not event.outcome:
                continue
            if other.failure is not None and self._cause(other) == cause:
                return other
        return None

    def _cause(self, event: TaskFinished) -> tuple[str, ...]:
        if event.outcome.ok:
            return ()
        failure = event.failure
        if failure is None:
            return (event.reason,)
        return (failure.message, str(failure.source), failure.step, failure.actual)
