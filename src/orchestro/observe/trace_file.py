"""A file in the trace event format of Chrome and Perfetto: a JSON array that is written while the run goes on.

The format: "Trace Event Format", Google 2016. Readers accept an array whose end is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

__all__ = ["CHUNK", "TraceFile"]

CHUNK = 65_536
"""Bytes that are held back at the most, so that not each of the many small events is a call of the system."""

_FALSE = b'"critical":false'
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class TraceFile:
    """Written beside `path` as a draft that takes its place when closed. Every method may raise OSError; then the
    draft is gone.

    What reaches the disk always ends with a whole event, so a draft that a crash left behind can be loaded, too.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        # The number of the process keeps two runs apart that write the same trace.
        self._draft = f"{self._path}.{os.getpid()}.tmp"
        self._file = open(self._draft, "w+b", buffering=0)  # noqa: SIM115  # closed in `close` and `discard`
        self._held = bytearray()
        self._written = 0
        self._empty = True

    def add(self, event: dict[str, Any]) -> int:
        """Append an event. Returns where its ``"critical":false`` stands, for `set_critical`; -1 without one."""
        data = _encode(event).encode("utf-8", "replace")
        self._held += b"[\n" if self._empty else b",\n"
        self._empty = False
        place = data.find(_FALSE)
        at = -1 if place < 0 else self._written + len(self._held) + place
        self._held += data
        if len(self._held) >= CHUNK:
            self._flush()
        return at

    def set_critical(self, places: list[int]) -> None:
        """Turn the ``false`` at each of the places into ``true``: what was critical is known only at the end."""
        try:
            self._flush()
            for place in places:
                self._file.seek(place)
                # As long as what stands there; JSON does not mind the blank.
                self._file.write(_FALSE.replace(b"false", b"true "))
            self._file.seek(0, os.SEEK_END)
        except OSError:
            self.discard()
            raise

    def close(self) -> None:
        """End the array and put the file in its place."""
        self._held += b"[]\n" if self._empty else b"\n]\n"
        self._flush()
        self._file.close()
        try:
            os.replace(self._draft, self._path)
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove the draft. What was at `path` before stays as it was."""
        self._file.close()
        with contextlib.suppress(OSError):
            os.unlink(self._draft)

    def _flush(self) -> None:
        data = bytes(self._held)
        self._held.clear()
        try:
            while data:
                count = self._file.write(data)
                self._written += count
                data = data[count:]
        except OSError:
            self.discard()
            raise
