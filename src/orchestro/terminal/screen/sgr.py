"""Select Graphic Rendition: how its parameters change a style, and the sequence that selects one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestro.terminal.screen.protocol import PLAIN, Color, Style

__all__ = ["apply_sgr", "sgr"]

_SET: dict[int, dict[str, Any]] = {
    1: {"bold": True},
    2: {"faint": True},
    3: {"italic": True},
    5: {"blink": True},
    6: {"blink": True},
    7: {"reverse": True},
    8: {"invisible": True},
    9: {"strikethrough": True},
    21: {"underline": 2},
    22: {"bold": False, "faint": False},
    23: {"italic": False},
    24: {"underline": 0},
    25: {"blink": False},
    27: {"reverse": False},
    28: {"invisible": False},
    29: {"strikethrough": False},
    39: {"fg": None},
    49: {"bg": None},
    53: {"overline": True},
    55: {"overline": False},
    59: {"underline_color": None},
}
_EXTENDED = {38: "fg", 48: "bg", 58: "underline_color"}
_BASES = ((30, "fg", 0), (40, "bg", 0), (90, "fg", 8), (100, "bg", 8))


def apply_sgr(style: Style, parameters: list[list[int | None]]) -> Style:
    """`style` after an SGR sequence, in both the ``;`` and the ``:`` form; what is unknown is passed over."""
    changes: dict[str, Any] = {}
    at = 0
    while at < len(parameters):
        parameter = parameters[at]
        code = parameter[0] or 0
        at += 1
        if code == 0:
            style, changes = replace(PLAIN, link=style.link), {}
        elif code == 4:
            kind = 1 if len(parameter) == 1 else parameter[1] or 0
            if kind <= 5:
                changes["underline"] = kind
        elif code in _EXTENDED:
            if len(parameter) > 1:
                found, color = _extended(parameter[1:])
            else:
                # The older form spends parameters of its own: 38;5;N or 38;2;R;G;B.
                rest = [values[0] for values in parameters[at : at + 4]]
                at += {5: 2, 2: 4}.get(rest[0] or 0, 0) if rest else 0
                found, color = _extended(rest)
            if found:
                changes[_EXTENDED[code]] = color
        elif code in _SET:
            changes.update(_SET[code])
        else:
            for base, name, bright in _BASES:
                if base <= code < base + 8:
                    changes[name] = code - base + bright
    return replace(style, **changes) if changes else style


def _extended(values: list[int | None]) -> tuple[bool, Color]:
    """The colour of ``5:N``, ``2:R:G:B`` or ``2:SPACE:R:G:B``, and whether it is one."""
    kind, rest = values[0] if values else None, values[1:]
    if kind == 5 and rest:
        return (rest[0] or 0) < 256, rest[0] or 0
    if kind == 2 and len(rest) >= 3:
        red, green, blue = ((value or 0) & 0xFF for value in (rest[1:4] if len(rest) > 3 else rest))
        return True, (red, green, blue)
    return False, None


def sgr(style: Style) -> str:
    """The sequence that selects `style` from whatever was selected before, its hyperlink left out."""
    codes = ["0"]
    if style.bold:
        codes.append("1")
    if style.faint:
        codes.append("2")
    if style.italic:
        codes.append("3")
    if style.underline:
        codes.append("4" if style.underline == 1 else f"4:{style.underline}")
    if style.blink:
        codes.append("5")
    if style.reverse:
        codes.append("7")
    if style.invisible:
        codes.append("8")
    if style.strikethrough:
        codes.append("9")
    if style.overline:
        codes.append("53")
    codes += _color(style.fg, 30, 38) + _color(style.bg, 40, 48) + _color(style.underline_color, None, 58)
    return f"\x1b[{';'.join(codes)}m"


def _color(color: Color, base: int | None, extended: int) -> list[str]:
    if color is None:
        return []
    if isinstance(color, tuple):
        return [f"{extended};2;{color[0]};{color[1]};{color[2]}"]
    if base is not None and color < 16:
        return [str(base + color if color < 8 else base + 60 + color - 8)]
    return [f"{extended};5;{color}"]
