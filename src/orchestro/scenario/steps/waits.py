"""Steps that wait for what was printed, for the end of the program, and for time to pass."""

from __future__ import annotations

import asyncio
from typing import Any

from orchestro.model import Finding
from orchestro.records import dataclass
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Bool, Choice, Duration, Int, ListOf, OneOf, Regex
from orchestro.scenario.stage import Stage
from orchestro.scenario.variables import Pattern
from orchestro.terminal.checks import Bell, Exit, Expect, Idle, Title

__all__ = ["KINDS"]


@dataclass(frozen=True, slots=True)
class ExpectStep:
    """Waits for output."""

    patterns: tuple[Pattern, ...]
    consume: bool = False

    def resolve(self) -> Expect:
        """The check."""
        return Expect(tuple(pattern.compile() for pattern in self.patterns), self.consume)


@dataclass(frozen=True, slots=True)
class TitleStep:
    """Waits for the window title."""

    pattern: Pattern

    def resolve(self) -> Title:
        """The check."""
        return Title(self.pattern.compile())


@dataclass(frozen=True, slots=True)
class Wait:
    """Lets time pass: allowed, and reported, since what is waited for should be said."""

    seconds: float

    async def perform(self, stage: Stage) -> str:
        """Wait so long; output is read meanwhile."""
        await asyncio.sleep(self.seconds)
        place = f" at line {stage.source.line}" if stage.source.line else ""
        message = f"waits {self.seconds:g} s{place}: say what is waited for (expect, see, idle) instead"
        stage.findings.append(Finding("fixed-wait", message))
        return f"waited {self.seconds:g} s"


def _expect_next(patterns: tuple[Pattern, ...]) -> ExpectStep:
    return ExpectStep(patterns, consume=True)


def _exit(code: Any) -> Exit:
    return Exit(None if code == "any" else code)


_PATTERNS = ListOf(Regex(), 1, or_single=True, what="a regular expression or a list of them")

KINDS = (
    StepKind(
        "expect",
        _PATTERNS,
        ExpectStep,
        "Waits until what was printed since the last input matches; a list matches in order. Never satisfied by the "
        "echo of the input.",
        "- expect: 'ready in \\d+ ms'",
        aliases=("pattern",),
    ),
    StepKind(
        "expect_next",
        _PATTERNS,
        _expect_next,
        "Like `expect`, but looks from where the previous `expect_next` ended.",
        "- expect_next: tick",
    ),
    StepKind("title", Regex(), TitleStep, "Waits until the window title matches.", "- title: vim"),
    StepKind("bell", Bool(), Bell, "Waits until the bell rings; `false` fails if it did.", "- bell: true"),
    StepKind(
        "idle", Duration(zero=False), Idle, "Waits until the screen has not changed for so long.", "- idle: 200ms"
    ),
    StepKind(
        "exit",
        OneOf[Any](
            Int(-64, 255, what="an exit code"), Choice("any"), what="an exit code, negative for a signal, or any"
        ),
        _exit,
        "Waits until the program has ended, with this code (negative for a signal) or `any`.",
        "- exit: 0",
    ),
    StepKind("wait", Duration(), Wait, "Lets time pass. Allowed, and reported as a smell.", "- wait: 500ms"),
)
