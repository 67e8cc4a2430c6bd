"""The output and exit code of the last command. Every check judges a finished command, too, as a `run` step has it.

Texts are compared without the blanks at the ends of lines and without the empty lines at the end.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestro.records import dataclass
from orchestro.terminal.checks.diff import (
    clip,
    clip_both,
    json_diff,
    json_differences,
    pretty,
    preview,
    project,
    text_diff,
)
from orchestro.terminal.checks.near import case_hint, literal_of, nearest_line
from orchestro.terminal.probe import Held, Missing, Never, NotYet, Probe
from orchestro.terminal.process.exit_text import describe_exit
from orchestro.terminal.stream import CommandOutput

if TYPE_CHECKING:
    from orchestro.terminal.terminal import Terminal

__all__ = [
    "CommandCheck",
    "OutputCode",
    "OutputContains",
    "OutputEquals",
    "OutputJson",
    "OutputLacks",
    "OutputLines",
    "OutputMatches",
]

_QUIET_S = 0.25
# A program whose end of output nothing tells for certain has answered when it has been quiet for so long.


def trimmed(text: str) -> str:
    """`text` as it is compared."""
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")


class CommandCheck:
    """Base: waits until the command can be judged, and says what it knows when that never comes."""

    __slots__ = ()

    early = False
    """Whether the condition may be found true before the command has ended; it is then not looked at again."""

    @property
    def what(self) -> str:
        """What is waited for."""
        raise NotImplementedError

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Whether it holds of this command, as far as that has come."""
        raise NotImplementedError

    def probe(self, terminal: Terminal) -> Probe:
        """Look once."""
        command = terminal.command
        if command is None:
            return NotYet("no command was entered")
        told = command.finished or command.exact or terminal.knows_prompt
        if told and not command.finished and not self.early:
            return NotYet("the command has not ended")
        answer = self.judge(command)
        if isinstance(answer, Held) and (command.finished or self.early):
            return answer
        if command.finished and command.exact:
            return Never(*_fields(answer))  # type: ignore[arg-type]  # what is Held has been returned
        # The return of a prompt may be a line editor that draws it anew, and of some programs nothing tells the end.
        rest = terminal.now - max(terminal.printed_at, terminal.typed_at)
        quiet = rest >= _QUIET_S
        if isinstance(answer, Held):
            return answer if quiet and not told else NotYet("still printing", again_in_s=max(0.0, _QUIET_S - rest))
        if command.finished:
            return Never(*_fields(answer)) if quiet else NotYet(*_fields(answer), again_in_s=_QUIET_S - rest)
        return NotYet(*_fields(answer))

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        """Judge what has come of a command that did not end."""
        command = terminal.command
        if command is None or command.finished:
            return missing
        answer = self.judge(replace(command, finished=True))
        hint = missing.hint or ("its prompt did not come back" if command.exact or terminal.knows_prompt else "")
        if isinstance(answer, Held):
            return replace(missing, why="so far it holds, but the command has not ended", hint=hint)
        why, expected, actual, nearest, more = _fields(answer)
        return replace(
            missing,
            why=f"{why}; the command has not ended",
            expected=expected,
            actual=actual,
            nearest=nearest,
            hint=more or hint,
        )

    def diff(self, missing: Missing) -> tuple[str, ...]:
        """Lines that show where expected and actual differ; none for what a diff does not make clearer."""
        del missing
        return ()


def _fields(missing: Missing) -> tuple[str, str, str, str, str]:
    return missing.why, missing.expected, missing.actual, missing.nearest, missing.hint


