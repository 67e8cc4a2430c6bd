"""Reads cells and their styles out of libghostty-vt in bulk: one call a row, and one for each distinct style of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from orchestro.errors import InfrastructureError
from orchestro.terminal.screen.ghostty_library import load
from orchestro.terminal.screen.protocol import PLAIN, Cell, Color, Style, StyledRun

__all__ = ["CellReader", "GridRef", "check", "sized"]

_STYLE_CACHE = 4096
# Distinct styles kept as objects. A gradient may make thousands; past this the cache starts afresh.

_LINK_BYTES = 4096
# Longest hyperlink read; browsers and terminals cut well below.

# A cell is one 64-bit word: what it holds in bits 0-1 (0 a code point, 1 the first of a cluster, 2 a palette
# background, 3 an RGB background), that value in bits 2-25, its style's number in bits 26-41, its width in bits 42-43
# and a hyperlink flag in bit 45. The C interface promises these fields, one call each, but not their places; reading
# them in place is 40 times as fast for a screen. `_pack` asks for the fields, and the first reader of a process
# compares the two: should a library lay cells out otherwise, every word goes through `_pack`.
_TAG = 3
_CLUSTER, _PALETTE_ONLY, _RGB_ONLY = 1, 2, 3
_VALUE_SHIFT, _STYLE_SHIFT, _WIDE_SHIFT, _LINK_SHIFT = 2, 26, 42, 45
_VALUE = 0xFFFFFF
_CONTENT = _VALUE << _VALUE_SHIFT | _TAG
_STYLE = 0xFFFF << _STYLE_SHIFT
_WIDE = 3 << _WIDE_SHIFT
_LINK = 1 << _LINK_SHIFT
_STYLED = _STYLE | _LINK
_FIELDS = _CONTENT | _STYLE | _WIDE | _LINK

_library = load()
_ffi, _lib, _grid_ref = _library.ffi, _library.lib, _library.grid_ref

_SPACER_TAIL = _lib.GHOSTTY_CELL_WIDE_SPACER_TAIL << _WIDE_SHIFT
_DOUBLE = _lib.GHOSTTY_CELL_WIDE_WIDE << _WIDE_SHIFT
_SHAPES = {
    _lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR: "bar",
    _lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE: "underline",
}
_PROBE = (
    "a\x1b[1;31mb\u4e16\x1b[0;44m\x1b[5X\x1b[5C\x1b[48;2;1;2;3m\x1b[3X\x1b[3C\x1b[0me\u0301\x1b]8;;x:y\x1b\\l".encode()
)

_styles: dict[bytes, Style] = {}
_in_place: bool | None = None


def sized(name: str) -> Any:
    """A new struct of C type `name` with its own size, and that of the structs inside it, filled in."""
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


def check(result: int, what: str) -> None:
    """Raise InfrastructureError unless the library succeeded; what remains to fail is memory."""
    if result:
        raise InfrastructureError(f"libghostty-vt: {what} failed with {result}")


class GridRef:
    """Finds places of a terminal's grid; the structs for the call are made once."""

    def __init__(self) -> None:
        self._ref = sized("GhosttyGridRef")
        self._point = _ffi.new(f"{_library.point} *")

    def at(self, terminal: Any, tag: int, col: int, row: int) -> Any:
        """A `GhosttyGridRef *`, valid until the next call or change of the terminal. `tag` is a GHOSTTY_POINT_TAG."""
        point = self._point
        point.tag = tag
        point.value.x, point.value.y = col, row
        check(_grid_ref(terminal, point[0], self._ref), f"cell {col},{row}")
        return self._ref


