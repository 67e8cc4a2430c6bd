"""Policies by themselves."""

from __future__ import annotations

import pytest

from orchestro.errors import UserError
from orchestro.model import Task
from orchestro.schedule import SCHEDULERS, SchedulingMetrics, make_scheduler


@pytest.mark.parametrize("name", sorted(SCHEDULERS))
def test_every_policy_returns_all_tasks_and_a_worker_that_was_offered(name: str) -> None:
    strategy = make_scheduler(name)
    tasks = [Task(str(i), "t", str(i), priority=i % 3) for i in range(10)]
    assert sorted(t.id for t in strategy.prioritize_tasks(tasks)) == sorted(t.id for t in tasks)
    offered = [SchedulingMetrics(3, current_load=0.5), SchedulingMetrics(7, current_load=0.1)]
    assert strategy.select_worker(tasks[0], offered) == 7


def test_an_unknown_policy_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'priority'"):
        make_scheduler("prority")