@dataclass(frozen=True, slots=True)
class OutputEquals(CommandCheck):
    """Exactly this output."""

    expected: str

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"the output {_short(self.expected)}"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Compare."""
        expected, actual = trimmed(self.expected), trimmed(command.text)
        if not command.exact:  # a line editor may end the line of the input after it has handed it over
            expected, actual = expected.lstrip("\n"), actual.lstrip("\n")
        if expected == actual:
            return Held("the output is as expected")
        return Missing("the output is not as expected", *clip_both(expected, actual))

    def diff(self, missing: Missing) -> tuple[str, ...]:
        """Unified."""
        one_line = "\n" not in missing.expected and "\n" not in missing.actual
        return () if one_line else text_diff(missing.expected, missing.actual)


@dataclass(frozen=True, slots=True)
class OutputContains(CommandCheck):
    """This text somewhere in the output."""

    early = True
    text: str

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"output that contains {_short(self.text)}"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Look for it."""
        why = f"the output does not contain {_short(self.text)}"
        if self.text in command.text:
            return Held(f"contains {_short(self.text)}")
        if not command.finished:
            return Missing(why)
        actual = trimmed(command.text)
        if trimmed(self.text) in actual:
            return Held(f"contains {_short(self.text)}")
        wanted = next(filter(str.strip, self.text.splitlines()), "")
        near = nearest_line(wanted, actual.splitlines())
        return Missing(why, self.text, clip(actual), near, case_hint(wanted, near))


@dataclass(frozen=True, slots=True)
class OutputLacks(CommandCheck):
    """This text nowhere in the output."""

    text: str

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"output without {_short(self.text)}"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Look for it."""
        if self.text not in command.text:
            return Held(f"does not contain {_short(self.text)}")
        first = self.text.strip("\n").split("\n", 1)[0]
        line = next((line for line in command.text.split("\n") if first in line), self.text)
        return Missing(f"the output contains {_short(self.text)}", nearest=line.strip())


@dataclass(frozen=True, slots=True)
class OutputMatches(CommandCheck):
    """The output matches a regular expression."""

    early = True
    pattern: re.Pattern[str]

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"output matching {self.pattern.pattern!r}"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Search."""
        match = self.pattern.search(command.text)
        if match is not None:
            return Held(f"matched {_short(match[0])}", match)
        why = f"the output does not match {self.pattern.pattern!r}"
        if not command.finished:
            return Missing(why)
        wanted = literal_of(self.pattern.pattern)
        near = nearest_line(wanted, command.text.splitlines())
        return Missing(why, self.pattern.pattern, clip(trimmed(command.text)), near, case_hint(wanted, near))


@dataclass(frozen=True, slots=True)
class OutputLines(CommandCheck):
    """So many lines of output."""

    count: int

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"{self.count} lines of output"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Count."""
        text = trimmed(command.text)
        if not command.exact:
            text = text.lstrip("\n")
        count = text.count("\n") + 1 if text else 0
        if count == self.count:
            return Held(_lines(count))
        return Missing(f"the output has {_lines(count)}, not {self.count}", _lines(self.count), clip(text))


@dataclass(frozen=True, slots=True)
class OutputJson(CommandCheck):
    """The output is JSON that has at least what is asked for: keys and, in order and number, items of lists."""

    subset: Any

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"JSON with {preview(self.subset)}"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Parse and compare."""
        try:
            actual = json.loads(command.text)
        except (ValueError, RecursionError) as error:
            return Missing(f"the output is no JSON: {error}", pretty(self.subset), clip(trimmed(command.text)))
        differences = json_differences(self.subset, actual)
        if not differences:
            return Held("the JSON has what is asked for", actual)
        expected, got = clip_both(pretty(self.subset), pretty(project(self.subset, actual)))
        return Missing("; ".join(differences[:3]), expected, got)

    def diff(self, missing: Missing) -> tuple[str, ...]:
        """The differences by path, then a unified diff of what is asked for and what there is of it."""
        try:
            return json_diff(json.loads(missing.expected), json.loads(missing.actual))
        except (ValueError, RecursionError):
            return text_diff(missing.expected, missing.actual)


@dataclass(frozen=True, slots=True)
class OutputCode(CommandCheck):
    """The exit code of the command."""

    code: int

    @property
    def what(self) -> str:
        """What is waited for."""
        return describe_exit(self.code)

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Compare."""
        expected = describe_exit(self.code)
        if command.code is None:
            hint = "only bash, zsh, fish and a program's own end tell exit codes" if command.finished else ""
            return Missing("the exit code is not known", expected, hint=hint)
        actual = describe_exit(command.code)
        if command.code == self.code:
            return Held(actual)
        return Missing(f"the command ended with {actual}", expected, actual)


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
