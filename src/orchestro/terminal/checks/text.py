"""What was printed since the last input."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestro.records import dataclass
from orchestro.terminal.checks.near import case_hint, literal_of, nearest_line
from orchestro.terminal.checks.state import ended_with
from orchestro.terminal.probe import Held, Missing, Never, NotYet, Probe

if TYPE_CHECKING:
    from orchestro.terminal.terminal import Terminal

__all__ = ["Expect"]


@dataclass(frozen=True, slots=True)
class Expect:
    """The output matches; several patterns in order, each after the match of the one before."""

    patterns: tuple[re.Pattern[str], ...]
    consume: bool = False
    """Look from where the previous consuming wait ended."""

    @property
    def what(self) -> str:
        """What is waited for."""
        texts = ", then ".join(repr(p.pattern) for p in self.patterns)
        return f"output matching {texts}"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        position = terminal.consumed if self.consume else 0
        output = terminal.output
        match = None
        for pattern in self.patterns:
            match = pattern.search(output, position)
            if match is None:
                if terminal.ended:
                    return Never(f"{pattern.pattern!r} was not printed, and {ended_with(terminal)}")
                return NotYet(f"{pattern.pattern!r} was not printed")
            position = match.end()
        if match is None:
            return Held("nothing was asked for")
        return Held(f"matched {_short(match[0])}", match)

    def settle(self, terminal: Terminal, held: Held) -> None:
        """After it held: what was matched is consumed."""
        if self.consume and held.value is not None:
            terminal.consumed = held.value.end()

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        """Add what came nearest."""
        wanted = next((p.pattern for p in self.patterns if repr(p.pattern) in missing.why), self.patterns[0].pattern)
        literal = literal_of(wanted)
        lines = terminal.output.splitlines()
        near = nearest_line(literal, lines)
        hint = case_hint(literal, near)
        if not near and not terminal.output.strip() and not terminal.ended:
            hint = "nothing was printed since the last input"
        elif not hint and (terminal.drawn or not near):
            on_screen = nearest_line(literal, terminal.screen.lines())
            if literal and literal in on_screen:
                hint = "it is on the screen, but was printed before the last input: use `see` to look at the screen"
            near = near or on_screen
        return replace(missing, nearest=near, hint=missing.hint or hint)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
