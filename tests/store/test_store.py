"""Run log and state directory."""

from __future__ import annotations

import os
from pathlib import Path

from orchestro.events import AttemptStarted, Event, RunStarted, StepStarted, TaskFinished
from orchestro.model import Failure, Finding, Outcome, Source
from orchestro.store.directory import KEPT_RUNS, StateDirectory
from orchestro.store.run_log import NAME, RunLog, read_log

EVENTS: list[Event] = [
    RunStarted(1.0, "r", "0", 2, "fifo", 1, ("run", "x")),
    AttemptStarted(2.0, "a", 1, 0),
    StepStarted(2.5, "a", 1, "steps", 0, "expect: ü"),
    TaskFinished(
        3.0, "a", "a", Outcome.FAILED, 1, 1.0, "", Failure("no", Source("f", 3, 4), screen=("x",), cursor=(1, 2))
    ),
]


def test_what_is_logged_is_read_back_the_same(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path))
    for event in EVENTS:
        log.write(event)
    log.close()
    assert list(read_log(str(tmp_path))) == EVENTS


def test_a_verdict_is_in_the_file_before_the_log_is_closed(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path))
    for event in EVENTS:
        log.write(event)
    assert list(read_log(str(tmp_path))) == EVENTS
    log.close()


def test_a_torn_tail_is_dropped_wherever_it_is_torn(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path))
    for event in EVENTS:
        log.write(event)
    log.close()
    file = tmp_path / NAME
    whole = file.read_bytes()
    last = len(whole) - len(whole.rstrip(b"\n").rpartition(b"\n")[2]) - 1
    for cut in range(last, len(whole)):
        file.write_bytes(whole[:cut])
        assert list(read_log(str(tmp_path))) == EVENTS[:-1]


def test_events_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(
        '{"type":"future"}\nrubbish\n{"type":"attempt_started","at":2.0,"task_id":"a","number":1,"worker":0,"new":1}\n'
    )
    assert list(read_log(str(tmp_path))) == [EVENTS[1]]


def test_only_the_newest_runs_are_kept(tmp_path: Path) -> None:
    state = StateDirectory(str(tmp_path / "s"))
    state.prepare()
    for number in range(KEPT_RUNS + 3):
        os.makedirs(tmp_path / "s" / "runs" / f"20200101-000000-{number:03}-abcd")
    _, newest = state.new_run()
    ids = list(state.run_ids())
    assert len(ids) == KEPT_RUNS
    assert state.last_run() == newest
    assert (tmp_path / "s" / ".gitignore").read_text() == "*\n"


def test_a_directory_of_the_users_is_neither_pruned_nor_hidden_from_git(tmp_path: Path) -> None:
    for number in range(KEPT_RUNS + 10):
        os.makedirs(tmp_path / "runs" / f"Exp{number:02}")
    state = StateDirectory(str(tmp_path))
    for _ in range(3):
        state.new_run()
    assert len([name for name in os.listdir(tmp_path / "runs") if name.startswith("Exp")]) == KEPT_RUNS + 10
    assert len(list(state.run_ids())) == 3
    assert not (tmp_path / ".gitignore").exists()


def test_findings_survive_the_log(tmp_path: Path) -> None:
    from orchestro.events import AttemptFinished

    event = AttemptFinished(1.0, "a", 1, 0, Outcome.PASSED, 0.5, None, (Finding("x", "y"),), 0)
    log = RunLog(str(tmp_path))
    log.write(event)
    log.close()
    assert list(read_log(str(tmp_path))) == [event]
