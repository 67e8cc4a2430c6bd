"""The composition root: the one place where sources, engine, store and reporters are joined into a run.

`options.py` says how to run, `loading.py` what, `running.py` does it, `resuming.py` finds out what is left of a run
that was cut off.
"""

from orchestro.app.loading import load_tasks, plan_work, read_history
from orchestro.app.options import RunOptions, default_workers, usable_processors
from orchestro.app.running import Observer, exit_code, run, run_async

__all__ = [
    "Observer",
    "RunOptions",
    "default_workers",
    "exit_code",
    "load_tasks",
    "plan_work",
    "read_history",
    "run",
    "run_async",
    "usable_processors",
]
