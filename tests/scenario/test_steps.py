"""Every built-in step, written as in a scenario and played on a scripted terminal."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import pytest
from played import failed, play, problems

from orchestro.model import Outcome
from orchestro.scenario.registry import step_kinds
from orchestro.testing.fake_terminal import FakeTerminal

MOUSE = b"\x1b[?1000h\x1b[?1006h"


def prints(data: str | bytes, after_s: float = 0.0):  # type: ignore[no-untyped-def]  # a script, see `play`
    return lambda terminal: terminal.prints(data, after_s=after_s)


def answers(*replies: str):  # type: ignore[no-untyped-def]  # a script, see `play`
    """A program that prints the next reply after each Enter."""

    def script(terminal: FakeTerminal) -> None:
        left = list(replies)
        terminal.on_input = lambda t, data: t.prints(left.pop(0), after_s=0.1) if data.endswith(b"\r") else None

    return script


# -- input


@pytest.mark.parametrize(
    ("step", "typed"),
    [
        ("- send: ls -l", [b"ls -l\r"]),
        ('- send: ""', [b"\r"]),
        ("- {send: ls, raw: true}", [b"ls"]),
        ("- type: ab", [b"ab"]),
        ("- press: enter", [b"\r"]),
        ("- press: [up, ctrl+c, x]", [b"\x1b[A", b"\x03", b"x"]),
        ("- keystroke: escape", [b"\x1b"]),
        ("- control: c", [b"\x03"]),
        ("- paste: a b", [b"a b"]),
    ],
)
def test_what_is_typed(step: str, typed: list[bytes]) -> None:
    played = play(step)
    assert played.verdict.outcome is Outcome.PASSED
    assert played.terminal.typed == typed


def test_arrow_keys_honour_the_modes_of_the_program() -> None:
    assert play("- press: up", prints(b"\x1b[?1h")).terminal.typed == [b"\x1bOA"]


def test_pastes_are_bracketed_when_the_program_asked_for_it() -> None:
    assert play("- paste: a", prints(b"\x1b[?2004h")).terminal.typed == [b"\x1b[200~a\x1b[201~"]


def test_a_click_on_a_text_waits_for_it_and_for_the_mouse() -> None:
    def script(terminal: FakeTerminal) -> None:
        terminal.prints(b"\x1b[3;11H[Save]", after_s=1)
        terminal.prints(MOUSE, after_s=2)

    played = play("- click: Save", script)
    assert played.terminal.typed == [b"\x1b[<0;13;3M", b"\x1b[<0;13;3m"]
    assert played.terminal.now == pytest.approx(2)


def test_a_click_on_a_cell() -> None:
    typed = play("- click: {at: [4, 2], button: right}", prints(MOUSE)).terminal.typed
    assert typed == [b"\x1b[<2;5;3M", b"\x1b[<2;5;3m"]


def test_the_wheel_turns_both_ways() -> None:
    assert play("- scroll: {at: [0, 0], lines: -2}", prints(MOUSE)).terminal.typed == [b"\x1b[<64;1;1M"] * 2
    assert play("- scroll: [0, 0]", prints(MOUSE)).terminal.typed == [b"\x1b[<65;1;1M"]


def test_a_click_without_a_mouse_is_explained() -> None:
    assert "did not turn the mouse on" in failed("- click: [1, 1]").message


def test_a_click_on_one_of_several_is_refused() -> None:
    failure = failed("- click: OK", prints(MOUSE + b"OK OK"))
    assert "2 times on the screen, at [0, 0], [3, 0]" in failure.message


def test_sizes_and_signals_reach_the_program() -> None:
    played = play("- resize: [40, 10]\n- signal: TERM\n- signal: SIGINT\n")
    assert played.terminal.sizes == [(40, 10)]
    assert played.terminal.signals == [15, 2]
    assert played.terminal.screen is not None


def test_typing_into_a_program_that_has_ended_fails_with_its_code() -> None:
    failure = failed("- send: x", lambda terminal: terminal.ends(3))
    assert "exit code 3" in failure.message + failure.hint


# -- waits


def test_a_dialogue() -> None:
    played = play("- send: one\n- expect: 1\\d\n- send: two\n- expect: [a, b]\n", answers("15\n", "a\nb\n"))
    assert played.verdict.outcome is Outcome.PASSED
    assert played.said[1] == "matched '15'"


def test_expect_next_consumes() -> None:
    played = play(
        "- send: go\n- expect_next: tick\n- expect_next: tick\n- {expect_next: tick, timeout: 1s}", answers("tick tick")
    )
    assert played.verdict.outcome is Outcome.TIMED_OUT
    assert played.failure.index == 3


def test_pattern_is_another_spelling_of_expect() -> None:
    assert play("- pattern: hi", prints("hi")).verdict.outcome is Outcome.PASSED


def test_a_wait_that_fails_shows_what_was_there() -> None:
    failure = failed("- send: go\n- {expect: 'total: \\d+', timeout: 2s}", answers("totals: 3\n"))
    assert failure.waited_for == r"output matching 'total: \\d+'"
    assert failure.nearest == "totals: 3"
    assert failure.screen[0] == "totals: 3"
    assert failure.inputs == ("send 'go'",)
    assert (failure.source.file, failure.source.line) == ("f.yaml", 4)
    assert "waited 2 s" in failure.message


@pytest.mark.parametrize(
    "step",
    [
        "- see: Ready",
        "- see: {regex: 'R.*y$', row: 0, col: 2, fg: green, bold: true, count: 1}",
        "- not_see: Loading",
        "- not_see: {text: Ready, fg: red}",
        "- cursor: [7, 0]",
        "- title: ^my app$",
        "- bell: true",
        "- idle: 200ms",
    ],
)
def test_what_is_on_the_screen(step: str) -> None:
    assert play(step, prints(b"\x07\x1b]0;my app\x07  \x1b[1;32mReady\x1b[0m")).verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("- see: {text: Ready, row: -1}", "not on the screen"),
        ("- not_see: Ready", "is on the screen at column 2"),
        ("- cursor: [0, 0]", "column 7, row 0"),
        ("- title: other", "the title is"),
        ("- bell: false", "rang once"),
        ("- exit: 0", "still running"),
    ],
)
def test_what_is_not_on_the_screen(step: str, why: str) -> None:
    assert why in failed(step, prints(b"\x07\x1b]0;my app\x07  Ready")).message


@pytest.mark.parametrize(
    ("step", "code"), [("- exit: 0", 0), ("- exit: 3", 3), ("- exit: -15", -15), ("- exit: any", 7)]
)
def test_the_end_is_waited_for(step: str, code: int) -> None:
    played = play(step, lambda terminal: terminal.ends(code, after_s=1))
    assert (played.verdict.outcome, played.verdict.exit_code) == (Outcome.PASSED, code)


def test_another_exit_code_fails_at_once() -> None:
    played = play("- exit: 0", lambda terminal: terminal.ends(1, after_s=1))
    assert played.verdict.outcome is Outcome.FAILED
    assert (played.failure.expected, played.failure.actual) == ("exit code 0", "exit code 1")


def test_a_fixed_wait_is_a_smell() -> None:
    (finding,) = play("- wait: 1ms").verdict.findings
    assert finding.code == "fixed-wait"
    assert "line 3" in finding.message


def test_a_note_does_nothing() -> None:
    assert play("- note: remember").verdict.outcome is Outcome.PASSED


# -- assertions

SHELL = b"\x1b]133;A\x07$ \x1b]133;B\x07"


def shell(output: str, code: int = 0):  # type: ignore[no-untyped-def]  # a script, see `play`
    """A marked shell that answers each line with the same output and code."""

    def reply(terminal: FakeTerminal, data: bytes) -> None:
        printed = output.replace("\n", "\r\n").encode()
        terminal.prints(data + b"\n\x1b]133;C\x07" + printed + b"\x1b]133;D;%d\x07" % code + SHELL, after_s=0.1)

    def script(terminal: FakeTerminal) -> None:
        terminal.line_discipline = (False, False)
        terminal.prints(SHELL)
        terminal.on_input = reply

    return script


@pytest.mark.parametrize(
    "check",
    [
        'expect_output: "{\\"n\\": 1}"',
        "expect_contains: n",
        "expect_not_contains: error",
        "expect_regex: '\\d}$'",
        "expect_lines: 1",
        "expect_json: {n: 1}",
        "expect_code: 2",
    ],
)
def test_assertions_on_the_last_command(check: str) -> None:
    assert play(f"- send: x\n  {check}\n", shell('{"n": 1}\n', 2)).verdict.outcome is Outcome.PASSED


def test_all_assertions_of_a_step_must_hold() -> None:
    failure = failed("- send: x\n  expect_contains: a\n  expect_code: 1\n", shell("a\n", 0))
    assert (failure.expected, failure.actual) == ("exit code 1", "exit code 0")


def test_a_wrong_output_shows_a_diff() -> None:
    failure = failed("- send: x\n- expect_output: |\n    a\n    b\n", shell("a\nc\n"))
    assert failure.diff[-2:] == ("-b", "+c")
    assert (failure.expected, failure.actual) == ("a\nb", "a\nc")


# -- capture


def test_what_is_captured_can_be_used() -> None:
    played = play(
        "- send: new\n  capture: {ID: 'id=(\\w+)', WHOLE: 'id=\\w+'}\n- send: get ${ID}\n", answers("id=a1\n", "")
    )
    assert played.terminal.typed[1] == b"get a1\r"
    assert played.stage.variables["WHOLE"] == "id=a1"
    assert "ID = 'a1'" in played.said[0]


def test_the_input_itself_is_never_captured() -> None:
    def script(terminal: FakeTerminal) -> None:
        terminal.line_discipline = (True, True)
        terminal.on_input = lambda t, data: (t.prints(data[:-1] + b"\r\n"), t.prints("id=b\n", after_s=1))

    assert play("- send: echo id=a\n  capture: {ID: 'id=(\\w+)'}\n", script).stage.variables["ID"] == "b"


def test_half_a_word_is_not_captured() -> None:
    def script(terminal: FakeTerminal) -> None:
        terminal.prints("id=ab", after_s=1)
        terminal.prints("cd", after_s=1.01)

    played = play("- capture: {ID: 'id=(\\w+)'}", script)
    assert played.stage.variables["ID"] == "abcd"


def test_a_full_screen_program_is_captured_from_its_screen() -> None:
    script = prints(b"\x1b[?1049h\x1b[5;1HVersion 1.2")
    played = play("- press: down\n- capture: {V: 'Version (\\S+)'}\n", script)
    assert played.stage.variables["V"] == "1.2"


def test_a_capture_that_does_not_come_fails() -> None:
    failure = failed("- capture: {V: 'Version (\\d+)'}", prints("version x\n"))
    assert failure.nearest == "version x"
    assert "V" not in failure.expected


# -- pictures


def test_a_screenshot_writes_both_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = SimpleNamespace(
        screen_svg=lambda rows, cols, cursor, title: f"<svg>{rows[0][0].text} {cols} {title}</svg>",
        screen_png=lambda svg: b"PNG" + svg.encode()[:4],
    )
    monkeypatch.setitem(sys.modules, "orchestro.terminal.render", drawn)
    played = play("- see: hello\n  screenshot: first\n", prints(b"\x1b]2;t\x07hello", after_s=1))
    assert played.artifacts == {
        "screenshot-svg:first.svg": b"<svg>hello 80 t</svg>",
        "screenshot-png:first.png": b"PNG<svg",
    }


# -- mistakes


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("- press: entre", "did you mean 'enter'"),
        ("- control: nosuch", "ctrl+nosuch"),
        ("- signal: TREM", "expected a signal"),
        ("- see: {fg: red}", "exactly one of text, regex"),
        ("- see: {text: a, fg: reddish}", "expected a colour"),
        ("- not_see: {text: a, count: 2}", "unknown key"),
        ("- expect: '('", "not a regular expression"),
        ("- cursor: 3", "[col, row]"),
        ("- exit: 300", "exit code"),
        ("- idle: soon", "duration"),
        ("- resize: [0, 10]", "from 1"),
        ("- click: {text: a, at: [1, 1]}", "exactly one"),
        ("- capture: {}", "NAME: REGEX"),
        ("- capture: {1a: x}", "a name such as"),
        ("- run: 'echo \"'", "quotation"),
        ("- snapshot: {styles: true}", "name"),
        ("- {send: a, press: b}", "one action"),
    ],
)
def test_mistakes_are_found_when_the_scenario_is_read(step: str, message: str) -> None:
    (problem,) = problems(step)
    assert message in problem


@pytest.mark.parametrize("kind", sorted({kind.key for kind in step_kinds(installed=False).values()}))
def test_the_example_of_every_step_can_be_read(kind: str) -> None:
    example = step_kinds(installed=False)[kind].example
    assert re.match(r"- (\{)?[a-z_]+: ", example)
    assert problems(example) == []
