from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

from run_script import NO_MATCH, RunScript

from orchestro.events import SCHEMA, from_dict
from orchestro.model import Outcome
from orchestro.observe.json_lines import JsonLinesReporter

SCRIPT = RunScript().plan("a", "日本").runs("a", Outcome.FAILED, failure=NO_MATCH).runs("日本").finish(1)


def test_each_event_is_a_line_that_can_be_read_back(tmp_path: Path) -> None:
    path = tmp_path / "made" / "events.jsonl"
    reporter = JsonLinesReporter(str(path), io.StringIO())
    for event in SCRIPT.events:
        reporter.handle(event)
    reporter.close()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [from_dict(json.loads(line)) for line in lines] == SCRIPT.events
    assert json.loads(lines[0])["schema"] == SCHEMA


def test_each_line_can_be_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reporter = JsonLinesReporter(str(path), io.StringIO())
    for number, event in enumerate(SCRIPT.events, 1):
        reporter.handle(event)
        assert path.read_bytes().count(b"\n") == number
    reporter.close()


def test_a_dash_means_stdout_which_stays_open() -> None:
    raw = io.BytesIO()
    for stdout in (io.StringIO(), io.TextIOWrapper(raw, encoding="ascii")):
        reporter = JsonLinesReporter("-", stdout)
        for event in SCRIPT.events:
            reporter.handle(event)
        reporter.close()
        assert not stdout.closed
        if isinstance(stdout, io.StringIO):
            text = stdout.getvalue()
    assert raw.getvalue().decode("utf-8") == text
    assert len(text.splitlines()) == len(SCRIPT.events)


def test_half_a_character_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    failure = replace(NO_MATCH, output="half \udce2 a character")
    script = RunScript().plan("a").runs("a", Outcome.FAILED, failure=failure)
    reporter = JsonLinesReporter(str(path), io.StringIO())
    for event in script.events:
        reporter.handle(event)
    reporter.close()
    read = [from_dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    assert read == script.events
