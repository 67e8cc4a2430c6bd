"""Mistakes as they are shown, on terminals and elsewhere."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from orchestro.cli.problems import show_problems
from orchestro.errors import Problem
from orchestro.observe.columns import width


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(path: Path, text: str, *places: tuple[int, int], stream: io.StringIO | None = None, **env: str) -> str:
    path.write_text(text, encoding="utf-8")
    stream = stream or io.StringIO()
    show_problems([Problem(path.name, line, column, "key", "is wrong") for line, column in places], stream, env, end="")
    return stream.getvalue()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "t.yaml"


def test_the_caret_stands_under_the_place(path: Path) -> None:
    assert shown(path, "a: 1\nsend: x\n", (2, 7)) == (
        "t.yaml:2:7: key: is wrong\n    send: x\n          ^\n1 mistake found\n"
    )


def test_the_caret_counts_wide_characters_as_two_and_tabs_as_one(path: Path) -> None:
    text = "\t漢字: x\n"
    _, line, caret, _ = shown(path, text, (1, 6)).splitlines()
    assert line == "     漢字: x"
    assert caret.index("^") == width(line[: line.index("x")])


@pytest.mark.parametrize("column", [1, 30, 155, 200, 399, 400, 401, 999])
def test_a_long_line_is_cut_around_the_place(path: Path, column: int) -> None:
    text = "".join(chr(ord("a") + n % 26) for n in range(400))
    _, line, caret, _ = shown(path, text, (1, column)).splitlines()
    assert width(line) <= 160
    assert width(caret) <= 161
    if column <= 400:
        assert line[caret.index("^")] == text[column - 1]


def test_lines_are_counted_as_yaml_counts_them(path: Path) -> None:
    assert "    c: 3\n    ^" in shown(path, "a: \x0c1\u2028b: 2\nc: 3\n", (3, 1))


def test_a_place_outside_the_file_is_told_without_a_line(path: Path) -> None:
    assert shown(path, "a: 1\n", (9, 1), (0, 0)).count("^") == 0


def test_a_file_that_cannot_be_read_is_told_without_a_line(path: Path) -> None:
    stream = io.StringIO()
    show_problems([Problem("missing.yaml", 1, 1, "", "cannot be read")], stream, {}, end="")
    assert stream.getvalue() == "missing.yaml:1:1: cannot be read\n1 mistake found\n"


def test_what_the_file_says_cannot_drive_the_terminal(path: Path) -> None:
    out = shown(path, "a: \x1b[2J\u202e\n", (1, 4))
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize(
    ("stream", "env", "colored"),
    [
        (io.StringIO, {"TERM": "xterm"}, False),
        (Terminal, {"TERM": "xterm"}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (Terminal, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal, {"TERM": "xterm", "FORCE_COLOR": "0"}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_follow_the_stream_and_the_environment(
    path: Path, stream: type[io.StringIO], env: dict[str, str], colored: bool
) -> None:
    assert ("\x1b[" in shown(path, "a: 1\n", (1, 1), stream=stream(), **env)) is colored


def test_the_number_of_files_is_told_when_there_are_several() -> None:
    stream = io.StringIO()
    show_problems([Problem("a", 1, 1, "", "x"), Problem("b", 1, 1, "", "x")], stream, {})
    assert stream.getvalue().endswith("\n2 mistakes found in 2 files; nothing was run\n")
