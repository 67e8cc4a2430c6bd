"""A circuit breaker: while too much of what is tried fails, nothing more is tried, and then a little, to see.

Source of the pattern: M. Nygard, "Release It!" (2007), chapter 5.
"""

from __future__ import annotations

import enum
import inspect
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from orchestro.errors import BreakerOpen
from orchestro.records import dataclass

__all__ = ["BreakerSettings", "CircuitBreaker", "CountWindow", "Permit", "State", "TimeWindow"]


class State(enum.StrEnum):
    """What a breaker lets through."""

    CLOSED = "closed"
    """Everything."""
    OPEN = "open"
    """Nothing."""
    HALF_OPEN = "half-open"
    """A few probes."""


@dataclass(frozen=True, slots=True)
class CountWindow:
    """Looks at the last `calls` calls."""

    calls: int = 20


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Looks at the calls of the last `seconds`, counted in `buckets` parts of it."""

    seconds: float = 60.0
    buckets: int = 10


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When it opens, and how it closes."""

    error_rate: float = 0.5
    """Share of failures in the window at which it opens, 0 to 1."""
    min_calls: int = 10
    """Calls in the window before it may open."""
    window: CountWindow | TimeWindow = CountWindow()
    open_s: float = 30.0
    """How long it stays open before it lets probes through."""
    probes: int = 1
    """Calls that are let through at once when half-open; when as many have succeeded, it closes."""

    def __post_init__(self) -> None:
        if not 0 < self.error_rate <= 1:
            raise ValueError(f"expected an error rate above 0 and up to 1, got {self.error_rate:g}")
        if self.min_calls < 1 or self.probes < 1 or self.open_s < 0:
            raise ValueError("expected at least 1 call, 1 probe and an opening time that is not negative")


class _Counts:
    """Successes and failures of a sliding window; its size is bounded by the window, not by the calls."""

    def __init__(self, window: CountWindow | TimeWindow, now: float) -> None:
        self._window = window
        self._last: deque[bool] = deque()
        self._buckets: deque[list[float]] = deque()
        self.failures = 0
        self.total = 0
        self._slide(now)

    def _slide(self, now: float) -> None:
        if isinstance(self._window, CountWindow):
            return
        oldest = now - self._window.seconds
        while self._buckets and self._buckets[0][0] <= oldest:
            _, failures, total = self._buckets.popleft()
            self.failures -= int(failures)
            self.total -= int(total)

    def add(self, failed: bool, now: float) -> None:
        self._slide(now)
        self.total += 1
        self.failures += failed
        if isinstance(self._window, CountWindow):
            self._last.append(failed)
            if len(self._last) > self._window.calls:
                self.total -= 1
                self.failures -= self._last.popleft()
            return
        width = self._window.seconds / self._window.buckets
        if not self._buckets or now >= self._buckets[-1][0] + width:
            self._buckets.append([now, 0, 0])
        self._buckets[-1][1] += failed
        self._buckets[-1][2] += 1

    def rate(self, now: float) -> float:
        self._slide(now)
        return self.failures / self.total if self.total else 0.0


class Permit:
    """Leave for one call; exactly one of its methods is called when the call has ended."""

    __slots__ = ("_breaker", "_generation", "_probe")

    def __init__(self, breaker: CircuitBreaker, generation: int, probe: bool) -> None:
        self._breaker = breaker
        self._generation = generation
        self._probe = probe

    def success(self) -> None:
        """The call did what it should."""
        self._breaker._ended(self._generation, self._probe, False)

    def failure(self) -> None:
        """The call raised, or returned a failure."""
        self._breaker._ended(self._generation, self._probe, True)

    def cancelled(self) -> None:
        """The call was cut off, which says nothing; a probe's place is free again."""
        self._breaker._ended(self._generation, self._probe, None)


OnChange: TypeAlias = Callable[["CircuitBreaker", State, State, str], None]


