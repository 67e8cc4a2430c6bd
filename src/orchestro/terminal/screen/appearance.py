"""What every back end tells programs of its looks, so that none of them acts differently on another back end."""

from __future__ import annotations

from typing import Final

__all__ = ["BACKGROUND", "CELL_PIXELS", "FOREGROUND"]

FOREGROUND: Final = (0xD4, 0xD4, 0xD4)
"""Default text colour, as reported to OSC 10: light grey of a usual dark theme."""

BACKGROUND: Final = (0x1E, 0x1E, 0x1E)
"""Default background, as reported to OSC 11: dark, so that programs choose their dark theme."""

CELL_PIXELS: Final = (8, 16)
"""Width and height of a cell in pixels, as reported to CSI 14 t and 16 t and used by SGR-pixel mouse reports."""
