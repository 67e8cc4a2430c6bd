"""Letting small tasks go ahead of a large one that waits for resources, without making it wait longer.

EASY backfill: the first task of the order is promised the earliest moment at which enough will be free, and another
may start before it only if it ends by then or leaves enough over. Source: D. Lifka, "The ANL/IBM SP Scheduling System"
(1995); a queue without the promise starves whatever needs much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from orchestro.records import dataclass

__all__ = ["Reservation", "may_backfill", "reservation"]

_SLACK = 1e-9
"""Amounts are fractions; their sums are only so exact."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What the first task of the order is promised."""

    start_s: float
    """When it can start at the latest, by the estimates; infinite while the end of what it waits for is unknown."""
    spare: Mapping[str, float]
    """What is free beside it from then on."""


def reservation(
    need: Mapping[str, float],
    free: Mapping[str, float],
    running: Iterable[tuple[float, Mapping[str, float]]],
    now_s: float,
) -> Reservation:
    """The promise to a task that takes `need`, while `free` is free and `running` give back what they hold in time.

    `running` are (expected end, amounts held). What has overrun its estimate is expected to end at once.
    """
    then = dict(free)
    start = now_s
    for end, held in sorted(((max(end, now_s), held) for end, held in running), key=lambda one: one[0]):
        if _fits(need, then):
            break
        start = end
        for name, amount in held.items():
            then[name] = then.get(name, 0.0) + amount
    if not _fits(need, then):
        start = math.inf
    return Reservation(start, {name: amount - need.get(name, 0.0) for name, amount in then.items()})


def may_backfill(
    need: Mapping[str, float],
    estimate_s: float | None,
    free: Mapping[str, float],
    promise: Reservation,
    now_s: float,
) -> bool:
    """Whether a task that takes `need` for `estimate_s` may start now without breaking the promise."""
    if not _fits(need, free):
        return False
    if estimate_s is not None and now_s + estimate_s <= promise.start_s < math.inf:
        return True
    return _fits(need, promise.spare)


def _fits(need: Mapping[str, float], free: Mapping[str, float]) -> bool:
    return all(amount <= free.get(name, 0.0) + _SLACK for name, amount in need.items())
