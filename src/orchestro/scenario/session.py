"""One attempt at one scenario, from set-up to teardown: the steps in order, and a verdict with its reasons."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from orchestro.errors import InfrastructureError, OrchestroError, SpawnError, TerminalClosed, UserError
from orchestro.events import Emit, StepFinished, StepStarted
from orchestro.model import NOWHERE, Failure, Finding, Outcome, Source
from orchestro.records import dataclass
from orchestro.scenario.document import Scenario, Step
from orchestro.scenario.stage import Aftermath, Stage, StepFailed
from orchestro.scenario.step import Clause
from orchestro.scenario.variables import substitute
from orchestro.terminal.pipe_driver import run_command
from orchestro.terminal.probe import Check, Held, Missing
from orchestro.terminal.process import MARK
from orchestro.terminal.process.exit_text import describe_exit
from orchestro.terminal.terminal import MouseOff, Terminal, WaitFailed

__all__ = ["Session", "Verdict"]

_OUTPUT_SHOWN = 2000
"""Characters of the output's tail in a failure."""
_TEARDOWN_S = 30.0
"""Limit of each teardown command in seconds; it also runs when the attempt was cut off, so it needs one of its own."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attempt ended."""

    outcome: Outcome
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()
    exit_code: int | None = None


class _Ended(Exception):
    """Carries the outcome out of the steps."""

    def __init__(self, outcome: Outcome, failure: Failure) -> None:
        self.outcome = outcome
        self.failure = failure


