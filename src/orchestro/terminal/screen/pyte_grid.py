"""The grid of the fallback back end: pyte's, with our styles in its cells and its known faults mended."""

from __future__ import annotations

import copy
import unicodedata
from collections import defaultdict, deque
from dataclasses import replace
from typing import Any, NamedTuple

import pyte
from pyte import charsets
from pyte import modes as pyte_modes
from pyte.screens import Margins, StaticDefaultDict
from wcwidth import wcwidth

from orchestro.records import dataclass
from orchestro.terminal.screen.protocol import PLAIN, Style

__all__ = ["Glyph", "Grid"]

_JOINER = "\u200d"
_MAX_CLUSTER = 32
# Most code points kept in one cell; the longest emoji have ten.


class Glyph(NamedTuple):
    """What pyte keeps in a cell: it only ever asks for `data` and for `_replace`."""

    data: str
    """The cluster; empty in the second half of a wide one."""
    style: Style


def _is_wide(data: str) -> bool:
    return data != "" and wcwidth(data[0]) == 2


@dataclass(frozen=True, slots=True)
class _Saved:
    cursor: Any
    charset: int
    g0: Any
    g1: Any
    origin: bool


_PyteScreen: Any = pyte.Screen
# Untyped on purpose: pyte's own annotations say that cells are its `Char`, in whose place we put `Glyph`.


