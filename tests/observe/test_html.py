"""The HTML report: what is in it, what may never be, and the edges."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestro.events import (
    ArtifactWritten,
    AttemptFinished,
    AttemptStarted,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
    StepFinished,
    TaskFinished,
    TaskPlanned,
)
from orchestro.model import Failure, Finding, Outcome, Source
from orchestro.observe.html import write_report
from orchestro.observe.html.replay import MAX_FRAMES, Tables, readable, replay
from orchestro.terminal.cast import write_cast

EVIL = "</script><img src=x onerror=alert(1)>\u2028<!--"


def data_of(path: Path) -> dict[str, Any]:
    page = path.read_text(encoding="utf-8")
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    data: dict[str, Any] = json.loads(match[1])
    return data


def a_run(tmp_path: Path, *, name: str = "one", outcome: Outcome = Outcome.FAILED) -> list[Event]:
    (tmp_path / "recordings").mkdir(exist_ok=True)
    cast = f"recordings/{abs(hash(name))}.cast"
    write_cast(
        str(tmp_path / cast),
        {"version": 2, "width": 20, "height": 4},
        [(0.1, "o", b"hello \x1b[31mred\x1b[0m\r\n"), (0.2, "i", b"x\r"), (0.3, "o", b"x\r\nbye"), (0.9, "r", "30x5")],
    )
    failure = None if outcome.ok else Failure(f"no {EVIL}", Source("f.yaml", 3, 5), step="expect: x", diff=("-a", "+b"))
    return [
        RunStarted(100.0, "r1", "0.1", 2, "fifo", 1, ("orchestro", "run", EVIL)),
        TaskPlanned(100.0, name, "scenario", name, Source("f.yaml", 1, 1), tags=("fast",), description=EVIL),
        AttemptStarted(100.1, name, 1, 0),
        StepFinished(100.4, name, 1, "steps", 0, "expect: hello", "expect", True, 0.0, 0.15, "matched 'hello'"),
        ArtifactWritten(100.5, name, 1, "recording", "recording", cast),
        AttemptFinished(100.5, name, 1, 0, outcome, 0.4, failure, (Finding("code", EVIL),), 0),
        TaskFinished(100.5, name, name, outcome, 1, 0.4, "", failure),
        RunFinished(101.0, "r1", 1.0, 1, ((outcome.value, 1),)),
    ]


def test_the_report_holds_verdict_steps_failure_and_frames(tmp_path: Path) -> None:
    write_report(a_run(tmp_path), str(tmp_path), str(tmp_path / "r.html"))
    data = data_of(tmp_path / "r.html")
    assert data["run"]["counts"] == {"failed": 1}
    (task,) = data["tasks"]
    (attempt,) = task["attempts"]
    assert (task["outcome"], attempt["failure"]["where"], attempt["steps"][0]["label"]) == (
        "failed",
        "f.yaml:3",
        "expect: hello",
    )
    frames = attempt["replay"]["frames"]
    assert [frame[0] for frame in frames] == [0.1, 0.3, 0.9]
    first = {row: data["rows"][number] for row, number in frames[0][1]}
    assert [run[0] for run in first[0]] == ["hello ", "red"]
    assert "color:#" in data["styles"][first[0][1][1]]
    assert attempt["replay"]["inputs"] == [[0.2, "x⏎"]]
    assert (attempt["replay"]["cols"], attempt["replay"]["rows"]) == (30, 5)


def test_nothing_from_a_program_becomes_markup(tmp_path: Path) -> None:
    write_report(a_run(tmp_path, name=EVIL), str(tmp_path), str(tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert data_of(tmp_path / "r.html")["tasks"][0]["name"] == EVIL
    assert "default-src 'none'" in page
    assert "innerHTML" not in page.replace("never through innerHTML", "")


@pytest.mark.parametrize("cut", range(9))
def test_what_a_killed_run_left_still_makes_a_report(tmp_path: Path, cut: int) -> None:
    write_report(a_run(tmp_path)[:cut], str(tmp_path), str(tmp_path / "r.html"))
    data = data_of(tmp_path / "r.html")
    assert data["run"]["complete"] == (cut == 8)
    assert len(data["tasks"]) == (cut >= 2)
    if 2 <= cut < 7:
        assert data["tasks"][0]["outcome"] == "interrupted"


def test_a_recording_that_is_gone_is_said(tmp_path: Path) -> None:
    events = a_run(tmp_path)
    for file in (tmp_path / "recordings").iterdir():
        file.unlink()
    write_report(events, str(tmp_path), str(tmp_path / "r.html"))
    attempt = data_of(tmp_path / "r.html")["tasks"][0]["attempts"][0]
    assert attempt["replay"] is None
    assert "not readable" in attempt["missing"]


def test_replays_beyond_the_budget_are_left_out_passed_ones_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestro.observe.html.page.MAX_REPLAYS", 10)
    passed, failed = a_run(tmp_path, name="good", outcome=Outcome.PASSED), a_run(tmp_path, name="bad")
    write_report([*passed[:-1], *failed[1:]], str(tmp_path), str(tmp_path / "r.html"))
    data = data_of(tmp_path / "r.html")
    assert [task["attempts"][0]["replay"] is not None for task in data["tasks"]] == [False, True]
    assert data["run"]["leftOut"] == 1


def test_a_long_recording_is_drawn_in_a_bounded_number_of_frames(tmp_path: Path) -> None:
    entries = [(i * 0.05, "o" if i % 2 else "i", b"line %d\r\n" % i) for i in range(4000)]
    write_cast(str(tmp_path / "x.cast"), {"version": 2, "width": 40, "height": 5}, entries)
    drawn = replay(str(tmp_path / "x.cast"), [i * 0.1 for i in range(1000)], Tables())
    assert 10 < len(drawn.frames) <= MAX_FRAMES


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\r", "⏎"),
        ("\x1b[A", "↑"),
        ("ls\r", "ls⏎"),
        ("\x03", "^C"),
        ("\x1b[200~a b\x1b[201~", "paste a b"),
        ("x" * 100, "x" * 79 + "…"),
    ],
)
def test_keys_are_readable(data: str, text: str) -> None:
    assert readable(data) == text


def test_the_head_says_what_held_a_parallel_run_up(tmp_path: Path) -> None:
    def bar(task: str, worker: int, begin: float, end: float) -> list[Event]:
        return [
            AttemptStarted(begin, task, 1, worker),
            AttemptFinished(end, task, 1, worker, Outcome.PASSED, end - begin),
            TaskFinished(end, task, task, Outcome.PASSED, 1, end - begin),
        ]

    events = [
        RunStarted(100.0, "r1", "0.1", 2, "fifo", 2),
        TaskPlanned(100.0, "build", "command", "build"),
        TaskPlanned(100.0, "test", "command", "test", needs=("build",)),
        *bar("build", 0, 100.0, 104.0),
        *bar("test", 1, 104.0, 110.0),
        RunFinished(110.0, "r1", 10.0, 0, (("passed", 2),)),
    ]
    write_report(events, str(tmp_path), str(tmp_path / "r.html"))
    assert data_of(tmp_path / "r.html")["run"]["analysis"] == [
        (
            "Makespan 10.0 s on 2 workers; bound 10.0 s (critical path: build › test); "
            "efficiency 100 %, idle 50 %, tail 10.0 s."
        ),
        "Halving 'test' (6.00 s) would save 3.00 s.",
    ]
    write_report(a_run(tmp_path), str(tmp_path), str(tmp_path / "r.html"))
    assert data_of(tmp_path / "r.html")["run"]["analysis"] == []


def test_of_a_resumed_run_only_what_stands_is_shown(tmp_path: Path) -> None:
    first = a_run(tmp_path)
    again = [event for event in a_run(tmp_path, outcome=Outcome.PASSED) if not isinstance(event, RunStarted)]
    write_report([*first, RunResumed(200.0, "r1", 2, 0), *again], str(tmp_path), str(tmp_path / "r.html"))
    (task,) = data_of(tmp_path / "r.html")["tasks"]
    assert (task["outcome"], [attempt["n"] for attempt in task["attempts"]]) == ("passed", [1])