class CellReader:
    """Reads the visible grid of one terminal."""

    def __init__(self, terminal: Any) -> None:
        """Raises InfrastructureError when there is no memory."""
        self._terminal = terminal
        state, self._rows_out, self._cells_out = (
            _ffi.new("GhosttyRenderState *"),
            _ffi.new("GhosttyRenderStateRowIterator *"),
            _ffi.new("GhosttyRenderStateRowCells *"),
        )
        check(_lib.ghostty_render_state_new(_ffi.NULL, state), "render_state_new")
        self._state = _ffi.gc(state[0], _lib.ghostty_render_state_free)
        check(_lib.ghostty_render_state_row_iterator_new(_ffi.NULL, self._rows_out), "row_iterator_new")
        self._rows = _ffi.gc(self._rows_out[0], _lib.ghostty_render_state_row_iterator_free)
        check(_lib.ghostty_render_state_row_cells_new(_ffi.NULL, self._cells_out), "row_cells_new")
        self._cells = _ffi.gc(self._cells_out[0], _lib.ghostty_render_state_row_cells_free)
        self._view = _ffi.new("GhosttyCellsView *")
        self._style_out = sized("GhosttyStyle")
        self._shape = _ffi.new("GhosttyRenderStateCursorVisualStyle *")
        self._length = _ffi.new("size_t *")
        self._places = GridRef()

    def close(self) -> None:
        """Free the library's side; nothing may be read afterwards."""
        for handle in (self._cells, self._rows, self._state):
            _ffi.release(handle)

    def cursor_shape(self) -> str:
        """``block``, ``bar`` or ``underline``."""
        check(_lib.ghostty_render_state_update(self._state, self._terminal), "render_state_update")
        key = _lib.GHOSTTY_RENDER_STATE_DATA_CURSOR_VISUAL_STYLE
        check(_lib.ghostty_render_state_get(self._state, key, self._shape), "cursor shape")
        return _SHAPES.get(self._shape[0], "block")

    def runs(self, first: int, last: int) -> list[list[StyledRun]]:
        """The runs of rows `first` to before `last`, without trailing plain blanks."""
        return [self._runs(row, words) for row, words in self._walk(first, last)]

    def cell(self, col: int, row: int) -> Cell:
        """One cell, which must be on the screen."""
        for _, words in self._walk(row, row + 1):
            word = words[col]
            style = self._style_at(col, row, word)
            if word & _WIDE == _SPACER_TAIL:
                return Cell("", 0, style)
            return Cell(self._text(col, word), 2 if word & _WIDE == _DOUBLE else 1, style)
        raise IndexError(f"row {row} is outside the screen")

    def _walk(self, first: int, last: int) -> Iterator[tuple[int, list[int]]]:
        """Each row from `first` to before `last` with its words; `self._cells` is on that row meanwhile."""
        check(_lib.ghostty_render_state_update(self._state, self._terminal), "render_state_update")
        key = _lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR
        check(_lib.ghostty_render_state_get(self._state, key, self._rows_out), "row iterator")
        step, get = _lib.ghostty_render_state_row_iterator_next, _lib.ghostty_render_state_row_get
        raw, cells = _lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, _lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS
        for row in range(last):
            if not step(self._rows):
                return
            if row < first:
                continue
            check(get(self._rows, raw, self._view), "row")
            check(get(self._rows, cells, self._cells_out), "row")
            words = _ffi.unpack(self._view.ptr, self._view.len)
            yield row, words if _laid_out_as_known() else [_pack(word) for word in words]

    def _runs(self, row: int, words: list[int]) -> list[StyledRun]:
        runs: list[StyledRun] = []
        text: list[str] = []
        width = 0
        style, current = PLAIN, 0
        known: dict[int, Style] = {0: PLAIN}
        for col, word in enumerate(words):
            if word & _WIDE == _SPACER_TAIL:
                width += 1
                continue
            tag = word & _TAG
            key = word & (_CONTENT if tag > _CLUSTER else _STYLED)
            if key != current or key & _LINK:
                new = known.get(key)
                if new is None:
                    new = self._style_at(col, row, word)
                    if not key & _LINK:
                        # Neighbouring links differ in target, not in their words.
                        known[key] = new
                if new != style:
                    if width:
                        runs.append(StyledRun("".join(text), style, width))
                    text, width, style = [], 0, new
                current = key
            if tag:
                text.append(self._text(col, word))
            else:
                text.append(chr(word >> _VALUE_SHIFT & _VALUE) if word & _CONTENT else " ")
            width += 1
        if style == PLAIN:
            whole = "".join(text)
            kept = whole.rstrip(" ")
            if kept:
                runs.append(StyledRun(kept, style, width - _columns(words, len(whole) - len(kept))))
        elif width:
            runs.append(StyledRun("".join(text), style, width))
        return runs

    def _text(self, col: int, word: int) -> str:
        """What the cell shows: a blank for none."""
        tag = word & _TAG
        if tag > _CLUSTER or not word & _CONTENT:
            return " "
        if tag != _CLUSTER:
            return chr(word >> _VALUE_SHIFT & _VALUE)
        get, length = _lib.ghostty_render_state_row_cells_get, _ffi.new("uint32_t *")
        check(_lib.ghostty_render_state_row_cells_select(self._cells, col), "cell")
        check(get(self._cells, _lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN, length), "cluster")
        points = _ffi.new("uint32_t[]", max(1, length[0]))
        check(get(self._cells, _lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF, points), "cluster")
        return "".join(map(chr, _ffi.unpack(points, length[0])))

    def _style_at(self, col: int, row: int, word: int) -> Style:
        tag, value = word & _TAG, word >> _VALUE_SHIFT & _VALUE
        if tag == _PALETTE_ONLY:
            return Style(bg=value & 0xFF)
        if tag == _RGB_ONLY:
            return Style(bg=(value & 0xFF, value >> 8 & 0xFF, value >> 16))
        style = PLAIN
        if word & _STYLE:
            check(_lib.ghostty_render_state_row_cells_select(self._cells, col), "cell")
            key = _lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE
            check(_lib.ghostty_render_state_row_cells_get(self._cells, key, self._style_out), "style")
            style = _style(self._style_out)
        return replace(style, link=self._link(col, row)) if word & _LINK else style

    def _link(self, col: int, row: int) -> str | None:
        """The target of a cell's hyperlink; None for one longer than is read."""
        ref = self._places.at(self._terminal, _lib.GHOSTTY_POINT_TAG_ACTIVE, col, row)
        buffer = _ffi.new("uint8_t[]", _LINK_BYTES)
        if _lib.ghostty_grid_ref_hyperlink_uri(ref, buffer, _LINK_BYTES, self._length):
            return None
        return _ffi.buffer(buffer, self._length[0])[:].decode("utf-8", "replace") or None


