"""What is drawn: text with its place and style, and the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestro.records import dataclass
from orchestro.terminal.checks.near import case_hint, literal_of, nearest_line
from orchestro.terminal.checks.state import after_end
from orchestro.terminal.probe import Held, Missing, NotYet, Probe
from orchestro.terminal.screen.protocol import Color, Screen, Style, StyledRun

if TYPE_CHECKING:
    from orchestro.terminal.terminal import Terminal

__all__ = ["COLOR_NAMES", "CursorAt", "NotSee", "See", "Spot", "find_on_screen"]

COLOR_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""Palette entries 0 to 7; with ``bright-`` before them, 8 to 15."""
_NEAR_ROWS = 2
_NEAR_COLS = 40
_NARROW = re.compile(r"[\x20-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2319\u2500-\u25fc\u2800-\u28ff]*")
# One column for each: Latin, punctuation, currencies, arrows, box drawing, blocks, braille. All else is looked up.


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a text stands."""

    row: int
    col: int
    """Of its first cell."""
    width: int
    """In cells."""
    text: str


@dataclass(frozen=True, slots=True)
class See:
    """A text, or a match of a regular expression, is on the screen, at a place and in a style if that is asked for."""

    text: str | None = None
    regex: re.Pattern[str] | None = None
    row: int | None = None
    """Of its first character; negative counts from the bottom."""
    col: int | None = None
    near: str | None = None
    """A text at most 2 rows and 40 columns away."""
    fg: Color | str = None
    """``default``, a name such as ``bright-red``, 0 to 255, or (r, g, b)."""
    bg: Color | str = None
    bold: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    reverse: bool | None = None
    count: int | None = None
    """Exactly so many times."""

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"{self._described()} on the screen"

    def _described(self) -> str:
        named = repr(self.text) if self.text is not None else f"/{self.regex.pattern if self.regex else ''}/"
        style = [
            f"{key} {value}" if key in ("row", "col", "near", "fg", "bg", "count") else key if value else f"not {key}"
            for key in ("row", "col", "near", "fg", "bg", "bold", "italic", "underline", "reverse", "count")
            if (value := getattr(self, key)) is not None
        ]
        return named + (f" ({', '.join(style)})" if style else "")

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        spots = list(self.spots(terminal.screen))
        if self.count is not None:
            if len(spots) == self.count:
                return Held(f"{self.count} times on the screen", spots)
            return NotYet(
                f"{self._described()} is {len(spots)} times on the screen", f"{self.count} times", f"{len(spots)} times"
            )
        if spots:
            spot = spots[0]
            return Held(f"at column {spot.col}, row {spot.row}", spots)
        return NotYet(f"{self._described()} is not on the screen")

    def spots(self, screen: Screen) -> Iterator[Spot]:
        """Every place where it holds."""
        lines = screen.lines()
        wanted_row = self.row if self.row is None or self.row >= 0 else len(lines) + self.row
        nearby = None if self.near is None else list(find_on_screen(lines, self.near, None))
        styled: dict[int, list[StyledRun]] = {}
        for spot in find_on_screen(lines, self.text, self.regex):
            if wanted_row is not None and spot.row != wanted_row:
                continue
            if self.col is not None and spot.col != self.col:
                continue
            if nearby is not None and not any(_near(spot, other) for other in nearby):
                continue
            if self._styled:
                runs = styled.get(spot.row)
                if runs is None:
                    runs = styled[spot.row] = screen.styled(spot.row, spot.row + 1)[0]
                if not all(self._matches(style) for style in _styles(runs, spot)):
                    continue
            yield spot

    @property
    def _styled(self) -> bool:
        return any(getattr(self, key) is not None for key in ("fg", "bg", "bold", "italic", "underline", "reverse"))

    def _matches(self, style: Style) -> bool:
        return (
            (self.fg is None or same_color(self.fg, style.fg))
            and (self.bg is None or same_color(self.bg, style.bg))
            and (self.bold is None or style.bold == self.bold)
            and (self.italic is None or style.italic == self.italic)
            and (self.underline is None or bool(style.underline) == self.underline)
            and (self.reverse is None or style.reverse == self.reverse)
        )

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        """Say where the text stands instead, in which style, or what came nearest."""
        missing = after_end(terminal, missing)
        screen = terminal.screen
        lines = screen.lines()
        elsewhere = list(find_on_screen(lines, self.text, self.regex))
        if elsewhere and self.count is None:
            spot = elsewhere[0]
            actual = f"{spot.text!r} at column {spot.col}, row {spot.row}"
            if self._styled:
                runs = screen.styled(spot.row, spot.row + 1)[0]
                actual += ": " + ", ".join(dict.fromkeys(describe_style(s) for s in _styles(runs, spot)))
            return replace(missing, expected=self._described(), actual=actual, nearest=lines[spot.row].strip())
        wanted = self.text if self.text is not None else literal_of(self.regex.pattern if self.regex else "")
        near = nearest_line(wanted, lines)
        return replace(missing, nearest=near, hint=case_hint(wanted, near) or missing.hint)


@dataclass(frozen=True, slots=True)
class NotSee:
    """What `see` looks for is not on the screen."""

    see: See

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"{self.see._described()} gone from the screen"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        spot = next(self.see.spots(terminal.screen), None)
        if spot is None:
            return Held("not on the screen")
        return NotYet(
            f"{self.see._described()} is on the screen at column {spot.col}, row {spot.row}",
            nearest=terminal.screen.lines()[spot.row].strip(),
        )

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        """Say when it cannot go any more."""
        return after_end(terminal, missing)


@dataclass(frozen=True, slots=True)
class CursorAt:
    """The cursor is at this column and row."""

    col: int
    row: int

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"the cursor at column {self.col}, row {self.row}"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        cursor = terminal.screen.cursor
        if (cursor.col, cursor.row) == (self.col, self.row):
            return Held("the cursor is there")
        return NotYet(
            f"the cursor is at column {cursor.col}, row {cursor.row}",
            f"column {self.col}, row {self.row}",
            f"column {cursor.col}, row {cursor.row}",
        )

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        """Say when it cannot move any more."""
        return after_end(terminal, missing)


def find_on_screen(lines: Sequence[str], text: str | None, regex: re.Pattern[str] | None) -> Iterator[Spot]:
    """Where a text or a match stands in the rows. A text of several lines stands in rows one below the other."""
    if text is not None and "\n" in text:
        yield from _find_block(lines, text.strip("\n").split("\n"))
        return
    for row, line in enumerate(lines):
        if regex is not None:
            for match in regex.finditer(line):
                if match[0]:
                    yield Spot(row, cells(line[: match.start()]), cells(match[0]), match[0])
        elif text:
            at = line.find(text)
            while at >= 0:
                yield Spot(row, cells(line[:at]), cells(text), text)
                at = line.find(text, at + len(text))


def _find_block(lines: Sequence[str], block: Sequence[str]) -> Iterator[Spot]:
    first = block[0]
    for row in range(len(lines) - len(block) + 1):
        at = lines[row].find(first)
        while at >= 0:
            below = zip(lines[row + 1 :], block[1:], strict=False)
            if all(line[at:].startswith(part) or not part.strip() for line, part in below):
                yield Spot(row, cells(lines[row][:at]), cells(first), first)
            at = lines[row].find(first, at + 1) if first else -1


def is_narrow(text: str) -> bool:
    """Whether every character is known to take one column, as in nearly all rows of nearly all programs."""
    return text.isascii() or _NARROW.fullmatch(text) is not None


def cells(text: str) -> int:
    """Columns that `text` takes."""
    if is_narrow(text):
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def _near(spot: Spot, other: Spot) -> bool:
    gap = max(spot.col - (other.col + other.width), other.col - (spot.col + spot.width), 0)
    return abs(spot.row - other.row) <= _NEAR_ROWS and gap <= _NEAR_COLS and spot != other


def _styles(runs: Sequence[StyledRun], spot: Spot) -> Iterator[Style]:
    """The styles under a text, blanks inside it left out unless there is nothing else."""
    column = 0
    found = False
    for run in runs:
        start, end = max(column, spot.col), min(column + run.width, spot.col + spot.width)
        if start < end and (run.text.strip() or not spot.text.strip()):
            found = True
            yield run.style
        column += run.width
    if not found:
        yield Style()


def same_color(wanted: Color | str, actual: Color) -> bool:
    """Whether a colour as it is written in a scenario is that of a cell; palette and RGB spellings are equivalent."""
    if isinstance(wanted, str):
        wanted = parse_color(wanted)
    if wanted == "default" or actual is None:
        return wanted == "default" and actual is None
    if wanted == actual:
        return True
    rgb = _rgb(wanted)
    return rgb is not None and rgb == _rgb(actual)


def parse_color(text: str) -> Color | str:
    """``default``, a palette number, or (r, g, b) of a colour's spelling. Raises ValueError."""
    name = text.strip().lower().replace("_", "-").replace("grey", "gray")
    if name == "default":
        return "default"
    if name in ("gray", "bright-black"):
        return 8
    bright = name.startswith("bright-")
    if name.removeprefix("bright-") in COLOR_NAMES:
        return COLOR_NAMES.index(name.removeprefix("bright-")) + (8 if bright else 0)
    if name.isdigit() and int(name) < 256:
        return int(name)
    if re.fullmatch(r"#[0-9a-f]{6}", name):
        return int(name[1:3], 16), int(name[3:5], 16), int(name[5:7], 16)
    raise ValueError(f"expected a colour such as red, bright-blue, 208 or #ff8700, got {text!r}")


