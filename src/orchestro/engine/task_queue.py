"""A bounded queue of tasks by priority: whoever adds to a full one waits."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orchestro.engine.executors.python import PythonCall, Where
from orchestro.errors import UserError
from orchestro.model import Task

__all__ = ["TaskQueue"]


class TaskQueue:
    """Tasks in the order of their priority, those that mend first among equals, then in the order of arrival."""

    def __init__(self, maxsize: int = 1000) -> None:
        """`maxsize` is the most that it holds. Raises ValueError below 1."""
        if maxsize < 1:
            raise ValueError(f"expected a size of at least 1, got {maxsize}")
        self.maxsize = maxsize
        self._heap: list[tuple[int, bool, int, Task]] = []
        self._count = itertools.count()
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._heap)

    @staticmethod
    def create_task(scenario_path: str, priority: int = 0, **fields: Any) -> Task:
        """The task of a scenario file; `fields` are further fields of `Task`.

        Raises DocumentError for mistakes in the file, and UserError unless it holds exactly one scenario.
        """
        from orchestro.scenario.loader import load_or_raise
        from orchestro.scenario.tasks import scenario_task

        scenarios = load_or_raise([scenario_path])
        if len(scenarios) != 1:
            raise UserError(
                f"{scenario_path} holds {len(scenarios)} scenarios; `create_tasks` gives a task for each of them"
            )
        return replace(scenario_task(scenarios[0]), priority=priority, **fields)

    @staticmethod
    def create_tasks(scenario_path: str, **fields: Any) -> list[Task]:
        """The tasks of all scenarios in a file or directory. Raises DocumentError for mistakes in them."""
        from orchestro.scenario.loader import load_or_raise
        from orchestro.scenario.tasks import scenario_task

        return [replace(scenario_task(scenario), **fields) for scenario in load_or_raise([scenario_path])]

    @staticmethod
    def create_call(
        name: str, function: Callable[..., Any] | str, *args: Any, where: Where = "thread", **fields: Any
    ) -> Task:
        """The task that calls `function` with `args`; `fields` are further fields of `Task`."""
        return Task(name, "python", name, PythonCall(function, args, where=where), **fields)

    async def put(self, task: Task) -> None:
        """Add a task; wait while the queue is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._heap) < self.maxsize)
            self._push(task)
            self._changed.notify_all()

    def put_nowait(self, task: Task) -> None:
        """Add a task. Raises asyncio.QueueFull."""
        if len(self._heap) >= self.maxsize:
            raise asyncio.QueueFull
        self._push(task)

    def _push(self, task: Task) -> None:
        heapq.heappush(self._heap, (-task.priority, not task.fix, next(self._count), task))

    async def get(self) -> Task:
        """Take the first task; wait while there is none."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._heap))
            task = heapq.heappop(self._heap)[3]
            self._changed.notify_all()
            return task

    def get_nowait(self) -> Task:
        """Take the first task. Raises asyncio.QueueEmpty."""
        if not self._heap:
            raise asyncio.QueueEmpty
        return heapq.heappop(self._heap)[3]
