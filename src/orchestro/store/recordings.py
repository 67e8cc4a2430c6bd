"""Writes recordings beside the run, in a thread of its own: creating files is slow enough to hold up the terminals."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["RecordingWriter"]

_MAX_WAITING = 64
"""Recordings that may wait to be written; with more, whoever ends an attempt waits."""

Write = Callable[[str, Mapping[str, Any], Sequence[Any]], None]


class RecordingWriter:
    """Calls `write(path, header, entries)` for each recording, in order. Paths are absolute.

    The thread is started with the first recording. Errors are kept in `failures`, as text.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._queue: queue.Queue[tuple[str, Mapping[str, Any], Sequence[Any]] | None] = queue.Queue(_MAX_WAITING)
        self._thread: threading.Thread | None = None
        self.failures: list[str] = []

    def submit(self, path: str, header: Mapping[str, Any], entries: Sequence[Any]) -> None:
        """Have it written soon; `entries` must not change any more."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=RecordingWriter.__name__, daemon=True)
            self._thread.start()
        self._queue.put((path, header, entries))

    def close(self) -> None:
        """Return once everything is written. Twice is harmless."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                self._write(*job)
            except (OSError, ValueError) as error:
                self.failures.append(f"the recording {job[0]} was not written: {error}")
