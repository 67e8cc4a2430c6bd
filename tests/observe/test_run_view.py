from __future__ import annotations

import pytest
from run_script import NO_MATCH, START, RunScript

from orchestro.events import RunResumed
from orchestro.model import Outcome
from orchestro.observe.run_view import RunView


def view(script: RunScript) -> RunView:
    run = RunView()
    for event in script.events:
        run.apply(event)
    return run


def test_what_runs_is_known_with_its_step_until_it_ends() -> None:
    script = RunScript().plan("a", "b").starts("a", 1).after(2).step("a", "see: x").starts("b")
    run = view(script)
    assert list(run.running) == ["a", "b"], "the longest running first"
    assert (run.running["a"].step, run.running["a"].step_at, run.running["a"].worker) == ("see: x", START + 2, 1)
    run = view(script.ends("a").verdict("a", Outcome.PASSED))
    assert list(run.running) == ["b"]
    assert [task.name for task in run.unfinished] == ["b"]
    assert run.counts == {Outcome.PASSED: 1}


def test_the_failure_of_a_flaky_task_is_that_of_its_failed_attempt() -> None:
    run = view(RunScript().plan("a").flakes("a", NO_MATCH))
    assert run.failure("a") is NO_MATCH
    assert len(run.attempts["a"]) == 2


def test_without_estimates_and_measurements_nothing_is_said_about_the_rest() -> None:
    assert view(RunScript().plan("a", "b").starts("a")).remaining_s(START) is None


@pytest.mark.parametrize(
    ("script", "elapsed", "left"),
    [
        (RunScript(2).plan("a", "b", "c", "d", estimate_s=3.0), 0, 6.0),
        (RunScript(2).plan("a", "b", estimate_s=3.0).starts("a").starts("b"), 1, 2.0),
        (RunScript(2).plan("a", estimate_s=10.0).plan("b", estimate_s=1.0).starts("a").starts("b"), 0, 10.0),
        (RunScript(2).plan("a", estimate_s=3.0).starts("a"), 5, 0.0),
        (RunScript(1).plan("a", estimate_s=2.0).plan("b"), 0, 4.0),
        (RunScript(1).plan("a", "b", "c").runs("a", duration_s=1.5), 0, 3.0),
        (RunScript(1).plan("a", "b", estimate_s=2.0).skipped("a"), 0, 2.0),
    ],
    ids=[
        "the work over the workers",
        "less what has run",
        "no less than the longest",
        "never negative",
        "an unknown one counts as a typical one",
        "measured in this run",
        "less what is skipped",
    ],
)
def test_the_rest_is_estimated(script: RunScript, elapsed: float, left: float) -> None:
    assert view(script).remaining_s(START + elapsed) == pytest.approx(left)


def test_a_finished_run_took_what_it_says() -> None:
    run = view(RunScript().plan("a").runs("a").finish())
    assert run.elapsed_s(START + 100) == pytest.approx(0.12)
    assert run.unfinished == []


def test_a_run_that_is_resumed_keeps_what_passed_and_begins_the_rest_afresh() -> None:
    script = RunScript().plan("good", "bad", "cut", "unsaid").runs("good").runs("bad", Outcome.FAILED, failure=NO_MATCH)
    script.starts("unsaid").after(1).ends("unsaid").starts("cut").after(1000).event(RunResumed(0, "run-1", 7, 2))
    run = view(script)
    assert (list(run.ended), run.running, run.workers) == (["good"], {}, 7)
    assert [outcome for outcome, count in run.counts.items() if count] == [Outcome.PASSED]
    assert set(run.attempts) == {"good", "unsaid"}
    assert run.elapsed_s(script.now + 3) == pytest.approx(3)
    run = view(script.runs("bad").runs("cut").runs("unsaid"))
    assert (run.counts[Outcome.PASSED], run.failure("bad")) == (4, None)