def _rgb(color: Color | str) -> tuple[int, int, int] | None:
    """RGB of the parts of the palette that are the same everywhere: the cube and the greys, not the first 16."""
    if isinstance(color, tuple):
        return color
    if not isinstance(color, int) or color < 16:
        return None
    if color >= 232:
        level = 8 + 10 * (color - 232)
        return level, level, level
    red, green, blue = (color - 16) // 36, (color - 16) // 6 % 6, (color - 16) % 6
    return tuple(55 + 40 * part if part else 0 for part in (red, green, blue))  # type: ignore[return-value]


def describe_style(style: Style) -> str:
    """``fg red, bold``."""
    parts = [
        f"{side} {describe_color(color)}" for side, color in (("fg", style.fg), ("bg", style.bg)) if color is not None
    ]
    parts += [name for name in ("bold", "faint", "italic", "reverse", "strikethrough") if getattr(style, name)]
    if style.underline:
        parts.append("underline")
    return ", ".join(parts) or "plain"


def describe_color(color: Color) -> str:
    """The spelling that a scenario would use."""
    if color is None:
        return "default"
    if isinstance(color, tuple):
        return "#{:02x}{:02x}{:02x}".format(*color)
    return ("bright-" if color >= 8 else "") + COLOR_NAMES[color % 8] if color < 16 else str(color)
