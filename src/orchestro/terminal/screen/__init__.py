"""Terminal screens. `protocol` is the contract; `ghostty` and `pyte_screen` are its back ends; `open_screen` chooses.

`redraw` draws a screen as bytes again. A back end is imported when the first screen is opened.
"""

from __future__ import annotations

import os

from orchestro.terminal.screen.protocol import PLAIN, Cell, Color, Cursor, Modes, Screen, Style, StyledRun

__all__ = [
    "BACKENDS",
    "MAX_SIDE",
    "PLAIN",
    "Cell",
    "Color",
    "Cursor",
    "Modes",
    "Screen",
    "Style",
    "StyledRun",
    "open_screen",
]

BACKENDS = ("ghostty", "pyte")
"""Names of the back ends, the preferred one first."""

MAX_SIDE = 2000
"""Most columns or rows of a screen: far beyond any display, and it keeps one screen below 64 MB."""


def open_screen(cols: int, rows: int, *, backend: str = "auto", scrollback: int = 2000) -> Screen:
    """A new screen of `cols` by `rows` cells that keeps about `scrollback` lines of history.

    `backend` is one of `BACKENDS`, or ``auto`` for the first that this machine has; the environment variable
    ORCHESTRO_SCREEN then names another choice. Raises ValueError for a size outside 1 to `MAX_SIDE` or an unknown back
    end, and ImportError or OSError when the one asked for by name is not there.
    """
    if not (1 <= cols <= MAX_SIDE and 1 <= rows <= MAX_SIDE):
        raise ValueError(f"a screen has 1 to {MAX_SIDE} columns and rows, not {cols}x{rows}")
    if backend == "auto":
        backend = os.environ.get("ORCHESTRO_SCREEN") or "auto"
    if backend in {"auto", "ghostty"}:
        try:
            from orchestro.terminal.screen.ghostty import GhosttyScreen

            return GhosttyScreen(cols, rows, scrollback=scrollback)
        except (ImportError, OSError):
            if backend == "ghostty":
                raise
    elif backend != "pyte":
        raise ValueError(f"unknown screen back end {backend!r}: expected auto, {' or '.join(BACKENDS)}")
    from orchestro.terminal.screen.pyte_screen import PyteScreen

    return PyteScreen(cols, rows, scrollback=scrollback)
