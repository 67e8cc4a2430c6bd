"""Scenarios as tasks of the engine."""

from __future__ import annotations

from orchestro.model import Task
from orchestro.scenario.document import Scenario

__all__ = ["scenario_task"]


def scenario_task(scenario: Scenario) -> Task:
    """The task that runs a scenario."""
    return Task(
        id=scenario.name,
        kind="scenario",
        name=scenario.name,
        payload=scenario,
        priority=scenario.priority,
        deadline_s=scenario.deadline_s,
        needs=scenario.needs,
        retries=scenario.retries,
        timeout_s=scenario.total_timeout_s,
        tags=scenario.tags,
        source=scenario.source,
        group=scenario.group,
        params=scenario.params,
        skip=scenario.skip_reason(),
    )
