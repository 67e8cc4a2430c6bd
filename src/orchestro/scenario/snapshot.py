"""Screens kept as text files beside the scenarios: drawing one, comparing, writing, finding the unused.

A file is meant to be read and reviewed: a header, the rows between bars, and, if asked for, a line for each styled run.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestro.terminal.checks.screen import cells, describe_style
from orchestro.terminal.screen import PLAIN, Screen

__all__ = ["SUFFIX", "Wanted", "differences", "draw", "obsolete", "snapshot_path", "write_snapshot"]

SUFFIX = ".snap"
_HEADER = "# orchestro snapshot 1"
_MASK = "▒"
_UNSAFE = re.compile(r"[^A-Za-z0-9._=+-]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the screen a snapshot holds."""

    styles: bool = False
    cursor: bool = False
    title: bool = False
    mask: tuple[re.Pattern[str], ...] = ()
    """What matches is replaced, so that it may change from run to run."""
    row: int = 0
    col: int = 0
    rows: int | None = None
    cols: int | None = None
    """The region; None to the edge of the screen."""


def snapshot_path(folder: Path, scenario: str, name: str) -> Path:
    """Where the snapshot of this name is kept."""
    return folder / _safe(scenario) / (_safe(name) + SUFFIX)


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name).strip("-.")[:100] or "snapshot"


def draw(screen: Screen, wanted: Wanted) -> str:
    """The text of a snapshot of the screen as it is now."""
    cols, rows = screen.size
    last_row = min(rows, wanted.row + (rows if wanted.rows is None else wanted.rows))
    last_col = min(cols, wanted.col + (cols if wanted.cols is None else wanted.cols))
    lines = [_masked(_cut(line, wanted.col, last_col), wanted.mask) for line in screen.lines()[wanted.row : last_row]]
    while lines and not lines[-1]:
        lines.pop()
    parts = [_HEADER, f"# size {cols}x{rows}"]
    if (wanted.row, wanted.col, last_row, last_col) != (0, 0, rows, cols):
        parts.append(f"# region rows {wanted.row} to {last_row - 1}, columns {wanted.col} to {last_col - 1}")
    if wanted.title:
        parts.append(f"# title {screen.title!r}")
    if wanted.cursor:
        cursor = screen.cursor
        parts.append(f"# cursor column {cursor.col}, row {cursor.row}" + ("" if cursor.visible else ", hidden"))
    parts += [f"|{line}" for line in lines]
    if wanted.styles:
        parts.append("# styles")
        parts += _styled(screen, wanted.row, last_row, wanted.col, last_col)
    return "\n".join(parts) + "\n"


def _cut(line: str, first: int, last: int) -> str:
    if first == 0 and cells(line) <= last:
        return line
    column = 0
    kept = []
    for character in line:
        if first <= column < last:
            kept.append(character)
        column += cells(character)
    return "".join(kept).rstrip()


def _masked(line: str, masks: Sequence[re.Pattern[str]]) -> str:
    for mask in masks:
        line = mask.sub(lambda match: _MASK * cells(match[0]), line)
    return line.rstrip()


def _styled(screen: Screen, first: int, last: int, first_col: int, last_col: int) -> Iterator[str]:
    for row, runs in enumerate(screen.styled(first, last), first):
        column = 0
        for run in runs:
            start, end = max(column, first_col), min(column + run.width, last_col)
            column += run.width
            if run.style != PLAIN and start < end:
                yield f"# row {row}, columns {start} to {end - 1}: {describe_style(run.style)}"


def differences(expected: str, actual: str) -> tuple[str, ...]:
    """Unified diff of two snapshots; under a changed row, ``?`` lines mark the cells that differ. At most 200 lines."""
    lines: list[str] = []
    for line in difflib.ndiff(expected.splitlines(), actual.splitlines()):
        text = line.rstrip("\n")
        if text.startswith("  ") and text[2:].startswith("|"):
            continue  # an unchanged row
        lines.append(text)
    return tuple(lines[:200])


def write_snapshot(path: Path, text: str) -> None:
    """Write atomically; two scenarios that write the same file at once leave one of the two whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def obsolete(folder: str | Path, used: Collection[str]) -> list[Path]:
    """Snapshot files below `folder` that are not among `used`."""
    known = {os.path.abspath(path) for path in used}
    return sorted(path for path in Path(folder).rglob("*" + SUFFIX) if os.path.abspath(path) not in known)
