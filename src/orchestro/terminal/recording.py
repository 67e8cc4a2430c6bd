"""The record of one terminal: what was printed and typed, when. Kept in memory, bounded, saved as asciicast v2."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["MAX_RECORDED", "Entry", "Recording"]

MAX_RECORDED = 4 * 1024 * 1024
"""Bytes of output kept per attempt; what comes after is not recorded, and `cut` counts it."""

Entry: TypeAlias = tuple[float, str, bytes | str]
"""(seconds since the start, asciicast code ``o``, ``i``, ``r`` or ``m``, data)."""


class Recording:
    """Entries in the order of time."""

    def __init__(self, cols: int, rows: int) -> None:
        self.cols = cols
        self.rows = rows
        self.entries: list[Entry] = []
        self.cut = 0
        """Bytes of output that were not recorded."""
        self._size = 0

    def output(self, at: float, data: bytes) -> None:
        """The program printed."""
        if self._size >= MAX_RECORDED:
            self.cut += len(data)
            return
        self._size += len(data)
        self.entries.append((at, "o", data))

    def typed(self, at: float, data: bytes) -> None:
        """Something was written to the program."""
        if self._size < MAX_RECORDED:
            self._size += len(data)
            self.entries.append((at, "i", data))

    def resized(self, at: float, cols: int, rows: int) -> None:
        """The terminal got another size."""
        self.entries.append((at, "r", f"{cols}x{rows}"))

    def finish(self, at: float, last_screen: bytes | None) -> None:
        """End it; when output was cut, the last screen is drawn at the end so that a replay ends right."""
        if self.cut:
            self.entries.append((at, "m", f"{self.cut} bytes of output were not recorded"))
            if last_screen:
                self.entries.append((at, "o", b"\x1b[0m\x1b[2J\x1b[H" + last_screen))
