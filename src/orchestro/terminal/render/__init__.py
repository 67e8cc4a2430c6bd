"""Drawing a screen as a picture: `palette` the colours, `svg` the drawing, `boxes` lines and blocks, `png` the pixels.

The bundled font, DejaVu Sans Mono, makes pictures equal on every machine. It has no CJK characters and no emoji: they
show as an empty box.
"""

from orchestro.terminal.render.png import screen_png
from orchestro.terminal.render.svg import screen_svg

__all__ = ["screen_png", "screen_svg"]
