"""The tasks that wait for a worker, in the order of the policy, and the first of them that may start."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from orchestro.model import Task
from orchestro.schedule.strategy import RankedStrategy, SchedulingStrategy

__all__ = ["ReadyQueue", "Signature", "signature"]

Signature = tuple[tuple[str, float], ...]
"""What a task takes while it runs, sorted by name: tasks of one signature fit, or do not, together."""

Admits = Callable[[str, Signature], bool]
"""Whether tasks of a kind with a signature may start now."""


def signature(task: Task) -> Signature:
    """The resources of a task as a value that can be compared."""
    return tuple(sorted(task.resources.items())) if task.resources else ()


class _Bucket:
    __slots__ = ("heap", "kind", "signature")

    def __init__(self, kind: str, signed: Signature) -> None:
        self.kind = kind
        self.signature = signed
        self.heap: list[tuple[Any, int, Task]] = []


class ReadyQueue:
    """Holds each waiting task once; its bound is the number of tasks of the run.

    Tasks of the same kind, resources and group of the policy share a heap. So starting one costs the logarithm of how
    many wait, plus the number of different heaps, and a thousand tasks that wait for one mutex are one comparison.
    """

    def __init__(self, strategy: SchedulingStrategy) -> None:
        self._strategy = strategy
        self._ranked = strategy if isinstance(strategy, RankedStrategy) else None
        self._version = self._ranked.version if self._ranked else 0
        self._buckets: dict[Hashable, _Bucket] = {}
        self._arrivals = 0
        self._count = 0
        # For a policy that sorts lists: what it sorted last, and what came since.
        self._sorted: list[Task] = []
        self._new: list[Task] = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Task]:
        """All that wait, in no particular order."""
        yield from self._sorted
        yield from self._new
        for bucket in self._buckets.values():
            yield from (task for _, _, task in bucket.heap)

    def push(self, task: Task) -> None:
        """`task` waits from now on."""
        self._count += 1
        if self._ranked is None:
            self._new.append(task)
        else:
            self._arrivals += 1
            self._refresh(self._ranked)
            self._place(self._ranked, task, self._arrivals)

    def _place(self, ranked: RankedStrategy, task: Task, arrival: int) -> None:
        signed = signature(task)
        key = (task.kind, signed, ranked.group(task))
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(task.kind, signed)
        heapq.heappush(bucket.heap, (ranked.rank(task), arrival, task))

    def first(self, admits: Admits) -> Task | None:
        """The first in the order of the policy that `admits` lets through; it goes on waiting."""
        if self._ranked is None:
            self._sort()
            return next((task for task in self._sorted if admits(task.kind, signature(task))), None)
        bucket = self._best(self._ranked, admits)
        return bucket.heap[0][2] if bucket is not None else None

    def take(self, task: Task) -> None:
        """`task`, which `first` or `heads` has given, waits no more."""
        self._count -= 1
        if self._ranked is None:
            self._sorted.remove(task)
            return
        self._refresh(self._ranked)
        key = (task.kind, signature(task), self._ranked.group(task))
        bucket = self._buckets[key]
        if bucket.heap[0][2] is not task:
            raise AssertionError(f"{task.id!r} is not the first of its kind")
        heapq.heappop(bucket.heap)
        if not bucket.heap:
            del self._buckets[key]

    def heads(self, admits: Admits, most: int = 64) -> list[Task]:
        """Candidates for a gap, best first: the first of each heap; of a list, the first `most`."""
        if self._ranked is None:
            self._sort()
            found = (task for task in self._sorted if admits(task.kind, signature(task)))
            return [task for task, _ in zip(found, range(most), strict=False)]
        ranked = self._ranked
        self._refresh(ranked)
        heads = [b.heap[0] for b in self._buckets.values() if admits(b.kind, b.signature)]
        ordered = sorted(heads, key=lambda head: (ranked.rank(head[2]), head[1]))
        return [task for _, _, task in ordered[:most]]

    def _best(self, ranked: RankedStrategy, admits: Admits) -> _Bucket | None:
        self._refresh(ranked)
        buckets = self._buckets
        if len(buckets) == 1:
            (bucket,) = buckets.values()
            return bucket if admits(bucket.kind, bucket.signature) else None
        best: _Bucket | None = None
        place: tuple[Any, int] = (None, 0)
        for bucket in buckets.values():
            if admits(bucket.kind, bucket.signature):
                _, arrival, task = bucket.heap[0]
                here = (ranked.rank(task), arrival)
                if best is None or here < place:
                    best, place = bucket, here
        return best

    def _refresh(self, ranked: RankedStrategy) -> None:
        """Rank all anew when the policy says that their order may have changed."""
        if ranked.version == self._version:
            return
        self._version = ranked.version
        waiting = sorted(
            ((arrival, task) for bucket in self._buckets.values() for _, arrival, task in bucket.heap),
            key=lambda entry: entry[0],
        )
        self._buckets.clear()
        for arrival, task in waiting:
            self._place(ranked, task, arrival)

    def _sort(self) -> None:
        if self._new:
            self._sorted = list(self._strategy.prioritize_tasks(self._sorted + self._new))
            self._new = []
