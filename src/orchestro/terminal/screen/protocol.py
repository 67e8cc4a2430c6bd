"""What a screen is to the rest of Orchestro: bytes in, cells out. One conformance suite checks every back end.

Columns and rows count from 0. `orchestro.testing.screen_conformance` is the checklist for implementers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from orchestro.records import dataclass

__all__ = ["PLAIN", "Cell", "Color", "Cursor", "Modes", "Screen", "Style", "StyledRun"]

Color: TypeAlias = int | tuple[int, int, int] | None
"""None for the terminal's default, 0 to 255 for the palette, or (red, green, blue) with 0 to 255 each."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a cell is drawn."""

    fg: Color = None
    bg: Color = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underline: int = 0
    """0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed."""
    blink: bool = False
    reverse: bool = False
    invisible: bool = False
    strikethrough: bool = False
    overline: bool = False
    underline_color: Color = None
    link: str | None = None
    """Target of the OSC 8 hyperlink."""


PLAIN = Style()
"""The default style."""


@dataclass(frozen=True, slots=True)
class StyledRun:
    """Neighbouring cells of one row with the same style."""

    text: str
    style: Style
    width: int
    """Columns it takes: a wide character takes two."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One position of the grid."""

    text: str
    """The grapheme cluster; a space for an empty cell; empty for the second half of a wide one."""
    width: int
    """1, 2 for a wide character, 0 for the second half of one."""
    style: Style


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the cursor is and how it looks."""

    col: int
    row: int
    visible: bool = True
    shape: str = "block"
    """``block``, ``bar`` or ``underline``."""


@dataclass(frozen=True, slots=True)
class Modes:
    """What the program asked of the terminal."""

    alternate_screen: bool = False
    application_cursor: bool = False
    application_keypad: bool = False
    bracketed_paste: bool = False
    focus_events: bool = False
    mouse: str = "off"
    """Tracking: ``off``, ``x10``, ``normal``, ``button`` or ``any``."""
    mouse_format: str = "x10"
    """Encoding: ``x10``, ``utf8``, ``sgr``, ``urxvt`` or ``sgr_pixels``."""
    kitty_keyboard: int = 0
    """Flags of the kitty keyboard protocol that are pushed; 0 for the legacy encoding."""


class Screen(Protocol):
    """A terminal emulator without a window."""

    def feed(self, data: bytes) -> None:
        """Interpret output of the program. Never raises for any bytes; a sequence may be cut anywhere."""

    def resize(self, cols: int, rows: int) -> None:
        """Change the size; the primary screen reflows where the back end can."""

    def close(self) -> None:
        """Free it. Twice is harmless; nothing else may be called afterwards."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""

    @property
    def cursor(self) -> Cursor: ...

    @property
    def modes(self) -> Modes: ...

    @property
    def title(self) -> str:
        """The window title that the program set; empty before."""

    @property
    def bells(self) -> int:
        """How often the bell rang so far."""

    def lines(self) -> list[str]:
        """The rows of the visible screen as text, right-trimmed; always as many as there are rows."""

    def styled(self, first: int = 0, last: int | None = None) -> list[list[StyledRun]]:
        """Rows `first` to before `last` as runs, in one batch; trailing plain blanks are left out."""

    def cell(self, col: int, row: int) -> Cell:
        """One cell. Raises IndexError outside the screen."""

    def history(self, limit: int = 1000) -> Sequence[str]:
        """At most `limit` of the newest lines that scrolled off the top, oldest first."""

    def dump(self) -> bytes:
        """Bytes that draw the visible screen on a fresh terminal of the same size: a key frame."""

    def on_reply(self, reply: Callable[[bytes], None] | None) -> None:
        """Call `reply` during `feed` with what a real terminal would answer (DA, DSR, OSC 10/11, kitty, ...)."""

    def encode_key(self, key: str) -> bytes | None:
        """The bytes of a normalised key such as ``ctrl+shift+up`` under the modes now in force.

        None when the back end has no encoder of its own; `terminal.keys` then encodes it.
        """
