"""Worker slots: who is free, and what each has done so far."""

from __future__ import annotations

from dataclasses import dataclass

from orchestro.schedule import SchedulingMetrics

__all__ = ["Slots"]


@dataclass(slots=True)
class _Slot:
    completed: int = 0
    failed: int = 0
    busy_s: float = 0.0


class Slots:
    """A fixed number of workers, numbered from 0."""

    def __init__(self, count: int) -> None:
        self._slots = [_Slot() for _ in range(count)]
        self._free = set(range(count))

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def any_free(self) -> bool:
        """Whether a worker could take a task now."""
        return bool(self._free)

    @property
    def all_free(self) -> bool:
        """Whether nothing runs."""
        return len(self._free) == len(self._slots)

    def free_metrics(self, elapsed_s: float) -> list[SchedulingMetrics]:
        """What the policy may know of the free workers, `elapsed_s` after the start of the run."""
        return [self._metrics(worker, elapsed_s) for worker in sorted(self._free)]

    def _metrics(self, worker: int, elapsed_s: float) -> SchedulingMetrics:
        slot = self._slots[worker]
        done = slot.completed + slot.failed
        return SchedulingMetrics(
            worker,
            slot.completed,
            slot.failed,
            slot.busy_s / done if done else 0.0,
            min(1.0, slot.busy_s / elapsed_s) if elapsed_s > 0 else 0.0,
            slot.completed / done if done else 1.0,
        )

    def take(self, worker: int) -> None:
        """`worker` takes a task."""
        self._free.remove(worker)

    def give_back(self, worker: int, duration_s: float, passed: bool) -> None:
        """`worker` is free again."""
        slot = self._slots[worker]
        slot.busy_s += duration_s
        if passed:
            slot.completed += 1
        else:
            slot.failed += 1
        self._free.add(worker)