class Grid(_PyteScreen):  # type: ignore[misc]  # see _PyteScreen
    """Rows of `Glyph`s, a cursor and margins. ``cursor.x`` equals ``columns`` while a wrap is pending."""

    columns: int
    lines: int
    cursor: Any
    buffer: Any
    charset: int
    g0_charset: Any
    g1_charset: Any
    margins: Margins | None
    mode: set[int]
    tabstops: set[int]

    def __init__(self, columns: int, lines: int, scrollback: int) -> None:
        self.scrolled: deque[str] = deque(maxlen=max(0, scrollback))
        self.other: Any = None
        self.alternate = False
        self.saved: dict[bool, _Saved] = {}
        self.last = ""
        super().__init__(columns, lines)

    @property
    def default_char(self) -> Glyph:
        return Glyph(" ", PLAIN)

    def reset(self) -> None:
        super().reset()
        self.cursor.attrs = self.default_char
        self.other = None
        self.alternate = False
        self.saved.clear()
        self.last = ""

    def _blank_rows(self) -> Any:
        return defaultdict(lambda: StaticDefaultDict(self.default_char))

    @property
    def style(self) -> Style:
        """The style that is drawn with."""
        found: Style = self.cursor.attrs.style
        return found

    @style.setter
    def style(self, style: Style) -> None:
        self.cursor.attrs = Glyph(" ", style)

    def settle(self) -> None:
        """Forget a pending wrap: the cursor is in the last column for all but drawing."""
        self.cursor.x = min(self.cursor.x, self.columns - 1)

    def row_text(self, y: int) -> str:
        """A row as text, right-trimmed."""
        row = self.buffer[y]
        return "".join(row[x].data for x in range(self.columns)).rstrip(" ")

    def draw(self, data: str) -> None:
        """Draw text; unlike pyte's, it joins clusters, wraps wide characters whole and skips what has no width."""
        for character in data.translate(self.g1_charset if self.charset else self.g0_charset):
            before = self._before()
            width = wcwidth(character)
            if width < 0:
                continue
            joined = width == 2 and before is not None and before[1].data.endswith(_JOINER)
            if before is not None and (width == 0 or joined):
                self._join(*before, character)
            elif width:
                self._put(character, width)
                self.last = character

    def _before(self) -> tuple[int, Glyph] | None:
        """The column and the glyph that a combining character would join."""
        row, x = self.buffer[self.cursor.y], self.cursor.x - 1
        while x > 0 and row[x].data == "":
            x -= 1
        return (x, row[x]) if x >= 0 else None

    def _join(self, x: int, glyph: Glyph, character: str) -> None:
        if len(glyph.data) < _MAX_CLUSTER and (character == _JOINER or unicodedata.category(character) != "Cf"):
            data = glyph.data + character
            self.buffer[self.cursor.y][x] = glyph._replace(data=data)

    def _put(self, character: str, width: int) -> None:
        if width > self.columns:
            return
        if self.cursor.x + width > self.columns:
            if pyte_modes.DECAWM in self.mode:
                self.carriage_return()
                self.index()
            else:
                self.cursor.x = self.columns - width
        if pyte_modes.IRM in self.mode:
            self.insert_characters(width)
        row, x = self.buffer[self.cursor.y], self.cursor.x
        if row[x].data == "" and x:
            row[x - 1] = row[x - 1]._replace(data=" ")
        if x + width < self.columns and row[x + width].data == "":
            row[x + width] = row[x + width]._replace(data=" ")
        row[x] = self.cursor.attrs._replace(data=character)
        if width == 2:
            row[x + 1] = self.cursor.attrs._replace(data="")
        self.cursor.x += width
        if self.cursor.x >= self.columns and pyte_modes.DECAWM not in self.mode:
            self.cursor.x = self.columns - 1

    def index(self) -> None:
        top, bottom = self.margins or Margins(0, self.lines - 1)
        if self.cursor.y != bottom:
            self.cursor.y = min(self.cursor.y + 1, self.lines - 1)
            return
        if top == 0 and not self.alternate:
            self.scrolled.append(self.row_text(0))
        super().index()

    def reverse_index(self) -> None:
        top = self.margins.top if self.margins else 0
        if self.cursor.y != top:
            self.cursor.y = max(self.cursor.y - 1, 0)
        else:
            super().reverse_index()

    def move_by(self, rows: int) -> None:
        """CUU by a negative count, CUD by a positive one: the margins stop the cursor unless it is beyond them."""
        top, bottom = self.margins or Margins(0, self.lines - 1)
        y = self.cursor.y
        if rows < 0:
            self.cursor.y = max(y + rows, top if y >= top else 0)
        else:
            self.cursor.y = min(y + rows, bottom if y <= bottom else self.lines - 1)

    def scroll(self, count: int) -> None:
        """SU by a positive count, SD by a negative one; the cursor stays."""
        top, bottom = self.margins or Margins(0, self.lines - 1)
        y = self.cursor.y
        self.cursor.y = bottom if count > 0 else top
        for _ in range(min(abs(count), bottom - top + 1)):
            if count > 0:
                self.index()
            else:
                self.reverse_index()
        self.cursor.y = y

    def set_region(self, top: int, bottom: int) -> None:
        """DECSTBM, rows from 1, and the cursor goes home."""
        bottom = min(bottom, self.lines)
        if top < bottom:
            self.margins = None if (top, bottom) == (1, self.lines) else Margins(top - 1, bottom - 1)
            self.move_to(1, 1)

    def move_to(self, line: int, column: int) -> None:
        """CUP, from 1, within the margins in origin mode."""
        top, bottom = 0, self.lines - 1
        if self.margins is not None and pyte_modes.DECOM in self.mode:
            top, bottom = self.margins
        self.cursor.x = min(max(column, 1), self.columns) - 1
        self.cursor.y = min(max(line, 1) - 1 + top, bottom)

    def save_cursor(self) -> None:
        self.saved[self.alternate] = _Saved(
            copy.copy(self.cursor), self.charset, self.g0_charset, self.g1_charset, pyte_modes.DECOM in self.mode
        )

    def restore_cursor(self) -> None:
        saved = self.saved.get(self.alternate)
        hidden = self.cursor.hidden
        self.mode.discard(pyte_modes.DECOM)
        if saved is None:
            self.cursor_position()
            return
        self.cursor = copy.copy(saved.cursor)
        self.cursor.hidden = hidden
        self.charset, self.g0_charset, self.g1_charset = saved.charset, saved.g0, saved.g1
        if saved.origin:
            self.mode.add(pyte_modes.DECOM)
        self.cursor.x = min(self.cursor.x, self.columns - 1)
        self.cursor.y = min(self.cursor.y, self.lines - 1)

    def define_charset(self, code: str, mode: str) -> None:
        chosen = charsets.VT100_MAP if code == "0" else charsets.LAT1_MAP
        if mode == "(":
            self.g0_charset = chosen
        elif mode == ")":
            self.g1_charset = chosen

    def switch(self, alternate: bool, *, clear: bool) -> None:
        """Show the alternate screen or the primary one; `clear` empties the alternate one on the way."""
        if alternate != self.alternate:
            self.alternate = alternate
            self.buffer, self.other = self.other if self.other is not None else self._blank_rows(), self.buffer
        if alternate and clear:
            self.buffer.clear()

    def erase_in_display(self, how: int = 0, *_args: Any, **_kwargs: Any) -> None:
        if how == 3:
            self.scrolled.clear()
        elif 0 <= how <= 2:
            self._erasing(super().erase_in_display, how)

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        if 0 <= how <= 2:
            self._erasing(super().erase_in_line, how)

    def erase_characters(self, count: int | None = None) -> None:
        self._erasing(super().erase_characters, count)

    def insert_characters(self, count: int | None = None) -> None:
        super().insert_characters(count)
        self._mend()

    def delete_characters(self, count: int | None = None) -> None:
        super().delete_characters(count)
        self._mend()

    def _mend(self) -> None:
        """Blank the halves of wide characters that a change of the cursor's row cut apart."""
        row = self.buffer[self.cursor.y]
        for x in range(self.columns):
            data = row[x].data
            if data == "":
                whole = x > 0 and _is_wide(row[x - 1].data)
            else:
                whole = not _is_wide(data) or (x + 1 < self.columns and row[x + 1].data == "")
            if not whole:
                row[x] = row[x]._replace(data=" ")

    def _erasing(self, erase: Any, argument: int | None) -> None:
        """Erased cells take the background alone, not underline and the rest."""
        attrs = self.cursor.attrs
        self.cursor.attrs = Glyph(" ", replace(PLAIN, bg=attrs.style.bg))
        erase(argument)
        self.cursor.attrs = attrs
        self._mend()

    def tab_by(self, count: int) -> None:
        """CHT by a positive count, CBT by a negative one."""
        stops = sorted(self.tabstops)
        self.settle()
        for _ in range(min(abs(count), self.columns)):
            if count > 0:
                self.cursor.x = next((stop for stop in stops if stop > self.cursor.x), self.columns - 1)
            else:
                self.cursor.x = next((stop for stop in reversed(stops) if stop < self.cursor.x), 0)

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Cut or extend both screens; nothing reflows. Rows go off the top as far as the cursor needs the room."""
        lines, columns = lines or self.lines, columns or self.columns
        surplus = max(0, self.cursor.y - (lines - 1))
        for _ in range(surplus):
            if not self.alternate:
                self.scrolled.append(self.row_text(0))
            for y in range(self.lines - 1):
                self.buffer[y] = self.buffer[y + 1]
            self.buffer.pop(self.lines - 1, None)
        for rows in (self.buffer, self.other or {}):
            for y in [y for y in rows if y >= lines]:
                del rows[y]
            for row in rows.values():
                for x in [x for x in row if x >= min(columns, self.columns)]:
                    del row[x]
                if _is_wide(row[columns - 1].data):
                    row[columns - 1] = row[columns - 1]._replace(data=" ")
        self.tabstops = {stop for stop in self.tabstops if stop < columns}
        self.tabstops.update(stop for stop in range(8, columns, 8) if stop >= self.columns)
        self.lines, self.columns, self.margins = lines, columns, None
        self.cursor.y -= surplus
        self.cursor.x = min(self.cursor.x, columns - 1)
