"""How often a task that did not pass is tried again, and how long it waits before: frozen values, and one formula."""

from __future__ import annotations

from collections.abc import Callable

from orchestro.model.outcome import Outcome
from orchestro.records import dataclass

__all__ = ["NO_WAIT", "Backoff", "RetryPolicy", "RetryRule"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with full jitter and a cap.

    The wait before the n-th retry is uniform in [0, min(cap, base * factor**(n - 1))]: "full jitter" of Marc Brooker,
    "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), which makes the fewest calls of those compared.
    """

    base_s: float = 0.0
    """Seconds; 0 does not wait at all."""
    factor: float = 2.0
    cap_s: float = 60.0
    jitter: bool = True
    """Without it the wait is the upper end itself."""

    def delay_s(self, retry: int, random: Callable[[], float]) -> float:
        """Seconds to wait before retry number `retry`, from 1; `random` gives numbers in [0, 1)."""
        if self.base_s <= 0:
            return 0.0
        try:
            longest = min(self.cap_s, self.base_s * self.factor ** (retry - 1))
        except OverflowError:
            longest = self.cap_s
        return longest * random() if self.jitter else longest


NO_WAIT = Backoff()
"""Tries again at once."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """What holds for one way of not passing."""

    retries: int
    """Further attempts."""
    backoff: Backoff = NO_WAIT


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A rule for each outcome that is tried again; any other outcome is final."""

    rules: tuple[tuple[Outcome, RetryRule], ...]

    def rule_for(self, outcome: Outcome) -> RetryRule | None:
        """The rule of `outcome`; None when it is final."""
        return next((rule for kind, rule in self.rules if kind is outcome), None)