def _columns(words: list[int], blanks: int) -> int:
    """The columns of the last `blanks` cells, which a charset may have made of wide characters."""
    columns = 0
    for word in reversed(words):
        if word & _WIDE != _SPACER_TAIL:
            if not blanks:
                break
            blanks -= 1
        columns += 1
    return columns


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


def _color(color: Any) -> Color:
    if color.tag == _lib.GHOSTTY_STYLE_COLOR_PALETTE:
        return int(color.value.palette)
    if color.tag == _lib.GHOSTTY_STYLE_COLOR_RGB:
        rgb = color.value.rgb
        return (rgb.r, rgb.g, rgb.b)
    return None


def _pack(word: int) -> int:
    """A cell as this module lays it out, from the fields that the C interface promises."""

    def field(name: str, ctype: str) -> Any:
        out = _ffi.new(f"{ctype} *")
        check(_lib.ghostty_cell_get(word, getattr(_lib, f"GHOSTTY_CELL_DATA_{name}"), out), name)
        return out[0]

    tag = field("CONTENT_TAG", "GhosttyCellContentTag")
    if tag == _RGB_ONLY:
        rgb = field("COLOR_RGB", "GhosttyColorRgb")
        value = rgb.r | rgb.g << 8 | rgb.b << 16
    elif tag == _PALETTE_ONLY:
        value = field("COLOR_PALETTE", "GhosttyColorPaletteIndex")
    else:
        value = field("CODEPOINT", "uint32_t")
    style, wide, link = (
        field("STYLE_ID", "GhosttyStyleId"),
        field("WIDE", "GhosttyCellWide"),
        field("HAS_HYPERLINK", "bool"),
    )
    return int(tag | value << _VALUE_SHIFT | style << _STYLE_SHIFT | wide << _WIDE_SHIFT | link << _LINK_SHIFT)


def _laid_out_as_known() -> bool:
    """Whether this library's words can be read in place: asked of a small terminal once a process."""
    global _in_place
    if _in_place is None:
        _in_place = True  # the probe below reads its words as they are
        out = _ffi.new("GhosttyTerminal *")
        check(_lib.ghostty_terminal_new(_ffi.NULL, out, 20, 1), "terminal_new")
        terminal = _ffi.gc(out[0], _lib.ghostty_terminal_free)
        _lib.ghostty_terminal_vt_write(terminal, _PROBE, len(_PROBE))
        reader = CellReader(terminal)
        words = next(reader._walk(0, 1))[1]
        _in_place = all(word & _FIELDS == _pack(word) for word in words)
        reader.close()
    return _in_place
