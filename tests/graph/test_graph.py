"""Graphs: order, levels, cycles; and progress through one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.graph import CycleError, Graph, Progress, UnknownNeedError


def test_order_puts_needs_first_and_keeps_the_order_of_definition() -> None:
    graph = Graph({"c": ["a", "b"], "a": [], "b": ["a"]})
    assert graph.order == ("a", "b", "c")
    assert graph.levels() == [["a"], ["b"], ["c"]]


def test_a_cycle_is_shown_as_a_path() -> None:
    with pytest.raises(CycleError) as error:
        Graph({"a": ["c"], "b": ["a"], "c": ["b"], "d": ["a"]})
    assert error.value.path[0] == error.value.path[-1]
    assert set(error.value.path) == {"a", "b", "c"}


def test_a_need_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownNeedError, match="'a' needs 'x'"):
        Graph({"a": ["x"]})


def test_depth_is_no_limit() -> None:
    graph = Graph({str(i): [str(i - 1)] if i else [] for i in range(20_000)})
    assert len(graph.levels()) == 20_000


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_every_graph_is_worked_off_or_reported(edges: list[tuple[int, int]]) -> None:
    needs: dict[str, set[str]] = {str(i): set() for i in range(13)}
    for task, need in edges:
        needs[str(task)].add(str(need))
    try:
        Graph(needs)
    except CycleError as error:
        for task, need in zip(error.path, error.path[1:], strict=False):
            assert need in needs[task]
        return
    progress = Progress()
    ready, _ = progress.add({task: tuple(wanted) for task, wanted in needs.items()})
    done: set[str] = set()
    while ready:
        task = ready.pop()
        assert task not in done
        assert needs[task] <= done
        done.add(task)
        ready += progress.passed(task)
    assert done == needs.keys()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30), st.sets(st.integers(0, 9)))
def test_nothing_that_needs_a_failure_ever_becomes_ready(edges: list[tuple[int, int]], fail: set[int]) -> None:
    needs = {str(i): {str(b) for a, b in edges if a == i and b < a} for i in range(10)}
    progress = Progress()
    ready, _ = progress.add({task: tuple(wanted) for task, wanted in needs.items()})
    seen: set[str] = set()
    blocked: set[str] = set()
    while ready:
        task = ready.pop()
        seen.add(task)
        assert not needs[task] & (blocked | {str(i) for i in fail})
        if int(task) in fail:
            blocked |= {name for name, _ in progress.did_not_pass(task)}
        else:
            ready += progress.passed(task)
    assert not seen & blocked
    assert seen | blocked == needs.keys()
