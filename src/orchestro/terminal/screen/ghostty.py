"""The `Screen` over libghostty-vt, the emulator of the Ghostty terminal.

Not safe for use from several threads at once. A reading costs what has to be read: `lines()` is one call into the
library, `styled()` one per row plus one per distinct style of a row.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orchestro.terminal.screen.appearance import BACKGROUND, CELL_PIXELS, FOREGROUND
from orchestro.terminal.screen.ghostty_cells import CellReader, GridRef, check, sized
from orchestro.terminal.screen.ghostty_library import load
from orchestro.terminal.screen.protocol import Cell, Cursor, Modes, StyledRun
from orchestro.terminal.screen.redraw import redraw

if TYPE_CHECKING:
    from orchestro.terminal.screen.ghostty_keys import KeyEncoder

__all__ = ["GhosttyScreen"]

_HISTORY_BYTES_MOST = 16 << 20
_HISTORY_BYTES_A_CELL = 16
# The library bounds its history in bytes, whole pages at a time: 8 bytes a cell and what pages leave unused come to 16
# at most, so that asked-for lines are there. Its bound in lines is not used: it makes scrolling ten times as slow.

_KEPT_BYTES = 64 << 10
# Largest text buffer kept between readings: a usual screen fits, a long history does not stay allocated.

_library = load()
_ffi, _lib = _library.ffi, _library.lib

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
    # A text screen shows no pictures: refuse them, so that programs fall back to text and no memory goes to them.
    (_lib.GHOSTTY_TERMINAL_OPT_KITTY_IMAGE_STORAGE_LIMIT, _ffi.new("uint64_t *", 0)),
    (_lib.GHOSTTY_TERMINAL_OPT_APC_MAX_BYTES, _ffi.new("size_t *", 64 << 10)),
)

_MODES = (1, 66, 2004, 1004, 1003, 1002, 1000, 9, 1016, 1006, 1015, 1005)
# The order of `modes`: cursor keys, keypad, paste, focus, then mouse tracking and formats, the strongest first.
_TRACKING = ("any", "button", "normal", "x10")
_FORMATS = ("sgr_pixels", "sgr", "urxvt", "utf8")


class GhosttyScreen:
    """A `Screen` whose emulator is libghostty-vt."""

    def __init__(self, cols: int, rows: int, *, scrollback: int = 2000) -> None:
        """Raises InfrastructureError when the library refuses, which memory alone should make it do."""
        self._size = (cols, rows)
        self._scrollback = max(0, scrollback)
        self._bells = 0
        # Answers of the feed under way: some 20 bytes for each query of 3 or more, so the size of the feed bounds them.
        self._replies: list[bytes] = []
        self._reply: Callable[[bytes], None] | None = None
        self._reader: CellReader | None = None
        self._encoder: KeyEncoder | None = None
        self._places = GridRef()
        self._selection = sized("GhosttySelection")
        self._options = sized("GhosttyTerminalSelectionFormatOptions")
        self._options.trim = False  # it takes a blank with a combining mark for empty
        self._options.selection = self._selection
        self._length = _ffi.new("size_t *")
        self._buffer = _ffi.new("uint8_t[]", 4096)
        out = _ffi.new("GhosttyTerminal *")
        check(_lib.ghostty_terminal_new(_ffi.NULL, out, cols, rows), f"a terminal of {cols}x{rows}")
        self._terminal = _ffi.gc(out[0], _lib.ghostty_terminal_free)
        self._number = next(_numbers)
        _screens[self._number] = self
        self._set(_lib.GHOSTTY_TERMINAL_OPT_USERDATA, _ffi.cast("void *", self._number))
        for option, value in _CALLBACKS + _DEFAULTS:
            self._set(option, value)
        self.resize(cols, rows)

    def _set(self, option: int, value: Any) -> None:
        check(_lib.ghostty_terminal_set(self._terminal, option, value), f"option {option}")

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
        most = min(self._scrollback * cols * _HISTORY_BYTES_A_CELL, _HISTORY_BYTES_MOST)
        self._set(_lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_BYTES, _ffi.new("size_t *", most))
        check(_lib.ghostty_terminal_resize(self._terminal, cols, rows, *CELL_PIXELS), f"resize to {cols}x{rows}")

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

    def _get(self, key: int, ctype: str) -> Any:
        out = _ffi.new(f"{ctype} *")
        check(_lib.ghostty_terminal_get(self._terminal, key, out), f"terminal_get {key}")
        return out[0]

    @property
    def cursor(self) -> Cursor:
        return Cursor(
            self._get(_lib.GHOSTTY_TERMINAL_DATA_CURSOR_X, "uint16_t"),
            self._get(_lib.GHOSTTY_TERMINAL_DATA_CURSOR_Y, "uint16_t"),
            self._get(_lib.GHOSTTY_TERMINAL_DATA_CURSOR_VISIBLE, "bool"),
            self._cells().cursor_shape(),
        )

    @property
    def modes(self) -> Modes:
        config = _ffi.new("GhosttyTerminalModeConfig *")
        on: list[bool] = []
        for number in _MODES:
            config.mode = number
            check(_lib.ghostty_terminal_get(self._terminal, _lib.GHOSTTY_TERMINAL_DATA_MODE, config), f"mode {number}")
            on.append(config.value)
        active = self._get(_lib.GHOSTTY_TERMINAL_DATA_ACTIVE_SCREEN, "GhosttyTerminalScreen")
        return Modes(
            alternate_screen=active == _lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE,
            application_cursor=on[0],
            application_keypad=on[1],
            bracketed_paste=on[2],
            focus_events=on[3],
            mouse=next(itertools.compress(_TRACKING, on[4:8]), "off"),
            mouse_format=next(itertools.compress(_FORMATS, on[8:12]), "x10"),
            kitty_keyboard=self._get(_lib.GHOSTTY_TERMINAL_DATA_KITTY_KEYBOARD_FLAGS, "uint8_t"),
        )

    @property
    def title(self) -> str:
        text = self._get(_lib.GHOSTTY_TERMINAL_DATA_TITLE, "GhosttyString")
        return _ffi.buffer(text.ptr, text.len)[:].decode("utf-8", "replace") if text.len else ""

    @property
    def bells(self) -> int:
        return self._bells

    def lines(self) -> list[str]:
        rows = self._size[1]
        return self._text(_lib.GHOSTTY_POINT_TAG_ACTIVE, 0, rows)

    def history(self, limit: int = 1000) -> Sequence[str]:
        """The alternate screen has none."""
        total = self._get(_lib.GHOSTTY_TERMINAL_DATA_SCROLLBACK_ROWS, "size_t")
        first = max(0, total - min(max(0, limit), self._scrollback))
        return self._text(_lib.GHOSTTY_POINT_TAG_HISTORY, first, total) if first < total else []

    def _text(self, tag: int, first: int, last: int) -> list[str]:
        """Rows `first` to before `last` of a coordinate system, right-trimmed: exactly `last - first` strings."""
        selection, terminal = self._selection, self._terminal
        selection.start = self._places.at(terminal, tag, 0, first)[0]
        selection.end = self._places.at(terminal, tag, self._size[0] - 1, last - 1)[0]
        read = _lib.ghostty_terminal_selection_format_buf
        result = read(terminal, self._options[0], self._buffer, len(self._buffer), self._length)
        if result == _lib.GHOSTTY_OUT_OF_SPACE:
            buffer = _ffi.new("uint8_t[]", self._length[0])
            result = read(terminal, self._options[0], buffer, len(buffer), self._length)
            if len(buffer) <= _KEPT_BYTES:
                self._buffer = buffer
        else:
            buffer = self._buffer
        check(result, "reading text")
        lines = _ffi.buffer(buffer, self._length[0])[:].decode("utf-8", "replace").split("\n")
        lines = [line.rstrip(" ") for line in lines]
        return (lines + [""] * (last - first - len(lines)))[: last - first]

    def styled(self, first: int = 0, last: int | None = None) -> list[list[StyledRun]]:
        rows = self._size[1]
        first = max(0, first)
        last = rows if last is None else min(last, rows)
        return self._cells().runs(first, last)

    def cell(self, col: int, row: int) -> Cell:
        cols, rows = self._size
        if not (0 <= col < cols and 0 <= row < rows):
            raise IndexError(f"cell {col},{row} is outside the screen of {cols}x{rows}")
        return self._cells().cell(col, row)

    def _cells(self) -> CellReader:
        if self._reader is None:
            self._reader = CellReader(self._terminal)
        return self._reader

    def dump(self) -> bytes:
        return redraw(self)

    def on_reply(self, reply: Callable[[bytes], None] | None) -> None:
        self._reply = reply

    def encode_key(self, key: str) -> bytes | None:
        if self._encoder is None:
            from orchestro.terminal.screen.ghostty_keys import KeyEncoder

            self._encoder = KeyEncoder()
        return self._encoder.encode(
            key, self._terminal, self._get(_lib.GHOSTTY_TERMINAL_DATA_KITTY_KEYBOARD_FLAGS, "uint8_t")
        )
