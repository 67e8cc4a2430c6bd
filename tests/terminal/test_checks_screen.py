"""Checks of what is drawn: place, style, neighbourhood, count."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from orchestro.terminal.checks import CursorAt, NotSee, See, find_on_screen
from orchestro.terminal.checks.screen import cells, parse_color, same_color
from orchestro.terminal.probe import Held, Missing, NotYet
from orchestro.terminal.terminal import WaitFailed
from orchestro.testing.fake_terminal import FakeTerminal


def screen(data: str, **options: Any) -> FakeTerminal:
    terminal = FakeTerminal(**options)
    terminal.prints(data.encode())
    return terminal


def holds(terminal: FakeTerminal, **wanted: Any) -> bool:
    return isinstance(See(**wanted).probe(terminal), Held)


def missing(terminal: FakeTerminal, check: Any) -> Missing:
    with pytest.raises(WaitFailed) as caught:
        asyncio.run(terminal.wait_for(check))
    return caught.value.missing


def test_text_is_seen_wherever_it_stands() -> None:
    terminal = screen("\x1b[3;5Hhello")
    assert holds(terminal, text="hello")
    assert holds(terminal, regex=re.compile("h.llo$"))
    assert not holds(terminal, text="Hello")


@pytest.mark.parametrize(("row", "col", "seen"), [(2, 4, True), (-22, 4, True), (2, 3, False), (3, 4, False)])
def test_the_place_counts_from_0_and_from_the_bottom(row: int, col: int, seen: bool) -> None:
    assert holds(screen("\x1b[3;5Hhello"), text="hello", row=row, col=col) is seen


@pytest.mark.parametrize("before", ["日本", "✅é́ ", "👩‍🚀ab", "⌚x "])
def test_columns_are_cells(before: str) -> None:
    terminal = screen(before + "x!")
    at = next(
        col
        for col in range(80)
        if terminal.screen.cell(col, 0).text == "x" and terminal.screen.cell(col + 1, 0).text == "!"
    )
    assert holds(terminal, text="x!", row=0, col=at)


def test_lines_of_a_text_stand_below_each_other() -> None:
    terminal = screen("\x1b[2;3Hone\x1b[3;3Htwo\x1b[4;5Hthree")
    assert holds(terminal, text="one\ntwo\n")
    assert not holds(terminal, text="two\nthree")


def test_near_means_two_rows_and_forty_columns() -> None:
    terminal = screen("\x1b[5;1HName\x1b[6;10Hinput\x1b[20;1Hinput")
    assert [spot.row for spot in See(text="input", near="Name").spots(terminal.screen)] == [5]
    assert not holds(terminal, text="Name", near="nowhere")


@pytest.mark.parametrize(
    ("sgr", "wanted", "seen"),
    [
        ("31", {"fg": 1}, True),
        ("31", {"fg": "red"}, True),
        ("91", {"fg": "red"}, False),
        ("91", {"fg": "bright-red"}, True),
        ("38;5;208", {"fg": 208}, True),
        ("38;5;208", {"fg": (255, 135, 0)}, True),
        ("38;2;255;135;0", {"fg": 208}, True),
        ("44", {"bg": "blue"}, True),
        ("44", {"fg": "blue"}, False),
        ("0", {"fg": "default", "bg": "default"}, True),
        ("1;4", {"bold": True, "underline": True}, True),
        ("1", {"bold": False}, False),
        ("3;7", {"italic": True, "reverse": True}, True),
    ],
)
def test_styles(sgr: str, wanted: dict[str, Any], seen: bool) -> None:
    assert holds(screen(f"plain \x1b[{sgr}mtext\x1b[0m plain"), text="text", **wanted) is seen


def test_every_character_must_have_the_style() -> None:
    terminal = screen("\x1b[1mte\x1b[0mxt")
    assert not holds(terminal, text="text", bold=True)
    assert holds(terminal, text="te", bold=True)


def test_the_style_may_be_that_of_a_later_occurrence() -> None:
    assert holds(screen("item\r\n\x1b[7mitem\x1b[0m"), text="item", reverse=True, row=1)


def test_only_the_rows_that_matter_are_read_for_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = screen("a\r\n\x1b[1mb b\x1b[0m\r\nc")
    real, asked = terminal.screen, []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def styled(self, first: int = 0, last: int | None = None) -> Any:
            asked.append((first, last))
            return real.styled(first, last)

    assert len(list(See(text="b", bold=True).spots(Counting()))) == 2  # type: ignore[arg-type]
    assert asked == [(1, 2)]


def test_a_count_is_exact() -> None:
    terminal = screen("x x\r\nx")
    assert holds(terminal, text="x", count=3)
    assert not holds(terminal, text="x", count=2)
    assert holds(terminal, text="y", count=0)


def test_a_text_that_goes_is_waited_for() -> None:
    terminal = screen("Loading")
    terminal.prints(b"\r\x1b[K", after_s=1)
    asyncio.run(terminal.wait_for(NotSee(See(text="Loading"))))
    assert terminal.now == pytest.approx(1)


def test_a_text_that_stays_is_said_to_be_there() -> None:
    answer = missing(screen("  Loading"), NotSee(See(text="Loading")))
    assert "column 2, row 0" in answer.why


def test_where_the_text_stands_instead_is_said() -> None:
    answer = missing(screen("\x1b[31mSaved\x1b[0m"), See(text="Saved", fg="green"))
    assert answer.actual == "'Saved' at column 0, row 0: fg red"
    assert "fg green" in answer.expected


def test_the_nearest_text_on_the_screen_is_said() -> None:
    answer = missing(screen("  File  Edit  Help\r\nsaved 3 files"), See(text="Saved 3 files"))
    assert (answer.nearest, answer.hint) == ("saved 3 files", "it differs in upper and lower case")


def test_the_end_of_the_program_is_why_nothing_more_is_drawn() -> None:
    terminal = screen("abc")
    terminal.ends(2)
    for check in (See(text="xyz"), CursorAt(9, 9), NotSee(See(text="abc"))):
        assert missing(terminal, check).hint == "the program ended with exit code 2"
    assert terminal.now == 0


def test_the_cursor_is_where_it_is() -> None:
    terminal = screen("ab\r\ncde")
    assert isinstance(CursorAt(3, 1).probe(terminal), Held)
    answer = CursorAt(1, 3).probe(terminal)
    assert isinstance(answer, NotYet)
    assert (answer.expected, answer.actual) == ("column 1, row 3", "column 3, row 1")


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("red", 1),
        ("bright-blue", 12),
        ("Bright_Blue", 12),
        ("grey", 8),
        ("0", 0),
        ("255", 255),
        ("#FF8700", (255, 135, 0)),
    ],
)
def test_colours_are_read(text: str, color: Any) -> None:
    assert parse_color(text) == color


@pytest.mark.parametrize("text", ["256", "reddish", "#ff87", "", "bright-", "-1"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a colour"):
        parse_color(text)


def test_the_sixteen_colours_have_no_fixed_rgb() -> None:
    assert not same_color(1, (205, 0, 0))
    assert same_color(16, (0, 0, 0))
    assert same_color(232, (8, 8, 8))


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("✅", 2), ("e\u0301", 1), ("┌─┐", 3), ("", 0), ("⭐ok", 4)]
)
def test_the_width_of_a_text(text: str, width: int) -> None:
    assert cells(text) == width


def test_matches_of_nothing_are_nowhere() -> None:
    assert list(find_on_screen(["abc"], None, re.compile("x*"))) == []
    assert list(find_on_screen(["abc"], "", None)) == []
