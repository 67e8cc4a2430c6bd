"""The dispatcher while things change: added tasks, workers that come and go or die, breakers, detours, gaps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from orchestro.engine import AttemptContext, AttemptEnd, Dispatcher, WorkerLost
from orchestro.engine.dispatcher import Clock
from orchestro.errors import UserError
from orchestro.events import (
    AttemptStarted,
    BreakerChanged,
    Event,
    RetryScheduled,
    TaskFinished,
    TaskPlanned,
    TaskRouted,
    WorkersChanged,
)
from orchestro.graph import UnknownNeedError
from orchestro.model import Backoff, Failure, Outcome, Result, RetryPolicy, RetryRule, Task
from orchestro.resilience.breaker import BreakerSettings, CircuitBreaker, CountWindow
from orchestro.resilience.retry import RetryBudget
from orchestro.schedule import make_scheduler

PASSED = AttemptEnd(Outcome.PASSED)
FAILED = AttemptEnd(Outcome.FAILED, Failure("no"))
Work = Callable[[Task, AttemptContext], Awaitable[AttemptEnd]]
T = TypeVar("T")


class Runs:
    """An executor that calls a function."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        return await self._work(task, context)


class Bench:
    """A dispatcher with its events."""

    def __init__(self, work: Work, tasks: list[Task], *, workers: int = 2, **options: Any) -> None:
        self.events: list[Event] = []
        self.clock = Clock(0.0, time.monotonic())
        self.dispatcher = Dispatcher(
            tasks,
            executors={"t": Runs(work)},
            strategy=make_scheduler("fifo"),
            workers=workers,
            emit=self.events.append,
            clock=self.clock,
            **options,
        )

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]


def task(name: str, **fields: Any) -> Task:
    return Task(name, "t", name, **fields)


