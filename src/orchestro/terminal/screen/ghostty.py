"""The `Screen` over libghostty-vt, the emulator of the Ghostty terminal.

Not safe for use from several threads at once. A reading costs what has to be read: `lines()` is one call into the
library, `styled()` one per row plus one per distinct style of a row.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from orchestro.errors import InfrastructureError
from orchestro.terminal.screen.ghostty_library import load
from orchestro.terminal.screen.protocol import PLAIN, Cell, Color, Cursor, Modes, Style, StyledRun
from orchestro.terminal.screen.redraw import redraw

__all__ = ["BACKGROUND", "CELL_PIXELS", "FOREGROUND", "GhosttyScreen"]

FOREGROUND = (0xD4, 0xD4, 0xD4)
"""Default text colour, as reported to OSC 10: light grey of a usual dark theme."""

BACKGROUND = (0x1E, 0x1E, 0x1E)
"""Default background, as reported to OSC 11: dark, so that programs choose their dark theme."""

CELL_PIXELS = (8, 16)
"""Width and height of a cell in pixels, as reported to CSI 14 t and 16 t and used by SGR-pixel mouse reports."""

_SCROLLBACK_BYTES = 16 << 20
# Bound of the history whatever the width of its lines; an 80-column line takes 640 bytes, so it rarely binds.

_STYLE_CACHE = 4096
# Distinct styles kept as objects. A gradient may make thousands; past this the cache starts afresh.

_LINK_BYTES = 4096
# Longest hyperlink read; browsers and terminals cut well below.

# A cell is one 64-bit word: what it holds in bits 0-1 (0 a code point, 1 the first of a cluster, 2 a palette
# background, 3 an RGB background), that value in bits 2-25, its style's number in bits 26-41, its width in bits 42-43
# and a hyperlink flag in bit 45. The C interface offers the same one field a call, at 40 times the cost for a screen;
# `_check_layout` proves the two alike before the first use.
_VALUE = 0xFFFFFF
_STYLE = 0xFFFF << 26
_WIDE = 3 << 42
_SPACER_TAIL = 2 << 42
_LINK = 1 << 45
_STYLED = _STYLE | _LINK
_CONTENT = (_VALUE << 2) | 3

_library = load()
_ffi, _lib, _grid_ref = _library.ffi, _library.lib, _library.grid_ref

# The terminals by their number, which is what C hands back to the callbacks. Weak: dropping a screen frees it.
_screens: weakref.WeakValueDictionary[int, GhosttyScreen] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


def _owner(userdata: Any) -> GhosttyScreen | None:
    return _screens.get(int(_ffi.cast("uintptr_t", userdata)))


def _on_write(_terminal: Any, userdata: Any, data: Any, length: int) -> None:
    screen = _owner(userdata)
    if screen is not None:
        screen._replies.append(_ffi.buffer(data, length)[:])


def _on_bell(_terminal: Any, userdata: Any) -> None:
    screen = _owner(userdata)
    if screen is not None:
        screen._bells += 1


def _on_size(_terminal: Any, userdata: Any, out: Any) -> bool:
    screen = _owner(userdata)
    if screen is None:
        return False
    out.columns, out.rows = screen._size
    out.cell_width, out.cell_height = CELL_PIXELS
    return True


def _on_color_scheme(_terminal: Any, _userdata: Any, out: Any) -> bool:
    out[0] = _lib.GHOSTTY_COLOR_SCHEME_DARK
    return True


_CALLBACKS = (
    (_lib.GHOSTTY_TERMINAL_OPT_WRITE_PTY, _ffi.callback("GhosttyTerminalWritePtyFn", _on_write)),
    (_lib.GHOSTTY_TERMINAL_OPT_BELL, _ffi.callback("GhosttyTerminalBellFn", _on_bell)),
    (_lib.GHOSTTY_TERMINAL_OPT_SIZE, _ffi.callback("GhosttyTerminalSizeFn", _on_size)),
    (
        _lib.GHOSTTY_TERMINAL_OPT_COLOR_SCHEME,
        _ffi.callback("GhosttyTerminalColorSchemeFn", _on_color_scheme),
    ),
)

_DEFAULTS = (
    (_lib.GHOSTTY_TERMINAL_OPT_COLOR_FOREGROUND, _ffi.new("GhosttyColorRgb *", FOREGROUND)),
    (_lib.GHOSTTY_TERMINAL_OPT_COLOR_BACKGROUND, _ffi.new("GhosttyColorRgb *", BACKGROUND)),
    # Clusters take the width of what they draw, as in Ghostty itself, kitty and WezTerm.
    (_lib.GHOSTTY_TERMINAL_OPT_MODE, _ffi.new("GhosttyTerminalModeConfig *", (2027, True))),
    (_lib.GHOSTTY_TERMINAL_OPT_MODE_DEFAULT, _ffi.new("GhosttyTerminalModeConfig *", (2027, True))),
    (_lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_BYTES, _ffi.new("size_t *", _SCROLLBACK_BYTES)),
    # A text screen shows no pictures: refuse them, so that programs fall back to text and no memory goes to them.
    (_lib.GHOSTTY_TERMINAL_OPT_KITTY_IMAGE_STORAGE_LIMIT, _ffi.new("uint64_t *", 0)),
)

_MODES = (1, 66, 2004, 1004, 1003, 1002, 1000, 9, 1016, 1006, 1015, 1005)
# The order of `modes`: cursor keys, keypad, paste, focus, then mouse tracking and formats, the strongest first.
_TRACKING = ("any", "button", "normal", "x10")
_FORMATS = ("sgr_pixels", "sgr", "urxvt", "utf8")

_SHAPES = {
    _lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR: "bar",
    _lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE: "underline",
}

_styles: dict[bytes, Style] = {}


def _sized(name: str) -> Any:
    """A new struct of C type `name` with its own size, and that of structs inside it, filled in."""
    pointer = _ffi.new(f"{name} *")
    _fill_sizes(pointer)
    return pointer


def _fill_sizes(pointer: Any) -> None:
    kind = _ffi.typeof(pointer).item
    for name, field in kind.fields:
        if name == "size":
            pointer.size = _ffi.sizeof(kind)
        elif field.type.kind == "struct":
            _fill_sizes(_ffi.addressof(pointer[0], name))


def _check(result: int, what: str) -> None:
    if result:
        raise InfrastructureError(f"libghostty-vt: {what} failed with {result}")


def _color(color: Any) -> Color:
    if color.tag == _lib.GHOSTTY_STYLE_COLOR_PALETTE:
        return int(color.value.palette)
    if color.tag == _lib.GHOSTTY_STYLE_COLOR_RGB:
        rgb = color.value.rgb
        return (rgb.r, rgb.g, rgb.b)
    return None


def _style(struct: Any) -> Style:
    raw = _ffi.buffer(struct)[:]
    style = _styles.get(raw)
    if style is None:
        if len(_styles) >= _STYLE_CACHE:
            _styles.clear()
        style = _styles[raw] = Style(
            fg=_color(struct.fg_color),
            bg=_color(struct.bg_color),
            bold=struct.bold,
            faint=struct.faint,
            italic=struct.italic,
            underline=struct.underline,
            blink=struct.blink,
            reverse=struct.inverse,
            invisible=struct.invisible,
            strikethrough=struct.strikethrough,
            overline=struct.overline,
            underline_color=_color(struct.underline_color),
        )
    return style


class _Reader:
    """The part of a screen that reads styles: a snapshot of the grid, its row iterator and scratch structs."""

    def __init__(self) -> None:
        state, rows, cells = (
            _ffi.new("GhosttyRenderState *"),
            _ffi.new("GhosttyRenderStateRowIterator *"),
            _ffi.new("GhosttyRenderStateRowCells *"),
        )
        _check(_lib.ghostty_render_state_new(_ffi.NULL, state), "render_state_new")
        self.state = _ffi.gc(state[0], _lib.ghostty_render_state_free)
        _check(_lib.ghostty_render_state_row_iterator_new(_ffi.NULL, rows), "row_iterator_new")
        self.rows = _ffi.gc(rows[0], _lib.ghostty_render_state_row_iterator_free)
        _check(_lib.ghostty_render_state_row_cells_new(_ffi.NULL, cells), "row_cells_new")
        self.cells = _ffi.gc(cells[0], _lib.ghostty_render_state_row_cells_free)
        self.rows_out, self.cells_out = rows, cells
        self.view = _ffi.new("GhosttyCellsView *")
        self.style = _sized("GhosttyStyle")
        self.shape = _ffi.new("GhosttyRenderStateCursorVisualStyle *")

    def close(self) -> None:
        for handle in (self.cells, self.rows, self.state):
            _ffi.release(handle)


class GhosttyScreen:
    """A `Screen` whose emulator is libghostty-vt."""

    def __init__(self, cols: int, rows: int, *, scrollback: int = 2000) -> None:
        """Raises InfrastructureError when the library refuses, which memory alone should make it do."""
        self._size = (cols, rows)
        self._bells = 0
        self._replies: list[bytes] = []
        self._reply: Callable[[bytes], None] | None = None
        self._reader: _Reader | None = None
        self._refs = (_sized("GhosttySelection"), _sized("GhosttyGridRef"), _ffi.new(f"{_library.point} *"))
        self._options = _sized("GhosttyTerminalSelectionFormatOptions")
        self._options.trim = True
        self._options.selection = self._refs[0]
        self._length = _ffi.new("size_t *")
        self._buffer = _ffi.new("uint8_t[]", 4096)
        out = _ffi.new("GhosttyTerminal *")
        _check(_lib.ghostty_terminal_new(_ffi.NULL, out, cols, rows), f"a terminal of {cols}x{rows}")
        self._terminal = _ffi.gc(out[0], _lib.ghostty_terminal_free)
        self._number = next(_numbers)
        _screens[self._number] = self
        self._set(_lib.GHOSTTY_TERMINAL_OPT_USERDATA, _ffi.cast("void *", self._number))
        self._set(_lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_LINES, _ffi.new("size_t *", scrollback))
        for option, value in _CALLBACKS + _DEFAULTS:
            self._set(option, value)
        _check(_lib.ghostty_terminal_resize(self._terminal, cols, rows, *CELL_PIXELS), "resize")

    def _set(self, option: int, value: Any) -> None:
        _check(_lib.ghostty_terminal_set(self._terminal, option, value), f"option {option}")

    def feed(self, data: bytes) -> None:
        _lib.ghostty_terminal_vt_write(self._terminal, data, len(data))
        if self._replies:
            # Only now, outside C: what answers may feed or close this very screen.
            replies, self._replies = self._replies, []
            if self._reply is not None:
                for reply in replies:
                    self._reply(reply)

    def resize(self, cols: int, rows: int) -> None:
        self._size = (cols, rows)
        _check(_lib.ghostty_terminal_resize(self._terminal, cols, rows, *CELL_PIXELS), f"resize to {cols}x{rows}")

    def close(self) -> None:
        if self._terminal is None:
            return
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        _ffi.release(self._terminal)
        self._terminal = None
        self._reply = None

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def cursor(self) -> Cursor:
        col, row, visible = _ffi.new("uint16_t *"), _ffi.new("uint16_t *"), _ffi.new("bool *")
        for key, out in (
            (_lib.GHOSTTY_TERMINAL_DATA_CURSOR_X, col),
            (_lib.GHOSTTY_TERMINAL_DATA_CURSOR_Y, row),
            (_lib.GHOSTTY_TERMINAL_DATA_CURSOR_VISIBLE, visible),
        ):
            _lib.ghostty_terminal_get(self._terminal, key, out)
        reader = self._snapshot()
        key = _lib.GHOSTTY_RENDER_STATE_DATA_CURSOR_VISUAL_STYLE
        _lib.ghostty_render_state_get(reader.state, key, reader.shape)
        return Cursor(col[0], row[0], visible[0], _SHAPES.get(reader.shape[0], "block"))

    @property
    def modes(self) -> Modes:
        config = _ffi.new("GhosttyTerminalModeConfig *")
        on = []
        for number in _MODES:
            config.mode = number
            _lib.ghostty_terminal_get(self._terminal, _lib.GHOSTTY_TERMINAL_DATA_MODE, config)
            on.append(config.value)
        flags, active = _ffi.new("uint8_t *"), _ffi.new("GhosttyTerminalScreen *")
        _lib.ghostty_terminal_get(self._terminal, _lib.GHOSTTY_TERMINAL_DATA_KITTY_KEYBOARD_FLAGS, flags)
        _lib.ghostty_terminal_get(self._terminal, _lib.GHOSTTY_TERMINAL_DATA_ACTIVE_SCREEN, active)
        return Modes(
            alternate_screen=active[0] == _lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE,
            application_cursor=on[0],
            application_keypad=on[1],
            bracketed_paste=on[2],
            focus_events=on[3],
            mouse=next(itertools.compress(_TRACKING, on[4:8]), "off"),
            mouse_format=next(itertools.compress(_FORMATS, on[8:12]), "x10"),
            kitty_keyboard=flags[0],
        )

    @property
    def title(self) -> str:
        out = _ffi.new("GhosttyString *")
        _lib.ghostty_terminal_get(self._terminal, _lib.GHOSTTY_TERMINAL_DATA_TITLE, out)
        return _ffi.buffer(out.ptr, out.len)[:].decode("utf-8", "replace") if out.len else ""

    @property
    def bells(self) -> int:
        return self._bells

    def lines(self) -> list[str]:
        rows = self._size[1]
        return self._text(_lib.GHOSTTY_POINT_TAG_ACTIVE, 0, rows)

    def history(self, limit: int = 1000) -> Sequence[str]:
        out = _ffi.new("size_t *")
        _lib.ghostty_terminal_get(self._terminal, _lib.GHOSTTY_TERMINAL_DATA_SCROLLBACK_ROWS, out)
        total = out[0]
        first = max(0, total - max(0, limit))
        return self._text(_lib.GHOSTTY_POINT_TAG_HISTORY, first, total) if first < total else []

    def _text(self, tag: int, first: int, last: int) -> list[str]:
        """Rows `first` to before `last` of a coordinate system, right-trimmed: exactly `last - first` strings."""
        selection, ref, point = self._refs
        point.tag = tag
        point.value.x, point.value.y = 0, first
        _check(_grid_ref(self._terminal, point[0], ref), "grid_ref")
        selection.start = ref[0]
        point.value.x, point.value.y = self._size[0] - 1, last - 1
        _check(_grid_ref(self._terminal, point[0], ref), "grid_ref")
        selection.end = ref[0]
        call = _lib.ghostty_terminal_selection_format_buf
        result = call(self._terminal, self._options[0], self._buffer, len(self._buffer), self._length)
        if result == _lib.GHOSTTY_OUT_OF_SPACE:
            self._buffer = _ffi.new("uint8_t[]", self._length[0] * 2)
            result = call(self._terminal, self._options[0], self._buffer, len(self._buffer), self._length)
        _check(result, "reading text")
        text = _ffi.buffer(self._buffer, self._length[0])[:].decode("utf-8", "replace")
        lines = [line.rstrip(" ") for line in text.split("\n")]
        wanted = last - first
        return lines + [""] * (wanted - len(lines)) if len(lines) < wanted else lines[:wanted]

    def _snapshot(self) -> _Reader:
        reader = self._reader
        if reader is None:
            reader = self._reader = _Reader()
        _check(_lib.ghostty_render_state_update(reader.state, self._terminal), "render_state_update")
        return reader

    def _walk(self, first: int, last: int) -> Any:
        """The reader, its iterator placed in turn on each row from `first` to before `last`, with the row's number."""
        reader = self._snapshot()
        key = _lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR
        _check(_lib.ghostty_render_state_get(reader.state, key, reader.rows_out), "row_iterator")
        for row in range(last):
            if not _lib.ghostty_render_state_row_iterator_next(reader.rows):
                return
            if row >= first:
                yield row, reader

    def styled(self, first: int = 0, last: int | None = None) -> list[list[StyledRun]]:
        rows = self._size[1]
        first = max(0, first)
        last = rows if last is None else min(last, rows)
        found = [self._runs(row, self._words(reader), reader) for row, reader in self._walk(first, last)]
        return found + [[] for _ in range(last - first - len(found))]

    @staticmethod
    def _words(reader: _Reader) -> list[int]:
        """The cells of the row under the iterator as 64-bit words; also places `reader.cells` on that row."""
        get = _lib.ghostty_render_state_row_get
        _check(get(reader.rows, _lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, reader.view), "row")
        _check(get(reader.rows, _lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, reader.cells_out), "row")
        words: list[int] = _ffi.unpack(reader.view.ptr, reader.view.len)
        return words

    def _runs(self, row: int, words: list[int], reader: _Reader) -> list[StyledRun]:
        runs: list[StyledRun] = []
        text: list[str] = []
        width = 0
        style, current = PLAIN, 0
        known: dict[int, Style] = {}
        for col, word in enumerate(words):
            if word & _WIDE == _SPACER_TAIL:
                width += 1
                continue
            key = word & _STYLED
            if word & 3 > 1:
                key |= word & _CONTENT
            if key != current or key & _LINK:
                new = known.get(key)
                if new is None:
                    new = self._style_at(col, row, word, reader)
                    if not key & _LINK:
                        known[key] = new
                if new != style:
                    if width:
                        runs.append(StyledRun("".join(text), style, width))
                    text, width, style = [], 0, new
                current = key
            content = word & 3
            text.append(
                (chr((word >> 2) & _VALUE) if word & _CONTENT else " ")
                if content == 0
                else self._cluster(col, reader)
                if content == 1
                else " "
            )
            width += 1
        if style == PLAIN:
            kept = "".join(text)
            trimmed = kept.rstrip(" ")
            width -= len(kept) - len(trimmed)
            if trimmed:
                runs.append(StyledRun(trimmed, style, width))
        elif width:
            runs.append(StyledRun("".join(text), style, width))
        return runs

    def _style_at(self, col: int, row: int, word: int, reader: _Reader) -> Style:
        if word & 3 == 2:
            return Style(bg=(word >> 2) & 0xFF)
        if word & 3 == 3:
            value = (word >> 2) & _VALUE
            return Style(bg=(value & 0xFF, (value >> 8) & 0xFF, value >> 16))
        style = PLAIN
        if word & _STYLE:
            _lib.ghostty_render_state_row_cells_select(reader.cells, col)
            key = _lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE
            _check(_lib.ghostty_render_state_row_cells_get(reader.cells, key, reader.style), "style")
            style = _style(reader.style)
        if word & _LINK:
            from dataclasses import replace

            style = replace(style, link=self._link(col, row))
        return style

    @staticmethod
    def _cluster(col: int, reader: _Reader) -> str:
        """All code points of a cell that holds more than one."""
        _lib.ghostty_render_state_row_cells_select(reader.cells, col)
        get = _lib.ghostty_render_state_row_cells_get
        length = _ffi.new("uint32_t *")
        _check(get(reader.cells, _lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN, length), "cluster")
        points = _ffi.new("uint32_t[]", max(1, length[0]))
        _check(get(reader.cells, _lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF, points), "cluster")
        return "".join(map(chr, _ffi.unpack(points, length[0])))

    def _link(self, col: int, row: int) -> str | None:
        """The hyperlink of a cell."""
        _, ref, point = self._refs
        point.tag = _lib.GHOSTTY_POINT_TAG_ACTIVE
        point.value.x, point.value.y = col, row
        if _grid_ref(self._terminal, point[0], ref):
            return None
        buffer = _ffi.new("uint8_t[]", _LINK_BYTES)
        if _lib.ghostty_grid_ref_hyperlink_uri(ref, buffer, _LINK_BYTES, self._length):
            return None
        return _ffi.buffer(buffer, self._length[0])[:].decode("utf-8", "replace") or None

    def cell(self, col: int, row: int) -> Cell:
        cols, rows = self._size
        if not (0 <= col < cols and 0 <= row < rows):
            raise IndexError(f"cell {col},{row} is outside the screen of {cols}x{rows}")
        for number, reader in self._walk(row, row + 1):
            word = self._words(reader)[col]
            style = self._style_at(col, number, word, reader)
            wide = (word & _WIDE) >> 42
            if wide == _lib.GHOSTTY_CELL_WIDE_SPACER_TAIL:
                return Cell("", 0, style)
            text = " "
            if word & 3 == 1:
                text = self._cluster(col, reader)
            elif word & 3 == 0 and word & _CONTENT:
                text = chr((word >> 2) & _VALUE)
            return Cell(text, 2 if wide == _lib.GHOSTTY_CELL_WIDE_WIDE else 1, style)
        return Cell(" ", 1, PLAIN)

    def dump(self) -> bytes:
        return redraw(self)

    def on_reply(self, reply: Callable[[bytes], None] | None) -> None:
        self._reply = reply

    def encode_key(self, key: str) -> bytes | None:  # noqa: ARG002 - the library's encoder comes next
        return None