class Session:
    """Runs one attempt. `stage` is complete but for its terminal, which is made here."""

    def __init__(
        self,
        scenario: Scenario,
        terminal: Terminal,
        stage: Stage,
        *,
        task_id: str,
        number: int,
        emit: Emit,
        clock: Callable[[], float],
    ) -> None:
        self._scenario = scenario
        self._terminal = terminal
        self._stage = stage
        self._task_id = task_id
        self._number = number
        self._emit = emit
        self._clock = clock
        self._zero = clock()
        terminal.zero = asyncio.get_running_loop().time()
        self._step: tuple[str, int, str, Source] = ("steps", -1, "", scenario.source)
        self._started = False

    async def run(self) -> Verdict:
        """Run it to the verdict. Cancelling ends the program and runs the teardown before it returns."""
        outcome, failure = Outcome.PASSED, None
        try:
            try:
                async with asyncio.timeout(self._scenario.total_timeout_s):
                    await self._setup()
                    await self._start()
                    for index, step in enumerate(self._scenario.steps):
                        await self._run_step(index, step)
                    await self._await_end()
            except TimeoutError:
                limit = self._scenario.total_timeout_s
                message = f"the scenario took longer than its total_timeout of {limit:g} s"
                raise _Ended(Outcome.TIMED_OUT, self._located(Failure(message))) from None
            finally:
                await self._terminal.close()
            self._validate()
        except _Ended as ended:
            outcome, failure = ended.outcome, ended.failure
        finally:
            await self._teardown()
        findings = (*self._stage.findings, *(self._terminal.findings() if self._started else ()))
        exit_code = self._terminal.exit_code if self._terminal.ended_by_itself else None
        return Verdict(outcome, failure, findings, exit_code)

    # -- phases

    async def _setup(self) -> None:
        for index, command in enumerate(self._scenario.setup):
            await self._command("setup", index, command, timeout_s=None)

    async def _command(self, phase: str, index: int, command: str | Sequence[str], timeout_s: float | None) -> None:
        """A set-up or teardown command: a string goes through the shell, since people write ``a && b`` there."""
        text = substitute(command, self._stage.variables)
        argv = ["sh", "-c", text] if isinstance(text, str) else list(text)
        label = text if isinstance(text, str) else shlex.join(text)
        began = self._begin(phase, index, label, self._scenario.source)
        env = {**self._stage.env, MARK: f"{self._stage.env.get(MARK, '')}.{phase}"}
        try:
            done = await run_command(argv, cwd=os.fspath(self._stage.cwd), env=env, timeout_s=timeout_s)
        except OrchestroError as error:
            self._end(phase, index, label, phase, began, ok=False, why=str(error), source=self._scenario.source)
            raise _Ended(Outcome.ERROR, self._located(Failure(str(error)))) from None
        ok = done.code == 0
        why = (
            "exit code 0"
            if ok
            else f"ran into its limit of {timeout_s:g} s"
            if done.timed_out
            else describe_exit(done.code)
        )
        self._end(phase, index, label, phase, began, ok=ok, why=why, source=self._scenario.source)
        if not ok:
            what = "set-up" if phase == "setup" else phase
            failure = Failure(f"{what} command failed: {why}", output=done.text[-_OUTPUT_SHOWN:])
            raise _Ended(Outcome.ERROR, self._located(failure))

    async def _start(self) -> None:
        self._step = ("steps", -1, "start " + shlex.join(self._terminal.argv), self._scenario.source)
        try:
            await self._terminal.start()
        except (SpawnError, InfrastructureError, UserError) as error:
            raise _Ended(Outcome.ERROR, self._located(Failure(str(error)))) from None
        self._started = True

    async def _run_step(self, index: int, step: Step) -> None:
        began = self._begin("steps", index, step.label, step.source)
        kind = step.clauses[0].key if step.clauses else "note"
        stage = self._stage
        stage.source = step.source
        stage.last_run = None
        stage.timeout_s = self._scenario.timeout_s if step.timeout_s is None else step.timeout_s
        try:
            why = await self._perform(step)
        except _Ended as ended:
            self._end("steps", index, step.label, kind, began, ok=False, why=ended.failure.message, source=step.source)
            raise
        except asyncio.CancelledError:
            self._end("steps", index, step.label, kind, began, ok=False, why="cut off", source=step.source)
            raise
        self._end("steps", index, step.label, kind, began, ok=True, why=why, source=step.source, note=step.note)

    async def _perform(self, step: Step) -> str:
        stage = self._stage
        why: list[str] = []
        checks: list[Check] = []
        afterwards: list[Clause] = []
        try:
            for clause in step.clauses:
                if getattr(clause.value, "after_checks", False):
                    afterwards.append(clause)
                    continue
                value: Any = substitute(clause.value, stage.variables)
                if hasattr(value, "perform"):
                    why.append(await value.perform(stage))
                else:
                    resolve = getattr(value, "resolve", None)
                    checks.append(value if resolve is None else resolve())
            if stage.last_run is not None:
                why += self._judge(checks)
            elif checks:
                held = await self._terminal.wait_for(*checks, timeout_s=stage.timeout_s)
                for check, answer in zip(checks, held, strict=True):
                    why.append(answer.why)
                    settle = getattr(check, "settle", None)
                    if settle is not None:
                        settle(self._terminal, answer)
            for clause in afterwards:
                value = substitute(clause.value, stage.variables)
                why.append(await value.perform(stage))
        except WaitFailed as failed:
            outcome = Outcome.TIMED_OUT if failed.timed_out else Outcome.FAILED
            raise _Ended(
                outcome, self._from_missing(failed.check, failed.missing, failed.timeout_s, failed.timed_out)
            ) from None
        except StepFailed as failed:
            outcome = Outcome.TIMED_OUT if failed.timed_out else Outcome.FAILED
            raise _Ended(outcome, self._located(failed.failure())) from None
        except (TerminalClosed, MouseOff) as error:
            hint = (
                f"the program ended with {describe_exit(self._terminal.exit_code)}"
                if self._terminal.exit_code is not None
                else ""
            )
            raise _Ended(Outcome.FAILED, self._located(Failure(str(error), hint=hint))) from None
        except UserError as error:
            raise _Ended(Outcome.ERROR, self._located(Failure(str(error)))) from None
        except InfrastructureError as error:
            raise _Ended(Outcome.ERROR, self._located(Failure(str(error)))) from None
        return "; ".join(part for part in why if part)

    def _judge(self, checks: Sequence[Check]) -> list[str]:
        """Checks of a ``run`` step look at its own output; they cannot wait, it has ended."""
        from orchestro.terminal.checks import OutputCode

        command = self._stage.last_run
        why = []
        if command is not None and not any(isinstance(check, OutputCode) for check in checks):
            checks = [*checks, OutputCode(0)]
        for check in checks:
            judge = getattr(check, "judge", None)
            if judge is None:
                raise UserError("only expect_output and its kin may stand beside run")
            answer = judge(command)
            if not isinstance(answer, Held):
                failure = self._from_missing(check, answer, 0.0, timed_out=False)
                raise _Ended(Outcome.FAILED, replace(failure, output=command.text[-_OUTPUT_SHOWN:] if command else ""))
            why.append(answer.why)
        return why

    async def _await_end(self) -> None:
        """Validations look at what an ended program left; a scenario without steps is a program that must end well."""
        scenario, terminal = self._scenario, self._terminal
        if not scenario.steps:
            from orchestro.terminal.checks import Exit

            self._step = ("steps", -1, "exit: 0", scenario.source)
            check = Exit(None if scenario.validations else 0)
            try:
                await terminal.wait_for(check, timeout_s=scenario.timeout_s)
            except WaitFailed as failed:
                outcome = Outcome.TIMED_OUT if failed.timed_out else Outcome.FAILED
                raise _Ended(
                    outcome, self._from_missing(check, failed.missing, failed.timeout_s, failed.timed_out)
                ) from None
        elif scenario.validations and not terminal.at_prompt:
            from orchestro.terminal.checks import Exit

            with contextlib.suppress(WaitFailed):
                await terminal.wait_for(Exit(None), timeout_s=scenario.timeout_s)

    def _validate(self) -> None:
        scenario, stage = self._scenario, self._stage
        if not scenario.validations:
            return
        code = self._terminal.exit_code if self._terminal.ended_by_itself else None
        aftermath = Aftermath(stage.cwd, code, stage.env, dict(stage.variables))
        for index, validation in enumerate(scenario.validations):
            label = validation.label
            began = self._begin("validations", index, label, validation.source)
            try:
                why = substitute(validation.value, stage.variables).validate(aftermath)
            except StepFailed as failed:
                failure = self._located(failed.failure())
                self._end(
                    "validations",
                    index,
                    label,
                    validation.type,
                    began,
                    ok=False,
                    why=failure.message,
                    source=validation.source,
                )
                raise _Ended(Outcome.FAILED, failure) from None
            except UserError as error:
                raise _Ended(Outcome.ERROR, self._located(Failure(str(error)))) from None
            self._end("validations", index, label, validation.type, began, ok=True, why=why, source=validation.source)

    async def _teardown(self) -> None:
        for index, command in enumerate(self._scenario.teardown):
            task = asyncio.ensure_future(self._command("teardown", index, command, timeout_s=_TEARDOWN_S))
            while not task.done():
                try:
                    await asyncio.shield(task)
                except asyncio.CancelledError:
                    if task.done():
                        break  # it ended by itself; the cancellation is already on its way out
                except _Ended:
                    break
            if not task.cancelled() and (error := task.exception()) is not None:
                message = str(error.failure.message) if isinstance(error, _Ended) else repr(error)
                self._stage.findings.append(Finding("teardown-failed", message))

    # -- reporting

    def _begin(self, phase: str, index: int, label: str, source: Source) -> float:
        now = self._clock()
        self._step = (phase, index, label, source)
        self._emit(StepStarted(now, self._task_id, self._number, phase, index, label))
        return now

    def _end(
        self,
        phase: str,
        index: int,
        label: str,
        kind: str,
        began: float,
        *,
        ok: bool,
        why: str,
        source: Source,
        note: str = "",
    ) -> None:
        now = self._clock()
        self._emit(
            StepFinished(
                now,
                self._task_id,
                self._number,
                phase,
                index,
                label,
                kind,
                ok,
                began - self._zero,
                now - began,
                why,
                source,
                note,
            )
        )

    def _from_missing(self, check: Check, missing: Missing, limit_s: float, timed_out: bool) -> Failure:
        diff = getattr(check, "diff", None)
        message = missing.why or check.what
        if timed_out:
            message = f"{message} (waited {limit_s:g} s)"
        return self._located(
            Failure(
                message,
                waited_for=check.what,
                nearest=missing.nearest,
                expected=missing.expected,
                actual=missing.actual,
                hint=missing.hint,
                diff=tuple(diff(missing)) if diff is not None else (),
            )
        )

    def _located(self, failure: Failure) -> Failure:
        phase, index, label, source = self._step
        where = replace(
            failure,
            source=failure.source if failure.source != NOWHERE else source,
            step=failure.step or label,
            index=index if phase == "steps" else -1,
        )
        if not self._started or phase == "setup":
            return where
        terminal = self._terminal
        screen = terminal.screen
        cursor = screen.cursor
        return replace(
            where,
            screen=tuple(screen.lines()),
            cursor=(cursor.col, cursor.row) if cursor.visible else None,
            inputs=terminal.inputs,
            output=failure.output or terminal.output[-_OUTPUT_SHOWN:],
        )
