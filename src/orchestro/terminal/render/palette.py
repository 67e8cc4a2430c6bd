"""The colours of a drawn screen: the 16 of the palette, the cube and the greys, and the defaults of the terminal."""

from __future__ import annotations

from orchestro.terminal.screen import Color
from orchestro.terminal.screen.appearance import BACKGROUND, FOREGROUND

__all__ = ["BASE", "css", "rgb"]

BASE = (
    (0x00, 0x00, 0x00),
    (0xCD, 0x31, 0x31),
    (0x0D, 0xBC, 0x79),
    (0xE5, 0xE5, 0x10),
    (0x3B, 0x8E, 0xEA),
    (0xBC, 0x3F, 0xBC),
    (0x11, 0xA8, 0xCD),
    (0xE5, 0xE5, 0xE5),
    (0x76, 0x76, 0x76),
    (0xF1, 0x4C, 0x4C),
    (0x23, 0xD1, 0x8B),
    (0xF5, 0xF5, 0x43),
    (0x6C, 0xB6, 0xFF),
    (0xD6, 0x70, 0xD6),
    (0x29, 0xB8, 0xDB),
    (0xFF, 0xFF, 0xFF),
)
"""Red, green and blue of palette entries 0 to 15, readable on the default background."""


def rgb(color: Color, *, foreground: bool = True) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255 each; None is the default foreground or background."""
    if color is None:
        return FOREGROUND if foreground else BACKGROUND
    if isinstance(color, tuple):
        return color
    if color < 16:
        return BASE[color]
    if color >= 232:
        level = 8 + 10 * (color - 232)
        return level, level, level
    red, green, blue = ((color - 16) // 36, (color - 16) // 6 % 6, (color - 16) % 6)
    return _level(red), _level(green), _level(blue)


def _level(part: int) -> int:
    return 55 + 40 * part if part else 0


def css(color: Color, *, foreground: bool = True) -> str:
    """``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*rgb(color, foreground=foreground))
