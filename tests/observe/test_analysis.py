from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_script import START

from orchestro.events import (
    AttemptFinished,
    Event,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    TaskPlanned,
    WorkersChanged,
)
from orchestro.model import Outcome
from orchestro.observe.analysis import RunAnalysis, analyze_run
from orchestro.observe.task_net import TaskNet

Bar = tuple[str, int, float, float]
"""Task, worker, begin and end in seconds after the start of the run."""


def started(workers: int, tasks: int) -> RunStarted:
    return RunStarted(START, "run-1", "0.1.0", workers, "fifo", tasks)


def planned(needs: Mapping[str, Sequence[str]]) -> list[Event]:
    return [TaskPlanned(START, task, "command", task.upper(), needs=tuple(wanted)) for task, wanted in needs.items()]


def ran(bar: Bar, outcome: Outcome = Outcome.PASSED, number: int = 1) -> AttemptFinished:
    task, worker, begin, end = bar
    return AttemptFinished(START + end, task, number, worker, outcome, end - begin)


def ended(at: float) -> RunFinished:
    return RunFinished(START + at, "run-1", at, 0)


def run_of(needs: Mapping[str, Sequence[str]], *bars: Bar, workers: int = 2) -> RunAnalysis:
    attempts = sorted((ran(bar) for bar in bars), key=lambda event: event.at)
    end = max((bar[3] for bar in bars), default=0.0)
    return analyze_run([started(workers, len(needs)), *planned(needs), *attempts, ended(end)])


CHAIN = {"build": [], "docs": [], "link": ["build"], "test": ["link"], "lint": []}
CHAIN_BARS: tuple[Bar, ...] = (
    ("build", 0, 0.0, 4.0),
    ("docs", 1, 0.0, 2.0),
    ("lint", 1, 2.0, 5.0),
    ("link", 0, 4.0, 6.0),
    ("test", 0, 6.0, 9.0),
)


def test_a_run_with_needs_is_bounded_by_its_longest_chain() -> None:
    seen = run_of(CHAIN, *CHAIN_BARS)
    assert seen.makespan_s == pytest.approx(9)
    assert (seen.lower_bound_s, seen.bound) == (pytest.approx(9), "critical path")
    assert seen.efficiency == pytest.approx(1)
    assert [(step.task_id, step.name) for step in seen.critical_path] == [
        ("build", "BUILD"),
        ("link", "LINK"),
        ("test", "TEST"),
    ]
    assert [step.duration_s for step in seen.critical_path] == pytest.approx([4, 2, 3])


def test_busy_idle_and_tail_add_up() -> None:
    seen = run_of(CHAIN, *CHAIN_BARS)
    assert seen.busy_s == pytest.approx(14)
    assert seen.idle_share == pytest.approx(4 / 18)
    assert seen.tail_s == pytest.approx(4)
    assert (seen.workers, seen.used_workers, seen.linked, seen.complete) == (2, 2, True, True)


def test_the_best_speed_up_is_the_task_whose_halving_ends_the_run_soonest() -> None:
    best = run_of(CHAIN, *CHAIN_BARS).best_speed_up
    assert best is not None
    assert (best.task_id, best.name, best.duration_s) == ("build", "BUILD", pytest.approx(4))
    # Halved, build ends at 2, link at 4 and test at 7; docs and lint end at 5 beside them.
    assert best.saved_s == pytest.approx(2)


def test_a_speed_up_that_another_task_swallows_counts_only_in_part() -> None:
    best = run_of({"a": [], "b": []}, ("a", 0, 0.0, 4.0), ("b", 1, 0.0, 3.0)).best_speed_up
    assert best is not None
    assert (best.task_id, best.saved_s) == ("a", pytest.approx(1))


def test_nothing_is_proposed_when_no_single_task_would_help() -> None:
    seen = run_of({"a": [], "b": []}, ("a", 0, 0.0, 4.0), ("b", 1, 0.0, 4.0))
    assert seen.best_speed_up is None


