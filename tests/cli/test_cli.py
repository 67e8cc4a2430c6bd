"""The command line, mostly in this process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from orchestro import __version__
from orchestro.cli import commands, completion, doctor, lines, reference
from orchestro.cli.main import make_parser, run

ROOT = Path(__file__).resolve().parents[2]
GOOD = "name: good\ncommand: echo hello\ntags: fast\nsteps: [{expect: hello}]\n"
BAD = "name: bad\ncommand: echo Hello Wrld\ntimeout: 200ms\nsteps: [{expect: Hello World}]\n"
BROKEN = "name: broken\ncommand: no-such-program-xyz\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def write(*texts: str, name: str = "t.scenario.yaml") -> None:
    Path(name).write_text("---\n".join(texts))


@pytest.mark.parametrize(
    ("texts", "arguments", "code"),
    [
        pytest.param([GOOD], [], 0, id="passed"),
        pytest.param([GOOD, BAD], [], 1, id="failed"),
        pytest.param(["command: x\nstps: []\n"], [], 2, id="mistakes"),
        pytest.param([GOOD], ["-k", "nothing"], 4, id="nothing selected"),
        pytest.param([GOOD, BROKEN], [], 5, id="only infrastructure"),
        pytest.param([BAD, BROKEN], [], 1, id="a failure outweighs an error"),
        pytest.param([GOOD], ["--tag", "fast and"], 2, id="a broken expression"),
        pytest.param([GOOD], ["--scheduler", "prority"], 2, id="an unknown scheduler"),
        pytest.param([GOOD], ["-j", "0"], 2, id="no workers"),
        pytest.param([GOOD], ["--shard", "3/2"], 2, id="a wrong shard"),
        pytest.param([GOOD], ["missing.yaml"], 2, id="a path that is not there"),
        pytest.param([GOOD], ["--reporter", "no-such"], 2, id="an unknown reporter"),
    ],
)
def test_exit_codes(texts: list[str], arguments: list[str], code: int) -> None:
    write(*texts)
    assert run(["run", *arguments]) == code


def test_mistakes_are_shown_with_their_line_and_a_caret(capsys: pytest.CaptureFixture[str]) -> None:
    write("command: echo\nsteps:\n  - exepct: x\n")
    assert run(["run"]) == 2
    err = capsys.readouterr().err
    assert "t.scenario.yaml:3:5: steps[0].exepct" in err
    assert "did you mean 'expect'" in err
    assert "\n      - exepct: x\n        ^\n" in err
    assert "1 mistake found; nothing was run" in err
    assert run(["validate"]) == 2
    assert capsys.readouterr().err.endswith("1 mistake found\n")


def test_all_reports_of_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD, BAD)
    assert run(["run", "-j", "2", "--junit-xml", "out/j.xml", "--html", "out/r.html", "--json", "out/e.jsonl"]) == 1
    out = capsys.readouterr().out
    assert "out/r.html" in out
    suite = ET.parse("out/j.xml").getroot()
    assert len(list(suite.iter("testcase"))) == 2
    assert len(list(suite.iter("failure"))) == 1
    events = [json.loads(line) for line in Path("out/e.jsonl").read_text().splitlines()]
    assert (events[0]["type"], events[-1]["type"]) == ("run_started", "run_finished")
    assert "Hello Wrld" in Path("out/r.html").read_text()


def test_json_on_standard_output_leaves_it_to_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD)
    assert run(["run", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert all(json.loads(line)["type"] for line in captured.out.splitlines())
    assert "1 passed" in captured.err


def test_selection_repetition_and_last_failed(capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD, BAD)
    assert run(["run", "--tag", "fast", "--repeat", "3"]) == 0
    assert "3 passed" in capsys.readouterr().out
    assert run(["run"]) == 1
    capsys.readouterr()
    assert run(["run", "--last-failed", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "bad" in out
    assert "good" not in out


def test_dry_run_runs_nothing_and_shows_the_order(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "name: late\ncommand: touch ran\nneeds: early\n",
        "name: early\ncommand: touch ran\n",
        "name: first\ncommand: touch ran\npriority: high\n",
    )
    assert run(["run", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.index("first") < out.index("early  ") < out.index("late")
    assert not Path("ran").exists()


def test_github_annotations_come_by_themselves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write(BAD)
    assert run(["run"]) == 1
    assert "::error file=t.scenario.yaml,line=4" in capsys.readouterr().out


def test_show_prints_the_last_run_again_and_writes_its_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show"]) == 2
    assert "no run" in capsys.readouterr().err
    write(GOOD, BAD)
    run(["run"])
    first = capsys.readouterr().out
    assert run(["show"]) == 0
    again = capsys.readouterr().out
    assert "was not printed" in again
    assert "Hello Wrld" in first
    assert "Hello Wrld" in again
    assert run(["show", "--html", "r.html"]) == 0
    assert Path("r.html").stat().st_size > 10_000
    assert run(["runs"]) == 0
    assert "1 failed" in capsys.readouterr().out
    assert run(["show", "no-such-run"]) == 2


def test_list_and_validate_and_schema(capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD, BAD)
    assert run(["list", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["good", "bad"]
    assert run(["list"]) == 0
    assert "t.scenario.yaml:1  [fast]" in capsys.readouterr().out
    assert run(["validate"]) == 0
    assert capsys.readouterr().out == "2 scenarios in 1 file are valid\n"
    write("steps: [{send: x}]\n", name="u.scenario.yaml")
    assert run(["validate", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[0]["file"] == "u.scenario.yaml"
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"]


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", 'printf "Name? "; read n; echo "Hello $n"'],
        ["echo", "hello (world) [x] *"],
        ["sh", "-c", "exit 3"],
        ["sh", "-c", "printf '\\033[?1049hfull screen'; read x"],
        ["cat"],
        ["date"],
        ["sh", "-c", "echo $$; echo run $$; mktemp -u; echo total 12; echo always the same"],
        ["sh", "-c", 'echo x >> "$COUNTER"; exit $(($(wc -l < "$COUNTER") % 2))'],
    ],
    ids=["asks", "ends", "fails", "full screen", "silent", "the time", "changes", "ends differently"],
)
def test_init_writes_a_scenario_that_passes(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTER", str(tmp_path / "counter"))
    assert run(["init", "-o", "new.scenario.yaml", "--", *command]) == 0
    assert run(["run", "new.scenario.yaml"]) == 0, capsys.readouterr().out
    assert run(["init", "-o", "new.scenario.yaml", "--", *command]) == 2
    assert "exists already" in capsys.readouterr().err


def test_init_waits_for_what_stays_the_same_and_needs_no_digits(capsys: pytest.CaptureFixture[str]) -> None:
    look = "printf '\\033[?1049h~    12 of 99    VIM - Vi IMproved   %s' $$; read x"
    assert run(["init", "-o", "new.yaml", "--wait", "2s", "--", "sh", "-c", look]) == 0
    text = Path("new.yaml").read_text()
    assert '- see: "VIM - Vi IMproved"' in text
    assert text.startswith("# yaml-language-server: $schema=/")
    assert Path(text.splitlines()[0].partition("=")[2]).is_file()


def test_init_leaves_existing_files_alone_unless_forced(capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.yaml").write_text("mine")
    assert run(["init", "-o", "new.yaml", "--", "true"]) == 2
    assert Path("new.yaml").read_text() == "mine"
    assert run(["init", "-o", "new.yaml", "--force", "--", "true"]) == 0
    assert "exit: 0" in Path("new.yaml").read_text()
    assert run(["init", "-o", "other.yaml", "--", "no-such-program-xyz"]) == 2
    assert not Path("other.yaml").exists()
    assert run(["init"]) == 2
    assert "needs the command" in capsys.readouterr().err


def test_doctor_finds_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "a program ran on it and answered" in out


def test_doctor_fails_only_for_what_is_required_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> str:
        raise ImportError("not here")

    monkeypatch.setattr(doctor, "_png", missing)
    assert run(["doctor"]) == 0
    assert "pictures (PNG)     ImportError: not here: install resvg_py" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "_screen", missing)
    assert run(["doctor"]) == 1
    assert "screen             ImportError: not here: install pyghostty or pyte" in capsys.readouterr().out


def test_help_is_a_word_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "show"]) == 0
    assert "usage: orchestro show" in capsys.readouterr().out
    assert run(["help"]) == 0
    assert "usage: orchestro [-h]" in capsys.readouterr().out


@pytest.mark.parametrize("spelling", [["-j", "2"], ["-j2"], ["--workers", "2"], ["--parallel", "--workers=2"]])
def test_workers_have_several_spellings(spelling: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD, BAD)
    assert run(["run", *spelling, "--dry-run"]) == 0
    assert "would run on 2 workers" in capsys.readouterr().out


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vaildate"]) == 2
    assert "did you mean 'validate'" in capsys.readouterr().err


def test_alone_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "orchestro run tests/" in capsys.readouterr().out


def test_a_bug_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(paths: object, **_: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("orchestro.scenario.loader.load", broken)
    assert run(["validate"]) == 3
    err = capsys.readouterr().err
    assert "RuntimeError: oops" in err
    trace = Path(err.rsplit(" ", 1)[1].strip().rstrip("."))
    assert "oops" in trace.read_text()
    trace.unlink()


def test_every_command_is_known_for_suggestions() -> None:
    parser = make_parser()
    names = next(action.choices for action in parser._actions if action.dest == "command")
    assert names is not None
    assert sorted(names) == sorted(commands.NAMES)


def test_version_imports_nothing_of_weight() -> None:
    code = (
        "import sys; sys.argv = ['orchestro', 'version']; from orchestro.cli.start import main; main(); "
        "print(sorted(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.startswith(f"orchestro {__version__}\n")
    for module in ("argparse", "asyncio", "yaml", "json", "sqlite3", "dataclasses", "re"):
        assert f"'{module}'" not in out


def test_python_m_works() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "orchestro", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert out == f"orchestro {__version__}\n"


def test_the_reference_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == reference.reference(), "run `make docs`"


def test_bash_completes_commands_options_and_choices() -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is missing")
    Path("c.bash").write_text(completion.script("bash"))

    def complete(*words: str) -> list[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        script = (
            f"source ./c.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _orchestro; echo ${{COMPREPLY[@]}}"
        )
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()

    assert complete("orchestro", "ru") == ["run", "runs"]
    assert complete("orchestro", "run", "--htm") == ["--html"]
    assert complete("orchestro", "run", "--snapshot", "u") == ["update"]
    assert complete("orchestro", "completion", "z") == ["zsh"]


@pytest.mark.parametrize(("shell", "check"), [("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])])
def test_completion_scripts_are_valid(shell: str, check: list[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing")
    Path("c").write_text(completion.script(shell))
    assert subprocess.run([*check, "c"], capture_output=True, text=True, check=False).stderr == ""


def test_paths_may_follow_options(capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD, name="a.yaml")
    write(BAD, name="b.yaml")
    assert run(["run", "a.yaml", "--dry-run", "b.yaml", "-j", "1"]) == 0
    out = capsys.readouterr().out
    assert "good" in out
    assert "bad" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--retires", "2"], "unknown option --retires, did you mean --retries?"),
        (["--snap", "update"], "unknown option --snap, did you mean"),
        (["--retries", "-1"], "argument --retries: expected a whole number, got '-1'"),
        (
            ["-j", "many"],
            "argument -j/--workers: expected a whole number of at least 1, two such as 2..10, or auto, got 'many'",
        ),
        (["--timeout", "5q"], "argument --timeout: expected a duration such as 500ms, 30s or 2m, got '5q'"),
        (["--timeout", "0"], "argument --timeout: expected a duration above 0, got '0'"),
        (["-q", "-v"], "argument -v/--verbose: not allowed with argument -q/--quiet"),
        (["--junit-xml", "-"], "--junit-xml -: expected the path of a file"),
        (["--html", "."], "--html .: expected the path of a file, this is a directory"),
        (["--json", "t.scenario.yaml/x"], "--json t.scenario.yaml/x: "),
    ],
)
def test_wrong_values_are_named_with_what_was_expected_and_nothing_runs(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write("name: touches\ncommand: touch ran\n")
    assert run(["run", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert not Path("ran").exists()


def test_mistakes_name_the_help_of_their_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "--nosuch"]) == 2
    assert "See `orchestro show --help`." in capsys.readouterr().err


def test_a_passing_run_whose_report_cannot_be_written_does_not_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("orchestro.observe.html.write_report", full)
    write(GOOD)
    assert run(["run", "--html", "r.html"]) == 5
    captured = capsys.readouterr()
    assert "the HTML report r.html was not written: No space left on device" in captured.err
    assert "HTML report  r.html" not in captured.out


def test_annotations_stay_out_of_json_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write(BAD)
    assert run(["run", "--json", "-"]) == 1
    captured = capsys.readouterr()
    assert all(json.loads(line)["type"] for line in captured.out.splitlines())
    assert "::error file=t.scenario.yaml" in captured.err


@pytest.mark.parametrize("arguments", [["run", "-v"], ["run", "--json", "-"], ["list"], ["schema"], ["run", "--help"]])
def test_a_reader_that_goes_away_is_no_error_and_changes_no_exit_code(arguments: list[str]) -> None:
    write(GOOD)
    with subprocess.Popen(
        [sys.executable, "-m", "orchestro", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 0
    assert "Error" not in err
    assert "dropped" not in err


def test_a_failing_run_fails_also_when_nobody_reads() -> None:
    write(BAD)
    with subprocess.Popen(
        [sys.executable, "-m", "orchestro", "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.parametrize("command", ["", *commands.NAMES])
def test_help_fits_a_narrow_terminal(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert run([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 50


def test_help_keeps_examples_in_columns_where_they_fit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    run(["run", "--help"])
    assert "\n  orchestro run tests/login.yaml -v      one file, step by step\n" in capsys.readouterr().out


def test_results_are_wrapped_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "  a name that is rather long  (tags one, two)"
    lines.say(text)
    assert capsys.readouterr().out == text + "\n"
    monkeypatch.setattr(lines, "terminal_columns", lambda: 24)
    lines.say(text)
    assert capsys.readouterr().out == "  a name that is rather\n      long  (tags one,\n      two)\n"


def test_runs_says_so_when_there_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runs"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no run in" in captured.err


def test_dry_run_says_why_something_would_be_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD, "name: left out\ncommand: echo\nskip: not today\n")
    assert run(["run", "--dry-run", "-j", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 scenario would run on 1 worker, in this order, 1 skipped:\n")
    assert "left out  (skipped: not today; t.scenario.yaml:6)" in out


def test_show_replays_only_failures_and_events(capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD, BAD)
    run(["run"])
    capsys.readouterr()
    assert run(["show", "--failed"]) == 0
    out = capsys.readouterr().out
    assert "was not printed" in out
    assert "good" not in out
    assert run(["show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["type"] == "run_finished"
    assert run(["show", "--html", "t.scenario.yaml/x"]) == 2


def test_the_traceback_of_a_bug_is_shown_at_once_in_debug_mode(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(paths: object, **_: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("orchestro.scenario.loader.load", broken)
    monkeypatch.setenv("ORCHESTRO_DEBUG", "1")
    assert run(["validate"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_the_traceback_of_a_bug_goes_to_the_state_directory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(paths: object, **_: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("orchestro.app.loading.load_work", broken)
    Path("state").mkdir()
    assert run(["run", "--output-dir", "state"]) == 3
    assert "oops" in capsys.readouterr().err
    (trace,) = Path("state").glob("bug-*.txt")
    assert "RuntimeError: oops" in trace.read_text()


def test_ctrl_c_before_the_run_begins_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(paths: object, **_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestro.app.loading.load_work", stopped)
    assert run(["list"]) == 130
    assert capsys.readouterr().err == ""


def test_bash_itself_completes_files_with_blanks() -> None:
    script = completion.script("bash")
    Path("c.bash").write_text(script)
    assert subprocess.run(["bash", "-n", "c.bash"], capture_output=True, check=False).returncode == 0
    assert "complete -o bashdefault -o default -F _orchestro orchestro" in script


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_the_machines_fault_and_named_briefly() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "orchestro", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (5, "orchestro: No space left on device\n")
