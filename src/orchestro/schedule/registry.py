"""Policies by name. The built-in ones and those of installed packages come through the same door.

A package adds one with an entry point in the group ``orchestro.schedulers``: a `SchedulingStrategy` class, or a
callable that makes one.
"""

from __future__ import annotations

from orchestro.errors import UserError
from orchestro.schedule.adaptive import AdaptiveScheduler
from orchestro.schedule.critical_path import CriticalPathScheduler
from orchestro.schedule.deadline import DeadlineAwareScheduler
from orchestro.schedule.fifo import FIFOScheduler
from orchestro.schedule.load_balancing import LoadBalancingScheduler
from orchestro.schedule.priority import PriorityScheduler
from orchestro.schedule.shortest_job_first import ShortestJobFirstScheduler
from orchestro.schedule.strategy import SchedulingStrategy

__all__ = ["DEFAULT", "SCHEDULERS", "make_scheduler"]

DEFAULT = "critical_path"
SCHEDULERS: dict[str, type[SchedulingStrategy]] = {
    "fifo": FIFOScheduler,
    "priority": PriorityScheduler,
    "sjf": ShortestJobFirstScheduler,
    "load_balance": LoadBalancingScheduler,
    "deadline": DeadlineAwareScheduler,
    "critical_path": CriticalPathScheduler,
    "adaptive": AdaptiveScheduler,
}
"""The built-in policies by name."""


def make_scheduler(name: str) -> SchedulingStrategy:
    """A policy by name, built in or from an installed package. Raises UserError with the nearest name."""
    if name in SCHEDULERS:
        return SCHEDULERS[name]()
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group="orchestro.schedulers")}
    if name in found:
        made = found[name].load()()
        if not isinstance(made, SchedulingStrategy):
            raise UserError(f"scheduler {name!r} of {found[name].value} is not a SchedulingStrategy")
        return made
    known = [*SCHEDULERS, *found]
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
    raise UserError(f"unknown scheduler {name!r}{hint}")
