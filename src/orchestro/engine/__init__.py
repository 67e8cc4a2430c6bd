"""What runs tasks: `dispatcher.py` owns the run, `executor.py` is what it asks of those who do the work.

`worker.py` keeps the worker slots and their measures, `resources.py` what tasks share; `autoscale.py` and `scaling.py`
let the number of workers follow the queue; `executors/` holds one file for each kind of task. `pool.py` and
`task_queue.py` are the same engine for programs.
"""

from orchestro.engine.autoscale import Scaling
from orchestro.engine.dispatcher import Dispatcher
from orchestro.engine.executor import AttemptContext, AttemptEnd, Executor, WorkerLost
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
