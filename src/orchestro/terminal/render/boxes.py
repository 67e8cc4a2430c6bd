"""Box drawing and block characters as shapes, so that they join from cell to cell whatever the font.

A shape is a list of rectangles in fractions of the cell: (left, top, right, bottom, opacity).
"""

from __future__ import annotations

from functools import lru_cache

__all__ = ["Rectangle", "shape"]

Rectangle = tuple[float, float, float, float, float]

_THIN_X, _THIN_Y = 0.125, 0.0625
"""Thickness of a light line, as parts of the width and height of a cell."""

# Arms to the left, right, up and down: 0 none, 1 light, 2 heavy.
_ARMS: dict[str, tuple[int, int, int, int]] = {
    "─": (1, 1, 0, 0),
    "━": (2, 2, 0, 0),
    "│": (0, 0, 1, 1),
    "┃": (0, 0, 2, 2),
    "┌": (0, 1, 0, 1),
    "┏": (0, 2, 0, 2),
    "┐": (1, 0, 0, 1),
    "┓": (2, 0, 0, 2),
    "└": (0, 1, 1, 0),
    "┗": (0, 2, 2, 0),
    "┘": (1, 0, 1, 0),
    "┛": (2, 0, 2, 0),
    "├": (0, 1, 1, 1),
    "┣": (0, 2, 2, 2),
    "┤": (1, 0, 1, 1),
    "┫": (2, 0, 2, 2),
    "┬": (1, 1, 0, 1),
    "┳": (2, 2, 0, 2),
    "┴": (1, 1, 1, 0),
    "┻": (2, 2, 2, 0),
    "┼": (1, 1, 1, 1),
    "╋": (2, 2, 2, 2),
    "╭": (0, 1, 0, 1),
    "╮": (1, 0, 0, 1),
    "╰": (0, 1, 1, 0),
    "╯": (1, 0, 1, 0),
    "╴": (1, 0, 0, 0),
    "╵": (0, 0, 1, 0),
    "╶": (0, 1, 0, 0),
    "╷": (0, 0, 0, 1),
    "┠": (0, 1, 2, 2),
    "┨": (1, 0, 2, 2),
    "┯": (2, 2, 0, 1),
    "┷": (2, 2, 1, 0),
    "┝": (0, 2, 1, 1),
    "┥": (2, 0, 1, 1),
}
_QUADRANTS = {
    "▖": "c",
    "▗": "d",
    "▘": "a",
    "▙": "acd",
    "▚": "ad",
    "▛": "abc",
    "▜": "abd",
    "▝": "b",
    "▞": "bc",
    "▟": "bcd",
}
_QUARTERS: dict[str, Rectangle] = {
    "a": (0, 0, 0.5, 0.5, 1),
    "b": (0.5, 0, 1, 0.5, 1),
    "c": (0, 0.5, 0.5, 1, 1),
    "d": (0.5, 0.5, 1, 1, 1),
}


@lru_cache(maxsize=512)
def shape(character: str) -> tuple[Rectangle, ...] | None:
    """The rectangles of a character; None for one that the font draws."""
    arms = _ARMS.get(character)
    if arms is not None:
        return _lines(*arms)
    code = ord(character) if len(character) == 1 else 0
    if not 0x2580 <= code <= 0x259F:
        return None
    if character in _QUADRANTS:
        return tuple(_QUARTERS[quarter] for quarter in _QUADRANTS[character])
    if code == 0x2580:
        return ((0, 0, 1, 0.5, 1),)
    if code <= 0x2588:
        return ((0, 1 - (code - 0x2580) / 8, 1, 1, 1),)
    if code <= 0x258F:
        return ((0, 0, (0x2590 - code) / 8, 1, 1),)
    return {
        0x2590: ((0.5, 0, 1, 1, 1),),
        0x2591: ((0, 0, 1, 1, 0.25),),
        0x2592: ((0, 0, 1, 1, 0.5),),
        0x2593: ((0, 0, 1, 1, 0.75),),
        0x2594: ((0, 0, 1, 0.125, 1),),
        0x2595: ((0.875, 0, 1, 1, 1),),
    }.get(code)


def _lines(left: int, right: int, up: int, down: int) -> tuple[Rectangle, ...]:
    thick_x, thick_y = _THIN_X * max(up, down), _THIN_Y * max(left, right)
    parts: list[Rectangle] = []
    # Each arm reaches over the middle by half of the thickness of the other direction, so that corners are filled.
    if left:
        parts.append((0, 0.5 - _THIN_Y * left / 2, 0.5 + thick_x / 2, 0.5 + _THIN_Y * left / 2, 1))
    if right:
        parts.append((0.5 - thick_x / 2, 0.5 - _THIN_Y * right / 2, 1, 0.5 + _THIN_Y * right / 2, 1))
    if up:
        parts.append((0.5 - _THIN_X * up / 2, 0, 0.5 + _THIN_X * up / 2, 0.5 + thick_y / 2, 1))
    if down:
        parts.append((0.5 - _THIN_X * down / 2, 0.5 - thick_y / 2, 0.5 + _THIN_X * down / 2, 1, 1))
    return tuple(parts)
