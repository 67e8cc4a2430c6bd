"""`run` a command beside the program, and `capture` what was printed into variables."""

from __future__ import annotations

import re
import shlex
from typing import Any, ClassVar

from orchestro.errors import UserError
from orchestro.model import Finding
from orchestro.records import dataclass
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Converted, ListOf, MapOf, OneOf, Regex, Str
from orchestro.scenario.stage import Stage, StepFailed
from orchestro.scenario.variables import NAME, Pattern
from orchestro.terminal.checks import Expect
from orchestro.terminal.checks.near import literal_of, nearest_line
from orchestro.terminal.checks.state import ended_with
from orchestro.terminal.probe import Held, Missing, Never, NotYet, Probe
from orchestro.terminal.process.exit_text import describe_exit
from orchestro.terminal.stream import CommandOutput
from orchestro.terminal.terminal import Terminal

__all__ = ["KINDS", "Capture", "Run"]

_SHOWN = 2000
# Characters of a command's output in a failure.

_WHOLE_S = 0.05
# What was printed up to the last character, as far as it has come, may be half of a word: it counts after a pause.


@dataclass(frozen=True, slots=True)
class Run:
    """Runs a command to its end, without a terminal, where the program started."""

    command: str | tuple[str, ...]

    async def perform(self, stage: Stage) -> str:
        """Run it; its output and code are what the checks of the same step look at."""
        from orchestro.terminal.pipe_driver import run_command
        from orchestro.terminal.process import MARK

        argv = _split(self.command)
        env = {**stage.env, MARK: stage.env.get(MARK, "") + "/run"}
        done = await run_command(argv, cwd=str(stage.cwd), env=env, timeout_s=stage.timeout_s)
        if done.timed_out:
            missing = Missing(f"the command did not end within {stage.timeout_s:g} s", actual=done.text[-_SHOWN:])
            raise StepFailed(missing, waited_for=f"the end of {shlex.join(argv)}", timed_out=True)
        if done.cut:
            message = f"{done.cut} bytes of the output of {_short(shlex.join(argv))} were too many to keep"
            stage.findings.append(Finding("output-cut", message))
        stage.last_run = CommandOutput(done.text, done.code, finished=True, exact=True)
        return f"ended with {describe_exit(done.code)}"


def _split(command: str | tuple[str, ...]) -> list[str]:
    try:
        argv = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        raise UserError(f"cannot split {command!r} into words: {error}") from None
    if not argv:
        raise UserError("the command is empty")
    return argv


@dataclass(frozen=True, slots=True)
class Capture:
    """Binds variables to parts of what was printed since the last input, or of what a full-screen program draws.

    Beside `run` it looks at the output of that command.
    """

    after_checks: ClassVar[bool] = True

    patterns: tuple[tuple[str, Pattern], ...]

    @property
    def binds(self) -> tuple[str, ...]:
        """The names."""
        return tuple(name for name, _ in self.patterns)

    async def perform(self, stage: Stage) -> str:
        """Wait until all match; a variable gets the first group, or the whole match when there is none."""
        check = _Captured(tuple((name, pattern.compile()) for name, pattern in self.patterns))
        values: dict[str, str] = {}
        if stage.last_run is None:
            held = await stage.terminal.wait_for(check, timeout_s=stage.timeout_s)
            values = held[0].value
        else:
            for name, pattern in check.patterns:
                match = pattern.search(stage.last_run.text)
                if match is None:
                    near = nearest_line(literal_of(pattern.pattern), stage.last_run.text.splitlines())
                    missing = Missing(f"{pattern.pattern!r} was not printed", nearest=near)
                    raise StepFailed(missing, waited_for=check.what)
                values[name] = _captured(match)
        stage.variables.update(values)
        return ", ".join(f"{name} = {_short(value)}" for name, value in values.items())


@dataclass(frozen=True, slots=True)
class _Captured:
    """Never looks at the screen of a program that only prints: the echo of the input stands there."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...]

    @property
    def what(self) -> str:
        return "text matching " + " and ".join(repr(pattern.pattern) for _, pattern in self.patterns)

    def probe(self, terminal: Terminal) -> Probe:
        values: dict[str, str] = {}
        for name, pattern in self.patterns:
            match = pattern.search(terminal.output)
            if match is None and terminal.screen.modes.alternate_screen:
                match = pattern.search("\n".join(terminal.screen.lines()))
            elif match is not None and match.end() == len(terminal.output) and not terminal.ended:
                rest = terminal.now - terminal.printed_at
                if rest < _WHOLE_S:
                    return NotYet(f"{pattern.pattern!r} may go on", again_in_s=_WHOLE_S - rest)
            if match is None:
                why = f"{pattern.pattern!r} was not printed"
                return Never(f"{why}, and {ended_with(terminal)}") if terminal.ended else NotYet(why)
            values[name] = _captured(match)
        return Held("captured", values)

    def explain(self, terminal: Terminal, missing: Missing) -> Missing:
        patterns = [pattern for _, pattern in self.patterns]
        return Expect(tuple(p for p in patterns if repr(p.pattern) in missing.why) or tuple(patterns)).explain(
            terminal, missing
        )


def _captured(match: re.Match[str]) -> str:
    return (match[1] if match.re.groups else match[0]) or ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _run(command: str | tuple[str, ...]) -> Run:
    if isinstance(command, str) and "${" not in command:
        _split(command)
    return Run(command)


def _capture(patterns: dict[str, Pattern]) -> Capture:
    if not patterns:
        raise ValueError("expected at least one NAME: REGEX")
    return Capture(tuple(patterns.items()))


_COMMAND: OneOf[Any] = OneOf(Str(empty=False, nul=False), ListOf(Str(empty=False, nul=False), 1), what="a command")

KINDS = (
    StepKind(
        "run",
        Converted(_COMMAND, _run),
        lambda run: run,
        "Runs a command beside the program, where that started; `expect_code` and its kin on the same step look at its "
        "output. Without `expect_code` it must end with 0.",
        "- run: test -s out.txt",
    ),
    StepKind(
        "capture",
        Converted(MapOf(Regex(), key=NAME, what="a mapping such as {ID: 'id=(\\d+)'}"), _capture),
        lambda capture: capture,
        "Binds variables, used as `${NAME}` later, to the first group of a match, or all of it, in the output since "
        "the last input; of a full-screen program also on the screen, beside `run` in the output of that command.",
        "- capture: {ID: 'id=(\\d+)'}",
    ),
)
