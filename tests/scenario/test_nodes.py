from __future__ import annotations

import re

import pytest

from orchestro.scenario.finding import LARGEST_BYTES
from orchestro.scenario.nodes import compose


@pytest.mark.parametrize(
    ("text", "where", "says", "hint"),
    [
        (b"a: b: c", "1:5", "a colon with a blank after it", "quote the text"),
        (b"a:\n\t- b", "2:1", "a tab cannot indent YAML", "use spaces"),
        (b"a: *foo", "1:4", "refers to an anchor", r"quote a text that starts with \*"),
        (b"a: * foo", "1:5", "without a name", "quote"),
        (b"a: @x", "1:4", "a value cannot start with @", "quote"),
        (b"a: `x`", "1:4", "a value cannot start with `", "quote"),
        (b"a: %x", "1:4", "a value cannot start with %", "quote"),
        (b"a: [b,\nc: 1", "1:4", r"opened with \[ is not closed", "quote"),
        (b"x: 1\na: [1,\n", "2:4", "bracket that is opened here is not closed", "quote"),
        (b"a: {b", "1:4", "opened with { is not closed", "quote"),
        (b"a: [b, c", "1:4", r"opened with \[ is not closed", "quote"),
        (b'a: "abc\nb: 1', "1:4", "never closed", ""),
        (b'a: "\\d"', "1:5", "not an escape sequence", "single quotes"),
        (b"a:\n - b\n c: d", "3:2", "expected an item", "indentation"),
        (b"a: !foo b", "1:4", "the tag !foo is not understood", "quote"),
        (b"a: &x [*x]", "1:4", "alias of itself", ""),
        (b"ok: 1\na: \x01", "2:4", r"control character U\+0001", r"\\x01"),
        (b"ok: 1\na: \xc3\xa4\xff", "2:5", "the byte 0xff", "UTF-8"),
        (b"\xff\xfea\x00", "1:1", "UTF-16", "UTF-8"),
        (b"", "1:1", "no scenario in it", ""),
        (b"# nothing\n---\n", "1:1", "no scenario in it", ""),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_mistake_of_syntax_is_located_and_explained(text: bytes, where: str, says: str, hint: str) -> None:
    _, problems = compose(text, "f.yaml")
    (problem,) = problems
    assert str(problem).startswith(f"f.yaml:{where}: ")
    assert re.search(says, problem.message)
    assert re.search(hint, problem.hint)


def test_documents_before_a_mistake_are_kept() -> None:
    nodes, problems = compose(b"a: 1\n---\nb: [", "f")
    assert len(nodes) == 1
    assert [problem.line for problem in problems] == [3]


def test_a_byte_order_mark_is_skipped() -> None:
    nodes, problems = compose(b"\xef\xbb\xbfa: 1", "f")
    assert problems == []
    assert nodes[0].value[0][0].value == "a"


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b"- " * 100_000, b"{a: " * 100_000, b"? " * 100_000, b"[" * LARGEST_BYTES],
    ids=["lists", "items", "mappings", "keys", "a whole file"],
)
def test_deep_nesting_is_refused_before_it_can_overflow_the_stack(text: bytes) -> None:
    _, problems = compose(text, "f")
    assert "nested deeper than 200 levels" in problems[0].message


def test_long_lines_and_many_brackets_are_fine() -> None:
    nodes, problems = compose(b"a: " + b"x" * 100_000 + b"\nb: " + b"[" + b"[],{}," * 5000 + b"]", "f")
    assert problems == []
    assert len(nodes) == 1


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    nodes, problems = compose("\n".join(lines).encode(), "f")
    assert nodes == []
    assert "more than 100000 values" in problems[0].message


def test_a_file_over_the_limit_is_refused() -> None:
    _, problems = compose(b"x" * (LARGEST_BYTES + 1), "f")
    assert f"at most {LARGEST_BYTES} bytes" in problems[0].message
