"""Checks of what was printed, and of the end, the title, the bell and rest."""

from __future__ import annotations

import asyncio
import re

import pytest

from orchestro.terminal.checks import Bell, Exit, Expect, Idle, Title
from orchestro.terminal.checks.near import literal_of, nearest_line
from orchestro.terminal.probe import Check, Held, Missing, Never, NotYet
from orchestro.terminal.terminal import WaitFailed
from orchestro.testing.fake_terminal import FakeTerminal


def expect(*patterns: str, consume: bool = False) -> Expect:
    return Expect(tuple(re.compile(p, re.MULTILINE) for p in patterns), consume)


def wait(terminal: FakeTerminal, *checks: Check) -> list[Held]:
    return asyncio.run(terminal.wait_for(*checks))


def failure(terminal: FakeTerminal, *checks: Check) -> WaitFailed:
    with pytest.raises(WaitFailed) as caught:
        wait(terminal, *checks)
    return caught.value


def test_output_that_comes_later_is_waited_for() -> None:
    terminal = FakeTerminal()
    terminal.prints("one\n", after_s=1)
    terminal.prints("two\n", after_s=2)
    wait(terminal, expect("^two$"))
    assert terminal.now == pytest.approx(2)


def test_several_patterns_match_in_order() -> None:
    terminal = FakeTerminal()
    terminal.prints("b a b")
    assert isinstance(expect("a", "b").probe(terminal), Held)
    assert isinstance(expect("a", "b", "b").probe(terminal), NotYet)


def test_a_match_does_not_consume_unless_asked() -> None:
    terminal = FakeTerminal()
    terminal.prints("tick\n")
    wait(terminal, expect("tick"))
    wait(terminal, expect("tick"))
    once = expect("tick", consume=True)
    (held,) = wait(terminal, once)
    once.settle(terminal, held)
    assert isinstance(once.probe(terminal), NotYet)
    terminal.prints("tick\n")
    assert isinstance(once.probe(terminal), Held)


def test_what_was_printed_before_the_last_input_does_not_match() -> None:
    terminal = FakeTerminal()
    terminal.prints("ready\n")
    asyncio.run(terminal.send("go"))
    missing = failure(terminal, expect("ready")).missing
    assert "see" in missing.hint or "nothing was printed" in missing.hint


def test_after_the_end_nothing_is_waited_for_and_the_code_is_said() -> None:
    terminal = FakeTerminal()
    terminal.prints("bye\n")
    terminal.ends(3, after_s=1)
    failed = failure(terminal, expect("hello"))
    assert not failed.timed_out
    assert terminal.now == pytest.approx(1)
    assert "exit code 3" in failed.missing.why


def test_a_signal_is_called_by_its_name() -> None:
    terminal = FakeTerminal()
    terminal.ends(-9)
    assert "SIGKILL" in failure(terminal, expect("x")).missing.why


def test_the_nearest_line_is_shown() -> None:
    terminal = FakeTerminal()
    terminal.prints("Building...\nTests pased: 12\nBye\n")
    missing = failure(terminal, expect(r"Tests passed: \d+")).missing
    assert missing.nearest == "Tests pased: 12"


def test_a_difference_in_case_is_pointed_out() -> None:
    terminal = FakeTerminal()
    terminal.prints("Done.\n")
    missing = failure(terminal, expect("done")).missing
    assert (missing.nearest, missing.hint) == ("Done.", "it differs in upper and lower case")


def test_the_exit_code_must_be_the_wanted_one() -> None:
    terminal = FakeTerminal()
    assert isinstance(Exit(0).probe(terminal), NotYet)
    terminal.ends(1)
    answer = Exit(0).probe(terminal)
    assert isinstance(answer, Never)
    assert (answer.expected, answer.actual) == ("exit code 0", "exit code 1")
    assert isinstance(Exit(1).probe(terminal), Held)
    assert isinstance(Exit(None).probe(terminal), Held)


def test_a_title_is_waited_for() -> None:
    terminal = FakeTerminal()
    terminal.prints(b"\x1b]2;editor - a.txt\x07", after_s=0.5)
    wait(terminal, Title(re.compile(r"a\.txt$")))
    answer = Title(re.compile("b")).probe(terminal)
    assert isinstance(answer, Missing)
    assert answer.actual == "editor - a.txt"


def test_the_bell_counts_since_the_last_input() -> None:
    terminal = FakeTerminal()
    terminal.prints(b"\x07")
    assert isinstance(Bell().probe(terminal), Held)
    assert isinstance(Bell(wanted=False).probe(terminal), Never)
    asyncio.run(terminal.type("x"))
    assert isinstance(Bell().probe(terminal), NotYet)
    assert isinstance(Bell(wanted=False).probe(terminal), Held)


def test_rest_is_counted_from_the_last_change() -> None:
    terminal = FakeTerminal()
    for tenth in range(1, 11):
        terminal.prints(f"{tenth} ", after_s=tenth / 10)
    wait(terminal, Idle(0.2))
    assert terminal.now == pytest.approx(1.2, abs=0.001)


def test_a_screen_that_never_rests_times_out() -> None:
    terminal = FakeTerminal(timeout=1)
    for tenth in range(1, 30):
        terminal.prints(f"\r{tenth}", after_s=tenth / 10)
    failed = failure(terminal, Idle(0.2))
    assert failed.timed_out
    assert "keeps changing" in failed.missing.why


def test_all_checks_must_hold_at_once() -> None:
    terminal = FakeTerminal()
    terminal.prints("a", after_s=1)
    terminal.prints("b", after_s=2)
    assert len(wait(terminal, expect("a"), expect("b"))) == 2
    assert terminal.now == pytest.approx(2)


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("done", "done"),
        (r"v\d+\.\d+ ready", "v . ready"),
        (r"a\.b", "a.b"),
        ("[abc\\]]+x", "x"),
        (r"(?:a|b)(?P<n>c){2,3}", "a b c"),
        (r"(?i)done", "done"),
        (r"\ta\b", "a"),
        (r"\$ $", "$"),
    ],
)
def test_the_literal_part_of_a_pattern(pattern: str, literal: str) -> None:
    assert literal_of(pattern) == literal


def test_nothing_near_is_no_line() -> None:
    assert nearest_line("completely different", ["xyz", "qqq"]) == ""
    assert nearest_line("", ["xyz"]) == ""
