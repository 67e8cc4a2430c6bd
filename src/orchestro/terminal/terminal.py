"""One program on one terminal: the driver, the stream of its output, its screen, its recording, and every wait."""

from __future__ import annotations

__all__ = ["Terminal"]


class Terminal:
    """Placeholder until the core lands."""
