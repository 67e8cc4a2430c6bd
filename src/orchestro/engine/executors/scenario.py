"""Runs scenarios: joins a private place, a terminal and the session for each attempt, and keeps its recording."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from orchestro.engine.executor import AttemptContext, AttemptEnd
from orchestro.engine.executors.settings import ExecutorSettings, file_name
from orchestro.errors import OrchestroError
from orchestro.events import ArtifactWritten
from orchestro.isolate.place import Place, make_place
from orchestro.model import Failure, Outcome, Task
from orchestro.scenario.document import Scenario
from orchestro.scenario.registry import driver_named
from orchestro.scenario.session import Session
from orchestro.scenario.stage import SnapshotMode, Stage
from orchestro.scenario.variables import substitute
from orchestro.terminal.process import MARK
from orchestro.terminal.process.ending import kill_strays
from orchestro.terminal.recording import Recording
from orchestro.terminal.terminal import Terminal

__all__ = ["ScenarioExecutor"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._=+-]+")


class ScenarioExecutor:
    """Implements `Executor` for tasks whose payload is a `Scenario`."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings
        self._scratch = settings.scratch
        self._recordings = settings.recordings
        options = settings.options
        self._snapshot_mode: SnapshotMode = options.get("snapshot_mode", "verify")
        self._snapshot_root: str | None = options.get("snapshot_dir")
        self._ci: bool = options.get("ci", False)
        self.snapshots_used: set[str] = set()
        """Snapshot files that any attempt compared or wrote."""

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        """Run one attempt."""
        scenario: Scenario = task.payload
        mark = f"{MARK}={self._scratch.mark}/{_UNSAFE.sub('-', task.id)}/{context.number}"
        try:
            place = self._make_place(scenario, mark)
        except OrchestroError as error:
            return AttemptEnd(Outcome.ERROR, Failure(str(error), source=scenario.source))
        try:
            return await self._run(task, scenario, place, context)
        finally:
            if scenario.setup or scenario.teardown or _runs_commands(scenario):
                await kill_strays(0, mark, set())
            place.clear()

    def _make_place(self, scenario: Scenario, mark: str) -> Place:
        fresh = scenario.workspace == "fresh"
        folder = os.path.dirname(os.path.abspath(scenario.source.file))
        shared = scenario.workspace == "shared"
        workspace = self._settings.started_in if shared else os.path.normpath(os.path.join(folder, scenario.workspace))
        place = make_place(
            self._scratch,
            fresh=fresh,
            workspace=workspace,
            cwd=scenario.cwd,
            env=scenario.env,
            inherit_env=scenario.inherit_env,
            mark=mark,
        )
        if scenario.files:
            from orchestro.isolate.files import place_files

            try:
                place_files(scenario.files, place.workspace, folder)
            except OrchestroError:
                place.clear()
                raise
        return place

    async def _run(self, task: Task, scenario: Scenario, place: Place, context: AttemptContext) -> AttemptEnd:
        variables = {
            **scenario.vars,
            "WORKSPACE": place.workspace,
            "HOME": place.home,
            "TMPDIR": place.tmp,
            "SCENARIO": scenario.name,
        }
        command = substitute(scenario.command, variables)
        terminal = Terminal(
            ["/bin/sh", "-c", *command] if scenario.shell else command,
            cwd=place.cwd,
            env={**place.env, MARK: place.env[MARK] + "/program"},
            size=scenario.size,
            timeout=scenario.timeout_s,
            driver=driver_named(scenario.driver),
            scratch=Path(place.root),
        )
        artifacts = _Artifacts(self._settings.run_dir, task, context)
        stage = Stage(
            terminal=terminal,
            variables=variables,
            cwd=Path(place.cwd),
            env=place.env,
            scenario=scenario.name,
            snapshot_dir=self._snapshot_dir(scenario),
            snapshot_mode=self._snapshot_mode,
            write_artifact=artifacts.write,
            timeout_s=scenario.timeout_s,
            source=scenario.source,
            ci=self._ci,
        )
        session = Session(
            scenario, terminal, stage, task_id=task.id, number=context.number, emit=context.emit, clock=context.clock
        )
        began = context.clock()
        passed = False
        try:
            verdict = await session.run()
            passed = verdict.outcome.ok
        finally:
            self.snapshots_used |= stage.snapshots_used
            if terminal.recording.entries:
                header = _header(terminal.recording, began, scenario)
                path = artifacts.recording_path()
                self._recordings.submit(
                    os.path.join(self._settings.run_dir, path), header, terminal.recording.entries, now=not passed
                )
                artifacts.written("recording", "recording", path)
            terminal.free()
        return AttemptEnd(verdict.outcome, verdict.failure, verdict.findings, verdict.exit_code)

    def _snapshot_dir(self, scenario: Scenario) -> Path:
        if self._snapshot_root is not None:
            return Path(self._snapshot_root)
        return Path(os.path.dirname(os.path.abspath(scenario.source.file))) / "__snapshots__"


def _runs_commands(scenario: Scenario) -> bool:
    return any(clause.key == "run" for step in scenario.steps for clause in step.clauses)


class _Artifacts:
    """Files of one attempt: recordings side by side, everything else in a directory made with the first of them."""

    def __init__(self, run_dir: str, task: Task, context: AttemptContext) -> None:
        self._run_dir = run_dir
        self._task = task
        self._context = context
        self._name = file_name(task.id, context.number)

    def written(self, kind: str, name: str, path: str) -> None:
        """Report a file, named relative to the run."""
        context = self._context
        context.emit(ArtifactWritten(context.clock(), self._task.id, context.number, kind, name, path))

    def write(self, kind: str, name: str, suffix: str, content: bytes) -> Path:
        """Write a file and report it."""
        file_name = (_UNSAFE.sub("-", name).strip("-.")[:100] or kind) + suffix
        path = os.path.join("artifacts", self._name, file_name)
        full = os.path.join(self._run_dir, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
        self.written(kind, name, path)
        return Path(full)

    def recording_path(self) -> str:
        """Where the recording goes, relative to the run."""
        return os.path.join("recordings", self._name + ".cast")


def _header(recording: Recording, began: float, scenario: Scenario) -> Mapping[str, object]:
    # The recording counts time from the start of the attempt, as the steps do.
    return {
        "version": 2,
        "width": recording.cols,
        "height": recording.rows,
        "timestamp": int(began),
        "title": scenario.name,
    }
