"""`orchestro cache`: what is kept, shown and removed."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import pytest

from orchestro.cli.cache import age, readable, size
from orchestro.cli.main import run
from orchestro.store.cache.cache import ResultCache
from orchestro.store.directory import StateDirectory

KEYS = ("a" * 40, "b" * 40)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def directory() -> str:
    state = StateDirectory(".orchestro")
    state.prepare()
    Path("out").write_bytes(b"x" * 3000)
    cache = ResultCache(state.results)
    for key in KEYS:
        cache.put(key, ".", ("out",), "", 1.0)
    found = cache.get(KEYS[0])
    assert found is not None
    cache.touch([found])
    cache.miss(3)
    cache.close()
    return state.results


@pytest.mark.parametrize("what", ["stats", "gc", "clear"])
def test_without_a_cache_it_says_so_and_makes_nothing(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", what]) == 0
    assert "no result is kept" in capsys.readouterr().err
    assert os.listdir() == []


def test_stats_of_no_cache_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "stats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 0


def test_stats_say_how_much_and_of_what_use(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "stats"]) == 0
    out = capsys.readouterr().out
    assert "results    2" in out
    assert "3.9 KiB of 5.0 GiB" in out
    assert "today" in out
    assert "25.0% of 4 tasks" in out
    assert directory in out


def test_stats_are_there_for_machines(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "stats", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["entries"], found["hits"], found["misses"], found["hit_rate"]) == (2, 1, 3, 0.25)
    assert found["directory"] == directory


def test_gc_removes_the_least_recently_used(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "gc"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"
    assert run(["cache", "gc", "--max-size", "3.6KiB"]) == 0
    assert capsys.readouterr().out == "removed 1 result and 0 files, 0 B\n"
    cache = ResultCache(directory)
    assert set(cache.get_many(KEYS)) == {KEYS[0]}
    cache.close()
    assert run(["cache", "gc", "--older-than", "0s"]) == 0
    assert capsys.readouterr().out == "removed 1 result and 1 file, 2.9 KiB\n"


@pytest.mark.parametrize("damage", [False, True], ids=["sound", "damaged"])
def test_clear_removes_everything(directory: str, damage: bool, capsys: pytest.CaptureFixture[str]) -> None:
    if damage:
        Path(directory, "results.db").write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    assert run(["cache", "clear"]) == 0
    assert "and 1 file, 2.9 KiB" in capsys.readouterr().out
    assert run(["cache", "stats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gc", "--max-size", "much"], "expected a size such as"),
        (["gc", "--older-than", "30"], "expected an age such as"),
        (["gc", "--json"], "--json goes with"),
        (["stats", "--max-size", "1MB"], "go with `orchestro cache gc`"),
        (["show"], "invalid choice"),
        ([], "required"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("1500", 1500), ("2GB", 2_000_000_000), ("2g", 2_000_000_000), ("1.5 MiB", 3 << 19), ("1tib", 1 << 40)],
)
def test_a_size_is(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2592000), ("12h", 43200), ("1.5m", 90), ("2w", 1209600)])
def test_an_age_is(text: str, seconds: float) -> None:
    assert age(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1ib", "GB", "1e3", "1 PB"])
def test_no_size_is(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        size(text)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1048575, "1.0 MiB"), (5 << 40, "5.0 TiB")]
)
def test_bytes_are_written(count: int, text: str) -> None:
    assert readable(count) == text


def test_what_a_run_keeps_is_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.txt").write_text("a")
    Path("tasks.yaml").write_text("tasks: {copy: {run: cat in.txt > out.txt, inputs: [in.txt], outputs: [out.txt]}}\n")
    assert run(["run", "tasks.yaml"]) == 0
    assert run(["run", "tasks.yaml"]) == 0
    capsys.readouterr()
    assert run(["cache", "stats"]) == 0
    out = capsys.readouterr().out
    assert "results    1" in out
    assert "50.0% of 2 tasks" in out
