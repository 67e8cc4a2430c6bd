"""What follows a verdict: who mends what failed, how often, and when it is given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from orchestro.model import Outcome, Task
from orchestro.records import dataclass

__all__ = ["DEFAULT_TIMES", "DeadEnd", "Routes"]

DEFAULT_TIMES = 3
"""How often something is mended when nothing is said."""


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """A task whose failure becomes a dead letter."""

    times: int
    """After so many failures, mended ones included."""
    escalate: str = ""
    """A line for the shell that tells someone; empty for none."""


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of all task files of a run, by the id of the task whose verdict they are about."""

    menders: Mapping[str, tuple[Task, int]] = field(default_factory=dict)
    """The task that mends, and how often."""
    dead_ends: Mapping[str, DeadEnd] = field(default_factory=dict)

    def detour(self, task: Task, outcome: Outcome, count: int) -> Task | None:
        """The task that is to mend what `task` found, when it was mended `count` times before; None to give it up.

        A mender runs as new work that goes before other work of the same priority. It never routes itself, so that no
        circle is without end.
        """
        if outcome.ok or task.id not in self.menders:
            return None
        mender, times = self.menders[task.id]
        end = self.dead_ends.get(task.id)
        if count >= times or (end is not None and count + 1 >= end.times):
            return None
        mark = f" for {task.name} #{count + 1}"
        return replace(
            mender,
            id=mender.id + mark,
            name=mender.name + mark,
            fix=True,
            needs=(),
            priority=max(mender.priority, task.priority),
        )
