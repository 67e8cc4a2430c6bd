"""Plays a scenario's text on a scripted terminal, through the real loader and the real session."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestro.events import Event, StepFinished
from orchestro.model import Failure
from orchestro.scenario.loader import load_text
from orchestro.scenario.session import Session, Verdict
from orchestro.scenario.stage import Stage
from orchestro.testing.fake_terminal import FakeTerminal

__all__ = ["Played", "failed", "play", "problems"]


@dataclass
class Played:
    """What came of it."""

    verdict: Verdict
    terminal: FakeTerminal
    stage: Stage
    events: list[Event]
    artifacts: dict[str, bytes] = field(default_factory=dict)

    @property
    def failure(self) -> Failure:
        """Why it did not pass."""
        assert self.verdict.failure is not None, self.verdict
        return self.verdict.failure

    @property
    def said(self) -> list[str]:
        """What each step said it did or why it held."""
        return [event.why for event in self.events if isinstance(event, StepFinished)]


def _document(text: str) -> str:
    return "command: fake\nsteps:\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "  ") + "\n"


def problems(text: str) -> list[str]:
    """The messages about steps that cannot be loaded."""
    return [
        f"{problem.key}: {problem.message} {problem.hint}" for problem in load_text(_document(text), "f.yaml").problems
    ]


def play(
    steps: str,
    script: Callable[[FakeTerminal], object] = lambda _: None,
    *,
    folder: Path = Path("/nonexistent"),
    **stage_options: Any,
) -> Played:
    """Run the steps on a terminal that `script` has prepared."""
    loaded = load_text(_document(steps), "f.yaml")
    assert [str(problem) for problem in loaded.problems] == []
    (scenario,) = loaded.scenarios

    async def run() -> Played:
        terminal = FakeTerminal(size=scenario.size, timeout=scenario.timeout_s)
        artifacts: dict[str, bytes] = {}

        def write_artifact(kind: str, name: str, suffix: str, content: bytes) -> Path:
            artifacts[f"{kind}:{name}{suffix}"] = content
            return Path(name + suffix)

        stage = Stage(
            terminal=terminal,
            variables={"WORKSPACE": str(folder)},
            cwd=folder,
            env={"PATH": "/usr/bin:/bin"},
            scenario="the scenario",
            snapshot_dir=folder / "__snapshots__",
            snapshot_mode=stage_options.pop("snapshot_mode", "verify"),
            write_artifact=write_artifact,
            **stage_options,
        )
        events: list[Event] = []
        session = Session(
            scenario, terminal, stage, task_id="t", number=1, emit=events.append, clock=lambda: terminal.clock_s
        )
        terminal.zero = 0.0
        script(terminal)
        verdict = await session.run()
        terminal.free()
        return Played(verdict, terminal, stage, events, artifacts)

    return asyncio.run(run())


def failed(steps: str, script: Callable[[FakeTerminal], object] = lambda _: None, **options: Any) -> Failure:
    """Why the steps did not pass."""
    return play(steps, script, **options).failure
