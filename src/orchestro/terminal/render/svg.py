"""A screen as SVG: every cell in its place whatever the font, and the same bytes for the same screen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orchestro.terminal.render.boxes import shape
from orchestro.terminal.render.palette import css
from orchestro.terminal.screen import Cursor, Style, StyledRun
from orchestro.terminal.screen.appearance import BACKGROUND

__all__ = ["CELL", "FONT_SIZE", "screen_svg"]

CELL = (8.4287, 17.0)
"""Width and height of a cell in pixels: that of the bundled font at `FONT_SIZE`."""
FONT_SIZE = 14
_BASELINE = 13.2
_PADDING = 10.0
_TITLE = 26.0
_ILLEGAL = re.compile("[\x00-\x1f\x7f\x80-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What XML 1.0 cannot hold or a picture should not."""


def screen_svg(rows: Sequence[Sequence[StyledRun]], cols: int, cursor: Cursor | None, *, title: str = "") -> str:
    """The SVG document of a screen of `cols` columns and `len(rows)` rows; with a title bar if there is a title."""
    cell_w, cell_h = CELL
    top = _PADDING + (_TITLE if title else 0)
    width, height = cols * cell_w + 2 * _PADDING, len(rows) * cell_h + top + _PADDING
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    font = f'font-family="DejaVu Sans Mono, monospace" font-size="{FONT_SIZE}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect width="100%" height="100%" rx="8" fill="{css(BACKGROUND)}"/>',
    ]
    if title:
        parts.append(
            f'<text x="{_n(width / 2)}" y="22" fill="#9aa0a6" text-anchor="middle">{_escape(title[:120])}</text>'
        )
    parts.append(f'<g transform="translate({_n(_PADDING)} {_n(top)})">')
    for number, runs in enumerate(rows):
        parts += _row(runs, number * cell_h)
    if cursor is not None and cursor.visible and cursor.row < len(rows) and cursor.col < cols:
        parts.append(_cursor(cursor))
    parts.append("</g></svg>\n")
    return "".join(parts)


def _row(runs: Sequence[StyledRun], y: float) -> Iterator[str]:
    column = 0
    for run in runs:
        yield from _run(run, column, y)
        column += run.width


def _run(run: StyledRun, column: int, y: float) -> Iterator[str]:
    cell_w, cell_h = CELL
    style = run.style
    x, width = column * cell_w, run.width * cell_w
    fg, bg = _colors(style)
    if bg is not None:
        # A little wider, so that neighbours leave no seam.
        yield f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width + 0.3)}" height="{_n(cell_h + 0.3)}" fill="{bg}"/>'
    if style.invisible:
        return
    for first, text, cells in _pieces(run):
        boxes = shape(text) if cells == 1 else None
        left = x + first * cell_w
        if boxes is not None:
            for box in boxes:
                yield _box(box, left, y, fg)
        elif text.strip():
            yield _text(text, left, y, cells * cell_w, fg, style)
    yield from _lines(style, x, y, width, fg)


def _pieces(run: StyledRun) -> Iterator[tuple[int, str, int]]:
    """Parts of a run that are drawn as one: (first cell, text, cells). Wide characters and shapes stand alone."""
    plain = len(run.text) == run.width
    if plain and run.text.isascii():
        yield 0, run.text, run.width
        return
    from wcwidth import wcwidth

    start, text, column = 0, "", 0
    for character in run.text:
        cells = 1 if plain else max(0, wcwidth(character))
        alone = cells == 2 or shape(character) is not None
        if alone and text:
            yield start, text, column - start
            text = ""
        if alone:
            yield column, character, cells
        else:
            if not text:
                start = column
            text += character
        column += cells
    if text:
        yield start, text, max(1, column - start)


def _text(text: str, x: float, y: float, width: float, fg: str, style: Style) -> str:
    attributes = (
        f'x="{_n(x)}" y="{_n(y + _BASELINE)}" fill="{fg}" textLength="{_n(width)}" lengthAdjust="spacingAndGlyphs"'
    )
    if style.bold:
        attributes += ' font-weight="bold"'
    if style.italic:
        attributes += ' font-style="italic"'
    if style.faint:
        attributes += ' opacity="0.6"'
    return f'<text xml:space="preserve" {attributes}>{_escape(text)}</text>'


def _box(box: tuple[float, float, float, float, float], x: float, y: float, fg: str) -> str:
    cell_w, cell_h = CELL
    left, top, right, bottom, opacity = box
    size = f'width="{_n((right - left) * cell_w + 0.2)}" height="{_n((bottom - top) * cell_h + 0.2)}"'
    faded = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
    return f'<rect x="{_n(x + left * cell_w)}" y="{_n(y + top * cell_h)}" {size} fill="{fg}"{faded}/>'


def _lines(style: Style, x: float, y: float, width: float, fg: str) -> Iterator[str]:
    color = fg if style.underline_color is None else css(style.underline_color)
    below = y + _BASELINE + 1.6
    dash = {4: ' stroke-dasharray="1 2"', 5: ' stroke-dasharray="4 2"'}.get(style.underline, "")
    if style.underline == 3:
        wave = "".join(f"q1.5 {1.5 if i % 2 else -1.5} 3 0" for i in range(max(1, int(width / 3))))
        yield f'<path d="M{_n(x)} {_n(below)}{wave}" fill="none" stroke="{color}"/>'
    elif style.underline:
        yield f'<path d="M{_n(x)} {_n(below)}h{_n(width)}" stroke="{color}"{dash}/>'
        if style.underline == 2:
            yield f'<path d="M{_n(x)} {_n(below + 2)}h{_n(width)}" stroke="{color}"/>'
    if style.strikethrough:
        yield f'<path d="M{_n(x)} {_n(y + 9)}h{_n(width)}" stroke="{fg}"/>'
    if style.overline:
        yield f'<path d="M{_n(x)} {_n(y + 0.5)}h{_n(width)}" stroke="{fg}"/>'


def _cursor(cursor: Cursor) -> str:
    cell_w, cell_h = CELL
    x, y, width, height = cursor.col * cell_w, cursor.row * cell_h, cell_w, cell_h
    if cursor.shape == "bar":
        width = 2
    elif cursor.shape == "underline":
        y, height = y + cell_h - 2, 2
    size = f'width="{_n(width)}" height="{_n(height)}"'
    return f'<rect x="{_n(x)}" y="{_n(y)}" {size} fill="{css(None)}" fill-opacity="0.6"/>'


def _colors(style: Style) -> tuple[str, str | None]:
    fg, bg = css(style.fg), None if style.bg is None else css(style.bg, foreground=False)
    if style.reverse:
        return bg or css(BACKGROUND), fg
    return fg, bg


def _escape(text: str) -> str:
    text = _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
