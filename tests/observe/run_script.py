"""Writes the events of a run as a script: ``run.plan("a").passes("a")``. Times are ticked, never measured."""

from __future__ import annotations

from dataclasses import replace

from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    Diagnostic,
    Event,
    RunFinished,
    RunInterrupted,
    RunStarted,
    StepFinished,
    StepStarted,
    TaskFinished,
    TaskPlanned,
)
from orchestro.model import Failure, Finding, Outcome, Source

START = 1_700_000_000.0

VIM_SCREEN = (
    "hello wörld",
    "~",
    "~",
    "",
    "-- INSERT --                     1,6           All",
    "",
    "",
)

NO_MATCH = Failure(
    message="no text on the screen matched 'saved' within 5 s",
    source=Source("examples/vim.yaml", 14, 5),
    step="see: saved",
    index=2,
    waited_for="saved",
    nearest="row 4: -- INSERT --",
    screen=VIM_SCREEN,
    cursor=(5, 0),
    inputs=("type 'hello'", "press escape", "send ':w'"),
    hint="the program is still in insert mode",
)


class RunScript:
    """The events so far are `events`; every method returns the script, so that calls can be chained."""

    def __init__(self, workers: int = 2, *, cwd: str = "/home/me/project") -> None:
        self.workers = workers
        self.cwd = cwd
        self.now = START
        self._planned: list[TaskPlanned] = []
        self._rest: list[Event] = []
        self._last: dict[str, AttemptFinished] = {}
        self._counts: dict[str, int] = {}

    @property
    def events(self) -> list[Event]:
        started = RunStarted(
            START, "run-1", "0.1.0", self.workers, "priority", len(self._planned), ("orchestro", "run", "."), self.cwd
        )
        return [started, *self._planned, *self._rest]

    def plan(
        self,
        *names: str,
        file: str = "examples/demo.yaml",
        line: int = 1,
        group: str = "",
        estimate_s: float | None = None,
        needs: tuple[str, ...] = (),
    ) -> RunScript:
        for name in names:
            self._planned.append(
                TaskPlanned(
                    START,
                    name,
                    "scenario",
                    name,
                    Source(file, line),
                    needs=needs,
                    group=group,
                    estimate_s=estimate_s,
                )
            )
        return self

    def event(self, event: Event) -> RunScript:
        """Any other event; its time becomes the present one."""
        self._rest.append(replace(event, at=self.now))
        return self

    def after(self, seconds: float) -> RunScript:
        self.now += seconds
        return self

    def starts(self, name: str, worker: int = 0, number: int = 1) -> RunScript:
        self._rest.append(AttemptStarted(self.now, name, number, worker))
        return self

    def step(self, name: str, label: str, number: int = 1, index: int = 0) -> RunScript:
        self._rest.append(StepStarted(self.now, name, number, "steps", index, label))
        return self

    def step_ends(
        self, name: str, label: str, *, ok: bool = True, why: str = "", duration_s: float = 0.1, phase: str = "steps"
    ) -> RunScript:
        self.now += duration_s
        self._rest.append(
            StepFinished(self.now, name, 1, phase, 0, label, label.split(":")[0], ok, 0.0, duration_s, why)
        )
        return self

    def ends(
        self,
        name: str,
        outcome: Outcome = Outcome.PASSED,
        *,
        number: int = 1,
        worker: int = 0,
        duration_s: float = 0.12,
        failure: Failure | None = None,
        findings: tuple[Finding, ...] = (),
    ) -> RunScript:
        event = AttemptFinished(self.now, name, number, worker, outcome, duration_s, failure, findings, 0)
        self._last[name] = event
        self._rest.append(event)
        return self

    def verdict(
        self, name: str, outcome: Outcome, *, attempts: int = 1, duration_s: float = 0.12, reason: str = ""
    ) -> RunScript:
        last = self._last.get(name)
        failure = last.failure if last is not None and not outcome.ok else None
        self._counts[outcome.value] = self._counts.get(outcome.value, 0) + 1
        self._rest.append(TaskFinished(self.now, name, name, outcome, attempts, duration_s, reason, failure))
        return self

    def runs(
        self,
        name: str,
        outcome: Outcome = Outcome.PASSED,
        *,
        duration_s: float = 0.12,
        failure: Failure | None = None,
        findings: tuple[Finding, ...] = (),
        worker: int = 0,
    ) -> RunScript:
        """One attempt from its start to the verdict."""
        self.starts(name, worker).after(duration_s)
        self.ends(name, outcome, duration_s=duration_s, failure=failure, findings=findings, worker=worker)
        return self.verdict(name, outcome, duration_s=duration_s)

    def flakes(self, name: str, failure: Failure) -> RunScript:
        """Fails once and passes at the second attempt."""
        self.starts(name).after(0.5).ends(name, Outcome.FAILED, duration_s=0.5, failure=failure)
        self.starts(name, number=2).after(0.2).ends(name, Outcome.PASSED, number=2, duration_s=0.2)
        return self.verdict(name, Outcome.FLAKY, attempts=2, duration_s=0.7, reason="passed at attempt 2")

    def skipped(self, name: str, reason: str = "needs vim, which is not installed") -> RunScript:
        return self.verdict(name, Outcome.SKIPPED, attempts=0, duration_s=0.0, reason=reason)

    def blocked(self, name: str, need: str) -> RunScript:
        return self.verdict(name, Outcome.BLOCKED, attempts=0, duration_s=0.0, reason=f"needs {need!r}, which failed")

    def interrupted(self, level: int = 1) -> RunScript:
        self._rest.append(RunInterrupted(self.now, level))
        return self

    def never_run(self, *names: str) -> RunScript:
        for name in names:
            self.verdict(name, Outcome.INTERRUPTED, attempts=0, duration_s=0.0, reason="the run was interrupted")
        return self

    def diagnostic(self, message: str, level: str = "warning") -> RunScript:
        self._rest.append(Diagnostic(self.now, level, message))
        return self

    def finish(self, exit_code: int = 0, obsolete: tuple[str, ...] = ()) -> RunScript:
        duration = self.now - START
        self._rest.append(RunFinished(self.now, "run-1", duration, exit_code, tuple(self._counts.items()), obsolete))
        return self
