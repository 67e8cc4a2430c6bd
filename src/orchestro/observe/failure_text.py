"""A failure as lines of text: the same in the console, in JUnit, in annotations and in ``orchestro show``."""

from __future__ import annotations

from collections.abc import Sequence

from orchestro.model import Failure, Source
from orchestro.observe.columns import clean, clip, pad, width, wrap
from orchestro.observe.paint import PLAIN, Paint

__all__ = ["MAX_BLOCK_LINES", "MAX_OUTPUT_LINES", "failure_lines", "place", "screen_box"]

MAX_BLOCK_LINES = 60
"""Lines shown of a diff or of a value of many lines; the rest is counted."""
MAX_OUTPUT_LINES = 12
"""Lines shown of the end of the program's output."""
_LABEL = 13
"""Columns of the labels on the left."""


def failure_lines(
    failure: Failure,
    *,
    paint: Paint = PLAIN,
    columns: int | None = None,
    rerun: str = "",
    where: Source | None = None,
    screen: bool = True,
) -> list[str]:
    """All that is known of a failure, without the name of the scenario and without indentation.

    `columns` bounds the lines, except `rerun` (a command to copy); None leaves them as long as they are. `where` is
    the place of the scenario, used when the failure has none of its own. Without `screen` neither screen nor output.
    """
    lines: list[str] = []
    heading = place(failure, where)
    if heading:
        lines += [paint.link(line) for line in wrap(clean(heading), columns)]
    for message in failure.message.splitlines():
        lines += [paint.bad(line) for line in wrap(clean(message), columns)]
    if failure.waited_for and failure.waited_for != failure.expected:
        lines += _field("waited for", failure.waited_for, paint, columns)
    if failure.nearest:
        lines += _field("nearest", failure.nearest, paint, columns)
    lines += _comparison(failure, paint, columns)
    if screen and failure.screen:
        lines += screen_box(failure.screen, failure.cursor, paint=paint, columns=columns)
    if failure.inputs:
        lines += _field(
            "last inputs", " · ".join(failure.inputs) if paint.unicode else ", ".join(failure.inputs), paint, columns
        )
    if screen:
        lines += _output(failure, paint, columns)
    if failure.hint:
        lines += _field("hint", failure.hint, paint, columns)
    if rerun:
        lines.append(paint.dim(pad("run again", _LABEL)) + clean(rerun))
    return lines


def place(failure: Failure, where: Source | None = None) -> str:
    """``FILE:LINE, step 3 (see: saved)``: as much of it as is known."""
    source = failure.source if failure.source.file else where or failure.source
    step = f"step {failure.index + 1}" if failure.index >= 0 else ""
    if failure.step:
        step = f"{step} ({failure.step})" if step else failure.step
    return ", ".join(part for part in (str(source), step) if part)


def _field(label: str, value: str, paint: Paint, columns: int | None) -> list[str]:
    """A label and its value; a value of several lines stands below it in a block."""
    head = paint.dim(pad(label, _LABEL))
    rows = value.splitlines()
    if len(rows) > 1:
        return [paint.dim(label), *_block(rows, paint, columns)]
    room = None if columns is None else columns - _LABEL
    if room is not None and room < 16:
        return [paint.dim(label), *("  " + line for line in wrap(clean(value), (columns or 0) - 2))]
    first, *others = wrap(clean(value), room)
    return [head + first, *(" " * _LABEL + line for line in others)]


def _block(rows: Sequence[str], paint: Paint, columns: int | None) -> list[str]:
    bar = paint.dim("│" if paint.unicode else "|") + " "
    room = None if columns is None else columns - 2
    shown = [bar + line for row in rows[:MAX_BLOCK_LINES] for line in wrap(clean(row.expandtabs(8)), room)]
    return [*shown, *_left_out(len(rows) - MAX_BLOCK_LINES, paint)]


def _left_out(number: int, paint: Paint) -> list[str]:
    if number <= 0:
        return []
    return [paint.dim(f"{paint.ellipsis} {number} more line{'s' if number > 1 else ''}")]


