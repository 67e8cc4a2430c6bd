"""Worker pools for programs: submitting, results, statistics, scaling, stopping, and workers that die."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from orchestro.engine import Scaling, TaskQueue, WorkerPool, WorkerPoolConfig
from orchestro.engine.autoscale import Autoscaler
from orchestro.errors import UserError
from orchestro.events import AttemptStarted, Event, WorkersChanged
from orchestro.model import Outcome, Result, Task

T = TypeVar("T")


def play(main: Coroutine[Any, Any, T]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(30):
            return await main

    return asyncio.run(limited())


def square(number: int) -> int:
    return number * number


def fail() -> None:
    raise ValueError("on purpose")


def die_once(marker: str) -> str:
    """Kills its own process at the first call."""
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def process_number() -> int:
    return os.getpid()


def test_callables_run_on_threads_processes_and_the_loop() -> None:
    async def on_loop() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    async def main() -> None:
        async with WorkerPool(WorkerPoolConfig(num_workers=2)) as pool:
            await pool.submit(square, 3)
            await pool.submit(process_number, where="process")
            await pool.submit(on_loop, where="loop")
            await pool.submit(lambda: threading.current_thread().name)
            await pool.submit(fail)
            results = await pool.wait_all()
        values = [result.value for result in results]
        assert values[0] == 9
        assert values[1] != os.getpid()
        assert values[2] == "MainThread"
        assert values[3] != "MainThread"
        assert results[4].outcome is Outcome.FAILED
        assert results[4].failure is not None
        assert results[4].failure.message == "ValueError: on purpose"

    play(main())


def test_a_worker_process_that_is_killed_is_replaced_and_its_task_done_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with WorkerPool(WorkerPoolConfig(num_workers=1)) as pool:
            await pool.submit(die_once, str(tmp_path / "marker"), where="process")
            (result,) = await pool.wait_all()
        assert result.value == "done"
        assert [attempt.outcome for attempt in result.attempts] == [Outcome.ERROR, Outcome.PASSED]
        assert result.attempts[0].failure is not None
        assert result.attempts[0].failure.message == "its worker process died (signal SIGKILL)"

    play(main())


def test_a_process_that_runs_out_of_time_is_killed_and_the_next_task_has_another(tmp_path: Path) -> None:
    async def main() -> None:
        async with WorkerPool(WorkerPoolConfig(num_workers=1)) as pool:
            await pool.submit(TaskQueue.create_call("hangs", signal.pause, where="process", timeout_s=0.3))
            await pool.submit(process_number, where="process")
            results = await pool.wait_all()
        assert [result.outcome for result in results] == [Outcome.TIMED_OUT, Outcome.PASSED]

    play(main())


def test_a_scenario_file_becomes_a_task_with_a_priority(tmp_path: Path) -> None:
    path = tmp_path / "hello.scenario.yaml"
    path.write_text("command: echo hello\nsteps:\n  - expect: hello\n")

    async def main() -> None:
        async with WorkerPool(config=WorkerPoolConfig(num_workers=4), scheduler="priority") as pool:
            assert await pool.submit(TaskQueue.create_task(str(path), priority=10)) == "hello"
            (result,) = await pool.wait_all()
        assert result.outcome is Outcome.PASSED

    assert TaskQueue.create_task(str(path), priority=10).priority == 10
    play(main())
    path.write_text("name: a\ncommand: echo\n---\nname: b\ncommand: echo\n")
    with pytest.raises(UserError, match="holds 2 scenarios"):
        TaskQueue.create_task(str(path))
    assert [task.id for task in TaskQueue.create_tasks(str(path))] == ["a", "b"]


def test_batches_progress_and_statistics() -> None:
    seen: list[tuple[str, int, int]] = []

    def progress(result: Result, ended: int, submitted: int) -> None:
        seen.append((result.name, ended, submitted))

    async def main() -> None:
        async with WorkerPool(WorkerPoolConfig(num_workers=2), on_progress=progress) as pool:
            one = TaskQueue.create_call("one", square, 2)
            two = TaskQueue.create_call("two", square, 3, needs=("one",))
            assert await pool.submit_batch([one, two]) == ["one", "two"]
            await pool.wait_all()
            statistics = pool.statistics()
            assert (statistics.completed, statistics.failed, statistics.workers) == (2, 0, 2)
            assert 0 <= statistics.utilisation <= 1
            assert len(statistics.per_worker) == 2
            assert sum(worker.tasks_completed for worker in statistics.per_worker) == 2
            # What was returned once is not returned again, and its ids are free.
            await pool.submit(one)
            assert [result.task_id for result in await pool.wait_all()] == ["one"]
        assert seen == [("one", 1, 2), ("two", 2, 2), ("one", 3, 3)]

    play(main())


def test_starting_and_stopping_twice_is_harmless_and_a_stopped_pool_takes_nothing() -> None:
    async def main() -> None:
        pool = WorkerPool()
        with pytest.raises(RuntimeError, match="not running"):
            await pool.submit(square, 1)
        await pool.start()
        await pool.start()
        await pool.submit(square, 1)
        assert [result.value for result in await pool.drain()] == [1]
        with pytest.raises(RuntimeError, match="drains"):
            await pool.submit(square, 2)
        await pool.stop()
        await pool.stop()

    play(main())


def test_stopping_without_waiting_ends_what_runs() -> None:
    ends: list[str] = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    async def main() -> None:
        pool = WorkerPool(WorkerPoolConfig(num_workers=1))
        await pool.start()
        await pool.submit(wait_for_ever, where="loop")
        await pool.submit(wait_for_ever, where="loop")
        await asyncio.sleep(0)
        await pool.stop(wait=False)
        assert ends == ["cancelled"]

    play(main())


def test_submit_waits_while_the_pool_is_full() -> None:
    gate = asyncio.Event()

    async def main() -> None:
        async with WorkerPool(WorkerPoolConfig(num_workers=1, max_queue_size=2)) as pool:
            await pool.submit(gate.wait, where="loop")
            await pool.submit(gate.wait, where="loop")
            third = asyncio.ensure_future(pool.submit(gate.wait, where="loop"))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not third.done()
            gate.set()
            await third
            assert len(await pool.wait_all()) == 3

    play(main())


def test_the_pool_grows_with_its_queue_and_shrinks_again() -> None:
    events: list[Event] = []
    gate = asyncio.Event()

    async def main() -> None:
        config = WorkerPoolConfig(autoscale=True, scaling=Scaling(interval_s=0.0))
        async with WorkerPool(config, emit=events.append) as pool:
            assert pool.statistics().workers == 2
            for _ in range(30):
                await pool.submit(gate.wait, where="loop")
            assert pool.statistics().workers == 10
            assert sum(isinstance(event, AttemptStarted) for event in events) <= 10
            config.scaling.max_workers = 12  # changed live
            await pool.submit(gate.wait, where="loop")
            await asyncio.sleep(0)
            assert pool.statistics().workers == 11
            gate.set()
            assert len(await pool.wait_all()) == 31
            assert pool.statistics().workers == 2
        changes = [event.workers for event in events if isinstance(event, WorkersChanged)]
        assert max(changes) == 11
        assert changes[-1] == 2

    play(main())


def test_live_resizing_and_nonsense_is_refused() -> None:
    async def main() -> None:
        async with WorkerPool(WorkerPoolConfig(num_workers=1)) as pool:
            pool.resize(5)
            assert pool.statistics().workers == 5
            with pytest.raises(ValueError, match="at least 1"):
                pool.resize(0)

    play(main())
    with pytest.raises(ValueError, match="at least 1"):
        WorkerPool(WorkerPoolConfig(num_workers=0))


@pytest.mark.parametrize(
    ("workers", "queued", "running", "wanted"),
    [
        (2, 4, 2, 2),
        (2, 5, 2, 3),
        (2, 100, 2, 10),
        (10, 3, 2, 10),
        (10, 2, 2, 7),
        (10, 0, 0, 6),
        (3, 0, 0, 2),
        (2, 0, 0, 2),
    ],
)
def test_the_gap_between_the_thresholds_keeps_the_number_steady(
    workers: int, queued: int, running: int, wanted: int
) -> None:
    assert Autoscaler(Scaling(), lambda: 0.0).decide(workers, queued, running)[0] == wanted


def test_the_number_changes_once_an_interval() -> None:
    now = 0.0
    scaler = Autoscaler(Scaling(), lambda: now)
    assert scaler.decide(2, 100, 2)[0] == 10
    assert scaler.decide(10, 0, 0)[0] == 10
    assert scaler.wait_s() == 1.0
    now = 1.0
    assert scaler.decide(10, 0, 0)[0] == 6
    with pytest.raises(ValueError, match="min_workers <= max_workers"):
        Autoscaler(Scaling(5, 2), lambda: 0.0).decide(2, 0, 0)


def test_the_queue_gives_by_priority_and_holds_back_whoever_fills_it() -> None:
    async def main() -> None:
        queue = TaskQueue(maxsize=3)
        await queue.put(Task("low", "t", "low", priority=-10))
        await queue.put(Task("new", "t", "new", priority=5))
        await queue.put(Task("fix", "t", "fix", priority=5, fix=True))
        with pytest.raises(asyncio.QueueFull):
            queue.put_nowait(Task("more", "t", "more"))
        waiting = asyncio.ensure_future(queue.put(Task("more", "t", "more")))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert [(await queue.get()).id for _ in range(3)] == ["fix", "new", "low"]
        await waiting
        assert queue.get_nowait().id == "more"
        with pytest.raises(asyncio.QueueEmpty):
            queue.get_nowait()

    play(main())
