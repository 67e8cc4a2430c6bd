"""Checks of the output and exit code of the last command: they wait, they do not sample."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from orchestro.terminal.checks import (
    CommandCheck,
    OutputCode,
    OutputContains,
    OutputEquals,
    OutputJson,
    OutputLacks,
    OutputLines,
    OutputMatches,
)
from orchestro.terminal.probe import Held, Missing, NotYet
from orchestro.terminal.stream import CommandOutput
from orchestro.terminal.terminal import WaitFailed
from orchestro.testing.fake_terminal import FakeTerminal


def done(text: str, code: int | None = 0, *, exact: bool = True) -> CommandOutput:
    return CommandOutput(text, code, finished=True, exact=exact)


def at_prompt(*later: tuple[float, str], prompt: str = "$ ", **options: Any) -> FakeTerminal:
    """A program at its prompt that was sent a line and prints parts later."""
    terminal = FakeTerminal(**options)
    terminal.prints(f"welcome\n{prompt}")
    asyncio.run(terminal.send("go"))
    for after_s, text in later:
        terminal.prints(text, after_s=after_s)
    return terminal


def wait(terminal: FakeTerminal, *checks: CommandCheck) -> list[Held]:
    return asyncio.run(terminal.wait_for(*checks))


def failure(terminal: FakeTerminal, check: CommandCheck) -> WaitFailed:
    with pytest.raises(WaitFailed) as caught:
        wait(terminal, check)
    return caught.value


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (OutputEquals("a\nb"), "a  \nb\n\n"),
        (OutputEquals("a\nb\n"), "a\nb"),
        (OutputEquals(""), ""),
        (OutputContains("b"), "a\nb\n"),
        (OutputContains("a\nb\n"), "x a \nb"),
        (OutputLacks("c"), "a\nb\n"),
        (OutputMatches(re.compile("^b$", re.MULTILINE)), "a\nb\n"),
        (OutputLines(0), ""),
        (OutputLines(2), "a\nb\n\n"),
        (OutputLines(3), "\na\nb"),
        (OutputJson({"a": [1, {"b": None}]}), '{"a": [1.0, {"b": null, "c": 2}], "d": 3}'),
        (OutputCode(0), ""),
    ],
)
def test_what_holds_of_a_finished_command(check: CommandCheck, text: str) -> None:
    assert isinstance(check.judge(done(text)), Held)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (OutputEquals("a\nb"), "a\n b\n"),
        (OutputEquals("a"), "\na"),
        (OutputContains("B"), "a\nb\n"),
        (OutputLacks("b"), "a\nb\n"),
        (OutputMatches(re.compile("^c")), "a\nc\n"),
        (OutputLines(1), "a\nb\n"),
        (OutputJson({"a": 1}), '{"a": true}'),
        (OutputJson({"a": 1}), '{"b": 1}'),
        (OutputJson([1]), "[1, 2]"),
        (OutputJson({}), "nothing"),
        (OutputJson({}), "[" * 100_000),
        (OutputCode(1), ""),
    ],
)
def test_what_does_not_hold_of_a_finished_command(check: CommandCheck, text: str) -> None:
    answer = check.judge(done(text))
    assert isinstance(answer, Missing)
    assert answer.why


def test_a_text_is_found_before_the_command_has_ended() -> None:
    terminal = at_prompt((1, "listening on 80\n"))
    wait(terminal, OutputContains("listening"))
    assert terminal.now == pytest.approx(1)


@pytest.mark.parametrize("check", [OutputEquals("a\nb"), OutputLacks("c"), OutputLines(2)])
def test_what_more_output_could_change_waits_for_the_prompt(check: CommandCheck) -> None:
    terminal = at_prompt((1, "a\n"), (2, "b\n"), (3, "$ "))
    wait(terminal, check)
    assert terminal.now == pytest.approx(3)


def test_a_prompt_that_counts_is_the_same_prompt() -> None:
    terminal = at_prompt((1, "a\n"), (2, "[2]: "), prompt="[1]: ")
    wait(terminal, OutputEquals("a"))
    assert terminal.now == pytest.approx(2)


def test_a_wrong_output_fails_soon_after_the_prompt_came_back() -> None:
    terminal = at_prompt((1, "a\n$ "))
    failed = failure(terminal, OutputEquals("b"))
    assert not failed.timed_out
    assert terminal.now == pytest.approx(1.25, abs=0.01)
    assert (failed.missing.expected, failed.missing.actual) == ("b", "a")


def test_a_prompt_that_is_drawn_anew_before_the_output_ends_no_command() -> None:
    terminal = at_prompt((0.1, "\n$ "), (0.2, "\r\x1b[Kdone\n$ "))
    wait(terminal, OutputContains("done"))
    assert terminal.now == pytest.approx(0.2)


def test_a_command_that_never_ends_is_said_to_be_running() -> None:
    failed = failure(at_prompt((1, "a\n")), OutputEquals("a\nb"))
    assert failed.timed_out
    assert failed.missing.why == "the output is not as expected; the command has not ended"
    assert (failed.missing.expected, failed.missing.actual) == ("a\nb", "a")
    assert "prompt" in failed.missing.hint


def test_a_check_that_holds_so_far_says_so() -> None:
    failed = failure(at_prompt((1, "a\n")), OutputLacks("error"))
    assert failed.missing.why == "so far it holds, but the command has not ended"


def test_a_program_without_a_prompt_has_answered_when_it_is_quiet() -> None:
    terminal = at_prompt((0.1, "a\n"), (0.2, "b\n"), prompt="")
    wait(terminal, OutputEquals("a\nb"))
    assert terminal.now == pytest.approx(0.45, abs=0.01)


def test_the_end_of_the_program_ends_its_last_command() -> None:
    terminal = at_prompt((1, "a\n"), prompt="")
    terminal.ends(4, after_s=1)
    wait(terminal, OutputEquals("a"), OutputCode(4))
    assert terminal.now == pytest.approx(1)
    assert failure(terminal, OutputCode(0)).missing.actual == "exit code 4"


def test_marks_of_a_shell_tell_output_and_code_exactly() -> None:
    terminal = FakeTerminal(canonical=False)
    terminal.prints(b"\x1b]133;A\x07$ \x1b]133;B\x07")
    asyncio.run(terminal.send("make"))
    terminal.prints(b"make\r\n\x1b]133;C\x07\r\nerror: x\r\n", after_s=1)
    terminal.prints(b"\x1b]133;D;2\x07\x1b]133;A\x07$ \x1b]133;B\x07", after_s=2)
    wait(terminal, OutputCode(2), OutputEquals("\nerror: x"), OutputLines(2))
    failed = failure(terminal, OutputCode(0))
    assert not failed.timed_out
    assert terminal.now == pytest.approx(2)


def test_a_program_without_marks_has_no_exit_codes_and_that_is_explained() -> None:
    failed = failure(at_prompt((1, "a\n$ ")), OutputCode(0))
    assert "bash, zsh, fish" in failed.missing.hint


def test_output_typed_without_echo_keeps_its_first_line_end() -> None:
    terminal = at_prompt((0.1, "a\nb\n$ "), canonical=True, echo=False)
    wait(terminal, OutputEquals("a\nb"))


def test_an_unfinished_command_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_prompt((0.1, "{}\n"))
    terminal.tick(1)
    monkeypatch.setattr(OutputJson, "judge", lambda *_: pytest.fail("judged"))
    assert isinstance(OutputJson({}).probe(terminal), NotYet)


def test_several_lines_are_shown_as_a_diff() -> None:
    check = OutputEquals("a\nb\nc")
    answer = check.judge(done("a\nx\nc\n"))
    assert isinstance(answer, Missing)
    assert check.diff(answer) == ("--- expected", "+++ actual", "@@ -1,3 +1,3 @@", " a", "-b", "+x", " c")


def test_json_is_compared_by_path_and_shown_without_what_was_not_asked_for() -> None:
    check = OutputJson({"a": [1, 2], "b": {"c-d": "x"}})
    answer = check.judge(done('{"z": 1, "a": [1, 3], "b": {"c-d": "y", "e": 1}}'))
    assert isinstance(answer, Missing)
    lines = check.diff(answer)
    assert lines[:2] == ("at $.a[1]: expected 2, got 3", 'at $.b["c-d"]: expected "x", got "y"')
    assert not any('"z"' in line or '"e"' in line for line in lines)


def test_the_nearest_line_of_the_output_is_shown() -> None:
    answer = OutputContains("3 servers").judge(done("deploying\n3 Servers\n"))
    assert isinstance(answer, Missing)
    assert (answer.nearest, answer.hint) == ("3 Servers", "it differs in upper and lower case")


def test_what_a_failure_shows_of_a_flood_is_bounded_and_holds_the_difference() -> None:
    head = "same\n" * 50_000
    answer = OutputEquals(head + "a").judge(done(head + "b"))
    assert isinstance(answer, Missing)
    assert len(answer.actual) < 1000
    assert answer.actual.endswith("\nb")
    assert "49997 lines" in answer.actual
