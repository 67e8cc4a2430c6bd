"""Whole scenarios on real programs, as a user writes them, and the verdict that each must get."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import orchestro
from orchestro import DocumentError, Outcome, Result, RunOptions

Run = Callable[..., dict[str, Result]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()

    def run(text: str, **options: object) -> dict[str, Result]:
        file = tmp_path / "t.scenario.yaml"
        file.write_text(textwrap.dedent(text))
        report = orchestro.run([str(file)], options=RunOptions(**options))  # type: ignore[arg-type]
        assert os.listdir(tmp_path / "tmp") == [], "the run left files behind"
        return {result.name: result for result in report.results}

    return run


def only(results: dict[str, Result]) -> Result:
    (result,) = results.values()
    return result


def test_several_assertions_on_one_step_must_all_hold(run: Run) -> None:
    result = only(
        run("""\
            command: bash --norc
            timeout: 1s
            steps:
              - send: printf 'a\\nb\\n'; (exit 3)
              - expect_output: "a\\nb"
                expect_lines: 2
                expect_contains: b
                expect_not_contains: c
                expect_regex: ^a$
                expect_code: 0
            """)
    )
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert "exit code 3" in result.failure.message
    assert (result.failure.expected, result.failure.actual) == ("exit code 0", "exit code 3")
    assert result.failure.source.line == 5


def test_a_failed_output_shows_a_diff(run: Run) -> None:
    result = only(
        run("""\
            command: bash --norc
            steps:
              - send: seq 3
              - expect_output: "1\\n2\\n4"
            """)
    )
    assert result.failure is not None
    assert {"-4", "+3"} <= set(result.failure.diff)
    assert result.failure.inputs[-1] == "send 'seq 3'"


def test_expect_next_consumes_and_expect_does_not(run: Run) -> None:
    result = only(
        run("""\
            command: [sh, -c, 'echo one; echo one; read x']
            timeout: 300ms
            steps:
              - expect: one
              - expect: one
              - expect: one
              - expect_next: one
              - expect_next: one
              - expect_next: one
            """)
    )
    assert result.outcome is Outcome.TIMED_OUT
    assert result.failure is not None
    assert result.failure.index == 5


def test_expect_list_matches_in_order(run: Run) -> None:
    results = run("""\
        name: right
        command: [sh, -c, 'echo a; echo b']
        steps:
          - expect: [a, b]
        ---
        name: wrong
        command: [sh, -c, 'echo a; echo b']
        steps:
          - expect: [b, a]
        """)
    assert results["right"].outcome is Outcome.PASSED
    assert results["wrong"].outcome is Outcome.FAILED


def test_a_python_repl_has_output_by_its_prompt(run: Run) -> None:
    result = only(
        run(f"""\
            command: [{sys.executable}, -q]
            steps:
              - expect: '>>> '
              - send: "[x*x for x in range(4)]"
              - expect_output: "[0, 1, 4, 9]"
              - send: "import json; print(json.dumps(dict(a=[1, dict(b=2)])))"
              - expect_json: {{a: [1, {{b: 2}}]}}
              - capture: {{N: '"b": (\\d)'}}
              - send: "${{N}} * 21"
              - expect_output: "42"
              - press: ctrl+d
              - exit: 0
            """)
    )
    assert result.outcome is Outcome.PASSED, result.failure


def test_lines_sent_one_after_the_other_wait_for_the_line_editor(run: Run) -> None:
    result = only(
        run(f"""\
            command: [{sys.executable}, -q]
            steps:
              - expect: '>>> '
              - send: import time
              - send: "def f(x):"
              - send: "    time.sleep(0.1); return x * 2"
              - send: ""
              - send: f(1)
              - send: f(21)
              - expect_output: "42"
            """)
    )
    assert result.outcome is Outcome.PASSED, result.failure


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param("bash --norc", marks=pytest.mark.needs("bash")),
        pytest.param("zsh -f", marks=pytest.mark.needs("zsh")),
        pytest.param("fish --no-config", marks=pytest.mark.needs("fish")),
    ],
)
def test_shells_are_exact(run: Run, shell: str) -> None:
    result = only(
        run(f"""\
            command: {shell}
            steps:
              - send: "sleep 0.2; echo done"
              - expect: done
              - expect_output: done
              - send: cd /
              - send: pwd
              - expect_output: /
                expect_code: 0
              - send: printf no-newline
              - expect_output: no-newline
              - send: sh -c 'exit 7'
              - expect_code: 7
              - send: cat
              - send: echoed by cat
              - expect: echoed by cat
              - press: ctrl+d
              - expect_output: "echoed by cat"
                expect_code: 0
            """)
    )
    assert result.outcome is Outcome.PASSED, result.failure


def test_outcomes_of_every_kind(run: Run) -> None:
    results = run("""\
        name: passes
        command: "true"
        ---
        name: fails
        command: "false"
        ---
        name: hangs
        command: [sleep, "60"]
        timeout: 200ms
        steps: [{exit: 0}]
        ---
        name: too long
        command: [sleep, "60"]
        timeout: 30s
        total_timeout: 300ms
        steps: [{exit: 0}]
        ---
        name: cannot start
        command: no-such-program-xyz
        ---
        name: skipped
        command: "true"
        skip: not today
        ---
        name: not here
        command: "true"
        only_on: {programs: no-such-program-xyz}
        ---
        name: blocked
        command: "true"
        needs: fails
        """)
    assert {name: result.outcome.value for name, result in results.items()} == {
        "passes": "passed",
        "fails": "failed",
        "hangs": "timed out",
        "too long": "timed out",
        "cannot start": "error",
        "skipped": "skipped",
        "not here": "skipped",
        "blocked": "blocked",
    }
    assert "no-such-program-xyz" in results["not here"].reason
    assert "fails" in results["blocked"].reason
    assert results["too long"].failure is not None
    assert "total_timeout" in results["too long"].failure.message


def test_a_retry_that_passes_is_flaky(run: Run, tmp_path: Path) -> None:
    result = only(
        run(f"""\
            command: [sh, -c, 'test -e {tmp_path}/x || {{ touch {tmp_path}/x; exit 1; }}']
            retries: 2
            steps: [{{exit: 0}}]
            """)
    )
    assert result.outcome is Outcome.FLAKY
    assert [attempt.outcome for attempt in result.attempts] == [Outcome.FAILED, Outcome.PASSED]


def test_everything_runs_in_a_fresh_workspace_with_a_private_home(run: Run, tmp_path: Path) -> None:
    result = only(
        run("""\
            command: [sh, -c, 'pwd; cat made in; touch "$HOME/.rc"; echo "$HOME $TMPDIR $TERM $LANG $TZ"; echo x > out']
            workspace: fresh
            files:
              in: "in\\n"
            setup: [echo made > made]
            teardown: [test -s out && cp out ../../../../torn-down]
            steps:
              - expect: ["made", "in", "home.*tmp xterm-256color C.UTF-8 UTC"]
              - exit: 0
            validations:
              - {type: file_equals, path: out, expected: x}
              - {type: path_missing, path: other}
              - {type: exit_code, code: 0}
            """)
    )
    assert result.outcome is Outcome.PASSED, result.failure
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "torn-down").read_text() == "x\n"


def test_teardown_runs_after_a_failure_and_its_own_failure_is_a_finding(run: Run, tmp_path: Path) -> None:
    result = only(
        run(f"""\
            command: "false"
            teardown: [touch {tmp_path}/torn, "false"]
            """)
    )
    assert result.outcome is Outcome.FAILED
    assert (tmp_path / "torn").exists()
    assert [finding.code for finding in result.attempts[0].findings] == ["teardown-failed"]


def test_a_set_up_that_fails_is_an_error_and_the_program_never_starts(run: Run, tmp_path: Path) -> None:
    result = only(
        run(f"""\
            command: touch {tmp_path}/started
            setup: echo broken >&2; exit 4
            """)
    )
    assert result.outcome is Outcome.ERROR
    assert result.failure is not None
    assert "exit code 4" in result.failure.message
    assert "broken" in result.failure.output
    assert not (tmp_path / "started").exists()


def test_a_server_that_set_up_starts_lives_until_teardown_and_no_longer(run: Run, tmp_path: Path) -> None:
    result = only(
        run(f"""\
            command: [sh, -c, 'kill -0 $(cat pid) && echo alive']
            workspace: fresh
            setup: sleep 600 > /dev/null 2>&1 & echo $! > pid
            teardown: cp pid {tmp_path}/pid; kill -0 $(cat pid)
            steps: [{{expect: alive}}, {{exit: 0}}]
            """)
    )
    assert result.outcome is Outcome.PASSED, result.failure
    assert result.attempts[0].findings == ()
    pid = int((tmp_path / "pid").read_text())
    if sys.platform == "linux":
        assert not Path(f"/proc/{pid}").exists() or ") Z" in Path(f"/proc/{pid}/stat").read_text()


def test_a_matrix_is_one_scenario_for_each_combination(run: Run) -> None:
    results = run("""\
        name: sized
        command: [sh, -c, 'stty size; echo $GREETING']
        matrix:
          size: [[80, 24], [40, 10]]
          env: {GREETING: [hi, ho]}
        steps:
          - expect: '^(24 80|10 40)\\n(hi|ho)'
        """)
    assert len(results) == 4
    assert {result.outcome for result in results.values()} == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (r"printf '\033[?1049h'", "alternate-screen"),
        (r"printf '\033[?25l'", "cursor-hidden"),
        (r"printf '\033[?1000h\033[?1006h'", "mouse-on"),
        (r"printf '\033[?2004h'", "paste-mode-on"),
        ("trap : TERM; trap '' HUP; sleep 600 &", "orphan-process"),
    ],
)
def test_what_a_program_leaves_behind_is_a_warning(run: Run, script: str, code: str) -> None:
    result = only(run(f"command: [bash, -c, {json.dumps(script)}]\nsteps: [{{exit: 0}}]\n"))
    assert result.outcome is Outcome.PASSED, result.failure
    assert [finding.code for finding in result.attempts[0].findings] == [code]


def test_a_fixed_wait_is_reported_as_a_smell(run: Run) -> None:
    result = only(run("command: cat\nsteps: [{wait: 10ms}]\n"))
    assert [finding.code for finding in result.attempts[0].findings] == ["fixed-wait"]


def test_a_flood_does_not_hold_up_the_others(run: Run) -> None:
    results = run(
        """\
        name: flood
        command: "yes"
        timeout: 500ms
        steps: [{expect: never}]
        ---
        name: quick
        command: echo hello
        steps: [{expect: hello}]
        """
    )
    assert results["flood"].outcome is Outcome.TIMED_OUT
    assert results["quick"].outcome is Outcome.PASSED


def test_the_pipe_driver_runs_programs_without_a_terminal(run: Run) -> None:
    result = only(
        run("""\
            command: [sh, -c, 'test -t 0 || echo no terminal; read x; echo "got $x"; exit 3']
            driver: pipe
            steps:
              - expect: no terminal
              - send: hello
              - expect: got hello
              - see: got hello
              - exit: 3
            """)
    )
    assert result.outcome is Outcome.PASSED, result.failure


def test_run_steps_look_at_their_own_output(run: Run) -> None:
    results = run("""\
        name: good
        command: cat
        workspace: fresh
        steps:
          - run: [sh, -c, "echo out; exit 3"]
            expect_output: out
            expect_code: 3
        ---
        name: bad
        command: cat
        steps:
          - run: "false"
        """)
    assert results["good"].outcome is Outcome.PASSED, results["good"].failure
    assert results["bad"].outcome is Outcome.FAILED


def test_mistakes_of_all_files_are_shown_before_anything_runs(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as error:
        run(f"""\
            command: touch {tmp_path}/started
            steps:
              - exepct: x
              - press: ctrl+entre
            timeout: soon
            """)
    text = str(error.value)
    assert "t.scenario.yaml:3:5" in text.replace(str(tmp_path) + os.sep, "")
    assert "expect" in text
    assert len(error.value.problems) == 3
    assert not (tmp_path / "started").exists()


def test_snapshots_are_written_compared_and_updated(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """\
        name: shot
        command: [sh, -c, 'cat "$0"; read x', FILE]
        timeout: 400ms
        steps:
          - see: screen
          - snapshot: first
        """.replace("FILE", str(tmp_path / "content"))
    (tmp_path / "content").write_text("a screen\n")
    first = only(run(text))
    assert first.outcome is Outcome.PASSED
    assert [finding.code for finding in first.attempts[0].findings] == ["snapshot-written"]
    assert only(run(text)).outcome is Outcome.PASSED
    (tmp_path / "content").write_text("b screen\n")
    changed = only(run(text))
    assert changed.failure is not None
    assert any(line.startswith("-") and "a screen" in line for line in changed.failure.diff)
    assert any(line.startswith("+") and "b screen" in line for line in changed.failure.diff)
    assert only(run(text, snapshot_mode="update")).outcome is Outcome.PASSED
    assert only(run(text)).outcome is Outcome.PASSED
    (stored,) = (tmp_path / "__snapshots__").rglob("*.snap")
    stored.unlink()
    monkeypatch.setenv("CI", "true")
    assert only(run(text)).outcome is Outcome.FAILED
