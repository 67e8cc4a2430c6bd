"""The `run` step on real commands."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from orchestro.model import Outcome
from orchestro.scenario.loader import load_text
from orchestro.scenario.session import Session, Verdict
from orchestro.scenario.stage import Stage
from orchestro.testing.fake_terminal import FakeTerminal


def play(folder: Path, *steps: str) -> tuple[Verdict, Stage]:
    loaded = load_text("command: fake\nsteps:\n" + "".join(f"  - {step}\n" for step in steps), "f.yaml")
    assert [str(problem) for problem in loaded.problems] == []
    (scenario,) = loaded.scenarios

    async def run() -> tuple[Verdict, Stage]:
        terminal = FakeTerminal()
        stage = Stage(
            terminal=terminal,
            variables={},
            cwd=folder,
            env={"PATH": "/usr/bin:/bin"},
            scenario="s",
            snapshot_dir=folder,
            snapshot_mode="verify",
            write_artifact=lambda *_: folder,
        )
        session = Session(scenario, terminal, stage, task_id="t", number=1, emit=lambda _: None, clock=time.monotonic)
        return await session.run(), stage

    return asyncio.run(asyncio.wait_for(run(), 30))


def message(verdict: Verdict) -> str:
    assert verdict.failure is not None
    return verdict.failure.message


def test_a_command_runs_where_the_program_does(tmp_path: Path) -> None:
    verdict, _ = play(
        tmp_path, "run: touch 'a b'", "run: [sh, -c, 'ls; exit 3']\n    expect_output: a b\n    expect_code: 3"
    )
    assert verdict.outcome is Outcome.PASSED


def test_it_must_end_well_unless_told_otherwise(tmp_path: Path) -> None:
    verdict, _ = play(tmp_path, "run: [sh, -c, 'echo oops; exit 3']")
    assert verdict.outcome is Outcome.FAILED
    assert message(verdict) == "the command ended with exit code 3"
    assert verdict.failure is not None
    assert verdict.failure.output == "oops\n"
    assert play(tmp_path, "run: 'false'\n    expect_contains: x")[0].outcome is Outcome.FAILED


def test_checks_and_captures_look_at_its_output_and_not_at_the_terminal(tmp_path: Path) -> None:
    verdict, stage = play(
        tmp_path,
        "run: [echo, '{\"id\": 7}']\n    expect_json: {id: 7}\n    expect_lines: 1\n    capture: {ID: ': (\\d+)'}",
        "run: echo ${ID}\n    expect_output: 7",
    )
    assert verdict.outcome is Outcome.PASSED
    assert stage.variables["ID"] == "7"


def test_a_capture_from_it_that_does_not_match_fails(tmp_path: Path) -> None:
    assert message(play(tmp_path, "run: echo version x\n    capture: {V: 'version (\\d+)'}")[0]) == (
        "'version (\\\\d+)' was not printed"
    )


def test_it_is_ended_with_its_children_at_the_limit(tmp_path: Path) -> None:
    began = time.monotonic()
    verdict, _ = play(tmp_path, "run: [sh, -c, 'sleep 60 & echo started; wait']\n    timeout: 300ms")
    assert verdict.outcome is Outcome.TIMED_OUT
    assert message(verdict) == "the command did not end within 0.3 s"
    assert verdict.failure is not None
    assert verdict.failure.actual == "started\n"
    assert time.monotonic() - began < 20


def test_a_flood_is_cut_and_said(tmp_path: Path) -> None:
    verdict, stage = play(tmp_path, "run: [sh, -c, 'yes | head -c 3000000']")
    assert verdict.outcome is Outcome.PASSED
    assert stage.last_run is not None
    assert len(stage.last_run.text) == 1 << 20
    assert [finding.code for finding in verdict.findings] == ["output-cut"]


def test_a_program_that_is_not_there_is_no_verdict_on_the_scenario(tmp_path: Path) -> None:
    verdict, _ = play(tmp_path, "run: no-such-program-anywhere")
    assert verdict.outcome is Outcome.ERROR
    assert "no such program" in message(verdict)


@pytest.mark.parametrize("check", ["expect: x", "see: x"])
def test_only_checks_of_output_may_stand_beside_it(tmp_path: Path, check: str) -> None:
    assert "beside run" in message(play(tmp_path, f"run: echo x\n    {check}")[0])
