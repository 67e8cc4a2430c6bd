"""How long tasks are expected to take."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

__all__ = ["FIRST_GUESS_S", "Estimates", "typical_longest"]

FIRST_GUESS_S = 1.0
"""For every task when nothing is known about any."""


def typical_longest(durations: Collection[float]) -> float:
    """The 99th percentile by the nearest rank, in seconds; `FIRST_GUESS_S` of nothing.

    What an unknown task is taken for. In simulations a missing estimate cost most when it was the median: a long task
    that is started late lengthens the run, a short one that is started early costs next to nothing.
    """
    if not durations:
        return FIRST_GUESS_S
    return sorted(durations)[max(0, math.ceil(0.99 * len(durations)) - 1)]


class Estimates:
    """Seconds by task id, and something for those that are not known."""

    def __init__(self, known: Mapping[str, float]) -> None:
        self._known = known
        self.unknown_s = typical_longest(known.values())
        """What an unknown task is taken for."""

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._known

    def of(self, task_id: str) -> float:
        """Seconds that the task is expected to take."""
        return self._known.get(task_id, self.unknown_s)
