"""How to run: the command line's options, one for one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import field

from orchestro.model import NOTHING
from orchestro.records import dataclass
from orchestro.selection import Selection

__all__ = ["RunOptions", "default_workers", "usable_processors"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run. The command line's options, one for one."""

    workers: int | None = None
    """Tasks at once; None chooses by the machine."""
    max_workers: int | None = None
    """With it the number of workers follows the queue, between `workers` and this."""
    scheduler: str = ""
    """Name of the policy; empty for ``critical_path``."""
    retries: int | None = None
    """Overrides each task's own number when it is larger."""
    maxfail: int = 0
    """Stop after so many failures; 0 never."""
    selection: Selection = field(default_factory=Selection)
    repeat: int = 1
    timeout_s: float | None = None
    """Overrides the default time-out of the waits."""
    capacities: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """How much there is of a resource, by name, over what the task file says."""
    cache: bool = True
    """Whether results are taken from and kept in the cache."""
    store: str = ""
    """URL or path of the store; empty for the one in `output_dir`."""
    snapshot_mode: str = "verify"
    snapshot_dir: str | None = None
    output_dir: str = ".orchestro"
    argv: tuple[str, ...] = ()
    handle_signals: bool = False
    """Whether Ctrl-C drains and kills; the command line wants it, a library must not take signals over."""


def default_workers() -> int:
    """Twice the processors that this process may use, at least four: terminals mostly wait."""
    return max(4, int(2 * usable_processors()))


def usable_processors() -> float:
    """Processors that this process may use: its affinity, and the limit of its container (cgroup) if there is one."""
    usable = float(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1)
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()[:2]
    except (OSError, ValueError):
        return usable
    return usable if quota == "max" else min(usable, int(quota) / int(period))
