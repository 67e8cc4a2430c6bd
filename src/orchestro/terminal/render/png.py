"""SVG as PNG, with the bundled font and no other."""

from __future__ import annotations

import os

from orchestro.errors import InfrastructureError

__all__ = ["screen_png"]

_FONTS = os.path.join(os.path.dirname(__file__), "fonts")
_ZOOM = 2
"""Pixels of the picture for one of the drawing, for sharp text."""


def screen_png(svg: str) -> bytes:
    """The picture of what `screen_svg` drew. Raises InfrastructureError when the renderer is not installed or fails."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise InfrastructureError("PNG needs the package resvg_py, which is not installed") from None
    try:
        return bytes(
            svg_to_bytes(
                svg_string=svg,
                zoom=_ZOOM,
                skip_system_fonts=True,
                font_files=[os.path.join(_FONTS, name) for name in ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")],
                font_family="DejaVu Sans Mono",
                monospace_family="DejaVu Sans Mono",
            )
        )
    except (ValueError, RuntimeError) as error:
        raise InfrastructureError(f"the picture could not be drawn: {error}") from None
