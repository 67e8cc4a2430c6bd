"""Scheduling policies, one a file: which ready task goes first, and to which worker. Pure and deterministic.

`strategy.py` is the contract, `registry.py` finds a policy by name; packages add theirs under the entry point group
``orchestro.schedulers``.
"""

from orchestro.schedule.registry import SCHEDULERS, make_scheduler
from orchestro.schedule.strategy import Outlook, RankedStrategy, SchedulingMetrics, SchedulingStrategy

__all__ = ["SCHEDULERS", "Outlook", "RankedStrategy", "SchedulingMetrics", "SchedulingStrategy", "make_scheduler"]
