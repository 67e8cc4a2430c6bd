"""Draws a screen as bytes again, from what any back end tells of itself: the key frames of recordings."""

from __future__ import annotations

from orchestro.terminal.screen.protocol import PLAIN, Modes, Screen
from orchestro.terminal.screen.sgr import sgr

__all__ = ["redraw"]

_SHAPES = {"block": 2, "underline": 4, "bar": 6}
_TRACKING = {"x10": 9, "normal": 1000, "button": 1002, "any": 1003}
_FORMATS = {"utf8": 1005, "sgr": 1006, "urxvt": 1015, "sgr_pixels": 1016}


def redraw(screen: Screen) -> bytes:
    """Bytes that show what `screen` shows on a fresh terminal of its size: cells, cursor, modes and title."""
    modes, cursor = screen.modes, screen.cursor
    out = ["\x1b[?1049h" if modes.alternate_screen else "", "\x1b[0m\x1b[2J"]
    if screen.title:
        out.append(f"\x1b]2;{screen.title}\x1b\\")
    for number, runs in enumerate(screen.styled(), 1):
        if not runs:
            continue
        out.append(f"\x1b[{number}H")
        current = PLAIN
        for run in runs:
            if run.style != current:
                if run.style.link != current.link:
                    out.append(f"\x1b]8;;{run.style.link or ''}\x1b\\")
                out.append(sgr(run.style))
                current = run.style
            out.append(run.text)
        if current.link is not None:
            out.append("\x1b]8;;\x1b\\")
        if current != PLAIN:
            out.append("\x1b[0m")
    out += _modes(modes)
    out.append(f"\x1b[{_SHAPES.get(cursor.shape, 2)} q")
    out.append(f"\x1b[{cursor.row + 1};{cursor.col + 1}H")
    out.append("" if cursor.visible else "\x1b[?25l")
    return "".join(out).encode("utf-8", "replace")


def _modes(modes: Modes) -> list[str]:
    private = [
        (modes.application_cursor, 1),
        (modes.bracketed_paste, 2004),
        (modes.focus_events, 1004),
        (modes.mouse != "off", _TRACKING.get(modes.mouse, 0)),
        (modes.mouse_format != "x10", _FORMATS.get(modes.mouse_format, 0)),
    ]
    out = [f"\x1b[?{number}h" for on, number in private if on]
    if modes.application_keypad:
        out.append("\x1b=")
    if modes.kitty_keyboard:
        out.append(f"\x1b[>{modes.kitty_keyboard}u")
    return out
