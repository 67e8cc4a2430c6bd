"""Joins the dispatcher and the result cache: looks before a task starts, keeps what it made when it has passed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from orchestro.engine.executor import AttemptEnd
from orchestro.errors import InfrastructureError
from orchestro.model import Failure, Outcome, Task
from orchestro.store.cache.cache import ResultCache
from orchestro.store.cache.index import CacheUnusable
from orchestro.store.cache.key import Keys

__all__ = ["CachedResults"]


class CachedResults:
    """Implements `TaskCache`. When the cache cannot be used any more, `complain` is told once, and all tasks run."""

    def __init__(
        self, directory: str, complain: Callable[[str], None], environment: Mapping[str, str] = os.environ
    ) -> None:
        """Open the cache in `directory`. Raises CacheUnusable."""
        self._cache = ResultCache(directory)
        self._keys = Keys(self._cache.digests, environment)
        self._complain = complain
        self._usable = True
        self.hits = 0
        self.misses = 0

    def in_place(self, tasks: Sequence[Task]) -> Collection[str]:
        """Ids of those that passed before with the same inputs, and whose outputs are still there."""
        if not self._usable:
            return ()
        try:
            keys = self._keys.key_many(tasks)
            entries = self._cache.get_many(list(keys.values()))
            if not entries:
                return ()
            roots = {task.id: task.cache.root for task in tasks if task.cache is not None}
            pairs = [(entries[key], roots[task_id]) for task_id, key in keys.items() if key in entries]
            there = self._cache.in_place(pairs)
        except (InfrastructureError, OSError) as error:
            self._give_up(error)
            return ()
        self._cache.touch(entries[key] for key in there)
        hit = {task_id for task_id, key in keys.items() if key in there}
        self.hits += len(hit)
        return hit

    async def through(self, task: Task, execute: Callable[[], asyncio.Future[AttemptEnd]]) -> AttemptEnd:
        """Put the outputs back if the task passed before, else execute it and keep what it made.

        Of several tasks with the same key, here or in other processes, one is executed and the others wait for it.
        """
        if not self._usable:
            return await execute()
        try:
            key = self._keys.key(task)
            flight = self._cache.flight(key)
            await flight.__aenter__()
        except (InfrastructureError, OSError) as error:
            self._give_up(error)
            return await execute()
        try:
            return await self._in_flight(task, key, execute)
        finally:
            await flight.__aexit__(None, None, None)

    async def _in_flight(self, task: Task, key: str, execute: Callable[[], asyncio.Future[AttemptEnd]]) -> AttemptEnd:
        assert task.cache is not None  # noqa: S101  # the dispatcher asks for no other
        try:
            entry = self._cache.get(key)
            if entry is not None and await asyncio.to_thread(self._cache.restore, entry, task.cache.root):
                self._cache.touch((entry,))
                self.hits += 1
                self._keys.changed()
                return AttemptEnd(Outcome.CACHED, output=self._cache.text(entry))
        except (InfrastructureError, OSError) as error:
            self._give_up(error)
        self.misses += 1
        if self._usable:
            self._cache.miss()
        began = asyncio.get_running_loop().time()
        end = await execute()
        self._keys.changed()
        if end.outcome is not Outcome.PASSED or not self._usable:
            return end
        return await self._keep(task, key, end, asyncio.get_running_loop().time() - began)

    async def _keep(self, task: Task, key: str, end: AttemptEnd, duration_s: float) -> AttemptEnd:
        cache = task.cache
        assert cache is not None  # noqa: S101  # as above
        try:
            if self._keys.key(task) != key:
                # An input changed while it ran, so nobody knows which of the two it has seen.
                return end
            stored = await asyncio.to_thread(self._cache.put, key, cache.root, cache.outputs, end.output, duration_s)
        except (InfrastructureError, OSError) as error:
            self._give_up(error)
            return end
        if stored.missing:
            names = ", ".join(stored.missing)
            message = f"it passed, but did not make {names}"
            hint = "`outputs` of the task file names what it makes, relative to where it runs"
            return replace(
                end, outcome=Outcome.FAILED, failure=Failure(message, task.source, output=end.output, hint=hint)
            )
        return end

    def _give_up(self, error: Exception) -> None:
        if self._usable:
            self._usable = False
            self._complain(f"the result cache is not used any more: {error}")

    def close(self) -> None:
        """Write what was used, and close."""
        try:
            self._cache.close()
        except (CacheUnusable, OSError) as error:
            self._give_up(error)
