"""Writes recordings beside the run, in a thread of its own: creating files is slow enough to hold up the terminals."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["RecordingWriter"]

_BATCH = 32
"""Recordings that are written together: waking the thread for each costs as much as writing it."""
_MAX_BATCHES = 4
"""Batches that may wait to be written; with more, whoever ends an attempt waits."""

Job = tuple[str, Mapping[str, Any], Sequence[Any]]
Write = Callable[[str, Mapping[str, Any], Sequence[Any]], None]


class RecordingWriter:
    """Calls `write(path, header, entries)` for each recording, in order. Paths are absolute.

    The thread is started with the first batch. Errors are kept in `failures`, as text.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._queue: queue.Queue[list[Job] | None] = queue.Queue(_MAX_BATCHES)
        self._batch: list[Job] = []
        self._thread: threading.Thread | None = None
        self.failures: list[str] = []

    def submit(self, path: str, header: Mapping[str, Any], entries: Sequence[Any], *, now: bool = False) -> None:
        """Have it written, with those of the next attempts or `now`; `entries` must not change any more."""
        self._batch.append((path, header, entries))
        if now or len(self._batch) >= _BATCH:
            self._pass_on()

    def _pass_on(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=RecordingWriter.__name__, daemon=True)
            self._thread.start()
        self._queue.put(self._batch)
        self._batch = []

    def close(self) -> None:
        """Return once everything is written. Twice is harmless."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._write_all(self._batch)
        self._batch = []

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            self._write_all(batch)

    def _write_all(self, batch: Sequence[Job]) -> None:
        for job in batch:
            try:
                self._write(*job)
            except (OSError, ValueError) as error:
                self.failures.append(f"the recording {job[0]} was not written: {error}")