class CircuitBreaker:
    """One for each thing that can be broken as a whole. For one thread or one event loop; `clock` gives seconds."""

    def __init__(self, name: str, *, clock: Callable[[], float], settings: BreakerSettings | None = None) -> None:
        self.name = name
        self.settings = settings or BreakerSettings()
        self.callbacks: list[OnChange] = []
        """Called with (breaker, old state, new state, reason). One that raises does not keep the others from it."""
        self._clock = clock
        self._state = State.CLOSED
        self._generation = 0
        self._counts = _Counts(self.settings.window, clock())
        self._opened_at = 0.0
        self._probing = 0
        self._good_probes = 0

    @property
    def state(self) -> State:
        """What it lets through now."""
        self._wake()
        return self._state

    @property
    def retry_at(self) -> float | None:
        """When, on its clock, it will let probes through; None unless it is open."""
        return self._opened_at + self.settings.open_s if self._state is State.OPEN else None

    def error_rate(self) -> float:
        """Share of failures in the window, 0 to 1."""
        return self._counts.rate(self._clock())

    def admits(self) -> bool:
        """Whether a call would be let through now."""
        self._wake()
        if self._state is State.HALF_OPEN:
            return self._probing < self.settings.probes
        return self._state is State.CLOSED

    def acquire(self) -> Permit | None:
        """Leave for a call; None when it is not let through."""
        if not self.admits():
            return None
        probe = self._state is State.HALF_OPEN
        self._probing += probe
        return Permit(self, self._generation, probe)

    def _wake(self) -> None:
        if self._state is State.OPEN and self._clock() >= self._opened_at + self.settings.open_s:
            self._enter(State.HALF_OPEN, f"after {self.settings.open_s:g} s")

    def _ended(self, generation: int, probe: bool, failed: bool | None) -> None:
        # What began before the last change says nothing about what holds since.
        if generation != self._generation:
            return
        if probe:
            self._probing -= 1
        if failed is None:
            return
        now = self._clock()
        self._counts.add(failed, now)
        if self._state is State.HALF_OPEN:
            if failed:
                self._open("a probe failed")
                return
            self._good_probes += 1
            if self._good_probes >= self.settings.probes:
                count = self._good_probes
                self._enter(State.CLOSED, f"{count} probe{'s' if count > 1 else ''} succeeded")
        elif self._counts.total >= self.settings.min_calls and self._counts.rate(now) >= self.settings.error_rate:
            self._open(f"{self._counts.failures} of the last {self._counts.total} failed")

    def _open(self, reason: str) -> None:
        self._opened_at = self._clock()
        self._enter(State.OPEN, reason)

    def _enter(self, state: State, reason: str) -> None:
        old, self._state = self._state, state
        self._generation += 1
        self._counts = _Counts(self.settings.window, self._clock())
        self._probing = 0
        self._good_probes = 0
        if old is not state:
            self._tell(old, state, reason)

    def _tell(self, old: State, new: State, reason: str) -> None:
        import logging

        for callback in tuple(self.callbacks):
            try:
                callback(self, old, new, reason)
            except Exception:
                logging.getLogger(__name__).exception("a callback of the breaker %s failed", self.name)

    def reset(self) -> None:
        """Close it by hand, with a fresh window."""
        self._enter(State.CLOSED, "reset")

    def trip(self) -> None:
        """Open it by hand."""
        self._open("tripped")

    async def call(
        self, function: Callable[..., Any], *args: Any, is_failure: Callable[[Any], bool] | None = None
    ) -> Any:
        """Call `function` if that is let through, and await what it gives if that can be awaited.

        A raised exception counts as a failure, and so does a returned value of which `is_failure` says so: by default
        False itself, and whatever has an `outcome` that is not good. Raises BreakerOpen, and whatever it raises.
        """
        permit = self.acquire()
        if permit is None:
            left = self.retry_at
            raise BreakerOpen(self.name, max(0.0, left - self._clock()) if left is not None else 0.0)
        try:
            value = function(*args)
            if inspect.isawaitable(value):
                value = await value
        except Exception:
            permit.failure()
            raise
        except BaseException:
            permit.cancelled()
            raise
        if (is_failure or _says_failure)(value):
            permit.failure()
        else:
            permit.success()
        return value


def _says_failure(value: Any) -> bool:
    outcome = getattr(value, "outcome", None)
    return value is False or (outcome is not None and not getattr(outcome, "ok", True))
