"""First scenarios, for programs that are not easily looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from orchestro.cli.main import run


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_program_that_is_slow_to_start_is_waited_for() -> None:
    assert run(["init", "-o", "n.yaml", "--", "sh", "-c", "sleep 0.7; echo Ready.; read x"]) == 0
    assert yaml.safe_load(Path("n.yaml").read_text())["steps"] == [{"see": "Ready."}]


def test_only_what_means_something_in_a_pattern_is_escaped() -> None:
    assert run(["init", "-o", "n.yaml", "--", "echo", "drwxr-xr-x #x 'it' (a|b) [c] $d ^e* f+? {g} \\h ~!"]) == 0
    wanted = yaml.safe_load(Path("n.yaml").read_text())["steps"][0]["expect"]
    assert wanted.startswith(r"drwxr-xr-x #x 'it' \(a\|b\) \[c\] \$d \^e\* f\+\? \{g\} \\h")
    assert run(["run", "n.yaml"]) == 0
