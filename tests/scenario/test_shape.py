from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from orchestro.errors import UserError
from orchestro.scenario.nodes import compose
from orchestro.scenario.shape import (
    BAD,
    Bool,
    Choice,
    Converted,
    Duration,
    Fields,
    Int,
    Json,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Pair,
    Pattern,
    Reader,
    Regex,
    Shape,
    Str,
    nearest,
)


def read(shape: Shape[Any], text: str) -> tuple[Any, list[str]]:
    """The value of ``key: text`` and the problems as people see them."""
    (root,), problems = compose(b"key: " + text.encode(), "f.yaml")
    assert not problems
    reader = Reader("f.yaml")
    value = reader.at("key", shape, root.value[0][1])
    return value, [str(problem) for problem in reader.problems]


def good(shape: Shape[Any], text: str) -> Any:
    value, problems = read(shape, text)
    assert problems == []
    return value


def wrong(shape: Shape[Any], text: str) -> str:
    value, problems = read(shape, text)
    assert value is BAD
    assert problems
    return problems[0]


@pytest.mark.parametrize("text", ["yes", "123", "1.0", "0x1F", "2026-01-01", "true", "1_000", ["a", " b"][0]])
def test_text_is_taken_as_it_is_written(text: str) -> None:
    assert good(Str(), text) == text


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_nothing_is_not_text(text: str) -> None:
    assert "expected text, got nothing" in wrong(Str(), text)


def test_quoted_null_is_text() -> None:
    assert good(Str(), '"null"') == "null"
    assert good(Str(), "''") == ""


def test_an_empty_text_can_be_refused() -> None:
    assert wrong(Str(empty=False), "''") == "f.yaml:1:6: key: expected text, got an empty one"


def test_a_nul_character_can_be_refused() -> None:
    assert good(Str(), r'"\0"') == "\0"
    assert "without NUL" in wrong(Str(nul=False), r'"\0"')


def test_a_list_is_not_text_and_the_hint_says_to_quote_it() -> None:
    assert wrong(Str(), "[a]").endswith("got a list of 1 (a text that starts with [ or { must be quoted)")


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("-3", -3), ("+4", 4), ("007", 7)])
def test_a_whole_number(text: str, value: int) -> None:
    assert good(Int(), text) == value


@pytest.mark.parametrize("text", ["1.5", "five", "'5'", "", "[5]", "1e3", "9" * 30])
def test_what_is_not_a_whole_number(text: str) -> None:
    assert "expected a whole number, got" in wrong(Int(), text)


def test_a_number_out_of_range_says_the_range() -> None:
    assert wrong(Int(1, 9), "10") == "f.yaml:1:6: key: expected a whole number from 1 to 9, got '10'"
    assert wrong(Int(1), "0") == "f.yaml:1:6: key: expected a whole number of at least 1, got '0'"
    assert wrong(Number(0, 1), "1.5") == "f.yaml:1:6: key: expected a number from 0 to 1, got '1.5'"


def test_a_variable_where_a_number_is_expected_is_explained() -> None:
    assert wrong(Int(), "${N}").endswith("(variables stand for text only)")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("No", False), ("on", True), ("off", False)])
def test_true_and_false(text: str, value: bool) -> None:
    assert good(Bool(), text) is value


def test_quoted_true_is_text() -> None:
    assert wrong(Bool(), "'true'") == "f.yaml:1:6: key: expected true or false, got 'true'"


def test_a_duration() -> None:
    assert good(Duration(), "500ms") == 0.5
    assert good(Duration(), "3") == 3.0
    assert wrong(Duration(), "soon").endswith("expected a duration such as 500ms, 30s or 2m, got 'soon'")
    assert "more than 0" in wrong(Duration(zero=False), "0")
    assert wrong(Duration(), "999h").endswith("(it is longer than 720h)")


def test_a_choice_names_the_nearest() -> None:
    assert good(Choice("low", "high"), "low") == "low"
    assert wrong(Choice("low", "high"), "hihg").endswith("one of low, high, got 'hihg' (did you mean 'high'?)")


def test_a_regular_expression_is_checked_before_it_runs() -> None:
    assert good(Regex(), "a+b") == Pattern("a+b")
    assert "is not a regular expression: missing )" in wrong(Regex(), "(a")
    assert "matches anything" in wrong(Regex(), "''")
    assert "is not a regular expression" in wrong(Regex(), "a{2}{3}")
    assert "the regular expression is too large" in wrong(Regex(), "'" + "(" * 5000 + "'")
    assert good(Regex(), "'[[a]'") == Pattern("[[a]")


def test_a_variable_in_a_regular_expression_is_not_read_as_one() -> None:
    assert good(Regex(), "'^${NAME}$'") == Pattern("^${NAME}$")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1, b: [true, null, 1.5, x, 'true']}", {"a": 1, "b": [True, None, 1.5, "x", "true"]}),
        ("yes", "yes"),
        ("1e400", "1e400"),
        ("", None),
        ("[]", []),
        ("{1: 2}", {"1": 2}),
    ],
)
def test_any_yaml_is_a_json_value(text: str, value: object) -> None:
    assert good(Json(), text) == value


def test_json_nested_too_deep_is_refused() -> None:
    assert "nested deeper than 100 levels" in wrong(Json(), "[" * 150 + "]" * 150)


