"""Whether a task that did not pass is tried again, and when; and how many retries a run may spend."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestro.model import Outcome, Task

__all__ = ["RetryBudget", "next_retry"]

_PLAIN = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR)


class RetryBudget:
    """How many retries a run may spend: a fixed number, or a share of the first attempts, or both.

    When much fails at once, retries multiply the load just when it can least be borne; a budget bounds them where the
    retries of single tasks cannot. Source: Beyer et al., "Site Reliability Engineering" (2016), chapter 21.
    """

    MINIMUM = 10
    """Retries that a share always allows: of few attempts even a large share is none."""

    def __init__(self, limit: int | None = None, ratio: float | None = None) -> None:
        if limit is not None and limit < 0:
            raise ValueError(f"expected a limit of at least 0, got {limit}")
        if ratio is not None and ratio < 0:
            raise ValueError(f"expected a ratio of at least 0, got {ratio}")
        self._limit = limit
        self._ratio = ratio
        self._first = 0
        self.used = 0
        """Retries spent."""

    def attempt_started(self) -> None:
        """A task is tried for the first time."""
        self._first += 1

    @property
    def left(self) -> int | None:
        """Retries that may still be spent; None without a limit."""
        bounds = []
        if self._limit is not None:
            bounds.append(self._limit)
        if self._ratio is not None:
            bounds.append(max(self.MINIMUM, int(self._ratio * self._first)))
        return max(0, min(bounds) - self.used) if bounds else None

    def take(self) -> bool:
        """Spend one; False when none is left."""
        if self.left == 0:
            return False
        self.used += 1
        return True


def next_retry(
    task: Task,
    outcome: Outcome,
    failures: Mapping[Outcome, int],
    budget: RetryBudget | None,
    random: Callable[[], float],
) -> float | None:
    """Seconds until the next attempt at `task`, whose last one ended with `outcome`; None when that is final.

    `failures` counts how often each outcome has occurred, this time included. Takes one from the budget.
    """
    if task.retry is None:
        if outcome not in _PLAIN or sum(failures.values()) > task.retries:
            return None
        delay = 0.0
    else:
        rule = task.retry.rule_for(outcome)
        count = failures.get(outcome, 0)
        if rule is None or outcome.ok or count > rule.retries:
            return None
        delay = rule.backoff.delay_s(count, random)
    if budget is not None and not budget.take():
        return None
    return delay
