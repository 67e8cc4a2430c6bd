"""Random graphs through the dispatcher, cyclic ones included: nothing twice, nothing early, nothing over capacity."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestro.engine import AttemptContext, AttemptEnd, Dispatcher
from orchestro.engine.dispatcher import Clock
from orchestro.events import AttemptStarted, Event, TaskFinished, TaskPlanned
from orchestro.graph import CycleError
from orchestro.model import Failure, Outcome, Result, Task
from orchestro.schedule import SCHEDULERS, make_scheduler

CAPACITIES = {"pool": 2.0, "mem": 4.0}


@dataclass
class Script:
    """Ends attempts as it was told, and watches what runs at once."""

    fails: dict[str, int]
    """How many attempts at a task fail."""
    turns: dict[str, int]
    tasks: dict[str, Task]
    passed: set[str] = field(default_factory=set)
    held: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most: int = 0

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        assert set(task.needs) <= self.passed, "started before what it needs had passed"
        self.running += 1
        self.most = max(self.most, self.running)
        self.held.update(dict(task.resources))
        for name, amount in self.held.items():
            assert amount <= CAPACITIES.get(name, 1.0) + 1e-9, f"more of {name} than there is"
        for _ in range(self.turns.get(task.id, 0)):
            await asyncio.sleep(0)
        self.held.subtract(dict(task.resources))
        self.running -= 1
        if context.number <= self.fails.get(task.id, 0):
            return AttemptEnd(Outcome.FAILED, Failure("as it was told"))
        self.passed.add(task.id)
        return AttemptEnd(Outcome.PASSED)


RESOURCES = st.fixed_dictionaries(
    {}, optional={"pool": st.sampled_from([1.0, 2.0]), "mutex": st.just(1.0), "mem": st.sampled_from([0.5, 1.0, 4.0])}
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Task], dict[str, int], dict[str, int]]:
    count = draw(st.integers(1, 14))
    names = [f"t{i}" for i in range(count)]
    cyclic = draw(st.integers(0, 9)) == 0
    tasks = []
    for i, name in enumerate(names):
        candidates = names if cyclic else names[:i]
        needs = draw(st.lists(st.sampled_from(candidates), unique=True, max_size=3)) if candidates else []
        tasks.append(
            Task(
                name,
                draw(st.sampled_from(["a", "b"])),
                name,
                needs=tuple(needs),
                priority=draw(st.integers(-10, 10)),
                deadline_s=draw(st.none() | st.floats(0, 100)),
                retries=draw(st.integers(0, 2)),
                resources=draw(RESOURCES),
                affinity=tuple(draw(st.lists(st.sampled_from("xy"), max_size=1))),
                skip="not today" if draw(st.integers(0, 14)) == 0 else "",
                fix=draw(st.booleans()),
            )
        )
    fails = draw(st.dictionaries(st.sampled_from(names), st.integers(0, 3), max_size=4))
    turns = draw(st.dictionaries(st.sampled_from(names), st.integers(0, 3)))
    return tasks, fails, turns


@settings(max_examples=300, deadline=None)
@given(graphs(), st.integers(1, 5), st.sampled_from(sorted(SCHEDULERS)), st.booleans(), st.sampled_from([0, 0, 0, 1]))
def test_every_task_is_run_once_or_reported_and_the_run_ends(
    graph: tuple[list[Task], dict[str, int], dict[str, int]], workers: int, scheduler: str, known: bool, maxfail: int
) -> None:
    tasks, fails, turns = graph
    by_id = {task.id: task for task in tasks}
    script = Script(fails, turns, by_id)
    events: list[Event] = []

    async def main() -> list[Result]:
        dispatcher = Dispatcher(
            tasks,
            executors={"a": script, "b": script},
            strategy=make_scheduler(scheduler),
            workers=workers,
            emit=events.append,
            clock=Clock(0.0, time.monotonic()),
            maxfail=maxfail,
            estimates={task.id: float(index % 3) for index, task in enumerate(tasks)} if known else {},
            capacities=CAPACITIES,
        )
        async with asyncio.timeout(20):
            return await dispatcher.run()

    try:
        results = asyncio.run(main())
    except CycleError as error:
        assert error.path[0] == error.path[-1]
        assert all(need in by_id[task].needs for task, need in zip(error.path, error.path[1:], strict=False))
        assert not any(isinstance(event, AttemptStarted) for event in events), (
            "nothing is run of a graph that makes no sense"
        )
        return
    assert [result.task_id for result in results] == [task.id for task in tasks]
    assert Counter(event.task_id for event in events if isinstance(event, TaskPlanned)) == Counter(list(by_id))
    assert Counter(event.task_id for event in events if isinstance(event, TaskFinished)) == Counter(list(by_id))
    assert script.most <= workers
    assert script.running == 0
    started = Counter(event.task_id for event in events if isinstance(event, AttemptStarted))
    for result in results:
        task = by_id[result.task_id]
        assert started[task.id] == len(result.attempts) <= task.retries + 1
        needs = {by_id[need].id for need in task.needs}
        bad_needs = {r.task_id for r in results if not r.outcome.ok} & needs
        assert bool(started[task.id]) <= (not bad_needs), "started although something that it needs did not pass"
        if maxfail:
            continue
        if bad_needs:
            assert result.outcome is Outcome.BLOCKED
            assert any(repr(need) in result.reason for need in bad_needs)
        elif task.skip:
            assert result.outcome is Outcome.SKIPPED
        else:
            failures = fails.get(task.id, 0)
            good = Outcome.PASSED if not failures else Outcome.FLAKY
            assert result.outcome is (good if failures <= task.retries else Outcome.FAILED)
            assert started[task.id] == min(failures, task.retries) + 1
