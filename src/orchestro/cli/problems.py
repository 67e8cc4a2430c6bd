"""Mistakes in documents, each with its line and a caret under the place."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TextIO

from orchestro.errors import Problem

__all__ = ["show_problems"]

_WIDTH = 160


def show_problems(problems: Sequence[Problem], stream: TextIO, env: Mapping[str, str]) -> None:
    """Write all of them and their number."""
    color = stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
    bold, red, plain = ("\x1b[1m", "\x1b[31m", "\x1b[0m") if color else ("", "", "")
    for problem in problems:
        place = f"{problem.file}:{problem.line}:{problem.column}"
        key = f"{problem.key}: " if problem.key else ""
        hint = f" ({problem.hint})" if problem.hint else ""
        stream.write(f"{bold}{place}{plain}: {key}{problem.message}{hint}\n")
        line = _line(problem.file, problem.line)
        if line.strip():
            caret = " " * (problem.column - 1) if problem.column <= len(line) + 1 else ""
            stream.write(f"    {line}\n    {caret}{red}^{plain}\n")
    count = len(problems)
    stream.write(f"{count} mistake{'s' if count != 1 else ''} found; nothing was run\n")


@lru_cache(maxsize=64)
def _lines(file: str) -> tuple[str, ...]:
    try:
        with open(file, encoding="utf-8", errors="replace") as source:
            return tuple(source.read(1 << 20).splitlines())
    except OSError:
        return ()


def _line(file: str, number: int) -> str:
    lines = _lines(os.path.abspath(file))
    line = lines[number - 1] if 1 <= number <= len(lines) else ""
    line = "".join(c if c.isprintable() else " " for c in line)
    return line if len(line) <= _WIDTH else line[:_WIDTH]
