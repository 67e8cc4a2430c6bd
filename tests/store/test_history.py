"""What the history keeps of the runs of a task."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.model import Outcome, Source, Task
from orchestro.store import history as module
from orchestro.store.database import open_database
from orchestro.store.history import RECENT_RUNS, History, Seen, history_key


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(open_database(str(tmp_path / "h.db")))


def test_it_keeps_a_moving_average_of_passed_runs_and_the_last_outcome(history: History) -> None:
    history.add("m", 1.0, [("a", Outcome.PASSED, 1.0), ("b", Outcome.FAILED, 9.0)])
    history.add("m", 2.0, [("a", Outcome.PASSED, 2.0)])
    history.add("m", 3.0, [("a", Outcome.TIMED_OUT, 60.0)])
    seen = history.read("m")
    assert seen["a"].duration_s is not None
    assert abs(seen["a"].duration_s - 1.3) < 1e-9
    assert (seen["a"].last_outcome, seen["a"].runs) == (Outcome.TIMED_OUT, 3)
    assert (seen["b"].duration_s, seen["b"].last_outcome) == (None, Outcome.FAILED)
    assert history.read("other") == {}
    history.close()


def test_what_was_not_tried_changes_nothing(history: History) -> None:
    history.add("m", 1.0, [("a", Outcome.FAILED, 1.0)])
    before = history.read("m")
    history.add("m", 2.0, [(key, Outcome.CACHED, 0.0) for key in ("a", "new")])
    history.add("m", 2.0, [("a", Outcome.SKIPPED, 0.0), ("a", Outcome.INTERRUPTED, 0.0)])
    assert history.read("m") == before


def test_a_blocked_task_is_remembered_as_such_and_was_no_real_run(history: History) -> None:
    history.add("m", 1.0, [("a", Outcome.PASSED, 1.0)])
    history.add("m", 2.0, [("a", Outcome.BLOCKED, 0.0)])
    seen = history.read("m")["a"]
    assert (seen.last_outcome, seen.duration_s, seen.counts) == (Outcome.BLOCKED, 1.0, {Outcome.PASSED: 1})


def test_repetitions_within_a_run_all_count(history: History) -> None:
    history.add("m", 1.0, [("a", Outcome.PASSED, 1.0), ("b", Outcome.PASSED, 1.0), ("a", Outcome.FLAKY, 2.0)])
    seen = history.read("m")["a"]
    assert (seen.runs, seen.last_outcome) == (2, Outcome.FLAKY)
    assert seen.counts == {Outcome.PASSED: 1, Outcome.FLAKY: 1}


def test_the_flaky_rate_is_of_the_last_runs_that_came_to_a_verdict(history: History) -> None:
    assert Seen(None, None, 0).flaky_rate == 0.0
    for number in range(RECENT_RUNS * 2):
        history.add("m", number, [("a", Outcome.FLAKY if number < RECENT_RUNS else Outcome.PASSED, 1.0)])
    assert history.read("m")["a"].flaky_rate == 0.0
    for _ in range(10):
        history.add("m", 1000.0, [("a", Outcome.FLAKY, 1.0), ("a", Outcome.ERROR, 1.0)])
    seen = history.read("m")["a"]
    assert sum(seen.counts.values()) == len(seen.recent) == RECENT_RUNS
    assert seen.counts == {Outcome.PASSED: 30, Outcome.FLAKY: 10, Outcome.ERROR: 10}
    assert seen.flaky_rate == 0.25


def test_the_oldest_tasks_make_room(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TASKS", 3)
    history.add("m", 1.0, [("old", Outcome.PASSED, 1.0), ("older", Outcome.PASSED, 1.0), ("kept", Outcome.PASSED, 1.0)])
    history.add("m", 2.0, [("kept", Outcome.PASSED, 1.0), ("new", Outcome.PASSED, 1.0), ("newer", Outcome.PASSED, 1.0)])
    assert set(history.read("m")) == {"kept", "new", "newer"}


def test_repetitions_share_their_history() -> None:
    one = Task("a #2", "s", "a #2", source=Source("x/y.yaml", 1))
    assert history_key(one) == f"{os.path.join('x', 'y.yaml')}::a"


@given(st.text(), st.text(alphabet=st.characters(), max_size=20))
def test_every_name_of_a_task_has_a_key_that_any_database_takes(name: str, file: str) -> None:
    key = history_key(Task("t", "s", name, source=Source(file.replace("\0", ""), 1)))
    key.encode("utf-8")
    assert "\0" not in key
