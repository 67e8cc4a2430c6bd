"""Lines of results: whole for a pipe, and on a terminal wrapped with the rest set in."""

from __future__ import annotations

import os
import sys

__all__ = ["say", "terminal_columns"]


def terminal_columns() -> int | None:
    """Width of the terminal on standard output; None when it is none, so that nothing may be wrapped."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80 if sys.stdout.isatty() else None
    except (OSError, ValueError):
        return None


def say(text: str, *, indent: int = 4) -> None:
    """Print a line; what does not fit on the terminal follows below, `indent` columns further in."""
    from orchestro.observe.columns import wrap

    columns = terminal_columns()
    if columns is None:
        print(text)
        return
    # The blanks in front would be lost in wrapping.
    front = " " * (len(text) - len(text.lstrip(" ")))
    set_in = front + " " * min(indent, max(columns // 2 - len(front), 0))
    first = wrap(text[len(front) :], max(columns - len(front), 16))
    print(front + first[0])
    rest = text[len(front) + len(first[0]) :].strip()
    for row in wrap(rest, max(columns - len(set_in), 16)) if rest else ():
        print(set_in + row)
