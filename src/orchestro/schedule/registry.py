"""Policies by name."""

from __future__ import annotations

import difflib

from orchestro.errors import UserError
from orchestro.schedule.fifo import FIFOScheduler
from orchestro.schedule.priority import PriorityScheduler
from orchestro.schedule.strategy import SchedulingStrategy

__all__ = ["SCHEDULERS", "make_scheduler"]

SCHEDULERS: dict[str, type[SchedulingStrategy]] = {"fifo": FIFOScheduler, "priority": PriorityScheduler}
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
    near = difflib.get_close_matches(name, known, 1)
    hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
    raise UserError(f"unknown scheduler {name!r}{hint}")
