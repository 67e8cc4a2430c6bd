"""What travels between the parts: tasks, outcomes, results. Frozen values without I/O.

`task.py` what is to be done, `outcome.py` how it can end, `result.py` how it did end.
"""

from orchestro.model.outcome import Outcome
from orchestro.model.result import Attempt, Failure, Finding, Report, Result
from orchestro.model.task import NOWHERE, Source, Task

__all__ = ["NOWHERE", "Attempt", "Failure", "Finding", "Outcome", "Report", "Result", "Source", "Task"]
