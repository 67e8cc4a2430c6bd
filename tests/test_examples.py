"""The examples are valid, documented, and the failing ones are the ones that are checked."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from orchestro.scenario.loader import load

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def test_every_example_is_valid() -> None:
    loaded = load([str(EXAMPLES / part) for part in ("shell", "fullscreen", "features", "failing")])
    assert loaded.problems == ()
    assert len({scenario.group or scenario.name for scenario in loaded.scenarios}) >= 40


def test_the_table_of_failures_names_what_the_check_expects() -> None:
    spec = importlib.util.spec_from_file_location("check", EXAMPLES / "failing" / "check.py")
    assert spec is not None
    assert spec.loader is not None
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    rows = re.findall(r"^\| ([^-].*?) \| (.+?) \|", (EXAMPLES / "failing" / "README.md").read_text(), re.MULTILINE)
    assert dict(rows[1:]) == {name: outcome for name, (outcome, _) in check.EXPECTED.items()}
