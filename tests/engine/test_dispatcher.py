"""The dispatcher: order, retries, blocking, stopping. Tasks run in an executor that only awaits what it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from orchestro.engine import AttemptContext, AttemptEnd, Dispatcher
from orchestro.engine.dispatcher import Clock
from orchestro.events import AttemptStarted, Event, TaskFinished
from orchestro.model import Failure, Outcome, Result, Task
from orchestro.schedule import make_scheduler

P, F, T, E = Outcome.PASSED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR


class Scripted:
    """Ends each attempt as the script says, after as many turns of the loop as asked for."""

    def __init__(self, script: dict[str, list[Outcome]] | None = None, turns: dict[str, int] | None = None) -> None:
        self.script = script or {}
        self.turns = turns or {}
        self.running = 0
        self.most_at_once = 0
        self.started: list[str] = []
        self.on_start: Callable[[str], None] = lambda _: None

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        self.started.append(task.id)
        self.on_start(task.id)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            for _ in range(self.turns.get(task.id, 1)):
                await asyncio.sleep(0)
        finally:
            self.running -= 1
        outcomes = self.script.get(task.id, [P])
        outcome = outcomes[min(context.number, len(outcomes)) - 1]
        return AttemptEnd(outcome, None if outcome.ok else Failure("no"))


def run(
    tasks: list[Task], executor: Scripted, *, workers: int = 2, maxfail: int = 0, scheduler: str = "fifo"
) -> tuple[dict[str, Result], list[Event]]:
    events: list[Event] = []

    async def main() -> list[Result]:
        dispatcher = Dispatcher(
            tasks,
            executors={"t": executor},
            strategy=make_scheduler(scheduler),
            workers=workers,
            emit=events.append,
            clock=Clock(0.0, time.monotonic()),
            maxfail=maxfail,
        )
        executor_on_start = executor.on_start
        executor.on_start = lambda name: executor_on_start(name) or interrupt_at.get(name, lambda _: None)(dispatcher)
        return await asyncio.wait_for(dispatcher.run(), 10)

    results = asyncio.run(main())
    assert len([e for e in events if isinstance(e, TaskFinished)]) == len(tasks)
    return {result.task_id: result for result in results}, events


interrupt_at: dict[str, Callable[[Dispatcher], None]] = {}


@pytest.fixture(autouse=True)
def no_interrupts() -> None:
    interrupt_at.clear()


def task(name: str, *needs: str, **options: object) -> Task:
    return Task(name, "t", name, needs=needs, **options)  # type: ignore[arg-type]


def test_no_tasks_end_at_once() -> None:
    assert run([], Scripted()) == ({}, [])


def test_never_more_run_at_once_than_there_are_workers() -> None:
    executor = Scripted(turns={str(i): i % 4 for i in range(30)})
    results, _ = run([task(str(i)) for i in range(30)], executor, workers=3)
    assert executor.most_at_once == 3
    assert {r.outcome for r in results.values()} == {P}


def test_a_dependant_starts_the_moment_its_own_needs_have_passed() -> None:
    executor = Scripted(turns={"slow": 50})
    run([task("a"), task("slow"), task("b", "a")], executor, workers=2)
    assert executor.started == ["a", "slow", "b"]


def test_what_needs_a_failure_is_blocked_with_the_reason_through_all_levels() -> None:
    results, _ = run([task("a"), task("b", "a"), task("c", "b"), task("d")], Scripted({"a": [F]}))
    assert [results[x].outcome for x in "abcd"] == [F, Outcome.BLOCKED, Outcome.BLOCKED, P]
    assert results["b"].reason == "needs 'a', which failed"
    assert results["c"].reason == "needs 'b', which was blocked"


def test_what_needs_a_skipped_task_is_blocked() -> None:
    results, _ = run([task("a", skip="no vim"), task("b", "a")], Scripted())
    assert (results["a"].outcome, results["a"].reason) == (Outcome.SKIPPED, "no vim")
    assert results["b"].outcome is Outcome.BLOCKED


@pytest.mark.parametrize(
    ("script", "outcome", "attempts"),
    [
        pytest.param([P], P, 1, id="passed at once"),
        pytest.param([F, P], Outcome.FLAKY, 2, id="passed on a retry is flaky"),
        pytest.param([F, T, F], F, 3, id="out of retries keeps the last verdict"),
        pytest.param([E, P], Outcome.FLAKY, 2, id="an error is retried"),
        pytest.param([Outcome.SKIPPED], Outcome.SKIPPED, 1, id="skipped is not retried"),
    ],
)
def test_retries(script: list[Outcome], outcome: Outcome, attempts: int) -> None:
    results, _ = run([task("a", retries=2)], Scripted({"a": script}))
    assert (results["a"].outcome, len(results["a"].attempts)) == (outcome, attempts)


def test_a_flaky_need_counts_as_passed() -> None:
    results, _ = run([task("a", retries=1), task("b", "a")], Scripted({"a": [F, P]}))
    assert results["b"].outcome is P


def test_maxfail_stops_early_and_says_so() -> None:
    results, _ = run([task(str(i)) for i in range(5)], Scripted({"1": [F]}), workers=1, maxfail=1)
    assert [results[str(i)].outcome for i in range(5)] == [P, F] + [Outcome.INTERRUPTED] * 3
    assert results["4"].reason == "stopped after 1 failure"


def test_the_first_interrupt_drains_and_the_second_kills() -> None:
    executor = Scripted(turns={"a": 20})
    interrupt_at["a"] = lambda dispatcher: dispatcher.interrupt(1)
    results, _ = run([task("a"), task("b")], executor, workers=1)
    assert [results[x].outcome for x in "ab"] == [P, Outcome.INTERRUPTED]

    executor = Scripted(turns={"a": 20, "b": 1})
    interrupt_at["b"] = lambda dispatcher: dispatcher.interrupt(2)
    interrupt_at.pop("a")
    results, _ = run([task("a"), task("b"), task("c", "a")], executor, workers=2)
    assert results["a"].outcome is Outcome.INTERRUPTED
    assert results["c"].outcome is Outcome.INTERRUPTED


def test_an_exception_of_an_executor_ends_the_attempt_not_the_run() -> None:
    class Broken(Scripted):
        async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
            raise RuntimeError("bug")

    results, _ = run([task("a"), task("b")], Broken())
    assert results["a"].outcome is E
    assert results["a"].failure is not None
    assert "bug" in results["a"].failure.message


def test_the_policy_decides_the_order_that_the_run_took() -> None:
    tasks = [task("low", priority=-1), task("none"), task("high", priority=5), task("due", priority=5, deadline_s=1.0)]
    for scheduler, order in (("fifo", ["low", "none", "high", "due"]), ("priority", ["due", "high", "none", "low"])):
        executor = Scripted()
        _, events = run(tasks, executor, workers=1, scheduler=scheduler)
        assert [e.task_id for e in events if isinstance(e, AttemptStarted)] == order


def test_a_long_chain_does_not_recurse() -> None:
    count = 3000
    tasks = [task("0")] + [task(str(i), str(i - 1)) for i in range(1, count)]
    results, _ = run(tasks, Scripted({"0": [F]}))
    assert sum(r.outcome is Outcome.BLOCKED for r in results.values()) == count - 1
