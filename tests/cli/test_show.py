"""Runs that were kept, whole and broken, shown again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orchestro.cli.main import run


@pytest.fixture(autouse=True)
def one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.scenario.yaml").write_text("name: greets\ncommand: echo hello\nsteps: [{expect: hello}]\n")
    assert run(["run"]) == 0
    capsys.readouterr()


def kept() -> Path:
    return next(Path(".orchestro/runs").iterdir())


def test_a_directory_without_a_log_is_not_the_last_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".orchestro/runs/99991231-235959-999-ffff").mkdir()
    assert run(["show"]) == 0
    assert "greets" in capsys.readouterr().out


def test_the_beginning_of_an_id_names_a_run_when_no_other_begins_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", kept().name[:13]]) == 0
    assert "greets" in capsys.readouterr().out
    kept().parent.joinpath(kept().name[:-4] + "ffff").mkdir()
    assert run(["show", kept().name[:13]]) == 2
    assert "2 runs begin with" in capsys.readouterr().err


def test_a_run_that_was_killed_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    log = kept() / "events.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join(lines[:2]) + lines[2][:10], encoding="utf-8")
    assert run(["show"]) == 0
    assert "the run broke off" in capsys.readouterr().out
    assert run(["runs"]) == 0
    assert "did not end" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--html", "r.html"], ["--json"]])
def test_an_empty_record_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (kept() / "events.jsonl").write_text('{"type":"run_star', encoding="utf-8")
    assert run(["show", *arguments]) == 2
    assert "is empty" in capsys.readouterr().err
    assert not Path("r.html").exists()


def test_it_says_when_no_browser_can_be_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    assert run(["show", "--open"]) == 0
    captured = capsys.readouterr()
    assert Path(captured.out.strip()).read_text(encoding="utf-8").startswith("<!")
    assert "no browser could be started" in captured.err


def test_the_timeline_is_written_from_the_record_as_it_is_during_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "--trace", "deep/show.json"]) == 0
    assert capsys.readouterr().out == "deep/show.json\n"
    shown = json.loads(Path("deep/show.json").read_text(encoding="utf-8"))
    assert "greets" in [event["name"] for event in shown if event["ph"] == "X"]
    assert run(["run", "--trace", "run.json"]) == 0
    assert re.search(r"Trace +run\.json", capsys.readouterr().out)
    during = Path("run.json").read_text(encoding="utf-8")
    assert run(["show", "--trace", "again.json", "--html", "r.html"]) == 0
    assert capsys.readouterr().out == "again.json\nr.html\n"
    assert Path("again.json").read_text(encoding="utf-8") == during


def test_a_timeline_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["show", "--trace", "-"], ["run", "--trace", "."]):
        assert run(arguments) == 2
        assert "--trace" in capsys.readouterr().err
