"""Diffs for reports: right, bounded, and never raising."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.terminal.checks.diff import (
    MAX_DIFF_LINES,
    clip,
    clip_both,
    json_diff,
    json_differences,
    pretty,
    project,
    text_diff,
)

LINES = st.lists(st.sampled_from(["a", "b", "", "c c", "-", "+x", "@@"]), max_size=40)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def patched(before: list[str], diff: tuple[str, ...]) -> list[str]:
    """`before` with a unified diff applied to it."""
    result: list[str] = []
    position = 0
    for line in diff[2:]:
        if line.startswith("@@ "):
            old = line.split()[1][1:].split(",")
            start = int(old[0]) - (0 if len(old) > 1 and old[1] == "0" else 1)
            result += before[position:start]
            position = start
            continue
        sign, text = line[0], line[1:]
        if sign in " -":
            assert before[position] == text
            position += 1
        if sign in " +":
            result.append(text)
    return result + before[position:]


@given(LINES, LINES)
def test_a_diff_leads_from_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    expected, actual = "\n".join(before), "\n".join(after)
    diff = text_diff(expected, actual)
    assert (diff == ()) == (expected == actual)
    assert "\n".join(patched(expected.split("\n"), diff)) == actual


def test_a_long_diff_is_cut_and_says_so() -> None:
    diff = text_diff("\n".join("a" * 500), "\n".join("b" * 500))
    assert len(diff) == MAX_DIFF_LINES + 1
    assert diff[-1].endswith("more lines")


def test_two_floods_are_compared_with_bounded_work() -> None:
    before = "\n".join(str(n % 7) for n in range(300_000))
    after = "\n".join(str(n % 5) for n in range(300_000))
    assert len(text_diff(before, after)) <= MAX_DIFF_LINES + 1


def test_a_difference_far_down_is_found() -> None:
    head = "x\n" * 100_000
    assert text_diff(head + "a", head + "b")[-2:] == ("-a", "+b")
    assert "@@ -99998,4 +99998,4 @@" in text_diff(head + "a", head + "b")


def test_long_lines_are_narrowed() -> None:
    assert all(len(line) < 600 for line in text_diff("a" * 10_000, "b"))


def test_texts_are_clipped_from_where_they_differ() -> None:
    head = "same\n" * 100
    before, after = clip_both(head + "a\n" + "tail\n" * 100, head + "b", limit=50)
    assert before.startswith("... 97 lines are the same\nsame\nsame\nsame\na\n")
    assert after == "... 97 lines are the same\nsame\nsame\nsame\nb"
    assert clip("abc", 2) == "ab\n... 1 more characters"


@given(JSON)
def test_every_value_has_itself(value: Any) -> None:
    assert json_differences(value, value) == []
    assert json_diff(value, value) == ()


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4), st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_an_object_has_every_part_of_itself(part: dict[str, Any], more: dict[str, Any]) -> None:
    assert json_differences(part, {**more, **part}) == []


@given(JSON, JSON)
def test_no_difference_means_that_what_is_asked_for_is_there(wanted: Any, actual: Any) -> None:
    differences = json_differences(wanted, actual)
    projected = project(wanted, actual)
    assert json_differences(wanted, projected) == differences
    if not differences:
        assert projected == wanted


@given(JSON, JSON)
def test_differences_name_their_path(wanted: Any, actual: Any) -> None:
    for line in json_differences(wanted, actual):
        assert line.startswith("at $")


@pytest.mark.parametrize(
    ("wanted", "actual", "lines"),
    [
        (1, 1.0, []),
        (True, 1, ["at $: expected true, got 1"]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["at $.a.b: expected 1, got 2"]),
        ({"a": 1}, [], ["at $: expected an object, got []"]),
        ({"a": 1}, {}, ["at $.a: expected 1, but there is no such key"]),
        ([1, 2], [1], ["at $: expected 2 items, got 1"]),
        ([1], "x", ['at $: expected a list, got "x"']),
        ({"a b": None}, {"a b": 0}, ['at $["a b"]: expected null, got 0']),
    ],
)
def test_differences_are_sentences(wanted: Any, actual: Any, lines: list[str]) -> None:
    assert json_differences(wanted, actual) == lines


def test_a_deep_value_raises_nothing() -> None:
    deep: Any = json.loads("[" * 900 + "]" * 900)
    assert json_differences({"a": 1}, deep)
    assert json_diff([1], deep)
    assert pretty(deep)


def test_at_most_fifty_differences_are_listed() -> None:
    assert len(json_differences(list(range(100)), [-1] * 100)) == 50
