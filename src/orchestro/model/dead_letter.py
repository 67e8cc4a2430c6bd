"""A dead letter: what was given up, with all that is needed to understand it and to try it again."""

from __future__ import annotations

from orchestro.model.task import Source
from orchestro.records import dataclass

__all__ = ["DeadLetter"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A task or an event that nobody handles any more. Times are Unix seconds."""

    fingerprint: str
    """The same for the same failure of the same task, in every run."""
    task_id: str
    kind: str
    """Of the task, e.g. ``scenario``."""
    name: str
    """What people call it."""
    source: Source
    error: str
    """What went wrong, for people."""
    reason: str
    """Why it was given up, e.g. ``failed 3 times``."""
    attempts: int
    """Made in the run that gave it up."""
    count: int
    """How often it has come here since it was last replayed."""
    first_at: float
    last_at: float
    run_id: str
    """The run that gave it up last."""
    payload: str
    """JSON of what is needed to try it again."""
    stage: str
    """Where in its life it was given up, e.g. ``qa``; empty when there are no stages."""
