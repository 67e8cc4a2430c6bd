"""Worker slots: who is free, and what each has done so far."""

from __future__ import annotations

from orchestro.records import dataclass
from orchestro.schedule import SchedulingMetrics

__all__ = ["Slots"]


@dataclass(slots=True)
class _Slot:
    since_s: float
    completed: int = 0
    failed: int = 0
    busy_s: float = 0.0
    started_s: float | None = None
    """When it took what it runs; None while it is free."""
    retired: bool = False


class Slots:
    """Workers numbered from 0. Their number may change: one that is to go still ends what it runs."""

    def __init__(self, count: int, now_s: float) -> None:
        self._slots: list[_Slot] = []
        self._free: set[int] = set()
        self._active = 0
        self._busy = 0
        self.resize(count, now_s)

    def __len__(self) -> int:
        """Workers that take tasks."""
        return self._active

    @property
    def any_free(self) -> bool:
        """Whether a worker could take a task now: those that are to go and still run count as workers until then."""
        return bool(self._free) and self._busy < self._active

    def resize(self, count: int, now_s: float) -> None:
        """Have `count` workers from now on: the last ones go first, and come back first."""
        self._active = count
        while len(self._slots) < count:
            self._slots.append(_Slot(now_s, retired=True))
        for worker, slot in enumerate(self._slots):
            slot.retired = worker >= count
            if slot.started_s is None:
                (self._free.discard if slot.retired else self._free.add)(worker)

    def free_metrics(self, now_s: float) -> list[SchedulingMetrics]:
        """What the policy may know of the free workers, in their order."""
        return [self._metrics(worker, now_s) for worker in sorted(self._free)]

    def metrics(self, now_s: float) -> list[SchedulingMetrics]:
        """The same of all workers that there ever were."""
        return [self._metrics(worker, now_s) for worker in range(len(self._slots))]

    def _metrics(self, worker: int, now_s: float) -> SchedulingMetrics:
        slot = self._slots[worker]
        done = slot.completed + slot.failed
        busy_s = slot.busy_s + (now_s - slot.started_s if slot.started_s is not None else 0.0)
        elapsed_s = now_s - slot.since_s
        return SchedulingMetrics(
            worker,
            slot.completed,
            slot.failed,
            slot.busy_s / done if done else 0.0,
            min(1.0, busy_s / elapsed_s) if elapsed_s > 0 else 0.0,
            slot.completed / done if done else 1.0,
        )

    def take(self, worker: int, now_s: float) -> None:
        """`worker` takes a task. Raises KeyError when it is not free."""
        self._free.remove(worker)
        self._busy += 1
        self._slots[worker].started_s = now_s

    def give_back(self, worker: int, now_s: float, *, passed: bool) -> None:
        """`worker` has ended what it ran."""
        slot = self._slots[worker]
        if slot.started_s is not None:
            self._busy -= 1
            slot.busy_s += now_s - slot.started_s
            slot.started_s = None
        if passed:
            slot.completed += 1
        else:
            slot.failed += 1
        if not slot.retired:
            self._free.add(worker)
