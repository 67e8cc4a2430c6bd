"""Scheduling policies, one a file: which ready task goes first, and to which worker. Pure and deterministic.

`strategy.py` is the contract, `registry.py` finds a policy by name; packages add theirs under the entry point group
``orchestro.schedulers``. `ready.py` keeps what waits in the order of a policy, `backfill.py` fills gaps in it,
`estimates.py` guesses durations, `simulate.py` plays a run through.
"""

from orchestro.schedule.adaptive import AdaptiveScheduler, Switch
from orchestro.schedule.critical_path import CriticalPathScheduler
from orchestro.schedule.deadline import DeadlineAwareScheduler, LateTask, late_tasks
from orchestro.schedule.estimates import Estimates
from orchestro.schedule.fifo import FIFOScheduler
from orchestro.schedule.load_balancing import LoadBalancingScheduler
from orchestro.schedule.priority import PriorityScheduler
from orchestro.schedule.registry import DEFAULT, SCHEDULERS, make_scheduler
from orchestro.schedule.shortest_job_first import ShortestJobFirstScheduler
from orchestro.schedule.strategy import Outlook, RankedStrategy, SchedulingMetrics, SchedulingStrategy

__all__ = [
    "DEFAULT",
    "SCHEDULERS",
    "AdaptiveScheduler",
    "CriticalPathScheduler",
    "DeadlineAwareScheduler",
    "Estimates",
    "FIFOScheduler",
    "LateTask",
    "LoadBalancingScheduler",
    "Outlook",
    "PriorityScheduler",
    "RankedStrategy",
    "SchedulingMetrics",
    "SchedulingStrategy",
    "ShortestJobFirstScheduler",
    "Switch",
    "late_tasks",
    "make_scheduler",
]
