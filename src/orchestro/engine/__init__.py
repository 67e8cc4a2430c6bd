"""What runs tasks: `dispatcher.py` owns the run, `executor.py` is what it asks of those who do the work.

`worker.py` keeps the worker slots and their measures; `executors/` holds one file for each kind of task.
"""

from orchestro.engine.dispatcher import Dispatcher
from orchestro.engine.executor import AttemptContext, AttemptEnd, Executor

__all__ = ["AttemptContext", "AttemptEnd", "Dispatcher", "Executor"]
