"""What a check answers when it looks at a terminal: it holds, not yet, or it never will.

A check is a question without waiting in it: `Terminal.wait_for` asks again each time something changed. That keeps
every condition testable without a process, and lets several be waited for at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from orchestro.records import dataclass

if TYPE_CHECKING:
    from orchestro.terminal.terminal import Terminal

__all__ = ["Check", "Held", "Missing", "Never", "NotYet", "Probe"]


@dataclass(frozen=True, slots=True)
class Held:
    """It holds."""

    why: str
    """For people: ``matched 'done'``."""
    value: Any = None
    """What a caller of the Python API gets, e.g. the `re.Match`."""


@dataclass(frozen=True, slots=True)
class Missing:
    """It does not hold. The texts are for the failure report; empty when there is nothing to say."""

    why: str
    """For people: ``'done' was not printed``."""
    expected: str = ""
    actual: str = ""
    nearest: str = ""
    """The text on the screen or in the output that came nearest."""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class NotYet(Missing):
    """It does not hold, but may after more output or an exit."""

    again_in_s: float | None = None
    """Ask again after so many seconds even if nothing happens; None when only a change can help."""


@dataclass(frozen=True, slots=True)
class Never(Missing):
    """It does not hold and cannot any more, e.g. because the program has ended: waiting on is useless."""


Probe: TypeAlias = Held | NotYet | Never


class Check(Protocol):
    """A condition on a terminal. `probe` must be cheap, must not block and must not change the terminal."""

    @property
    def what(self) -> str:
        """What is waited for, as a noun phrase: ``output matching 'done'``."""

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
