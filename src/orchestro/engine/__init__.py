"""What runs tasks: `dispatcher.py` owns the run, `executor.py` is what it asks of those who do the work.

`worker.py` keeps the worker slots and their measures, `resources.py` what tasks share; `autoscale.py` and `scaling.py`
let the number of workers follow the queue; `executors/` holds one file for each kind of task. `pool.py` and
`task_queue.py` are the same engine for programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestro.engine.dispatcher import Dispatcher
from orchestro.engine.executor import AttemptContext, AttemptEnd, Executor, WorkerLost

if TYPE_CHECKING:
    from orchestro.engine.autoscale import Scaling
    from orchestro.engine.pool import PoolStatistics, WorkerPool, WorkerPoolConfig
    from orchestro.engine.task_queue import TaskQueue

__all__ = [
    "AttemptContext",
    "AttemptEnd",
    "Dispatcher",
    "Executor",
    "PoolStatistics",
    "Scaling",
    "TaskQueue",
    "WorkerLost",
    "WorkerPool",
    "WorkerPoolConfig",
]

_HOMES = {
    "PoolStatistics": "pool",
    "Scaling": "autoscale",
    "TaskQueue": "task_queue",
    "WorkerPool": "pool",
    "WorkerPoolConfig": "pool",
}
"""What programs use and the command does not is imported on first use."""


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
