"""Which tasks are run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.errors import UserError
from orchestro.model import Task
from orchestro.selection import Selection, parse_expression, select

TASKS = [
    Task("login", "s", "login works", tags=("fast", "auth")),
    Task("logout", "s", "logout works", tags=("fast",), needs=("login",)),
    Task("vim", "s", "vim edits", tags=("slow",)),
]


def chosen(**selection: object) -> list[str]:
    return [task.id for task in select(TASKS, Selection(**selection), {"vim"})]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        ({}, ["login", "logout", "vim"]),
        ({"tags": "fast and auth"}, ["login"]),
        ({"tags": "not fast"}, ["vim"]),
        ({"tags": "(auth or slow) and not fast"}, ["vim"]),
        ({"name": "VIM"}, ["vim"]),
        ({"name": "logout"}, ["login", "logout"]),
        ({"name": "login works"}, ["login"]),
        ({"name": "vim edits or login w"}, ["login", "vim"]),
        ({"last_failed": True}, ["vim"]),
        ({"only": frozenset({"vim edits"})}, ["vim"]),
        ({"tags": "nothing"}, []),
    ],
)
def test_selection_takes_what_was_asked_for_and_what_that_needs(selection: dict[str, object], ids: list[str]) -> None:
    assert chosen(**selection) == ids


def test_a_whole_name_chooses_that_one_whatever_is_in_it() -> None:
    tasks = [Task(name, "s", name) for name in ("not here (and there", "not here (and there, too", "and")]
    assert [t.name for t in select(tasks, Selection(name="not here (and there"))] == ["not here (and there"]


def test_shards_are_disjoint_complete_and_stable() -> None:
    tasks = [Task(str(i), "s", f"task {i}") for i in range(100)]
    shards = [[t.id for t in select(tasks, Selection(shard=(n, 3)))] for n in (1, 2, 3)]
    assert sorted(i for shard in shards for i in shard) == sorted(t.id for t in tasks)
    assert shards[0] == [t.id for t in select(tasks, Selection(shard=(1, 3)))]


@pytest.mark.parametrize("text", ["a and", "or b", "(a", "a b", ")", "not", "a not b"])
def test_a_broken_expression_shows_where(text: str) -> None:
    with pytest.raises(UserError, match="at column"):
        parse_expression(text, "--tag")


@given(st.text(alphabet="ab ()notandor", max_size=30))
def test_any_expression_is_read_or_refused(text: str) -> None:
    try:
        test = parse_expression(text, "-k")
    except UserError:
        return
    assert isinstance(test(lambda word: word == "a"), bool)