def test_one_item_may_stand_for_a_list() -> None:
    assert good(ListOf(Int(), or_single=True), "1") == (1,)
    assert good(ListOf(Int(), or_single=True), "[1, 2]") == (1, 2)
    assert "expected a list" in wrong(ListOf(Int()), "1")


def test_one_position_may_stand_for_a_list_of_positions() -> None:
    shape = ListOf(Pair(Int(), Int()), or_single=True)
    assert good(shape, "[1, 2]") == ((1, 2),)
    assert good(shape, "[[1, 2], [3, 4]]") == ((1, 2), (3, 4))


def test_every_wrong_item_is_reported() -> None:
    _, problems = read(ListOf(Int()), "[a, 1, b]")
    assert problems == [
        "f.yaml:1:7: key[0]: expected a whole number, got 'a'",
        "f.yaml:1:13: key[2]: expected a whole number, got 'b'",
    ]


def test_the_length_of_a_list_is_checked() -> None:
    assert "expected a list that is not empty, got an empty list" in wrong(ListOf(Int(), 1), "[]")
    assert "expected a list of 0 to 2, got a list of 3" in wrong(ListOf(Int(), 0, 2), "[1, 2, 3]")


def test_a_pair_names_its_parts() -> None:
    shape = Pair(Int(), Int(), names=("columns", "rows"))
    assert good(shape, "[80, 24]") == (80, 24)
    assert wrong(shape, "[80]").endswith("expected [columns, rows], got a list of 1")


@dataclass(frozen=True)
class Point:
    x: int
    from_: int = 0


POINT = Fields({"x": Int(), "from": Int()}, required=("x",), make=Point)


def test_a_mapping_becomes_what_is_made_of_it() -> None:
    assert good(POINT, "{x: 1, from: 2}") == Point(1, 2)


def test_a_missing_key_is_reported() -> None:
    assert wrong(POINT, "{from: 1}").endswith("key: the key 'x' is missing, expected a whole number")


def test_an_unknown_key_is_reported_with_the_nearest() -> None:
    assert wrong(POINT, "{x: 1, form: 1}").endswith(
        ":1:13: key.form: unknown key, expected one of x, from (did you mean 'from'?)"
    )


def test_a_misspelt_key_is_not_reported_as_missing_too() -> None:
    _, problems = read(Fields({"path": Str()}, required=("path",)), "{pth: x}")
    assert len(problems) == 1


def test_a_key_given_twice_is_reported_at_the_second() -> None:
    assert wrong(POINT, "{x: 1, x: 2}") == "f.yaml:1:13: key.x: duplicate key, already given on line 1"


def test_exactly_one_of_some_keys() -> None:
    shape = Fields({"text": Str(), "regex": Str()}, one_of=("text", "regex"))
    assert good(shape, "{text: a}") == {"text": "a"}
    assert "expected exactly one of text, regex, got text and regex" in wrong(shape, "{text: a, regex: b}")
    assert "got none of them" in wrong(shape, "{}")


def test_merge_keys_are_resolved_and_own_keys_win() -> None:
    shape = ListOf(Fields({"a": Int(), "b": Int()}))
    assert good(shape, "[&x {a: 1, b: 2}, {<<: *x, b: 3}, {<<: [{a: 5}, *x]}]")[1:] == (
        {"b": 3, "a": 1},
        {"a": 5, "b": 2},
    )
    assert "expected a mapping to merge" in wrong(Fields({"a": Int()}), "{<<: 1}")


def test_names_chosen_by_the_user() -> None:
    assert good(MapOf(Str()), "{a: 1, b: x}") == {"a": "1", "b": "x"}
    assert "expected a mapping, got 'x'" in wrong(MapOf(Str()), "x")


def test_a_mistake_found_by_a_conversion_is_located() -> None:
    def refuse(value: str) -> str:
        raise UserError(f"expected a port, got {value!r}")

    assert wrong(Converted(Str(), refuse), "x") == "f.yaml:1:6: key: expected a port, got 'x'"


def test_one_of_several_shapes_is_chosen_by_what_stands_there() -> None:
    shape: OneOf[Any] = OneOf(Int(), Str(), Pair(Int(), Int()), POINT)
    assert good(shape, "1") == 1
    assert good(shape, "x") == "x"
    assert good(shape, "[1, 2]") == (1, 2)
    assert good(shape, "{x: 3}") == Point(3)


def test_the_message_is_that_of_the_shape_that_was_meant() -> None:
    shape: OneOf[Any] = OneOf(Int(), POINT, Fields({"path": Str(), "mode": Int()}))
    assert ".pat: unknown key, expected one of path, mode" in wrong(shape, "{pat: 3, mode: 1}")
    assert "expected a whole number or a mapping with x or a mapping with path or mode, got 'y'" in wrong(shape, "y")


def test_the_nearest_name_is_suggested_only_when_it_is_near() -> None:
    assert nearest("exepct", ["expect", "send"]) == "expect"
    assert nearest("Total-Timeout", ["timeout", "total_timeout"]) == "total_timeout"
    assert nearest("zzz", ["expect", "send"]) is None
    assert nearest("x" * 100_000, ["x" * 90_000]) is None