def _comparison(failure: Failure, paint: Paint, columns: int | None) -> list[str]:
    """Expected and actual where they are short, else the diff, which holds both."""
    short = "\n" not in failure.expected.rstrip("\n") and "\n" not in failure.actual.rstrip("\n")
    lines: list[str] = []
    if short or not failure.diff:
        if failure.expected:
            lines += _field("expected", failure.expected, paint, columns)
        if failure.actual or failure.expected:
            lines += _field("actual", failure.actual or "(nothing)", paint, columns)
    if failure.diff and not (short and failure.expected):
        lines.append(paint.dim("diff, - expected + actual"))
        for row in failure.diff[:MAX_BLOCK_LINES]:
            text = clean(row.rstrip("\n").expandtabs(8))
            color = paint.bad if text.startswith("-") else paint.good if text.startswith("+") else paint.dim
            lines += ["  " + color(line) for line in wrap(text, None if columns is None else columns - 2)]
        lines += _left_out(len(failure.diff) - MAX_BLOCK_LINES, paint)
    return lines


def _output(failure: Failure, paint: Paint, columns: int | None) -> list[str]:
    """The end of the output, unless the screen above shows just that."""
    rows = [row.rstrip() for row in failure.output.splitlines()]
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        return []
    tail = rows[-MAX_OUTPUT_LINES:]
    on_screen = {row.strip() for row in failure.screen}
    if all(row.strip() in on_screen for row in tail if row):
        return []
    cut = len(rows) - len(tail)
    label = "output" if not cut else f"output, the last {len(tail)} of {len(rows)} lines"
    return [paint.dim(label), *_block(tail, paint, columns)]


def screen_box(
    screen: Sequence[str], cursor: tuple[int, int] | None, *, paint: Paint = PLAIN, columns: int | None = None
) -> list[str]:
    """The rows of a screen in a frame with row numbers at the left and column numbers on top.

    The cursor is marked by ``>`` at its row and ``^`` under its column, and reversed where there are colours. Empty
    rows at the end are counted, not drawn. Rows that do not fit into `columns` are clipped.
    """
    last = max((n for n, row in enumerate(screen) if row.strip()), default=-1)
    if cursor is not None:
        last = max(last, min(cursor[1], len(screen) - 1))
    rows = [clean(row) for row in screen[: last + 1]]
    digits = len(str(max(last, 0)))
    inner = max([20, *(width(row) for row in rows), *([cursor[0] + 1] if cursor else [])])
    cut = columns is not None and inner > columns - digits - 3
    if columns is not None and cut:
        inner = max(columns - digits - 3, 8)
    left, right, line, corners = ("│", "│", "─", "┌┐└┘") if paint.unicode else ("|", "|", "-", "++++")
    lines = [" " * (digits + 1) + paint.dim(corners[0] + _ruler(inner, line) + corners[1])]
    for number, row in enumerate(rows):
        here = cursor is not None and cursor[1] == number
        text = pad(clip(row, inner, paint.ellipsis[:1]), inner)
        if here and cursor is not None and paint.color:
            text = _reverse_column(text, cursor[0])
        label = paint.bold(f"{number:>{digits}}>") if here else paint.dim(f"{number:>{digits}} ")
        lines.append(label + paint.dim(left) + text + paint.dim(right))
    bottom = line * inner
    note = ""
    if cursor is not None:
        if cursor[0] < inner:
            bottom = bottom[: cursor[0]] + "^" + bottom[cursor[0] + 1 :]
        note = f"cursor: row {cursor[1]}, column {cursor[0]}"
    lines.append(" " * (digits + 1) + paint.dim(corners[2] + bottom + corners[3]))
    empty = len(screen) - len(rows)
    below = [part for part in (note, f"{empty} empty row{'s' if empty > 1 else ''} below" if empty else "") if part]
    if cut:
        below.append("clipped to the window")
    if below:
        lines += [
            " " * (digits + 1) + paint.dim(text) for text in wrap("; ".join(below), columns and columns - digits - 1)
        ]
    return lines


def _ruler(columns: int, line: str) -> str:
    """The top of the frame: each tenth column is numbered at its place, as far as the number fits."""
    ruler = ""
    for mark in range(0, columns, 10):
        ruler += (str(mark) + line * 10)[:10]
    ruler = ruler[:columns]
    # A number cut by the right corner would be a wrong one.
    last = str((columns - 1) // 10 * 10)
    rest = (columns - 1) % 10 + 1
    return ruler if len(last) <= rest else ruler[:-rest] + line * rest


def _reverse_column(text: str, column: int) -> str:
    taken = 0
    for index, char in enumerate(text):
        size = width(char)
        if taken <= column < taken + size:
            return f"{text[:index]}\x1b[7m{char}\x1b[27m{text[index + 1 :]}"
        taken += size
    return text
