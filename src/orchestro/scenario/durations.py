"""Durations as people write them: ``0.5``, ``500ms``, ``30s``, ``2m``, ``1h``, ``1m30s``."""

from __future__ import annotations

import re

__all__ = ["DURATION_PATTERN", "LONGEST_S", "format_duration", "parse_duration"]

LONGEST_S = 30 * 24 * 3600.0
"""Seconds; anything longer is a slip of the pen, and timers of the event loop do not take infinity."""

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
DURATION_PATTERN = (
    rf"^\s*(?:{_NUMBER}|(?:{_NUMBER}\s*h\s*)?(?:{_NUMBER}\s*m\s*)?(?:{_NUMBER}\s*s\s*)?(?:{_NUMBER}\s*ms)?)\s*$"
)
"""For the JSON Schema; also matches blank text, which `parse_duration` refuses."""

_SHAPE = re.compile(DURATION_PATTERN)
_PART = re.compile(rf"({_NUMBER})\s*(ms|s|m|h|)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def parse_duration(text: str) -> float:
    """Seconds, at least 0. Raises ValueError saying what is wrong."""
    parts = _PART.findall(text) if len(text) <= 64 and _SHAPE.match(text) else []
    if not parts:
        raise ValueError("not a duration")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST_S:
        raise ValueError(f"longer than {format_duration(LONGEST_S)}")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest spelling that `parse_duration` reads back, to the millisecond: ``1m30s``, ``250ms``."""
    milliseconds = round(seconds * 1000)
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
