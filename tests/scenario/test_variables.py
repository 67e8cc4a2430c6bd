from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.errors import UserError
from orchestro.scenario.variables import Pattern, names_in, substitute, substitute_text


@dataclass(frozen=True, slots=True)
class Inner:
    pattern: Pattern
    count: int = 3


@dataclass(frozen=True, slots=True)
class Outer:
    texts: tuple[str, ...]
    inner: Inner
    table: dict[str, str] = field(default_factory=dict)


VARIABLES = {"A": "one", "B": "x.y"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("-${A}${B}-", "-onex.y-"),
        ("$A $HOME ${x:-y} ${} ${1}", "$A $HOME ${x:-y} ${} ${1}"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$${x:-y}", "${x:-y}"),
    ],
)
def test_names_in_braces_are_replaced(text: str, result: str) -> None:
    assert substitute_text(text, VARIABLES) == result


def test_a_name_without_a_value_is_an_error_that_says_how_to_write_the_text() -> None:
    with pytest.raises(UserError, match=r"the variable \$\{C\} has no value; write \$\$\{C\}"):
        substitute("${C}", VARIABLES)


def test_texts_are_replaced_wherever_they_are() -> None:
    value = Outer(("a", "${A}"), Inner(Pattern("^${B}$")), {"k": "${A}", "l": "m"})
    assert substitute(value, VARIABLES) == Outer(("a", "one"), Inner(Pattern(r"^x\.y$")), {"k": "one", "l": "m"})
    assert list(names_in(value)) == ["A", "B", "A"]


def test_a_value_without_variables_stays_the_same_object() -> None:
    value = Outer(("a", "b"), Inner(Pattern("c")), {"d": "e"})
    assert substitute(value, VARIABLES) is value
    for other in (["a"], {"a": ["b"]}, None, 3, ("a", 1)):
        assert substitute(other, VARIABLES) is other


def test_values_in_a_regular_expression_are_taken_literally() -> None:
    assert Pattern("^${B}$").compile(VARIABLES).search("x.y")
    assert not Pattern("^${B}$").compile(VARIABLES).search("xzy")
    assert Pattern("$${B}").compile({}).search("is ${B}")
    assert substitute(Pattern("^$${B}"), {}).compile().search("${B}")


@given(st.text(), st.text())
def test_any_value_in_a_regular_expression_matches_itself(before: str, value: str) -> None:
    pattern = substitute(Pattern("(?s)\\A${V}\\Z"), {"V": value})
    assert pattern.compile().search(value)
    assert Pattern("${V}").compile({"V": value}).search(before + value)


@given(st.text(alphabet="${}AB x"))
def test_any_text_is_replaced_or_refused(text: str) -> None:
    result = substitute_text(text, VARIABLES) if set(names_in(text)) <= VARIABLES.keys() else text
    assert ("${" in text) or result == text


def test_a_plain_expression_is_not_compiled_to_be_checked() -> None:
    assert Pattern("done").plain
    assert not Pattern("do.e").plain
