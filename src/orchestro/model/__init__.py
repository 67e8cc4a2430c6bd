"""What travels between the parts: tasks, outcomes, results. Frozen values without I/O.

`task.py` what is to be done, `retry.py` how often, `outcome.py` how it can end, `result.py` how it did end,
`dead_letter.py` what was given up.
"""

from orchestro.model.dead_letter import DeadLetter
from orchestro.model.outcome import Outcome
from orchestro.model.result import Attempt, Failure, Finding, Report, Result
from orchestro.model.retry import NO_WAIT, Backoff, RetryPolicy, RetryRule
from orchestro.model.task import NOTHING, NOWHERE, CacheInputs, Priority, Source, Task

__all__ = [
    "NOTHING",
    "NOWHERE",
    "NO_WAIT",
    "Attempt",
    "Backoff",
    "CacheInputs",
    "DeadLetter",
    "Failure",
    "Finding",
    "Outcome",
    "Priority",
    "Report",
    "Result",
    "RetryPolicy",
    "RetryRule",
    "Source",
    "Task",
]
