"""Arguments at the edge of what a command line can hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestro.cli.main import run

SCENARIO = "name: {}\ncommand: touch ran\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_stands_behind_two_dashes_is_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(SCENARIO.format("plain"))
    Path("-x").write_text(SCENARIO.format("dashed"))
    assert run(["list", "a.yaml", "--", "-x"]) == 0
    out = capsys.readouterr().out
    assert "plain" in out
    assert "dashed" in out
    assert run(["run", "--dry-run", "--", "-x"]) == 0
    assert "plain" not in capsys.readouterr().out
    assert run(["run", "--", "--html"]) == 2
    assert "--html: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--output-dir", "--snapshot-dir"])
def test_an_empty_directory_is_not_taken_for_the_current_one(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(SCENARIO.format("a"))
    assert run(["run", option, ""]) == 2
    assert f"argument {option}: expected the path of a directory, got ''" in capsys.readouterr().err
    assert os.listdir() == ["a.yaml"]


@pytest.mark.parametrize("arguments", [["run"], ["init", "--", "echo"]])
def test_a_current_directory_that_is_gone_is_no_bug(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    try:
        code = run(arguments)
    finally:
        os.chdir(tmp_path)
    assert code == 2
    assert "the directory that it was started in is gone" in capsys.readouterr().err
