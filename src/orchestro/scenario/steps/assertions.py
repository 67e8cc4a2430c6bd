"""Steps that assert the output and exit code of the last command. They wait, they do not sample."""

from __future__ import annotations

from orchestro.records import dataclass
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Int, Json, Regex, Str
from orchestro.scenario.variables import Pattern
from orchestro.terminal.checks import (
    OutputCode,
    OutputContains,
    OutputEquals,
    OutputJson,
    OutputLacks,
    OutputLines,
    OutputMatches,
)

__all__ = ["KINDS"]


@dataclass(frozen=True, slots=True)
class MatchesStep:
    """Waits for output that matches."""

    pattern: Pattern

    def resolve(self) -> OutputMatches:
        """The check."""
        return OutputMatches(self.pattern.compile())


KINDS = (
    StepKind(
        "expect_output",
        Str(),
        OutputEquals,
        "The last command printed exactly this; blanks at line ends and empty lines at the end do not count.",
        "- expect_output: hello",
    ),
    StepKind(
        "expect_contains",
        Str(empty=False),
        OutputContains,
        "The last command's output contains this text.",
        "- expect_contains: 3 passed",
    ),
    StepKind(
        "expect_not_contains",
        Str(empty=False),
        OutputLacks,
        "The last command's output, once it has ended, does not contain this text.",
        "- expect_not_contains: error",
    ),
    StepKind(
        "expect_regex",
        Regex(),
        MatchesStep,
        "The last command's output matches this regular expression.",
        "- expect_regex: '^v\\d+\\.\\d+'",
    ),
    StepKind("expect_lines", Int(0), OutputLines, "The last command printed so many lines.", "- expect_lines: 3"),
    StepKind(
        "expect_json",
        Json(),
        OutputJson,
        "The last command printed JSON that has at least these keys and values.",
        "- expect_json: {status: ok}",
    ),
    StepKind(
        "expect_code", Int(-64, 255), OutputCode, "The last command ended with this exit code.", "- expect_code: 0"
    ),
)
