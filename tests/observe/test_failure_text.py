from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_script import NO_MATCH

from orchestro.model import Failure, Source
from orchestro.observe.columns import width
from orchestro.observe.failure_text import MAX_BLOCK_LINES, MAX_OUTPUT_LINES, failure_lines, place, screen_box
from orchestro.observe.paint import Paint


def test_a_failure_with_nothing_but_a_message_is_that_message() -> None:
    assert failure_lines(Failure("it broke")) == ["it broke"]


def test_the_place_names_file_line_and_step() -> None:
    assert place(NO_MATCH) == "examples/vim.yaml:14, step 3 (see: saved)"
    assert place(Failure("x"), Source("a.yaml", 3)) == "a.yaml:3"
    assert place(Failure("x", index=0)) == "step 1"
    assert place(Failure("x", source=Source("a.yaml"), step="exit_code")) == "a.yaml, exit_code"


def test_the_screen_has_its_rows_and_columns_numbered_and_the_cursor_marked() -> None:
    assert screen_box(("$ ls", "", "日本 x", ""), (7, 2)) == [
        "  ┌0─────────10────────┐",
        "0 │$ ls                │",
        "1 │                    │",
        "2>│日本 x              │",
        "  └───────^────────────┘",
        "  cursor: row 2, column 7; 1 empty row below",
    ]


def test_column_numbers_stand_above_their_columns() -> None:
    top, first, *_ = screen_box(("." * 120,), None)
    for mark in (0, 10, 90, 100, 110):
        start = first.index(".") + mark
        assert top[start : start + len(str(mark))] == str(mark)
        assert top[start - 1] in "─┌"


def test_the_cell_under_the_cursor_is_reversed_in_colour() -> None:
    lines = screen_box(("ab日c",), (2, 0), paint=Paint(color=True))
    assert "ab\x1b[7m日\x1b[27mc" in lines[1]


def test_a_cursor_below_the_text_keeps_its_row() -> None:
    assert screen_box(("a", "", "", ""), (0, 2))[3].startswith("2>")


def test_a_cursor_outside_the_screen_is_survived() -> None:
    assert "cursor: row 9, column 99" in screen_box(("a",), (99, 9))[-1]


@given(
    st.lists(st.text(max_size=30), max_size=6),
    st.none() | st.tuples(st.integers(0, 90), st.integers(0, 9)),
    st.integers(24, 90),
)
def test_any_screen_fits_its_columns(rows: list[str], cursor: tuple[int, int] | None, columns: int) -> None:
    lines = screen_box(rows, cursor, columns=columns)
    assert all(width(line) <= columns for line in lines)


@pytest.mark.parametrize("columns", [24, 40, 80])
def test_lines_keep_to_the_columns_except_the_command_to_copy(columns: int) -> None:
    long = "a rather long text that goes on " * 8
    failure = replace(
        NO_MATCH, message=long, expected=long, actual=long + "x", output=long, hint=long, waited_for=f"{long}\n{long}"
    )
    lines = failure_lines(failure, columns=columns, rerun="orchestro run " + long)
    assert all(width(line) <= columns for line in lines[:-1])
    assert lines[-1].endswith("orchestro run " + long)


def test_short_values_are_compared_and_long_ones_shown_as_a_diff() -> None:
    short = Failure("x", expected="0", actual="3", diff=("-0", "+3"))
    assert failure_lines(short) == ["x", "expected     0", "actual       3"]
    long = Failure("x", expected="a\nb", actual="a\nc", diff=(" a", "-b", "+c"))
    assert failure_lines(long) == ["x", "diff, - expected + actual", "   a", "  -b", "  +c"]
    nothing = Failure("x", expected="a\nb")
    assert failure_lines(nothing) == ["x", "expected", "│ a", "│ b", "actual       (nothing)"]


def test_long_blocks_are_cut_and_counted() -> None:
    lines = failure_lines(Failure("x", expected="a\nb", diff=tuple(f"+{n}" for n in range(MAX_BLOCK_LINES + 5))))
    assert lines[-1] == "… 5 more lines"
    output = "\n".join(str(n) for n in range(100))
    lines = failure_lines(Failure("x", output=output))
    assert f"output, the last {MAX_OUTPUT_LINES} of 100 lines" in lines
    assert lines[-1] == "│ 99"


def test_output_that_the_screen_shows_is_not_repeated() -> None:
    assert not any("output" in line for line in failure_lines(Failure("x", screen=("a", "b"), output="a\nb\n")))
    assert any("output" in line for line in failure_lines(Failure("x", screen=("a",), output="a\nb\n")))
