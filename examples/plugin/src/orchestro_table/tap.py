"""A reporter that writes the Test Anything Protocol, version 13."""

from __future__ import annotations

from orchestro.events import Event, RunStarted, TaskFinished
from orchestro.observe import Reporter
from orchestro.observe.registry import ReporterOptions

__all__ = ["TapReporter"]


class TapReporter(Reporter):
    """Writes to the target that was given, else to standard output."""

    def __init__(self, options: ReporterOptions) -> None:
        self._options = options
        self._lines: list[str] = []
        self._number = 0

    def handle(self, event: Event) -> None:
        """A line for each scenario."""
        if isinstance(event, RunStarted):
            self._lines += ["TAP version 13", f"1..{event.tasks}"]
        elif isinstance(event, TaskFinished):
            self._number += 1
            ok = "ok" if event.outcome.ok or event.outcome == "skipped" else "not ok"
            skip = f" # SKIP {event.reason}" if event.outcome == "skipped" else ""
            self._lines.append(f"{ok} {self._number} - {event.name}{skip}")

    def close(self) -> None:
        """Write everything at the end."""
        text = "\n".join(self._lines) + "\n"
        if self._options.target in ("", "-"):
            self._options.stdout.write(text)
        else:
            with open(self._options.target, "w", encoding="utf-8") as file:
                file.write(text)