def test_independent_tasks_are_bounded_by_the_work_or_by_the_longest() -> None:
    even = run_of(dict.fromkeys("abcd", ()), ("a", 0, 0, 2), ("b", 1, 0, 2), ("c", 0, 2, 4), ("d", 1, 2, 4))
    assert (even.bound, even.lower_bound_s, even.tail_s) == ("work", pytest.approx(4), pytest.approx(0))
    uneven = run_of(dict.fromkeys("ab", ()), ("a", 0, 0, 1), ("b", 1, 0, 5))
    assert (uneven.bound, uneven.lower_bound_s, uneven.tail_s) == ("longest task", pytest.approx(5), pytest.approx(4))
    assert [step.task_id for step in uneven.critical_path] == ["b"]


def test_nothing_is_proposed_when_the_run_was_held_up_by_what_events_do_not_tell() -> None:
    # Both could have run at once: a mutex or the like kept them apart.
    seen = run_of(dict.fromkeys("ab", ()), ("a", 0, 0, 5), ("b", 1, 5, 10))
    assert seen.best_speed_up is None
    assert seen.tail_s == pytest.approx(seen.makespan_s)


def test_the_attempts_of_a_task_add_up() -> None:
    events = [started(1, 1), *planned({"a": []})]
    events += [ran(("a", 0, 0, 2), Outcome.FAILED), ran(("a", 0, 2, 3), number=2), ended(3)]
    seen = analyze_run(events)
    assert [step.duration_s for step in seen.critical_path] == pytest.approx([3])


def test_what_came_from_the_cache_or_did_not_run_takes_no_time_but_passes_its_needs_on() -> None:
    needs = {"a": [], "b": ["a"], "c": ["b"]}
    bars = [ran(("a", 0, 0, 2)), ran(("b", 0, 2, 2.5), Outcome.CACHED), ran(("c", 0, 2.5, 4.5))]
    seen = analyze_run([started(2, 3), *planned(needs), *bars, ended(4.5)])
    assert [step.task_id for step in seen.critical_path] == ["a", "c"]
    assert seen.lower_bound_s == pytest.approx(4)
    assert seen.busy_s == pytest.approx(4.5)


def test_workers_that_come_and_go_count_for_as_long_as_they_were_there() -> None:
    events = [started(1, 3), *planned(dict.fromkeys("abc", ()))]
    events += [WorkersChanged(START + 2, 2), ran(("a", 0, 0, 4)), ran(("b", 1, 2, 4)), ran(("c", 0, 4, 6)), ended(6)]
    seen = analyze_run(events)
    assert seen.workers == 2
    assert seen.idle_share == pytest.approx(1 - 8 / 10)
    assert seen.tail_s == pytest.approx(2)


def test_a_resumed_run_is_looked_at_from_its_resumption() -> None:
    needs = {"a": [], "b": ["a"]}
    events = [started(2, 2), *planned(needs), ran(("a", 0, 0, 3))]
    events += [RunResumed(START + 1000, "run-1", 4, 1), ran(("b", 0, 1000, 1002)), ended(2)]
    seen = analyze_run(events)
    assert (seen.makespan_s, seen.workers) == (pytest.approx(2), 4)
    assert [step.task_id for step in seen.critical_path] == ["b"]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="no events"),
        pytest.param([started(4, 0), ended(0)], id="no tasks"),
        pytest.param([started(4, 1), *planned({"a": ["gone"]}), ended(0)], id="an unknown need"),
        pytest.param([started(4, 2), *planned({"a": ["b"], "b": ["a"]}), ended(0)], id="a circle"),
    ],
)
def test_runs_of_nothing_are_no_trouble(events: list[Event]) -> None:
    seen = analyze_run(events)
    assert (seen.makespan_s, seen.critical_path, seen.best_speed_up, seen.telling) == (0, (), None, False)


