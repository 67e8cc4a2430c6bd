"""Recordings as frames: what changed on the screen, row by row, with rows and styles kept once for the whole report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Any

from orchestro.records import dataclass
from orchestro.terminal.cast import read_cast
from orchestro.terminal.render.palette import css
from orchestro.terminal.screen import PLAIN, Screen, Style, StyledRun, open_screen

__all__ = ["MAX_FRAMES", "Replay", "Tables", "replay"]

MAX_FRAMES = 400
"""Frames of one attempt; a recording with more is drawn less often."""
_TOGETHER_S = 0.03
"""Output that comes within so many seconds is one frame, unless an input or the edge of a step is between."""


@dataclass(slots=True)
class Tables:
    """Rows and styles of all replays, each kept once; `size` counts the characters that they will take in the page."""

    styles: list[str] = field(default_factory=list)
    rows: list[list[list[Any]]] = field(default_factory=list)
    size: int = 0
    _style_of: dict[Style, int] = field(default_factory=dict)
    _row_of: dict[tuple[StyledRun, ...], int] = field(default_factory=dict)

    def row(self, runs: Sequence[StyledRun]) -> int:
        """Number of a row of runs."""
        key = tuple(runs)
        number = self._row_of.get(key)
        if number is None:
            number = self._row_of[key] = len(self.rows)
            self.rows.append([[run.text, self.style(run.style), run.width] for run in runs])
            self.size += sum(len(run.text) + 10 for run in runs)
        return number

    def __post_init__(self) -> None:
        self.styles.append("")
        self._style_of[PLAIN] = 0

    def style(self, style: Style) -> int:
        """Number of a style; 0 is the plain one."""
        number = self._style_of.get(style)
        if number is None:
            number = self._style_of[style] = len(self.styles)
            self.styles.append(_declarations(style))
        return number


def _declarations(style: Style) -> str:
    fg = "var(--term-fg)" if style.fg is None else css(style.fg)
    bg = "var(--term-bg)" if style.bg is None else css(style.bg)
    if style.reverse:
        fg, bg = bg, fg
    parts = []
    if style.fg is not None or style.reverse:
        parts.append(f"color:{fg}")
    if style.bg is not None or style.reverse:
        parts.append(f"background:{bg}")
    if style.bold:
        parts.append("font-weight:700")
    if style.faint:
        parts.append("opacity:.6")
    if style.italic:
        parts.append("font-style:italic")
    if style.invisible:
        parts.append("visibility:hidden")
    lines = [
        word
        for on, word in (
            (style.underline, "underline"),
            (style.strikethrough, "line-through"),
            (style.overline, "overline"),
        )
        if on
    ]
    if lines:
        kind = {2: " double", 3: " wavy", 4: " dotted", 5: " dashed"}.get(style.underline, "")
        parts.append(f"text-decoration:{' '.join(lines)}{kind}")
    return ";".join(parts)


@dataclass(slots=True)
class Replay:
    """Frames of one attempt: [seconds, [[row, number of its runs], ...], cursor column or -1, cursor row]."""

    cols: int
    rows: int
    frames: list[list[Any]]
    inputs: list[list[Any]]
    """[seconds, what was typed, made readable]."""

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {"cols": self.cols, "rows": self.rows, "frames": self.frames, "inputs": self.inputs}


def replay(path: str, edges: Iterable[float], tables: Tables) -> Replay:
    """Draw the recording at `path`; `edges` are the beginnings and ends of steps, in seconds.

    Raises OSError and ValueError for a file that is missing or no recording.
    """
    header, events = read_cast(path)
    cols, rows = _side(header.get("width"), 80), _side(header.get("height"), 24)
    apart = _TOGETHER_S
    steps = sorted(edges)
    groups = _grouped(events, steps, apart)
    while len(groups) > MAX_FRAMES:
        apart *= 2
        if apart > 1e6:
            groups = groups[:MAX_FRAMES]
            break
        groups = _grouped(events, steps if apart < 1 else (), apart)
    screen = open_screen(cols, rows)
    try:
        frames = _frames(screen, groups, tables)
    finally:
        screen.close()
    inputs = [[round(at, 4), readable(data)] for at, code, data in events if code == "i"][:2000]
    most = max([(cols, rows), *_sizes(events)], key=lambda size: size[0] * size[1])
    return Replay(max(most[0], cols), max(most[1], rows), frames, inputs)


def _side(value: Any, default: int) -> int:
    return value if isinstance(value, int) and 1 <= value <= 2000 else default


def _sizes(events: Sequence[tuple[float, str, str]]) -> list[tuple[int, int]]:
    sizes = []
    for _, code, data in events:
        if code == "r":
            cols, _, rows = data.partition("x")
            if cols.isdigit() and rows.isdigit():
                sizes.append((_side(int(cols), 80), _side(int(rows), 24)))
    return sizes


_Event = tuple[float, str, str]


def _grouped(events: Sequence[_Event], edges: Sequence[float], apart: float) -> list[list[_Event]]:
    """Output that belongs to one frame; typing and the edges of steps come between frames."""
    groups: list[list[_Event]] = []
    start = -1.0
    edge = 0
    split = True
    for event in events:
        at, code, _ = event
        while edge < len(edges) and edges[edge] <= at:
            edge += 1
            split = True
        if code == "i":
            split = split or apart < 1
            continue
        if code == "m":
            continue
        if split or at - start > apart:
            groups.append([])
            start = at
            split = False
        groups[-1].append(event)
    return groups


def _frames(screen: Screen, groups: Sequence[Sequence[_Event]], tables: Tables) -> list[list[Any]]:
    shown: list[int] = []
    frames: list[list[Any]] = []
    for group in groups:
        for _, code, data in group:
            if code == "r":
                cols, _, rows = data.partition("x")
                if cols.isdigit() and rows.isdigit():
                    screen.resize(_side(int(cols), 80), _side(int(rows), 24))
            else:
                screen.feed(data.encode("utf-8", "replace"))
        now = [tables.row(runs) for runs in screen.styled()]
        before = shown + [-1] * (len(now) - len(shown))
        changes = [[row, number] for row, number in enumerate(now) if before[row] != number]
        if len(now) < len(shown):
            empty = tables.row(())
            changes += [[row, empty] for row in range(len(now), len(shown))]
        cursor = screen.cursor
        frames.append([round(group[-1][0], 4), changes, cursor.col if cursor.visible else -1, cursor.row])
        tables.size += 24 + 10 * len(changes)
        shown = now
    return frames


_NAMES = {
    "\r": "⏎",
    "\n": "⏎",
    "\t": "⇥",
    "\x1b": "Esc",
    "\x7f": "⌫",
    "\x1b[A": "↑",
    "\x1b[B": "↓",
    "\x1b[C": "→",
    "\x1b[D": "←",
    "\x1bOA": "↑",
    "\x1bOB": "↓",
    "\x1bOC": "→",
    "\x1bOD": "←",
    "\x1b[H": "Home",
    "\x1b[F": "End",
    "\x1b[2~": "Ins",
    "\x1b[3~": "Del",
    "\x1b[5~": "PgUp",
    "\x1b[6~": "PgDn",
    "\x1b[Z": "Shift+⇥",
    **{f"\x1bO{final}": f"F{number}" for number, final in enumerate("PQRS", 1)},
    **{f"\x1b[{code}~": f"F{number}" for number, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24), 5)},
}


def readable(data: str) -> str:
    """What was typed, for people: keys by sign or name, at most 80 characters."""
    if data in _NAMES:
        return _NAMES[data]
    if data.startswith("\x1b[200~"):
        return "paste " + readable(data.removeprefix("\x1b[200~").removesuffix("\x1b[201~"))
    text = "".join(
        _NAMES.get(c) or (c if c.isprintable() else f"^{chr(ord(c) ^ 64)}" if c < " " else "?") for c in data
    )
    return text if len(text) <= 80 else text[:79] + "…"
