from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from run_script import NO_MATCH, START, RunScript

from orchestro.events import (
    BreakerChanged,
    Event,
    RetryScheduled,
    RunResumed,
    StrategyChanged,
    TaskRouted,
    WorkersChanged,
)
from orchestro.model import Failure, Finding, Outcome, Source
from orchestro.observe.columns import width
from orchestro.observe.console import FEW, ConsoleReporter, choose_console
from orchestro.terminal.screen import open_screen

GOLDEN = Path(__file__).parent / "golden"
HIDDEN = Finding("cursor-hidden", "the program left the cursor hidden")


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and remembers each write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


def play(
    script: RunScript, *, verbosity: int = 0, columns: int | None = None, color: bool = False, notes: bool = False
) -> tuple[str, str]:
    """What the plain console writes on stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    size = None if columns is None else lambda: (columns, 24)
    console = ConsoleReporter(out, err, color=color, size=size, verbosity=verbosity)
    if notes:
        console.note("HTML report", "report.html")
        console.note("JUnit XML", "out/junit.xml")
    for event in script.events:
        console.handle(event)
    console.close()
    return out.getvalue(), err.getvalue()


def compare(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def all_pass() -> RunScript:
    script = RunScript().plan("bash echoes", "python adds", "less scrolls")
    script.runs("bash echoes").runs("python adds", duration_s=1.5).runs("less scrolls", duration_s=12.25)
    return script.finish(0)


def every_failure() -> RunScript:
    script = RunScript(4).plan("vim saves", file="examples/vim.yaml", line=3)
    script.plan("login", "after login", "json", "no program", "slow to start", "top", "needs less", "ends well")
    script.runs("vim saves", Outcome.TIMED_OUT, duration_s=5.01, failure=NO_MATCH)
    diff = ("--- expected", "+++ actual", " one", "-two", "+2")
    script.runs(
        "login",
        Outcome.FAILED,
        failure=Failure(
            "the output is not what was expected",
            Source("examples/demo.yaml", 9),
            "expect_output",
            3,
            expected="one\ntwo\n",
            actual="one\n2\n",
            diff=diff,
        ),
    )
    script.blocked("after login", "login")
    script.runs(
        "json",
        Outcome.FAILED,
        failure=Failure(
            "exit code 3, not 0",
            Source("examples/demo.yaml", 19),
            "expect_code: 0",
            1,
            expected="0",
            actual="3",
            output="Traceback:\n  \x1b[31mValueError\n",
        ),
    )
    script.runs(
        "no program",
        Outcome.ERROR,
        failure=Failure("cannot start 'nosuch': No such file or directory", hint="is it on the PATH?"),
    )
    script.flakes("slow to start", NO_MATCH)
    script.runs("top", findings=(HIDDEN,)).runs("ends well", findings=(HIDDEN, Finding("wait", "waits a fixed 500 ms")))
    return script.skipped("needs less").finish(1, ("examples/__snapshots__/old.txt",))


def interrupted() -> RunScript:
    script = RunScript().plan("first", "second", "third", "fourth")
    script.runs("first").starts("second").after(0.3).interrupted(1).after(0.5).interrupted(2)
    script.ends("second", Outcome.INTERRUPTED, duration_s=0.8)
    script.verdict("second", Outcome.INTERRUPTED, duration_s=0.8, reason="the run was interrupted")
    return script.never_run("third", "fourth").finish(130)


def matrix() -> RunScript:
    script = RunScript()
    for name in ("locale", "size", "color", "shell"):
        script.plan(*(f"{name} [{n}]" for n in "abc"), file=f"{name}.yaml", group=name)
    broken = Failure("exit code 1, not 0", Source("size.yaml", 7), "expect_code: 0", 2)
    for n in "abc":
        script.runs(f"locale [{n}]")
        script.runs(f"size [{n}]", Outcome.FAILED, failure=broken)
        script.skipped(f"color [{n}]", "no colours here")
    script.runs("shell [a]").runs("shell [b]", Outcome.FAILED, failure=broken).runs("shell [c]")
    return script.finish(1)


def test_a_run_that_passes_is_one_line_a_scenario_and_the_counts() -> None:
    out, err = play(all_pass(), notes=True)
    compare("all_pass", out)
    assert err == ""


def test_each_kind_of_failure_is_shown_in_full_and_named_again_at_the_end() -> None:
    out, _ = play(every_failure(), notes=True)
    compare("every_failure", out)
    *_, last = out.splitlines()
    assert last.startswith("✗ 2 failed, 1 timed out, 1 error, 1 blocked, 1 flaky, 2 passed, 1 skipped")


def test_an_interrupted_run_says_what_was_not_run() -> None:
    out, err = play(interrupted())
    compare("interrupted", out)
    assert "waiting for 1 running scenario;" in err
    assert "ending 1 running scenario now" in err


def test_a_matrix_whose_combinations_agree_is_one_line() -> None:
    out, _ = play(matrix())
    compare("matrix", out)


def test_a_run_without_scenarios_says_so() -> None:
    out, _ = play(RunScript().finish(4))
    assert out == "nothing was run in 0.00 s (exit code 4: nothing selected)\n"


def test_a_run_that_broke_off_says_so_and_names_what_has_no_verdict() -> None:
    out, _ = play(RunScript().plan("a", "b").runs("a").starts("b"))
    assert "the run broke off: b" in out
    assert out.splitlines()[-1] == "✓ 1 passed, 1 without a verdict in 0.12 s (the run broke off)"


def test_nothing_is_printed_when_no_run_began() -> None:
    assert play(_Empty()) == ("", "")


class _Empty(RunScript):
    @property
    def events(self) -> list[Event]:
        return []


def test_a_collapsed_matrix_waits_for_its_last_combination() -> None:
    out, _ = play(RunScript().plan("m [a]", "m [b]", group="m").runs("m [a]"))
    assert "✓ m [a]  0.12 s" in out, "held back, but not lost when the run breaks off"
    assert "combinations" not in out


def test_the_steps_are_shown_with_v() -> None:
    script = RunScript().plan("a").starts("a").step("a", "expect: done")
    script.step_ends("a", "expect: done", why="matched 'done'").step_ends("a", "rm -r x", ok=False, phase="teardown")
    out, _ = play(script.ends("a").verdict("a", Outcome.PASSED).finish(), verbosity=1)
    assert "    ✓ a › expect: done  matched 'done', 0.10 s\n" in out
    assert "    ✗ a › teardown: rm -r x  0.10 s\n" in out
    assert "Slowest" in out


def test_quiet_shows_failures_and_one_line() -> None:
    out, _ = play(every_failure(), verbosity=-1)
    assert "ends well" not in out
    assert "✗ vim saves  timed out after 5.01 s" in out
    assert out.splitlines()[-1].startswith("✗ 2 failed")
    assert play(all_pass(), verbosity=-1)[0] == "✓ 3 passed in 13.9 s\n"


def test_diagnostics_go_to_stderr_alone() -> None:
    out, err = play(RunScript().plan("a").diagnostic("disk is nearly full").runs("a").finish())
    assert err == "warning: disk is nearly full\n"
    assert "disk" not in out


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("script", [every_failure, matrix, interrupted])
def test_no_line_is_wider_than_the_window_but_the_command_to_copy(columns: int, script: object) -> None:
    assert callable(script)
    out, _ = play(script(), columns=columns)
    for line in out.splitlines():
        assert width(line) <= columns or "run again" in line


@pytest.mark.parametrize("columns", [None, 40, 80])
def test_no_control_character_of_a_program_reaches_the_console(columns: int | None) -> None:
    evil = "a\x1b]0;title\x07\x9b31m\u202e\udc80b\nc"
    failure = replace(
        NO_MATCH, message=evil, waited_for=evil, nearest=evil, screen=(evil,), inputs=(evil,), output=evil, hint=evil
    )
    script = RunScript().plan(evil).runs(evil, Outcome.FAILED, failure=failure, findings=(Finding("x", evil),))
    out, err = play(script.diagnostic(evil).finish(1), columns=columns)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", out + err)


def test_a_stream_without_unicode_gets_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    console = ConsoleReporter(out, io.StringIO(), size=lambda: (80, 24))
    for event in every_failure().events:
        console.handle(event)
    console.close()
    text = raw.getvalue().decode("ascii")
    assert "x vim saves  timed out after 5.01 s" in text
    assert "+0---------10--------20" in text
    assert "hello w?rld" in text


# -- the live view


def drawn(
    script: RunScript, *, columns: int = 80, rows: int = 24, until: int | None = None, ticks: bool = True
) -> tuple[list[str], Terminal]:
    """The screen after the events, each followed by a tick, and the stream they were written to."""
    out = Terminal()
    console = ConsoleReporter(out, out, live=True, color=True, size=lambda: (columns, rows))
    for event in script.events[:until]:
        console.handle(event)
        if ticks:
            console.tick(event.at + 0.2)
    if until is None:
        console.close()
    elif ticks:
        console.tick(script.now + 1)
    screen = open_screen(columns, rows)
    screen.feed(out.getvalue().replace("\n", "\r\n").encode())
    lines = [*screen.history(), *screen.lines()]
    screen.close()
    return lines, out


def busy(number: int) -> RunScript:
    names = [f"scenario number {n} with a rather long name 日本語 that goes on" for n in range(number)]
    script = RunScript(8).plan(*names)
    for worker, name in enumerate(names[:8]):
        script.starts(name, worker).step(name, "see: something that takes its time")
    script.after(2.5).ends(names[0], Outcome.FAILED, failure=NO_MATCH).verdict(names[0], Outcome.FAILED)
    script.ends(names[1]).verdict(names[1], Outcome.PASSED)
    return script.skipped(names[9]).after(1)


@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (80, 24), (200, 50), (20, 5), (10, 3)])
def test_the_live_view_fits_the_window_and_leaves_permanent_lines_whole(columns: int, rows: int) -> None:
    script = busy(60)
    lines, out = drawn(script, columns=columns, rows=rows, until=len(script.events))
    progress = [line for line in lines if "3/60" in line]
    assert len(progress) == 1, "one frame, the older ones are gone"
    assert sum("hint" in line for line in lines) == 1, "the failure above is not overdrawn"
    frame = re.search("\x1b\\[[?]7l(.*)\x1b\\[[?]7h", out.writes[-1], re.DOTALL)
    assert frame is not None
    assert frame[1].count("\n") + 1 <= max(1, rows // 2)


def test_the_live_view_shows_what_runs_with_its_step_and_what_failed() -> None:
    script = busy(60)
    lines, _ = drawn(script, columns=120, rows=40, until=len(script.events))
    text = "\n".join(lines)
    assert re.search(r"4\.5 s  scenario number 2 .* see: something that takes its time  4\.50 s", text)
    assert lines.index(next(line for line in lines if "3/60" in line)) == 1 + max(
        n for n, line in enumerate(lines) if line.startswith("✗ scenario number 0")
    ), "the failed one is named again just above the progress"
    assert "3/60  1 failed  1 passed  1 skipped  0:04" in text


def test_what_does_not_fit_is_counted() -> None:
    script = busy(60)
    lines, _ = drawn(script, columns=80, rows=8, until=len(script.events))
    assert any("more running" in line for line in lines)


def test_the_live_view_is_gone_in_the_end_and_changed_no_mode_for_good() -> None:
    script = busy(10).finish(1)
    lines, out = drawn(script)
    assert not any("3/10" in line for line in lines)
    assert sum("without a verdict" in line for line in lines) == 1
    for write in out.writes:
        assert write.count("\x1b[?7l") == write.count("\x1b[?7h"), "wrapping comes back within the same write"
        assert write.count("\x1b[?2026h") == write.count("\x1b[?2026l")
        assert "\x1b[?25l" not in write
        assert "\x1b[?1049h" not in write


def test_few_scenarios_are_all_listed_above_the_live_view_and_of_many_only_those_that_did_not_pass() -> None:
    few = [f"t{n}." for n in range(FEW)]
    many = [f"t{n}." for n in range(FEW + 1)]
    for names, listed in ((few, len(few)), (many, 0)):
        script = RunScript().plan(*names)
        for name in names:
            script.runs(name)
        lines, _ = drawn(script.finish())
        assert sum(line.startswith("✓ t") for line in lines) == listed
        assert any(f"✓ {len(names)} passed in" in line for line in lines)


def test_the_summary_groups_by_reason_what_was_not_listed() -> None:
    names = [f"t{n}." for n in range(FEW + 1)]
    script = RunScript().plan(*names)
    for name in names[:5]:
        script.skipped(name)
    for name in names[5:]:
        script.runs(name)
    lines, _ = drawn(script.finish(), rows=60)
    assert "  - needs vim, which is not installed: t0., t1., t2. and 2 more" in lines


def test_a_run_that_is_over_at_once_shows_no_live_view() -> None:
    script = RunScript().plan("a").runs("a", duration_s=0.05).finish()
    _, out = drawn(script, ticks=False)
    assert "\x1b[?2026h" not in out.getvalue()
    assert "✓ 1 passed in 0.05 s" in re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())


def test_a_diagnostic_stands_on_a_line_of_its_own_above_the_live_view() -> None:
    script = busy(60).diagnostic("the disk is nearly full").after(1)
    lines, _ = drawn(script, until=len(script.events))
    assert "warning: the disk is nearly full" in lines
    assert sum("3/60" in line for line in lines) == 1


def test_a_narrower_window_leaves_no_rest_of_the_wider_frame() -> None:
    size = [100, 30]
    out = Terminal()
    console = ConsoleReporter(out, out, live=True, size=lambda: (size[0], size[1]))
    for event in busy(60).events:
        console.handle(event)
    console.tick(START + 10)
    screen = open_screen(100, 30)
    screen.feed(out.getvalue().replace("\n", "\r\n").encode())
    screen.resize(50, 30)
    size[0] = 50
    written = len(out.getvalue())
    console.tick(START + 11)
    screen.feed(out.getvalue()[written:].replace("\n", "\r\n").encode())
    lines = screen.lines()
    screen.close()
    assert sum("3/60" in line for line in lines) == 1
    assert sum("scenario number 3 " in line for line in lines) == 1


def test_an_unchanged_frame_is_not_written_again() -> None:
    out = Terminal()
    console = ConsoleReporter(out, out, live=True, size=lambda: (80, 24))
    for event in RunScript().plan("a").events:
        console.handle(event)
    console.tick(START + 1.1)
    before = len(out.writes)
    console.tick(START + 1.3)
    assert len(out.writes) == before
    console.tick(START + 2.3)
    assert len(out.writes) == before + 1


# -- which console


@pytest.mark.parametrize(
    ("terminal", "env", "color", "live"),
    [
        (True, {"TERM": "xterm"}, True, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        (True, {"TERM": "xterm", "FORCE_COLOR": "0"}, False, True),
        (True, {"TERM": "dumb"}, False, False),
        (True, {"TERM": "dumb", "FORCE_COLOR": "1"}, True, False),
        (True, {}, False, False),
        (True, {"TERM": "xterm", "CI": "true"}, True, False),
        (True, {"TERM": "xterm", "CI": "false"}, True, True),
        (False, {"TERM": "xterm"}, False, False),
        (False, {"TERM": "xterm", "FORCE_COLOR": "1"}, True, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours_and_the_live_view_follow_the_stream_and_the_environment(
    terminal: bool, env: dict[str, str], color: bool, live: bool
) -> None:
    out = Terminal() if terminal else io.StringIO()
    console = choose_console(out, io.StringIO(), env, windows=False)
    assert (console.tick_s is not None) == live
    for event in all_pass().events:
        console.handle(event)
    console.close()
    assert ("\x1b[32m" in out.getvalue()) == color
    if not live and not color:
        assert "\x1b" not in out.getvalue()


def test_no_color_on_the_command_line_wins_over_force_color() -> None:
    out = Terminal()
    console = choose_console(out, out, {"FORCE_COLOR": "1", "TERM": "dumb"}, no_color=True)
    for event in all_pass().events:
        console.handle(event)
    console.close()
    assert "\x1b" not in out.getvalue()


def test_the_plain_console_imports_nothing_heavy() -> None:
    code = (
        "import sys, orchestro.observe.console;"
        "print([m for m in ('rich','asyncio','importlib.metadata','unicodedata','xml.etree.ElementTree',"
        "'orchestro.observe.console_live') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def build_of_four() -> RunScript:
    script = RunScript(2).plan("build", "docs").plan("link", needs=("build",)).plan("test", needs=("link",))
    script.starts("build").starts("docs", worker=1).after(2)
    script.ends("docs", worker=1, duration_s=2).verdict("docs", Outcome.PASSED, duration_s=2)
    script.after(2).ends("build", duration_s=4).verdict("build", Outcome.PASSED, duration_s=4)
    return script.runs("link", duration_s=2).runs("test", duration_s=3).finish(0)


def test_a_run_with_an_order_to_keep_says_what_held_it_up() -> None:
    out, _ = play(build_of_four(), notes=True)
    compare("analysis", out)
    out, _ = play(build_of_four(), verbosity=1)
    assert "Critical path\n  - 4.00 s  build\n  - 2.00 s  link\n  - 3.00 s  test\n" in out
    out, _ = play(build_of_four(), verbosity=-1)
    assert out == "✓ 4 passed in 9.00 s\n"


def test_the_analysis_keeps_to_the_window() -> None:
    out, _ = play(build_of_four(), columns=50)
    assert max(width(line) for line in out.splitlines()) <= 50


def test_a_run_that_was_cut_short_is_not_analysed() -> None:
    script = RunScript(2).plan("a").plan("b", needs=("a",)).runs("a", duration_s=5).interrupted().never_run("b")
    assert "Makespan" not in play(script.finish(130))[0]


def retried(delay_s: float) -> RunScript:
    script = RunScript().plan("a").starts("a").after(1).ends("a", Outcome.FAILED, failure=NO_MATCH)
    return script.event(RetryScheduled(0, "a", 1, Outcome.FAILED, delay_s)).after(delay_s).starts("a", number=2)


def test_a_long_pause_before_another_attempt_is_told() -> None:
    assert "↻ a  failed, attempt 2 in 2.50 s\n" in play(retried(2.5))[0]
    assert "attempt 2" not in play(retried(2.5), verbosity=-1)[0]


def test_a_short_pause_is_told_only_in_detail_and_none_never() -> None:
    assert "attempt 2 in" not in play(retried(0.25))[0]
    assert "↻ a  failed, attempt 2 in 0.25 s\n" in play(retried(0.25), verbosity=1)[0]
    assert "attempt 2 in" not in play(retried(0), verbosity=1)[0]


def test_a_verdict_that_a_rule_takes_on_says_where_to() -> None:
    script = RunScript().plan("qa", "mend it").event(TaskRouted(0, "qa", Outcome.FAILED, "mend it", "failed 1 times"))
    assert "↻ qa  failed, goes on to mend it (failed 1 times)\n" in play(script)[0]


def test_changes_of_workers_and_scheduler_are_details() -> None:
    script = RunScript().plan("a", "b").event(WorkersChanged(0, 6, "9 tasks wait for 3 workers"))
    script.event(StrategyChanged(0, "sjf", "more than 50 wait")).event(WorkersChanged(0, 1))
    out, _ = play(script, verbosity=1)
    assert "6 workers from now on: 9 tasks wait for 3 workers\n" in out
    assert "scheduler sjf from now on: more than 50 wait\n" in out
    assert "\n1 worker from now on\n" in out
    assert "from now on" not in play(script)[0]


@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_a_circuit_breaker_that_holds_tasks_up_is_a_warning(verbosity: int) -> None:
    script = RunScript().plan("a").event(BreakerChanged(0, "command", "open", "5 of the last 8 failed"))
    script.event(BreakerChanged(0, "command", "half-open", "after 30 s"))
    script.event(BreakerChanged(0, "command", "closed", "3 probes succeeded"))
    _, err = play(script, verbosity=verbosity)
    probing = ["a few command tasks are tried: after 30 s"] if verbosity > 0 else []
    assert err.splitlines() == [
        "warning: no command task starts until the circuit breaker lets one try: 5 of the last 8 failed",
        *probing,
        "command tasks start again: 3 probes succeeded",
    ]


def test_a_resumed_run_says_what_it_keeps() -> None:
    script = RunScript().plan("a", "b", "c").runs("a").after(3600).event(RunResumed(0, "run-1", 4, 1))
    out, _ = play(script.runs("b").runs("c").finish(0))
    assert "resumed: 1 task kept, 2 to run, 4 workers\n" in out
    assert "✓ 3 passed" in out
