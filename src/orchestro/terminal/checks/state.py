"""The end of the program, its title and bell, and a screen at rest."""

from __future__ import annotations

import re
from dataclasses import replace

from orchestro.records import dataclass
from orchestro.terminal.probe import Held, Missing, Never, NotYet, Probe
from orchestro.terminal.process.exit_text import describe_exit
from orchestro.terminal.terminal import Terminal

__all__ = ["Bell", "Exit", "Idle", "MouseOn", "Title", "after_end", "ended_with"]


def ended_with(terminal: Terminal) -> str:
    """``the program ended with exit code 1``."""
    if terminal.exit_code is None:
        return "the program has closed its terminal"
    return f"the program ended with {describe_exit(terminal.exit_code)}"


def after_end(terminal: Terminal, missing: Missing) -> Missing:
    """Say that the program has ended, where that is why waiting on was useless."""
    return replace(missing, hint=ended_with(terminal)) if terminal.ended and not missing.hint else missing


@dataclass(frozen=True, slots=True)
class Exit:
    """The program has ended, and all that it printed was read."""

    code: int | None = None
    """With this exit code, negative for a signal; None for any."""

    @property
    def what(self) -> str:
        """What is waited for."""
        return (
            "the end of the program" if self.code is None else f"the end of the program with {describe_exit(self.code)}"
        )

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        if not terminal.ended or terminal.exit_code is None:
            return NotYet("the program is still running")
        if self.code is None or terminal.exit_code == self.code:
            return Held(f"ended with {describe_exit(terminal.exit_code)}", terminal.exit_code)
        return Never(ended_with(terminal), expected=describe_exit(self.code), actual=describe_exit(terminal.exit_code))


@dataclass(frozen=True, slots=True)
class Title:
    """The window title matches."""

    pattern: re.Pattern[str]

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"a title matching {self.pattern.pattern!r}"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        title = terminal.screen.title
        if self.pattern.search(title):
            return Held(f"the title is {title!r}", title)
        return NotYet(f"the title is {title!r}", expected=self.pattern.pattern, actual=title)

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        """Say when it cannot change any more."""
        return after_end(terminal, missing)


@dataclass(frozen=True, slots=True)
class MouseOn:
    """The program has asked for the mouse."""

    @property
    def what(self) -> str:
        """What is waited for."""
        return "the program to turn the mouse on"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        if terminal.screen.modes.mouse != "off":
            return Held("the mouse is on")
        return NotYet("the program did not turn the mouse on")

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        """Say when it cannot any more."""
        return after_end(terminal, missing)


@dataclass(frozen=True, slots=True)
class Bell:
    """The bell rang since the last input, or did not."""

    wanted: bool = True

    @property
    def what(self) -> str:
        """What is waited for."""
        return "the bell" if self.wanted else "no bell"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        count = terminal.bells_since_input
        if not self.wanted:
            return Held("no bell") if not count else Never(f"the bell rang {_times(count)} since the last input")
        return Held("the bell rang") if count else NotYet("the bell did not ring since the last input")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


@dataclass(frozen=True, slots=True)
class Idle:
    """The screen has not changed for so long, and nothing was typed."""

    seconds: float

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"a screen at rest for {self.seconds:g} s"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        rest = terminal.now - terminal.changed_at
        if rest >= self.seconds or terminal.ended:
            return Held("the screen is at rest")
        return NotYet("the screen keeps changing", again_in_s=self.seconds - rest)
