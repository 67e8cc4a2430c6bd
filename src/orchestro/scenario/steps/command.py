"""`run` a command beside the program, and `capture` what was printed into variables."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from orchestro.errors import UserError
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Converted, ListOf, MapOf, OneOf, Regex, Str
from orchestro.scenario.stage import Stage, StepFailed
from orchestro.scenario.variables import NAME, Pattern
from orchestro.terminal.probe import Held, Missing, Never, NotYet, Probe
from orchestro.terminal.stream import CommandOutput
from orchestro.terminal.terminal import Terminal, describe_exit

__all__ = ["KINDS", "Capture", "Run"]

_SHOWN = 2000


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
    """Binds variables to what was printed since the last input, or else to what is on the screen."""

    patterns: tuple[tuple[str, Pattern], ...]

    @property
    def binds(self) -> tuple[str, ...]:
        """The names."""
        return tuple(name for name, _ in self.patterns)

    async def perform(self, stage: Stage) -> str:
        """Wait until all match; a variable gets the first group, or the whole match when there is none."""
        held = await stage.terminal.wait_for(_Captured(self.patterns), timeout_s=stage.timeout_s)
        values: dict[str, str] = held[0].value
        stage.variables.update(values)
        return ", ".join(f"{name} = {value!r}" for name, value in values.items())


@dataclass(frozen=True, slots=True)
class _Captured:
    patterns: tuple[tuple[str, Pattern], ...]

    @property
    def what(self) -> str:
        return "output or a screen matching " + " and ".join(repr(p.source) for _, p in self.patterns)

    def probe(self, terminal: Terminal) -> Probe:
        values: dict[str, str] = {}
        for name, pattern in self.patterns:
            compiled = pattern.compile()
            match = compiled.search(terminal.output) or compiled.search("\n".join(terminal.screen.lines()))
            if match is None:
                why = f"{pattern.source!r} was not found"
                return Never(why + ", and the program has ended") if terminal.ended else NotYet(why)
            values[name] = (match[1] if match.re.groups else match[0]) or ""
        return Held("captured", values)


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
        "Binds variables, used as `${NAME}` later, to the first group of a match in the output since the last input, "
        "or else on the screen.",
        "- capture: {ID: 'id=(\\d+)'}",
    ),
)
