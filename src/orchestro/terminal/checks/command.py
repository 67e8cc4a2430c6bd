"""The output and exit code of the last command. Every check judges a finished command, too, as a `run` step has it.

Texts are compared without the blanks at the ends of lines and without the empty lines at the end.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestro.terminal.probe import Held, Missing, Never, NotYet, Probe
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
    "json_differences",
    "text_diff",
]

_QUIET_S = 0.25
"""A program whose end of output nothing tells has answered when it has been quiet for so long."""
_MAX_DIFF = 200
"""Lines of a diff that are kept."""


def trimmed(text: str) -> str:
    """`text` as it is compared."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def text_diff(expected: str, actual: str) -> tuple[str, ...]:
    """Unified diff, at most 200 lines; empty when the two are equal."""
    lines = list(difflib.unified_diff(expected.split("\n"), actual.split("\n"), "expected", "actual", lineterm="", n=3))
    if len(lines) > _MAX_DIFF:
        lines = [*lines[:_MAX_DIFF], f"... {len(lines) - _MAX_DIFF} more lines"]
    return tuple(lines)


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
        answer = self.judge(command)
        if command.finished:
            return answer if isinstance(answer, Held) else Never(*_fields(answer))
        if isinstance(answer, Held) and self.early:
            return answer
        if command.exact or terminal.knows_prompt:
            return NotYet(*_fields(_unfinished(answer)))
        # Nothing tells when the command ends: it has when it has been quiet for a while.
        rest = terminal.now - max(terminal.printed_at, terminal.typed_at)
        if isinstance(answer, Held):
            return answer if rest >= _QUIET_S else NotYet("still printing", again_in_s=_QUIET_S - rest)
        return NotYet(*_fields(answer))

    def diff(self, missing: Missing) -> tuple[str, ...]:
        """Lines that show where the two differ."""
        if not missing.expected or not missing.actual or "\n" not in missing.expected + missing.actual:
            return ()
        return text_diff(missing.expected, missing.actual)


def _fields(missing: Missing) -> tuple[str, str, str, str, str]:
    return missing.why, missing.expected, missing.actual, missing.nearest, missing.hint


def _unfinished(answer: Held | Missing) -> Missing:
    if isinstance(answer, Held):
        return Missing("the command has not ended", hint="its prompt did not come back")
    return Missing(f"{answer.why}; the command has not ended", answer.expected, answer.actual, answer.nearest)


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
        if expected == actual:
            return Held("the output is as expected")
        return Missing("the output is not as expected", expected, actual)


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
        if self.text in command.text or trimmed(self.text) in trimmed(command.text):
            return Held(f"contains {_short(self.text)}")
        from orchestro.terminal.checks.near import nearest_line

        near = nearest_line(self.text, command.text.splitlines()) if command.finished else ""
        return Missing(f"the output does not contain {_short(self.text)}", self.text, trimmed(command.text), near)


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
        line = next((line for line in command.text.splitlines() if self.text in line), self.text)
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
        from orchestro.terminal.checks.near import literal_of, nearest_line

        near = nearest_line(literal_of(self.pattern.pattern), command.text.splitlines()) if command.finished else ""
        return Missing(
            f"the output does not match {self.pattern.pattern!r}", self.pattern.pattern, trimmed(command.text), near
        )


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
        count = text.count("\n") + 1 if text else 0
        if count == self.count:
            return Held(f"{count} lines")
        return Missing(f"the output has {count} lines", f"{self.count} lines", f"{count} lines")


@dataclass(frozen=True, slots=True)
class OutputJson(CommandCheck):
    """The output is JSON that has at least what is asked for: keys and, in order and number, items of lists."""

    subset: Any

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"JSON with {_short(json.dumps(self.subset, ensure_ascii=False))}"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Parse and compare."""
        try:
            actual = json.loads(command.text)
        except (ValueError, RecursionError) as error:
            return Missing(f"the output is no JSON: {error}", _pretty(self.subset), trimmed(command.text))
        differences = json_differences(self.subset, actual)
        if not differences:
            return Held("the JSON has what is asked for", actual)
        return Missing("; ".join(differences[:5]), _pretty(self.subset), _pretty(actual))


@dataclass(frozen=True, slots=True)
class OutputCode(CommandCheck):
    """The exit code of the command."""

    code: int

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"exit code {self.code}"

    def judge(self, command: CommandOutput) -> Held | Missing:
        """Compare."""
        if command.code is None:
            hint = "" if not command.finished else "only bash, zsh, fish and a program's own end tell exit codes"
            return Missing("the exit code is not known", f"exit code {self.code}", hint=hint)
        if command.code == self.code:
            return Held(f"exit code {command.code}")
        return Missing(f"exit code {command.code}", f"exit code {self.code}", f"exit code {command.code}")

    def probe(self, terminal: Terminal) -> Probe:
        """Look once: without shell marks only the end of the program tells a code."""
        command = terminal.command
        if command is not None and command.finished and command.code is None and not command.exact:
            return Never(*_fields(self.judge(command)))  # type: ignore[arg-type]  # without a code it is Missing
        return CommandCheck.probe(self, terminal)


def json_differences(expected: Any, actual: Any, path: str = "$") -> list[str]:
    """Where `actual` lacks something of `expected`, by path; at most 50. Extra keys are no difference."""
    found: list[str] = []
    pending: list[tuple[Any, Any, str]] = [(expected, actual, path)]
    while pending and len(found) < 50:
        wanted, got, where = pending.pop(0)
        if isinstance(wanted, dict):
            if not isinstance(got, dict):
                found.append(f"at {where}: expected an object, got {_short(json.dumps(got))}")
                continue
            for key, value in wanted.items():
                if key not in got:
                    found.append(f"at {where}: the key {key!r} is missing")
                else:
                    pending.append((value, got[key], f"{where}.{key}"))
        elif isinstance(wanted, list):
            if not isinstance(got, list) or len(got) != len(wanted):
                size = f"{len(got)} items" if isinstance(got, list) else _short(json.dumps(got))
                found.append(f"at {where}: expected {len(wanted)} items, got {size}")
                continue
            pending += [(w, g, f"{where}[{i}]") for i, (w, g) in enumerate(zip(wanted, got, strict=True))]
        elif wanted != got or isinstance(wanted, bool) != isinstance(got, bool):
            found.append(f"at {where}: expected {_short(json.dumps(wanted))}, got {_short(json.dumps(got))}")
    return found


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