def play(main: Coroutine[Any, Any, T]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(20):
            return await main

    return asyncio.run(limited())


async def turns(count: int) -> None:
    """Let the loop go round so often."""
    for _ in range(count):
        await asyncio.sleep(0)


def outcomes(results: list[Result]) -> dict[str, Outcome]:
    return {result.task_id: result.outcome for result in results}


def test_an_executor_adds_tasks_that_may_need_the_one_that_adds_them() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        if one.id == "find":
            context.add_tasks([task("a", needs=("find",)), task("b", needs=("a",)), task("c")])
        return PASSED

    async def main() -> None:
        bench = Bench(work, [task("find")])
        results = await bench.dispatcher.run()
        assert outcomes(results) == dict.fromkeys(("find", "a", "b", "c"), Outcome.PASSED)
        assert [event.task_id for event in bench.of(TaskPlanned)] == ["find", "a", "b", "c"]
        order = [event.task_id for event in bench.of(TaskFinished)]
        assert order.index("find") < order.index("a") < order.index("b")

    play(main())


def test_tasks_added_to_what_has_failed_are_blocked_at_once_and_a_wrong_addition_changes_nothing() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        return FAILED if one.id == "bad" else PASSED

    async def main() -> None:
        bench = Bench(work, [task("bad")])
        await bench.dispatcher.run()
        with pytest.raises(UnknownNeedError):
            bench.dispatcher.add([task("x", needs=("nowhere",))])
        with pytest.raises(ValueError, match="already a task 'bad'"):
            bench.dispatcher.add([task("bad")])
        bench.dispatcher.add([task("after", needs=("bad",)), task("later", needs=("after",))])
        await bench.dispatcher.wait_idle()
        assert outcomes(bench.dispatcher.results()) == {
            "bad": Outcome.FAILED,
            "after": Outcome.BLOCKED,
            "later": Outcome.BLOCKED,
        }

    play(main())


def test_fewer_workers_never_interrupt_what_runs_and_more_start_at_once() -> None:
    gates = {name: asyncio.Event() for name in "abcd"}

    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        await gates[one.id].wait()
        return PASSED

    async def main() -> None:
        bench = Bench(work, [task(name) for name in "abcd"], workers=3)
        bench.dispatcher.start()
        await asyncio.sleep(0)
        assert bench.dispatcher.running == 3
        bench.dispatcher.resize(1, "less to do")
        assert bench.dispatcher.running == 3
        for name in "ab":
            gates[name].set()
        await turns(6)
        assert bench.dispatcher.running == 1
        assert [event.task_id for event in bench.of(AttemptStarted)] == ["a", "b", "c"]
        bench.dispatcher.resize(2)
        await turns(2)
        assert [event.task_id for event in bench.of(AttemptStarted)] == ["a", "b", "c", "d"]
        gates["c"].set()
        gates["d"].set()
        await bench.dispatcher.wait_idle()
        assert [event.workers for event in bench.of(WorkersChanged)] == [1, 2]

    play(main())


def test_a_task_whose_worker_dies_goes_to_another_and_burns_no_retry() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        if context.number < 3:
            raise WorkerLost("killed")
        return PASSED

    async def main() -> None:
        bench = Bench(work, [task("a")])
        (result,) = await bench.dispatcher.run()
        assert result.outcome is Outcome.FLAKY
        assert [attempt.outcome for attempt in result.attempts] == [Outcome.ERROR, Outcome.ERROR, Outcome.PASSED]

    play(main())


def test_a_task_that_kills_every_worker_is_given_up() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        raise WorkerLost("killed")

    async def main() -> None:
        (result,) = await Bench(work, [task("poison")]).dispatcher.run()
        assert result.outcome is Outcome.ERROR
        assert len(result.attempts) == 4

    play(main())


def test_each_outcome_has_its_own_retries_and_waits() -> None:
    ends = [AttemptEnd(Outcome.ERROR, Failure("e")), FAILED, AttemptEnd(Outcome.ERROR, Failure("e")), PASSED]
    policy = RetryPolicy(
        (
            (Outcome.ERROR, RetryRule(2, Backoff(base_s=0.002, factor=3, jitter=False))),
            (Outcome.FAILED, RetryRule(1)),
        )
    )

    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        return ends[context.number - 1]

    async def main() -> None:
        bench = Bench(work, [task("a", retry=policy)])
        (result,) = await bench.dispatcher.run()
        assert result.outcome is Outcome.FLAKY
        waits = [(event.outcome, event.delay_s) for event in bench.of(RetryScheduled)]
        assert waits == [(Outcome.ERROR, 0.002), (Outcome.FAILED, 0.0), (Outcome.ERROR, 0.006)]

    play(main())


def test_a_run_spends_no_more_retries_than_its_budget() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        return FAILED

    async def main() -> None:
        tasks = [task(str(i), retries=3) for i in range(4)]
        results = await Bench(work, tasks, budget=RetryBudget(5)).dispatcher.run()
        assert sum(len(result.attempts) for result in results) == 4 + 5

    play(main())


def test_while_the_breaker_is_open_nothing_of_its_kind_starts_and_no_attempt_is_burnt() -> None:
    broken = True

    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        return FAILED if broken else PASSED

    async def main() -> None:
        nonlocal broken
        bench: Bench | None = None
        now = 0.0
        breaker = CircuitBreaker(
            "t",
            clock=lambda: now,
            settings=BreakerSettings(0.5, 2, CountWindow(4), open_s=1000.0, probes=1),
        )
        bench = Bench(work, [task(str(i)) for i in range(6)], workers=1, breakers={"t": breaker})
        breaker.callbacks.append(
            lambda one, _, state, reason: bench.events.append(BreakerChanged(0.0, one.name, state.value, reason))
        )
        bench.dispatcher.start()
        await turns(12)
        assert breaker.state.value == "open"
        assert len(bench.of(AttemptStarted)) == 2
        assert bench.dispatcher.queued == 4
        now, broken = 2000.0, False
        bench.dispatcher._ring("t")  # what the timer does
        await bench.dispatcher.wait_idle()
        assert [event.state for event in bench.of(BreakerChanged)] == ["open", "half-open", "closed"]
        assert list(outcomes(bench.dispatcher.results()).values()) == [Outcome.FAILED] * 2 + [Outcome.PASSED] * 4
        assert len(bench.of(AttemptStarted)) == 6

    play(main())


def test_what_fails_is_sent_off_to_be_mended_and_tried_again_while_its_dependants_wait() -> None:
    mended = 0

    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        nonlocal mended
        if one.id.startswith("fix"):
            assert one.fix
            mended += 1
        return FAILED if one.id == "qa" and mended < 2 else PASSED

    def detour(one: Task, outcome: Outcome, count: int) -> Task | None:
        return task(f"fix #{count + 1}", fix=True) if one.id == "qa" and count < 3 else None

    async def main() -> None:
        bench = Bench(work, [task("qa"), task("deploy", needs=("qa",))], detour=detour)
        results = await bench.dispatcher.run()
        assert outcomes(results) == dict.fromkeys(("qa", "deploy", "fix #1", "fix #2"), Outcome.PASSED)
        assert results[0].reason == "passed at attempt 3, after it was mended"
        assert [(event.task_id, event.to) for event in bench.of(TaskRouted)] == [("qa", "fix #1"), ("qa", "fix #2")]

    play(main())


def test_when_the_mending_fails_so_does_what_was_to_be_mended() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        return FAILED

    def detour(one: Task, outcome: Outcome, count: int) -> Task | None:
        return task("fix") if one.id == "qa" else None

    async def main() -> None:
        results = await Bench(work, [task("qa"), task("deploy", needs=("qa",))], detour=detour).dispatcher.run()
        assert outcomes(results) == {"qa": Outcome.FAILED, "deploy": Outcome.BLOCKED, "fix": Outcome.FAILED}
        assert results[0].reason == "'fix' was to mend it and failed"

    play(main())


def test_small_tasks_fill_the_gap_before_a_large_one_but_do_not_starve_it() -> None:
    """The large one needs both units of the pool; small ones keep coming, and would take one each for ever."""
    ended: list[str] = []

    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        for _ in range(3):
            await asyncio.sleep(0)
        ended.append(one.id)
        return PASSED

    async def main() -> None:
        small = [task(f"s{i}", resources={"pool": 1}) for i in range(20)]
        tasks = [small[0], task("large", resources={"pool": 2}), *small[1:], task("free")]
        bench = Bench(work, tasks, workers=3, capacities={"pool": 2})
        await bench.dispatcher.run()
        started = [event.task_id for event in bench.of(AttemptStarted)]
        assert started.index("large") <= 3
        assert started.index("free") < started.index("large"), "what needs nothing of the pool fills the gap"

    play(main())


def test_more_of_something_than_there_is_is_an_error_before_anything_runs() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        return PASSED

    async def main() -> None:
        bench = Bench(work, [task("a"), task("b", resources={"gpu": 2})], capacities={"gpu": 1})
        with pytest.raises(UserError, match="needs 2 of 'gpu', of which there is 1"):
            await bench.dispatcher.run()
        assert bench.events == []
        # A task that wants more processors than there are workers runs alone.
        (result,) = await Bench(work, [task("wide", resources={"cpu": 64})]).dispatcher.run()
        assert result.outcome is Outcome.PASSED

    play(main())


def test_what_was_settled_before_is_not_run_again_and_its_dependants_start() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        assert one.id != "a"
        return PASSED

    async def main() -> None:
        tasks = [task("a"), task("b", needs=("a",)), task("c", needs=("b",))]
        bench = Bench(work, tasks, settled={"a": Result("a", "a", Outcome.PASSED)}, announced={"a", "b"})
        assert outcomes(await bench.dispatcher.run()) == dict.fromkeys("abc", Outcome.PASSED)
        assert [event.task_id for event in bench.of(TaskPlanned)] == ["c"]

    play(main())


def test_a_chain_of_skipped_and_of_many_tasks_does_not_recurse() -> None:
    async def work(one: Task, context: AttemptContext) -> AttemptEnd:
        return PASSED

    async def main() -> None:
        chain = [task(str(i), needs=(str(i - 1),) if i else ()) for i in range(5000)]
        assert len(await Bench(work, chain).dispatcher.run()) == 5000
        results = await Bench(work, [replace(chain[0], skip="no"), *chain[1:]]).dispatcher.run()
        assert {result.outcome for result in results[1:]} == {Outcome.BLOCKED}

    play(main())
