"""Screens kept as text files beside the scenarios: drawing one, comparing, writing, finding the unused.

A file is meant to be read and reviewed: a header, the rows between bars, and, if asked for, a line for each styled run.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from orchestro.records import dataclass
from orchestro.terminal.checks.diff import MAX_DIFF_LINES
from orchestro.terminal.checks.screen import cells, describe_style, is_narrow
from orchestro.terminal.screen import PLAIN, Screen

__all__ = ["SUFFIX", "Wanted", "differences", "draw", "draw_rows", "obsolete", "snapshot_path", "write_snapshot"]

SUFFIX = ".snap"
_HEADER = "# orchestro snapshot 1"
_MASK = "▒"
_MAX_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._=+-]+")
_BLANK = re.compile(r"[ \[\],]+")  # what names of scenarios and of a matrix's combinations are full of
_NUMBER = re.compile(r"[0-9]+")

Span = tuple[int, int]
"""First column, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the screen a snapshot holds."""

    styles: bool = False
    cursor: bool = False
    title: bool = False
    mask: tuple[re.Pattern[str], ...] = ()
    """What matches is replaced by as many blocks as it has cells, its style included: it may change from run to run."""
    row: int = 0
    col: int = 0
    rows: int | None = None
    cols: int | None = None
    """The region; None to the edge of the screen."""


def snapshot_path(folder: Path, scenario: str, name: str) -> Path:
    """Where the snapshot of this name is kept."""
    return folder / _safe(scenario) / (_safe(name) + SUFFIX)


def _safe(name: str) -> str:
    """A file name that can be told from those of other names, and is readable for the usual ones."""
    safe = _UNSAFE.sub("-", name).strip("-.")[:_MAX_NAME] or "snapshot"
    if safe == _BLANK.sub("-", name).strip("-."):
        return safe
    return f"{safe}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def draw(screen: Screen, wanted: Wanted) -> str:
    """The text of a snapshot of the screen as it is now."""
    rows, masked = draw_rows(screen, wanted)
    if not wanted.styles:
        return rows
    return rows + "# styles\n" + "".join(f"{line}\n" for line in _styled(screen, wanted, masked))


def draw_rows(screen: Screen, wanted: Wanted) -> tuple[str, list[list[Span]]]:
    """The part of a snapshot before the styles, and the columns that are masked in each row of the region."""
    cols, rows = screen.size
    first_row, last_row, first_col, last_col = _region(screen, wanted)
    lines: list[str] = []
    spans: list[list[Span]] = []
    for row, line in enumerate(screen.lines()[first_row:last_row], first_row):
        text, masked = _mask(_cut(screen, row, line, first_col, last_col), wanted.mask, first_col)
        lines.append(text)
        spans.append(masked)
    while lines and not lines[-1]:
        lines.pop()
    parts = [_HEADER, f"# size {cols}x{rows}"]
    if (first_row, last_row, first_col, last_col) != (0, rows, 0, cols):
        parts.append(f"# region rows {first_row} to {last_row - 1}, columns {first_col} to {last_col - 1}")
    if wanted.title:
        parts.append(f"# title {screen.title!r}")
    if wanted.cursor:
        cursor = screen.cursor
        parts.append(f"# cursor column {cursor.col}, row {cursor.row}" + ("" if cursor.visible else ", hidden"))
    parts += [f"|{line}" for line in lines]
    return "\n".join(parts) + "\n", spans


def _region(screen: Screen, wanted: Wanted) -> tuple[int, int, int, int]:
    """First and last row, first and last column; the last ones are not part of it."""
    cols, rows = screen.size
    last_row = rows if wanted.rows is None else min(rows, wanted.row + wanted.rows)
    last_col = cols if wanted.cols is None else min(cols, wanted.col + wanted.cols)
    return min(wanted.row, rows), last_row, min(wanted.col, cols), last_col


def _cut(screen: Screen, row: int, line: str, first: int, last: int) -> str:
    """Columns `first` to before `last` of a row; half of a wide character at the edge becomes a blank."""
    if first == 0 and (last >= screen.size[0] or cells(line) <= last):
        return line
    if is_narrow(line):
        return line[first:last].rstrip(" ")
    kept = []
    for col in range(first, last):
        cell = screen.cell(col, row)
        halved = (cell.width == 0 and col == first) or (cell.width == 2 and col == last - 1)
        kept.append(" " if halved else cell.text)
    return "".join(kept).rstrip(" ")


def _mask(line: str, masks: Sequence[re.Pattern[str]], offset: int) -> tuple[str, list[Span]]:
    """The row with what matches replaced, and the columns of the screen that it took."""
    spans: list[Span] = []

    def cover(match: re.Match[str]) -> str:
        width = cells(match[0])
        start = offset + cells(match.string[: match.start()])
        if width:
            spans.append((start, start + width))
        return _MASK * width

    for mask in masks:
        line = mask.sub(cover, line)
    return line.rstrip(" "), spans


def _styled(screen: Screen, wanted: Wanted, masked: Sequence[Sequence[Span]]) -> Iterator[str]:
    first_row, last_row, first_col, last_col = _region(screen, wanted)
    for row, runs in enumerate(screen.styled(first_row, last_row), first_row):
        column = 0
        for run in runs:
            start, end = max(column, first_col), min(column + run.width, last_col)
            column += run.width
            if run.style == PLAIN:
                continue
            for left, right in _outside(start, end, masked[row - first_row]):
                yield f"# row {row}, columns {left} to {right - 1}: {describe_style(run.style)}"


def _outside(start: int, end: int, masked: Sequence[Span]) -> Iterator[Span]:
    """The parts of `start` to before `end` that no mask covers."""
    for left, right in sorted(masked):
        if start < min(left, end):
            yield start, min(left, end)
        start = max(start, right)
    if start < end:
        yield start, end


def differences(expected: str, actual: str) -> tuple[str, ...]:
    """How a screen differs from the stored one, row by row; at most `MAX_DIFF_LINES` lines.

    Lines begin as those of a unified diff; one that begins with ``?`` marks the cells that differ in the row above it.
    """
    lines = ["--- stored", "+++ screen", *_changes(expected, actual)]
    if len(lines) > MAX_DIFF_LINES:
        lines = [*lines[:MAX_DIFF_LINES], f"... {len(lines) - MAX_DIFF_LINES} more lines"]
    return tuple(lines) if len(lines) > 2 else ()


def _changes(expected: str, actual: str) -> Iterator[str]:
    stored, now = _parts(expected), _parts(actual)
    yield from _replaced(stored[0], now[0])
    before: str | None = None
    near = False
    for row, (old, new) in enumerate(itertools.zip_longest(stored[1], now[1], fillvalue="|")):
        if old == new:
            if near:
                yield f" {old}"
            before, near = old, False
            continue
        if not near:
            yield f"@@ row {row} @@"
            if before is not None:
                yield f" {before}"
        yield f"-{old}"
        yield f"+{new}"
        yield f"?{_marker(old, new)}"
        before, near = None, True
    yield from _replaced(stored[2], now[2])


def _parts(text: str) -> tuple[list[str], list[str], list[str]]:
    """Header, rows and styles."""
    parts: tuple[list[str], list[str], list[str]] = ([], [], [])
    place = 0
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("|"):
            place = 1
        elif line == "# styles":
            place = 2
        parts[place].append(line)
    return parts


def _replaced(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Lines that only one of the two has, those that belong together beside each other."""
    gone, come = set(before) - set(after), set(after) - set(before)
    marked = [("-", line) for line in before if line in gone] + [("+", line) for line in after if line in come]
    for sign, line in sorted(marked, key=lambda item: _place(item[1])):
        yield sign + line


def _place(line: str) -> tuple[int, ...]:
    """Row and column of a styled run; lines of the header in the order that they have."""
    return tuple(int(number) for number in _NUMBER.findall(line)[:2]) if line.startswith("# row ") else ()


def _marker(old: str, new: str) -> str:
    """Carets under the cells in which two rows differ."""
    marks = []
    for left, right in itertools.zip_longest(old, new, fillvalue=" "):
        marks.append(("^" if left != right else " ") * max(cells(left), cells(right)))
    return "".join(marks).rstrip()


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
