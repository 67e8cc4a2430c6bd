"""The echo of an input is found, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from orchestro.terminal.echo import Expected, caret, find_echo, find_echo_again


def without_echo(output: str, typed: str, *, entered: bool = True, by_kernel: bool = True, prompt: str = "") -> str:
    found = find_echo(output, Expected(typed, entered, by_kernel, prompt))
    return output if found is None else output[: found[0]] + output[found[1] :]


@pytest.mark.parametrize(
    ("output", "typed", "left"),
    [
        pytest.param("sleep 1; echo done\n", "sleep 1; echo done", "", id="the echo alone"),
        pytest.param("echo done\ndone\n", "echo done", "done\n", id="echo and output"),
        pytest.param("hello\nhello\n", "hello", "hello\n", id="an output equal to the input stays"),
        pytest.param("late\necho x\nx\n", "echo x", "late\nx\n", id="earlier output may come before the echo"),
        pytest.param("echo do", "echo done", "", id="an echo that has come in part"),
        pytest.param("Password: \nok\n", "", "Password: ok\n", id="an empty line echoes its line feed"),
    ],
)
def test_the_kernel_echoes_what_was_written(output: str, typed: str, left: str) -> None:
    assert without_echo(output, typed) == left


@pytest.mark.parametrize(
    ("output", "typed", "prompt", "left"),
    [
        pytest.param("print(1)\n1\n>>> ", "print(1)", ">>> ", "1\n>>> ", id="on the prompt's line"),
        pytest.param(">>> print(1)\n1\n", "print(1)", ">>> ", ">>> \n1\n", id="on a redrawn line"),
        pytest.param("yes, doing it\n", "y", "? ", "yes, doing it\n", id="a word that begins like the answer stays"),
        pytest.param("y\nyes\n", "y", "? ", "yes\n", id="the answer itself goes"),
        pytest.param("out\nprint\n", "print", ">>> ", "out\nprint\n", id="on a later line it is output"),
        pytest.param("aaaaa bbb \nbb ccc\nout\n", "aaaaa bbbbb ccc", "", "out\n", id="wrapped at the edge"),
    ],
)
def test_a_line_editor_echoes_on_the_line_of_the_prompt(output: str, typed: str, prompt: str, left: str) -> None:
    assert without_echo(output, typed, by_kernel=False, prompt=prompt) == left


def test_what_was_typed_ahead_is_echoed_again_after_a_prompt() -> None:
    output = "echo done\n$ echo done\ndone\n"
    expected = Expected("echo done", True, True)
    first = find_echo(output, expected)
    assert first == (0, 10)
    assert find_echo_again(output, 10, expected) == (12, 21)
    assert find_echo_again("echo done\n$ echo do", 10, expected) == (12, 19)
    assert find_echo_again("echo done\ndone\n", 10, expected) is None


def test_control_characters_echo_in_caret_notation() -> None:
    assert caret("a\x03b\x1b\tc\x7f") == "a^Cb^[\tc^?"
