"""Colours and signs of the console: ANSI when wanted, ASCII where the stream cannot take Unicode."""

from __future__ import annotations

from orchestro.model import Outcome

__all__ = ["PLAIN", "Paint"]

_SIGNS: dict[Outcome, tuple[str, str, str]] = {
    Outcome.PASSED: ("✓", "ok", "32"),
    Outcome.FLAKY: ("↻", "~", "33"),
    Outcome.CACHED: ("=", "=", "32"),
    Outcome.FAILED: ("✗", "x", "1;31"),
    Outcome.TIMED_OUT: ("✗", "x", "1;31"),
    Outcome.ERROR: ("!", "!", "1;35"),
    Outcome.SKIPPED: ("-", "-", "36"),
    Outcome.BLOCKED: ("⊘", "o", "36"),
    Outcome.INTERRUPTED: ("◦", ".", "33"),
}


class Paint:
    """Wraps text in SGR sequences, or leaves it alone. Only the 16 colours that every theme defines are used."""

    def __init__(self, *, color: bool = False, unicode: bool = True) -> None:
        self.color = color
        self.unicode = unicode
        self.ellipsis = "…" if unicode else "..."
        self.arrow = "›" if unicode else ">"

    def sgr(self, codes: str, text: str) -> str:
        """The text under the SGR `codes`, e.g. ``1;31``."""
        return f"\x1b[{codes}m{text}\x1b[0m" if self.color and codes and text else text

    def bold(self, text: str) -> str:
        return self.sgr("1", text)

    def dim(self, text: str) -> str:
        return self.sgr("2", text)

    def good(self, text: str) -> str:
        return self.sgr("32", text)

    def bad(self, text: str) -> str:
        return self.sgr("31", text)

    def warn(self, text: str) -> str:
        return self.sgr("33", text)

    def link(self, text: str) -> str:
        """For a place in a file."""
        return self.sgr("36", text)

    def codes(self, outcome: Outcome) -> str:
        """The SGR codes of an outcome."""
        return _SIGNS[outcome][2]

    def outcome(self, outcome: Outcome, text: str) -> str:
        """The text in the colour of the outcome."""
        return self.sgr(_SIGNS[outcome][2], text)

    def sign(self, outcome: Outcome) -> str:
        """The sign of an outcome, not coloured."""
        return _SIGNS[outcome][0 if self.unicode else 1]


PLAIN = Paint()
"""No colours, Unicode signs: for files."""
