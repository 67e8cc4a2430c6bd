"""Runs as a library: synchronous, awaited, observed, and recorded."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

import orchestro
from orchestro import Outcome, RunOptions, SelectionError
from orchestro.events import Event, RunFinished, RunStarted
from orchestro.store.run_log import read_log


@pytest.fixture(autouse=True)
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.scenario.yaml").write_text("name: a\ncommand: echo hello\nsteps: [{expect: hello}, {exit: 0}]\n")


def test_in_a_running_loop_it_is_awaited() -> None:
    async def main() -> orchestro.Report:
        return await orchestro.run(["."], workers=2)

    report = asyncio.run(main())
    assert report
    assert [result.outcome for result in report.results] == [Outcome.PASSED]


def test_without_a_loop_it_returns_the_report() -> None:
    report = orchestro.run(".")
    assert report.counts() == {Outcome.PASSED: 1}
    assert asyncio.run(_awaited(report)) is report


async def _awaited(report: orchestro.Report) -> orchestro.Report:
    return await report


def test_observers_and_the_log_see_the_same_events() -> None:
    class Keeping:
        def __init__(self) -> None:
            self.events: list[Event] = []

        def handle(self, event: Event) -> None:
            self.events.append(event)

    keeping = Keeping()
    report = orchestro.run(["."], observers=[keeping])
    assert isinstance(keeping.events[0], RunStarted)
    assert isinstance(keeping.events[-1], RunFinished)
    assert list(read_log(report.directory)) == keeping.events
    assert [event.at for event in keeping.events] == sorted(event.at for event in keeping.events)
    assert (Path(report.directory) / "recordings" / "a.cast").exists()


def test_a_broken_observer_is_named_and_never_stops_a_run() -> None:
    class Broken:
        def handle(self, event: Event) -> None:
            if event.type == "attempt_finished":
                raise RuntimeError("oops")

    report = orchestro.run(["."], observers=[Broken()])
    assert report
    messages = [event.message for event in read_log(report.directory) if event.type == "diagnostic"]
    assert messages == ["the observer Broken failed and was dropped: RuntimeError('oops')"]


def test_file_names_need_not_be_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"x\xff.scenario.yaml")
    (tmp_path / name).write_text("name: odd\ncommand: 'true'\n")
    assert orchestro.run([name])


def test_runs_within_a_second_keep_their_order() -> None:
    ids = [orchestro.run(["."]).run_id for _ in range(5)]
    assert ids == sorted(ids)


def test_nothing_to_run_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SelectionError):
        orchestro.run([str(tmp_path / "empty")])
    assert not (tmp_path / ".orchestro" / "runs").exists()


def test_a_broken_history_does_not_stop_a_run(tmp_path: Path) -> None:
    (tmp_path / ".orchestro").mkdir()
    (tmp_path / ".orchestro" / "history.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / ".orchestro" / "history.db").execute("PRAGMA user_version")
    assert orchestro.run(["."])


def test_durations_of_earlier_runs_become_estimates() -> None:
    orchestro.run(["."])
    events = []

    class Keeping:
        def handle(self, event: Event) -> None:
            events.append(event)

    orchestro.run(["."], observers=[Keeping()], options=RunOptions())
    (planned,) = [event for event in events if event.type == "task_planned"]
    assert planned.estimate_s is not None
    assert planned.estimate_s > 0
