"""The fallback `Screen`, over pyte: for machines that libghostty-vt has no build for. Slower, and it never reflows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from orchestro.terminal.screen.appearance import BACKGROUND, CELL_PIXELS, FOREGROUND
from orchestro.terminal.screen.protocol import PLAIN, Cell, Cursor, Modes, StyledRun
from orchestro.terminal.screen.pyte_grid import Grid
from orchestro.terminal.screen.redraw import redraw
from orchestro.terminal.screen.sequences import SequenceParser, numbers
from orchestro.terminal.screen.sgr import apply_sgr

__all__ = ["PyteScreen"]

_TRACKING = {9: "x10", 1000: "normal", 1002: "button", 1003: "any"}
_FORMATS = {1005: "utf8", 1006: "sgr", 1015: "urxvt", 1016: "sgr_pixels"}
_GRID_MODES = {6, 7, 25}
_PRIVATE = _GRID_MODES | {1, 47, 66, 1004, 1047, 1048, 1049, 2004} | set(_TRACKING) | set(_FORMATS)
_SHAPES = {0: "block", 1: "block", 2: "block", 3: "underline", 4: "underline", 5: "bar", 6: "bar"}
_COLORS = {10: FOREGROUND, 11: BACKGROUND, 12: FOREGROUND}
_KITTY_DEPTH = 16
# Most kitty keyboard flags on a stack; the protocol lets a terminal drop the oldest.

_MAX_TITLE = 1024


class PyteScreen:
    """A `Screen` that drives pyte's grid with a parser of our own."""

    def __init__(self, cols: int, rows: int, *, scrollback: int = 2000) -> None:
        self._grid = Grid(cols, rows, scrollback)
        self._parser = SequenceParser(self)
        self._reply: Callable[[bytes], None] | None = None
        self._bells = 0
        self._reset()

    def _reset(self) -> None:
        self._grid.reset()
        self._private: set[int] = {7, 25}
        self._title = ""
        self._shape = "block"
        self._kitty: dict[bool, list[int]] = {False: [0], True: [0]}

    def feed(self, data: bytes) -> None:
        self._parser.feed(data)

    def resize(self, cols: int, rows: int) -> None:
        self._grid.resize(rows, cols)

    def close(self) -> None:
        self._reply = None

    @property
    def size(self) -> tuple[int, int]:
        return self._grid.columns, self._grid.lines

    @property
    def cursor(self) -> Cursor:
        cursor = self._grid.cursor
        return Cursor(min(cursor.x, self._grid.columns - 1), cursor.y, not cursor.hidden, self._shape)

    @property
    def modes(self) -> Modes:
        on = self._private
        return Modes(
            alternate_screen=self._grid.alternate,
            application_cursor=1 in on,
            application_keypad=66 in on,
            bracketed_paste=2004 in on,
            focus_events=1004 in on,
            mouse=next((_TRACKING[mode] for mode in (1003, 1002, 1000, 9) if mode in on), "off"),
            mouse_format=next((_FORMATS[mode] for mode in (1016, 1006, 1015, 1005) if mode in on), "x10"),
            kitty_keyboard=self._flags[-1],
        )

    @property
    def title(self) -> str:
        return self._title

    @property
    def bells(self) -> int:
        return self._bells

    def lines(self) -> list[str]:
        return [self._grid.row_text(y) for y in range(self._grid.lines)]

    def styled(self, first: int = 0, last: int | None = None) -> list[list[StyledRun]]:
        rows = self._grid.lines
        return [self._runs(y) for y in range(max(0, first), rows if last is None else min(last, rows))]

    def _runs(self, y: int) -> list[StyledRun]:
        row, runs = self._grid.buffer[y], list[StyledRun]()
        for x in range(self._grid.columns):
            glyph = row[x]
            if runs and runs[-1].style == glyph.style:
                runs[-1] = StyledRun(runs[-1].text + glyph.data, glyph.style, runs[-1].width + 1)
            else:
                runs.append(StyledRun(glyph.data, glyph.style, 1))
        if runs and runs[-1].style == PLAIN:
            whole = runs.pop()
            kept = whole.text.rstrip(" ")
            if kept:
                runs.append(StyledRun(kept, PLAIN, whole.width - len(whole.text) + len(kept)))
        return runs

    def cell(self, col: int, row: int) -> Cell:
        cols, rows = self.size
        if not (0 <= col < cols and 0 <= row < rows):
            raise IndexError(f"cell {col},{row} is outside the screen of {cols}x{rows}")
        glyph = self._grid.buffer[row][col]
        if glyph.data == "":
            return Cell("", 0, glyph.style)
        wide = col + 1 < cols and self._grid.buffer[row][col + 1].data == ""
        return Cell(glyph.data, 2 if wide else 1, glyph.style)

    def history(self, limit: int = 1000) -> Sequence[str]:
        if limit <= 0 or self._grid.alternate:
            return []
        return list(self._grid.scrolled)[-limit:]

    def dump(self) -> bytes:
        return redraw(self)

    def on_reply(self, reply: Callable[[bytes], None] | None) -> None:
        self._reply = reply

    def encode_key(self, key: str) -> bytes | None:
        return None

    def _answer(self, text: str) -> None:
        if self._reply is not None:
            self._reply(text.encode())

    @property
    def _flags(self) -> list[int]:
        """The kitty keyboard stack of the screen that is shown."""
        return self._kitty[self._grid.alternate]

    # What the parser calls.

    def text(self, text: str) -> None:
        """Draw."""
        self._grid.draw(text)

    def control(self, code: str) -> None:
        """A C0 control."""
        grid = self._grid
        if code == "\a":
            self._bells += 1
        elif code == "\b":
            grid.backspace()
        elif code == "\t":
            grid.tab_by(1)
        elif code in "\n\v\f":
            grid.settle()
            grid.linefeed()
        elif code == "\r":
            grid.carriage_return()
        elif code == "\x0e":
            grid.shift_out()
        elif code == "\x0f":
            grid.shift_in()

    def escape(self, intermediates: str, final: str) -> None:
        """An escape sequence."""
        grid = self._grid
        if intermediates in {"(", ")"}:
            grid.define_charset(final, intermediates)
        elif intermediates == "#" and final == "8":
            for y in range(grid.lines):
                for x in range(grid.columns):
                    grid.buffer[y][x] = grid.default_char._replace(data="E")
            grid.move_to(1, 1)
        elif not intermediates:
            self._plain_escape(final)

    def _plain_escape(self, final: str) -> None:
        grid = self._grid
        if final in "DEM78H":
            grid.settle()
        match final:
            case "7":
                grid.save_cursor()
            case "8":
                grid.restore_cursor()
            case "D":
                grid.index()
            case "E":
                grid.carriage_return()
                grid.index()
            case "M":
                grid.reverse_index()
            case "H":
                grid.set_tab_stop()
            case "c":
                self._reset()
            case "=":
                self._private.add(66)
            case ">":
                self._private.discard(66)
            case "Z":
                self._answer("\x1b[?62;22c")

    def csi(self, prefix: str, parameters: str, intermediates: str, final: str) -> None:
        """A control sequence."""
        values = numbers(parameters)
        count = values[0][0] or 0
        match prefix, intermediates, final:
            case "", "", "m":
                self._grid.style = apply_sgr(self._grid.style, values)
            case "", "", _:
                self._ansi(final, count, values)
            case "?", "", "h" | "l":
                for value in values:
                    self._set_private(value[0] or 0, final == "h")
            case "?", "", "J" | "K":
                self._ansi(final, count, values)
            case "?", "$", "p":
                state = (1 if count in self._private else 2) if count in _PRIVATE else 0
                self._answer(f"\x1b[?{count};{state}$y")
            case "", " ", "q":
                self._shape = _SHAPES.get(count, self._shape)
            case "", "!", "p":
                self._soft_reset()
            case _, "", _:
                self._query(prefix, final, count, values)

    def _ansi(self, final: str, count: int, values: list[list[int | None]]) -> None:
        """A sequence of ECMA-48 itself; a missing or zero count is one where it counts."""
        grid, times = self._grid, max(1, count)
        if final not in "hl":
            grid.settle()
        second = (values[1][0] or 0) if len(values) > 1 else 0
        match final:
            case "@":
                grid.insert_characters(times)
            case "A":
                grid.move_by(-times)
            case "B" | "e":
                grid.move_by(times)
            case "C" | "a":
                grid.cursor_forward(times)
            case "D":
                grid.cursor_back(times)
            case "E":
                grid.move_by(times)
                grid.carriage_return()
            case "F":
                grid.move_by(-times)
                grid.carriage_return()
            case "G" | "`":
                grid.cursor_to_column(times)
            case "H" | "f":
                grid.move_to(times, max(1, second))
            case "I":
                grid.tab_by(times)
            case "J":
                grid.erase_in_display(count)
            case "K":
                grid.erase_in_line(count)
            case "L":
                grid.insert_lines(times)
            case "M":
                grid.delete_lines(times)
            case "P":
                grid.delete_characters(times)
            case "S":
                grid.scroll(times)
            case "T":
                grid.scroll(-times)
            case "X":
                grid.erase_characters(times)
            case "Z":
                grid.tab_by(-times)
            case "b":
                grid.draw(grid.last * min(times, grid.columns * grid.lines))
            case "d":
                grid.cursor_to_line(times)
            case "g":
                if count in {0, 3}:
                    grid.clear_tab_stop(count)
            case "h" | "l":
                known = [value[0] for value in values if value[0] in {4, 20}]
                (grid.set_mode if final == "h" else grid.reset_mode)(*known)
            case "r":
                grid.set_region(times, second or grid.lines)
            case "s":
                grid.save_cursor()
            case "u":
                grid.restore_cursor()
            case "c" | "n" | "t":
                self._query("", final, count, values)

    def _set_private(self, mode: int, on: bool) -> None:
        grid = self._grid
        if mode not in _PRIVATE:
            return
        if mode in {1048, 1049} and on and not (mode == 1049 and grid.alternate):
            grid.save_cursor()
        if mode in {47, 1047, 1049}:
            grid.switch(on, clear=mode == 1049)
            for other in (47, 1047, 1049):
                self._private.discard(other)
        if mode in {1048, 1049} and not on:
            grid.restore_cursor()
        (self._private.add if on else self._private.discard)(mode)
        if mode in _GRID_MODES:
            (grid.set_mode if on else grid.reset_mode)(mode, private=True)
            if mode == 6:
                grid.move_to(1, 1)

    def _soft_reset(self) -> None:
        for mode in (1, 6, 66):
            self._set_private(mode, False)
        for mode in (7, 25):
            self._set_private(mode, True)
        self._grid.reset_mode(4)
        self._grid.margins = None
        self._grid.style = PLAIN

    def _query(self, prefix: str, final: str, count: int, values: list[list[int | None]]) -> None:
        """What is answered, and the kitty keyboard protocol, which shares the prefixes."""
        match prefix, final, count:
            case "", "c", 0:
                self._answer("\x1b[?62;22c")
            case ">", "c", 0:
                self._answer("\x1b[>1;0;0c")
            case "=", "c", 0:
                self._answer("\x1bP!|00000000\x1b\\")
            case "", "n", 5:
                self._answer("\x1b[0n")
            case "", "n", 6:
                top = self._grid.margins.top if self._grid.margins and 6 in self._private else 0
                self._answer(f"\x1b[{self.cursor.row - top + 1};{self.cursor.col + 1}R")
            case "?", "n", 996:
                self._answer("\x1b[?997;1n")
            case ">", "q", 0:
                self._answer("\x1bP>|orchestro(pyte)\x1b\\")
            case "", "t", 14:
                width, height = CELL_PIXELS
                self._answer(f"\x1b[4;{self._grid.lines * height};{self._grid.columns * width}t")
            case "", "t", 16:
                self._answer("\x1b[6;{1};{0}t".format(*CELL_PIXELS))
            case "", "t", 18:
                self._answer(f"\x1b[8;{self._grid.lines};{self._grid.columns}t")
            case "?", "u", _:
                self._answer(f"\x1b[?{self._flags[-1]}u")
            case ">", "u", _:
                self._flags.append(count & 31)
                del self._flags[:-_KITTY_DEPTH]
            case "<", "u", _:
                del self._flags[max(0, len(self._flags) - max(1, count)) :]
                if not self._flags:
                    self._flags.append(0)
            case "=", "u", _:
                how = (values[1][0] or 1) if len(values) > 1 else 1
                old, new = self._flags[-1], count & 31
                self._flags[-1] = {1: new, 2: old | new, 3: old & ~new}.get(how, old)

    def string(self, kind: str, content: str, *, bell: bool) -> None:
        """An operating system command; other strings have no effect on a text screen."""
        if kind != "OSC":
            return
        command, _, rest = content.partition(";")
        end = "\a" if bell else "\x1b\\"
        if command in {"0", "2"}:
            self._title = rest[:_MAX_TITLE]
        elif command == "8":
            link = rest.partition(";")[2] or None
            self._grid.style = replace(self._grid.style, link=link)
        elif command == "4":
            for index in re.findall(r"(?:^|;)(\d{1,3});\?", rest):
                if int(index) < 256:
                    self._color(f"4;{int(index)}", _palette(int(index)), end)
        elif command in {"10", "11", "12"}:
            for number, value in zip(range(int(command), 13), rest.split(";"), strict=False):
                if value == "?":
                    self._color(str(number), _COLORS[number], end)

    def _color(self, name: str, rgb: tuple[int, int, int], end: str) -> None:
        self._answer(f"\x1b]{name};rgb:{'/'.join(f'{part:02x}{part:02x}' for part in rgb)}{end}")


def _palette(index: int) -> tuple[int, int, int]:
    """xterm's colour of a palette entry."""
    from pyte.graphics import FG_BG_256

    value = int(FG_BG_256[index], 16)
    return value >> 16, value >> 8 & 0xFF, value & 0xFF
