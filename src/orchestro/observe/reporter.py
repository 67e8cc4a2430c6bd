"""What a reporter is, and the fan-out that hands every event to all of them and survives any of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TextIO

from orchestro.events import Diagnostic, Event

__all__ = ["Fanout", "Reporter"]


class Reporter:
    """Shows, writes or sends on what the events of one run say. Every method does nothing unless overridden.

    All calls come from one thread, events in the order in which they happened. Whatever a method raises is logged
    and ends this reporter, never the run.
    """

    tick_s: float | None = None
    """Seconds between the calls of `tick` that it would like; None for none at all."""
    shows_diagnostics: bool = False
    """Whether a person reads its `Diagnostic`s, so that nobody else need print them."""

    def handle(self, event: Event) -> None:
        """Take note of one event. Called for each, so it has to be quick (microseconds)."""

    def tick(self, now: float) -> None:
        """Redraw what depends on the time. `now` is on the clock of `Event.at`: Unix seconds."""

    def close(self) -> None:
        """Finish: called once after the last event, also when the run was interrupted or broke off."""


class Fanout(Reporter):
    """Hands each event to every reporter in the order in which they were given, and closes them in reverse order.

    So the console, given first, is the first to show an event and prints its summary when the files are written.
    A reporter that raises is named once, through another that shows diagnostics, else on `stderr`, and then dropped;
    it is not closed, for what it would write then could not be trusted.
    """

    def __init__(self, reporters: Iterable[Reporter] = (), *, stderr: TextIO | None = None) -> None:
        self._reporters = tuple(reporters)
        self._stderr = stderr
        self._closed = False
        self.broken: tuple[str, ...] = ()
        """What was logged about reporters that were dropped."""

    @property
    def tick_s(self) -> float | None:  # type: ignore[override]  # derived here, a plain attribute in the base
        """The shortest wish of the reporters; None when nobody needs ticks."""
        return min((r.tick_s for r in self._reporters if r.tick_s is not None), default=None)

    def add(self, reporter: Reporter) -> None:
        """Append one; it sees the events from now on."""
        self._reporters = (*self._reporters, reporter)

    def handle(self, event: Event) -> None:
        for reporter in self._reporters:
            try:
                reporter.handle(event)
            except Exception as error:  # noqa: BLE001  # isolating any fault of a reporter is the purpose of this class
                self._drop(reporter, error)

    def tick(self, now: float) -> None:
        for reporter in self._reporters:
            if reporter.tick_s is not None:
                try:
                    reporter.tick(now)
                except Exception as error:  # noqa: BLE001  # as in `handle`
                    self._drop(reporter, error)

    def close(self) -> None:
        """Close all of them once; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for reporter in reversed(self._reporters):
            try:
                reporter.close()
            except Exception as error:  # noqa: BLE001  # as in `handle`
                self._drop(reporter, error)

    def _drop(self, reporter: Reporter, error: Exception) -> None:
        if reporter not in self._reporters:
            # Already dropped while this very event was on its way to it.
            return
        self._reporters = tuple(r for r in self._reporters if r is not reporter)
        detail = str(error) or "no message"
        message = f"reporter {type(reporter).__name__} failed and was dropped: {type(error).__name__}: {detail}"
        self.broken = (*self.broken, message)
        shown = next((r for r in self._reporters if r.shows_diagnostics), None)
        if shown is not None:
            try:
                shown.handle(Diagnostic(at=time.time(), level="error", message=message))
            except Exception as second:  # noqa: BLE001  # as in `handle`
                self._drop(shown, second)
            else:
                return
        stderr = self._stderr or sys.stderr
        try:
            stderr.write(f"orchestro: {message}\n")
            stderr.flush()
        except (OSError, ValueError, AttributeError):
            # Nobody is left to tell, or there is no stderr at all; `broken` still holds it.
            return
