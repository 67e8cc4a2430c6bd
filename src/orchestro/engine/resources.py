"""What tasks share while they run: processors, memory, devices, pools and mutexes, each with a capacity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestro.errors import UserError
from orchestro.model import Task
from orchestro.schedule.ready import Signature, signature

__all__ = ["ResourcePool", "machine_capacities"]

_CLAMPED = ("cpu", "mem")
"""A task that asks for more of these than there is gets all there is, and so runs alone: machines differ."""
_SLACK = 1e-9
"""Amounts are fractions; their sums are only so exact."""


def machine_capacities() -> dict[str, float]:
    """What this machine has: ``mem`` in bytes, within the limit of its container, and the number of ``gpu``."""
    import glob
    import os

    memory = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) if hasattr(os, "sysconf") else 0.0
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            limit = file.read().strip()
        if limit != "max":
            memory = min(memory, float(limit))
    except (OSError, ValueError):
        pass  # no container that limits it
    return {"mem": memory, "gpu": float(len(glob.glob("/dev/nvidia[0-9]*")))}


class ResourcePool:
    """Amounts that are free of each resource.

    ``cpu`` counts workers: a task that does not name it takes one. A name without a capacity is a mutex: capacity 1.
    """

    def __init__(self, capacities: Mapping[str, float], workers: int) -> None:
        self.capacities = {**capacities, "cpu": float(workers)}
        self._free = dict(self.capacities)
        self._counts_cpu = False
        self._checked: set[Signature] = {()}

    def check(self, tasks: Iterable[Task]) -> None:
        """Take note of what `tasks` will ask for. Raises UserError for more of something than there will ever be."""
        for task in tasks:
            signed = signature(task)
            if signed in self._checked:
                continue
            for name, amount in signed:
                capacity = self.capacities.setdefault(name, 1.0)
                self._free.setdefault(name, capacity)
                self._counts_cpu = self._counts_cpu or name == "cpu"
                if amount > capacity + _SLACK and name not in _CLAMPED:
                    where = f"{task.source}: " if task.source.file else ""
                    raise UserError(
                        f"{where}task {task.name!r} needs {amount:g} of {name!r}, of which there is {capacity:g}; "
                        f"`--resource {name}={amount:g}` or `resources` of the task file set another capacity"
                    )
            self._checked.add(signed)

    def need(self, signed: Signature) -> dict[str, float]:
        """The amounts that a task takes, ``cpu`` with them when any task names it."""
        need = {name: min(amount, self.capacities[name]) for name, amount in signed}
        if self._counts_cpu:
            need.setdefault("cpu", 1.0)
        return need

    def fits(self, signed: Signature) -> bool:
        """Whether that much is free."""
        if not signed and not self._counts_cpu:
            return True
        return all(amount <= self._free[name] + _SLACK for name, amount in self.need(signed).items())

    def take(self, signed: Signature) -> Mapping[str, float]:
        """Take it; returns what has to be given back."""
        if not signed and not self._counts_cpu:
            return {}
        need = self.need(signed)
        for name, amount in need.items():
            self._free[name] -= amount
        return need

    def give_back(self, held: Mapping[str, float]) -> None:
        """What `take` gave is free again."""
        for name, amount in held.items():
            self._free[name] += amount

    def resize(self, workers: int) -> None:
        """There are so many workers now; what runs keeps what it has, so less than nothing may be free for a while."""
        self._free["cpu"] += workers - self.capacities["cpu"]
        self.capacities["cpu"] = float(workers)

    @property
    def free(self) -> Mapping[str, float]:
        """Amounts that are free, by name."""
        return self._free
