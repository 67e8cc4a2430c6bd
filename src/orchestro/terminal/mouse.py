"""What a terminal sends for the mouse, in the tracking mode and the encoding that the program asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, TypeAlias, get_args

from orchestro.terminal.screen.appearance import CELL_PIXELS
from orchestro.terminal.screen.protocol import Modes

__all__ = ["ACTIONS", "BUTTONS", "Action", "Button", "encode_mouse"]

Action: TypeAlias = Literal["press", "release", "move"]
Button: TypeAlias = Literal["left", "middle", "right", "wheel_up", "wheel_down", "none"]

ACTIONS: Final[tuple[str, ...]] = get_args(Action)
BUTTONS: Final[tuple[str, ...]] = get_args(Button)
"""``none`` is for moves with no button held."""

_CODES = {"left": 0, "middle": 1, "right": 2, "none": 3, "wheel_up": 64, "wheel_down": 65}
_MODIFIERS = {"shift": 4, "alt": 8, "ctrl": 16}
_MOTION = 32
_RELEASED = 3
# The encodings other than SGR cannot tell which button was released.

_X10_MOST = 255 - 32 - 1
_UTF8_MOST = 2047 - 32 - 1
# Greatest column or row, counted from 0, that one byte or one two-byte UTF-8 character can carry.


def encode_mouse(
    action: Action, button: Button, col: int, row: int, modes: Modes, modifiers: Collection[str] = ()
) -> bytes | None:
    """The report of a mouse event at a cell, columns and rows from 0, or None where the program is to get none.

    That is so when it did not enable the mouse, when its tracking mode leaves this event out (moves without a button,
    releases of the wheel, ...), and when the encoding cannot carry the position. `modifiers` are of ``shift``, ``alt``
    and ``ctrl``. Raises ValueError for other words and for a negative position.
    """
    if action not in ACTIONS or button not in _CODES or not set(modifiers) <= set(_MODIFIERS):
        raise ValueError(f"no such mouse event: {action} {button} with {', '.join(modifiers) or 'no modifiers'}")
    if col < 0 or row < 0:
        raise ValueError(f"no such cell: {col},{row}")
    if not _reported(action, button, modes.mouse):
        return None
    code = _CODES[button]
    if modes.mouse != "x10":
        code += sum(_MODIFIERS[modifier] for modifier in set(modifiers))
    if action == "move":
        code += _MOTION
    if modes.mouse_format in {"sgr", "sgr_pixels"}:
        x, y = col + 1, row + 1
        if modes.mouse_format == "sgr_pixels":
            width, height = CELL_PIXELS  # the report points at the middle of the cell
            x, y = col * width + width // 2 + 1, row * height + height // 2 + 1
        return b"\x1b[<%d;%d;%d%c" % (code, x, y, b"m" if action == "release" else b"M")
    if action == "release":
        code = code & ~0b11 | _RELEASED
    if modes.mouse_format == "urxvt":
        return b"\x1b[%d;%d;%dM" % (code + 32, col + 1, row + 1)
    most = _UTF8_MOST if modes.mouse_format == "utf8" else _X10_MOST
    if col > most or row > most:
        return None
    values = (code + 32, col + 33, row + 33)
    return b"\x1b[M" + ("".join(map(chr, values)).encode() if modes.mouse_format == "utf8" else bytes(values))


def _reported(action: Action, button: Button, tracking: str) -> bool:
    """Whether a tracking mode reports the event."""
    wheel = button in {"wheel_up", "wheel_down"}
    if tracking == "off" or (wheel and action != "press") or (button == "none" and action != "move"):
        return False
    if tracking == "x10":
        return action == "press" and not wheel
    if action == "move":
        return tracking == "any" or (tracking == "button" and button != "none")
    return True
