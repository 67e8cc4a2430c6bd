"""Mistakes in documents, each with its line and a caret under the place."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TextIO

from orchestro.errors import Problem

__all__ = ["show_problems"]

_WIDEST = 160
"""Columns of a line that is shown, where no terminal bounds it."""
_READ = 1 << 20
"""Characters of a file that are read: no document may be longer."""
_BREAK = re.compile("[\n\x85\u2028\u2029]")
"""What YAML counts as the end of a line."""


def show_problems(
    problems: Sequence[Problem], stream: TextIO, env: Mapping[str, str], *, end: str = "; nothing was run"
) -> None:
    """Write all of them and their number; `end` follows the number.

    What a file says is written with its control characters made harmless.
    """
    from orchestro.observe.columns import clean, wrap
    from orchestro.observe.paint import Paint

    paint = Paint(color=_colored(stream, env))
    columns = _columns(stream)
    for problem in problems:
        place = clean(f"{problem.file}:{problem.line}:{problem.column}")
        key = f"{problem.key}: " if problem.key else ""
        hint = f" ({problem.hint})" if problem.hint else ""
        text = clean(f"{key}{problem.message}{hint}")
        rows = wrap(f"{place}: {text}", columns) if stream.isatty() else [f"{place}: {text}"]
        head = rows[0].removeprefix(place)
        rows[0] = rows[0] if head == rows[0] else paint.bold(place) + head
        stream.writelines(f"{row}\n" for row in rows)
        line, caret = _excerpt(_line(problem.file, problem.line), problem.column - 1, columns - 4)
        if line:
            stream.write(f"    {line}\n    {' ' * caret}{paint.sgr('1;31', '^')}\n")
    count, files = len(problems), len({problem.file for problem in problems})
    where = f" in {files} files" if files > 1 else ""
    stream.write(f"{count} mistake{'s' if count != 1 else ''} found{where}{end}\n")


def _colored(stream: TextIO, env: Mapping[str, str]) -> bool:
    """As the console decides."""
    if env.get("NO_COLOR"):
        return False
    forced = env.get("FORCE_COLOR", "")
    return forced not in ("", "0") or (stream.isatty() and forced != "0" and env.get("TERM") not in (None, "dumb"))


def _columns(stream: TextIO) -> int:
    try:
        return min(os.get_terminal_size(stream.fileno()).columns or 80, _WIDEST)
    except (OSError, ValueError, AttributeError):
        return _WIDEST


@lru_cache(maxsize=64)
def _lines(file: str) -> tuple[str, ...]:
    try:
        with open(file, encoding="utf-8-sig", errors="replace") as source:
            return tuple(_BREAK.split(source.read(_READ)))
    except OSError:
        return ()


def _line(file: str, number: int) -> str:
    lines = _lines(os.path.abspath(file))
    return lines[number - 1] if 1 <= number <= len(lines) else ""


def _excerpt(line: str, index: int, columns: int) -> tuple[str, int]:
    """What of a line fits into `columns` around the character at `index`, and the column of that character.

    Empty where there is nothing to see. Each control character counts as one column, as it is shown as a blank.
    """
    from orchestro.observe.columns import clip, width

    line = "".join(c if c.isprintable() else " " for c in line).rstrip()
    index = min(max(index, 0), len(line))
    if not line:
        return "", 0
    columns = max(columns, 20)
    if width(line[:index]) < columns - 1:
        return clip(line, columns), width(line[:index])
    # Too far to the right: begin so that the place has a third of the room behind it.
    start = index
    while start > 0 and width(line[start - 1 : index]) < columns * 2 // 3 - 1:
        start -= 1
    return clip(f"…{line[start:]}", columns), 1 + width(line[start:index])
