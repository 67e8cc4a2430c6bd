"""The append-only log of one run: a line of JSON for each event.

Lines are handed to the kernel whenever a verdict is among them, so that killing orchestro loses no result; step events
in between travel with the next verdict.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from orchestro.events import (
    ArtifactWritten,
    Event,
    StepFinished,
    StepStarted,
    from_dict,
    to_json,
)

__all__ = ["NAME", "RunLog", "read_log"]

NAME = "events.jsonl"
"""Name of the log in the directory of the run."""

_WAIT = (StepStarted, StepFinished, ArtifactWritten)
_MAX_WAITING = 256


class RunLog:
    """Writes the log. `write` raises OSError when the disk refuses."""

    def __init__(self, directory: str) -> None:
        self._fd = os.open(os.path.join(directory, NAME), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._waiting: list[str] = []

    def write(self, event: Event) -> None:
        """Append an event."""
        self._waiting.append(to_json(event))
        if not isinstance(event, _WAIT) or len(self._waiting) >= _MAX_WAITING:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            data = ("\n".join(self._waiting) + "\n").encode("utf-8", "replace")
            self._waiting.clear()
            while data:
                data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Write what waits and close. Twice is harmless."""
        if self._fd >= 0:
            self._flush()
            os.close(self._fd)
            self._fd = -1


def read_log(directory: str) -> Iterator[Event]:
    """The events of a run in order. A last line that was torn by a crash is dropped, unknown events are passed over."""
    with open(os.path.join(directory, NAME), encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            try:
                event = from_dict(json.loads(line))
            except (ValueError, TypeError):
                continue
            if event is not None:
                yield event