def test_a_run_that_was_cut_off_or_interrupted_is_not_complete() -> None:
    whole = [started(2, 2), *planned({"a": [], "b": ["a"]}), ran(("a", 0, 0, 3)), ran(("b", 0, 3, 6))]
    assert analyze_run([*whole, ended(6)]).telling
    assert not analyze_run(whole).telling
    assert not analyze_run([*whole, RunInterrupted(START + 5, 1), ended(6)]).telling


def test_a_short_run_and_one_without_parallel_work_have_nothing_to_tell() -> None:
    assert not run_of({"a": [], "b": ["a"]}, ("a", 0, 0, 0.3), ("b", 0, 0.3, 0.6)).telling
    assert not run_of({"a": [], "b": []}, ("a", 0, 0, 3), ("b", 0, 3, 6)).telling


def test_a_chain_of_ten_thousand_needs_no_depth_and_no_simulation() -> None:
    number = 10_000
    needs = {f"t{i}": [f"t{i - 1}"] if i else [] for i in range(number)}
    seen = run_of(needs, *((f"t{i}", i % 2, i / 10, (i + 1) / 10) for i in range(number)))
    assert len(seen.critical_path) == number
    assert seen.efficiency == pytest.approx(1)
    assert seen.best_speed_up is None


def test_simulations_are_rationed(monkeypatch: pytest.MonkeyPatch) -> None:
    number = 2_000
    simulated: list[int] = []
    simulate = TaskNet.simulate

    def counting(self: TaskNet, durations: Sequence[float], workers: int) -> float:
        simulated.append(workers)
        return simulate(self, durations, workers)

    monkeypatch.setattr(TaskNet, "simulate", counting)
    # Two equal chains: no halving helps, so that every candidate is tried.
    needs = {f"{c}{i}": [f"{c}{i - 1}"] if i else [] for c in "xy" for i in range(number // 2)}
    run_of(needs, *((f"{c}{i}", w, i, i + 1) for w, c in enumerate("xy") for i in range(number // 2)))
    assert len(simulated) <= 1 + 100_000 // number


@st.composite
def schedules(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[float], int]:
    number = draw(st.integers(1, 12))
    needs = {str(i): [str(j) for j in range(i) if draw(st.integers(0, 3)) == 0] for i in range(number)}
    durations = draw(st.lists(st.integers(0, 50).map(lambda n: n / 10), min_size=number, max_size=number))
    return needs, durations, draw(st.integers(1, 4))


def list_schedule(needs: Mapping[str, Sequence[str]], durations: Sequence[float], workers: int) -> list[Bar]:
    """Naive: always the first task that is ready, on the first worker that is free."""
    bars: dict[str, Bar] = {}
    free = [0.0] * workers
    left = list(needs)
    while left:
        begin, task = min(
            (
                (max([min(free), *(bars[need][3] for need in needs[task])]), task)
                for task in left
                if all(need in bars for need in needs[task])
            ),
            key=lambda found: (found[0], int(found[1])),
        )
        worker = free.index(min(free))
        free[worker] = begin + durations[int(task)]
        bars[task] = (task, worker, begin, free[worker])
        left.remove(task)
    return list(bars.values())


@given(schedules())
def test_no_schedule_beats_the_bound_and_shares_stay_shares(
    case: tuple[dict[str, list[str]], list[float], int],
) -> None:
    needs, durations, workers = case
    bars = list_schedule(needs, durations, workers)
    seen = run_of(needs, *bars, workers=workers)
    assert seen.lower_bound_s <= seen.makespan_s + 1e-5
    assert 0 <= seen.idle_share <= 1
    assert 0 <= seen.tail_s <= seen.makespan_s + 1e-5
    assert sum(step.duration_s for step in seen.critical_path) <= seen.lower_bound_s + 1e-5
    chain = [step.task_id for step in seen.critical_path]
    ended_at = {bar[0]: bar for bar in bars}
    assert all(ended_at[a][3] <= ended_at[b][2] + 1e-5 for a, b in pairwise(chain))
    if seen.best_speed_up is not None:
        assert 0 < seen.best_speed_up.saved_s <= seen.makespan_s
