"""Dead letters and the choice of the store on the command line."""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestro.cli.main import run
from orchestro.cli.values import age
from orchestro.model import DeadLetter, Source
from orchestro.store.database import open_database
from orchestro.store.dead_letters import DeadLetters

LETTER = DeadLetter(
    fingerprint="abc123def456789",
    task_id="a",
    kind="scenario",
    name="logs in",
    source=Source("tests/login.yaml", 3),
    error="no prompt\nwithin 5 s \x1b[31m",
    reason="failed 3 times",
    attempts=3,
    count=1,
    first_at=0.0,
    last_at=0.0,
    run_id="r1",
    payload='{"command": ["lögin"]}',
    stage="qa",
)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRO_STORE", raising=False)


def fill(store: str = ".orchestro/history.db", *letters: DeadLetter) -> None:
    os.makedirs(".orchestro", exist_ok=True)
    database = open_database(store)
    for letter in letters or (LETTER, replace(LETTER, fingerprint="abc9", name="logs out", last_at=time.time())):
        DeadLetters(database).add(letter)
    database.close()


@pytest.mark.parametrize(("arguments", "out"), [([], ""), (["--json"], "[]\n")])
def test_before_anything_was_given_up_the_list_says_so_and_makes_nothing(
    arguments: list[str], out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dlq", "list", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.out == out
    assert ("there are no dead letters" in captured.err) is (not arguments)
    assert os.listdir() == []
    assert run(["dlq", "show", "abc"]) == 2
    assert run(["dlq", "purge", "--all"]) == 0
    assert os.listdir() == []


def test_the_list_shows_the_newest_first_and_how_many_more_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    assert run(["dlq", "list"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("abc9  ")
    assert out[1] == "abc123def456  1970-01-01 00:00:00Z    1x  logs in: failed 3 times"
    assert run(["dlq", "list", "--limit", "1"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "1 more; --limit 2 shows all" in captured.err


def test_one_is_shown_whole_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    assert run(["dlq", "show", "abc1"]) == 0
    out = capsys.readouterr().out
    for part in (
        LETTER.fingerprint,
        "a (scenario), in stage qa",
        "tests/login.yaml:3",
        "3 in run r1",
        "1 time",
        "lögin",
    ):
        assert part in out
    assert "\x1b" not in out
    assert run(["dlq", "show", "abc"]) == 2
    assert "several dead letters begin with 'abc'; `orchestro dlq list`" in capsys.readouterr().err


def test_json_has_everything_with_the_payload_as_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    assert run(["dlq", "show", "abc1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["payload"] == {"command": ["lögin"]}
    assert shown["source"] == {"file": "tests/login.yaml", "line": 3, "column": 0}
    assert run(["dlq", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == shown


def test_old_letters_are_dropped_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    assert run(["dlq", "purge"]) == 2
    assert "one of the arguments --older-than --all is required" in capsys.readouterr().err
    assert run(["dlq", "purge", "--older-than", "7d"]) == 0
    assert capsys.readouterr().out == "dropped 1 dead letter\n"
    assert run(["dlq", "purge", "--older-than", "7d"]) == 0
    assert capsys.readouterr().out == "there was nothing to drop\n"
    assert run(["dlq", "purge", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": 1}


def test_the_option_goes_before_the_variable_and_that_before_the_state_directory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in (".orchestro/history.db", "variable.db", "option.db"):
        fill(store, replace(LETTER, fingerprint=store))
    assert run(["dlq", "list"]) == 0
    assert capsys.readouterr().out.startswith(".orchestro/h")
    monkeypatch.setenv("ORCHESTRO_STORE", "variable.db")
    assert run(["dlq", "list"]) == 0
    assert capsys.readouterr().out.startswith("variable.db")
    assert run(["dlq", "list", "--store", "sqlite:///option.db"]) == 0
    assert capsys.readouterr().out.startswith("option.db")


def test_a_store_that_cannot_be_used_is_told_and_looking_makes_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dlq", "list", "--store", "typo.db"]) == 2
    assert "there is no store typo.db" in capsys.readouterr().err
    assert run(["dlq", "list", "--store", "mysql://x"]) == 2
    assert run(["dlq", "list", "--store", ""]) == 2
    assert "expected a path or a URL" in capsys.readouterr().err
    Path("text.db").write_text("this is no database " * 100)
    assert run(["dlq", "list", "--store", "text.db"]) == 5
    assert "it is not an SQLite database" in capsys.readouterr().err


def test_a_run_keeps_its_history_in_the_store_that_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.scenario.yaml").write_text("name: greets\ncommand: echo hello\nsteps: [{expect: hello}]\n")
    assert run(["run", "--store", "team.db", "--dry-run"]) == 0
    assert not Path("team.db").exists()
    assert run(["run", "--store", "team.db"]) == 0
    assert not Path(".orchestro/history.db").exists()
    database = open_database("team.db")
    assert [row[0] for row in database.query("SELECT key FROM task")] == ["t.scenario.yaml::greets"]
    database.close()
    capsys.readouterr()
    Path("text.db").write_text("this is no database " * 100)
    assert run(["run", "--store", "text.db"]) == 5
    assert "it is not an SQLite database" in capsys.readouterr().err


def test_the_record_of_a_run_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, ...]] = []

    def run_async(paths: object, options: object, observers: object) -> object:
        seen.append(options.argv)  # type: ignore[attr-defined]  # a RunOptions
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestro.app.run_async", run_async)
    Path("t.yaml").write_text("name: greets\ncommand: echo hello\n")
    run(["run", "--store", "postgresql://me:secret@db/x", "t.yaml"])
    assert seen == [("orchestro", "run", "--store", "postgresql://me@db/x", "t.yaml")]


@pytest.mark.parametrize(("text", "seconds"), [("7d", 604800), ("1d12h", 129600), ("30m", 1800), ("0d", 0)])
def test_an_age_may_be_in_days(text: str, seconds: float) -> None:
    assert age(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5d", "week", "7dd", "1d x"])
def test_what_is_no_age_is_told(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        age(text)
