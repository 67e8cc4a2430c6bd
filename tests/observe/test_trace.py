"""The trace is checked against the rules by which Perfetto and chrome://tracing read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_script import NO_MATCH, START, RunScript

from orchestro.errors import UserError
from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    Diagnostic,
    Event,
    RetryScheduled,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    StepFinished,
    StrategyChanged,
    TaskFinished,
    TaskPlanned,
    TaskRouted,
    WorkersChanged,
)
from orchestro.model import Failure, Outcome, Source
from orchestro.observe import trace as trace_module
from orchestro.observe.registry import ReporterOptions, create
from orchestro.observe.trace import TraceReporter
from orchestro.observe.trace_file import CHUNK, TraceFile

Trace = list[dict[str, Any]]
NUMBER = (int, float)


def written(events: Iterable[Event], path: Path) -> Trace:
    reporter = TraceReporter(str(path))
    for event in events:
        reporter.handle(event)
    reporter.close()
    trace: Trace = json.loads(path.read_text(encoding="utf-8"))
    check(trace)
    return trace


def check(trace: Trace) -> None:
    """What readers rely on."""
    for event in trace:
        assert event["ph"] in "MXisfC"
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        if event["ph"] != "M":
            assert isinstance(event["ts"], NUMBER)
            assert event["ts"] >= 0
        if event["ph"] != "C":
            assert isinstance(event["tid"], int)
        if event["ph"] == "X":
            assert event["dur"] >= 0
        if event["ph"] == "C":
            assert all(isinstance(value, NUMBER) and value >= 0 for value in event["args"].values())
    named = {event["tid"] for event in trace if event["ph"] == "M" and event["name"] == "thread_name"}
    assert named >= {event["tid"] for event in trace if event["ph"] in "Xisf"}
    nests(trace)
    pairs_up(trace)


def nests(trace: Trace) -> None:
    """On one track a slice lies within another or beside it, and the outer one comes first in a stable sort by time."""
    for track in {event["tid"] for event in trace if event["ph"] == "X"}:
        slices = sorted((e for e in trace if e["ph"] == "X" and e["tid"] == track), key=lambda e: e["ts"])
        ends: list[int] = []
        for event in slices:
            begin, end = round(event["ts"] * 1000), round((event["ts"] + event["dur"]) * 1000)
            while ends and ends[-1] <= begin:
                ends.pop()
            assert not ends or end <= ends[-1], event
            ends.append(end)


def pairs_up(trace: Trace) -> None:
    """Each arrow leaves one slice and arrives at another, not before it left."""
    starts = {event["id"]: event for event in trace if event["ph"] == "s"}
    finishes = {event["id"]: event for event in trace if event["ph"] == "f"}
    assert starts.keys() == finishes.keys()
    assert len(starts) == sum(event["ph"] == "s" for event in trace)
    for number, start in starts.items():
        finish = finishes[number]
        assert (start["name"], start["cat"]) == (finish["name"], finish["cat"])
        assert start["ts"] <= finish["ts"]
        assert finish["bp"] == "e"
        for end in (start, finish):
            assert any(
                e["ph"] == "X" and e["tid"] == end["tid"] and e["ts"] <= end["ts"] <= e["ts"] + e["dur"] for e in trace
            )


def slices(trace: Trace, category: str) -> Trace:
    return [event for event in trace if event["ph"] == "X" and event["cat"] == category]


def counted(trace: Trace, name: str) -> list[tuple[float, int]]:
    return [
        (event["ts"] / 1e6, event["args"]["tasks"]) for event in trace if event["ph"] == "C" and event["name"] == name
    ]


def started(workers: int, tasks: int) -> RunStarted:
    return RunStarted(START, "run-1", "0.1.0", workers, "fifo", tasks)


def planned(task: str, *needs: str) -> TaskPlanned:
    return TaskPlanned(START, task, "command", task.upper(), Source("tasks.yaml", 3), needs=needs)


def begins(at: float, task: str, worker: int = 0, number: int = 1) -> AttemptStarted:
    return AttemptStarted(START + at, task, number, worker)


def attempt(
    at: float, end: float, task: str, worker: int = 0, number: int = 1, outcome: Outcome = Outcome.PASSED
) -> AttemptFinished:
    failure = None if outcome.ok else Failure("it broke")
    return AttemptFinished(START + end, task, number, worker, outcome, end - at, failure, exit_code=0)


def passed(at: float, task: str) -> TaskFinished:
    return TaskFinished(START + at, task, task.upper(), Outcome.PASSED, 1, 0.0)


BUILD: list[Event] = [
    started(2, 3),
    planned("compile"),
    planned("docs"),
    planned("link", "compile"),
    begins(0.5, "compile"),
    begins(0.5, "docs", 1),
    attempt(0.5, 1.5, "docs", 1),
    passed(1.5, "docs"),
    attempt(0.5, 3.5, "compile"),
    passed(3.5, "compile"),
    begins(3.75, "link", 1),
    attempt(3.75, 5.75, "link", 1),
    passed(5.75, "link"),
    RunFinished(START + 6, "run-1", 6.0, 0, (("passed", 3),)),
]


def test_each_worker_is_a_track_and_each_attempt_a_slice_in_microseconds_from_the_start(tmp_path: Path) -> None:
    trace = written(BUILD, tmp_path / "t.json")
    names = {e["tid"]: e["args"]["name"] for e in trace if e["name"] == "thread_name"}
    assert sorted(names.values()) == ["critical path", "run", "worker 0", "worker 1"]
    seen = [(names[e["tid"]], e["name"], e["ts"], e["dur"]) for e in slices(trace, "command")]
    assert seen == [
        ("worker 1", "DOCS", 500_000, 1_000_000),
        ("worker 0", "COMPILE", 500_000, 3_000_000),
        ("worker 1", "LINK", 3_750_000, 2_000_000),
    ]
    (run,) = slices(trace, "run")
    assert (names[run["tid"]], run["ts"], run["dur"]) == ("run", 0, 6_000_000)
    assert run["args"]["passed"] == 3


def test_a_slice_says_what_became_of_the_attempt_and_how_long_it_had_been_ready(tmp_path: Path) -> None:
    trace = written(BUILD, tmp_path / "t.json")
    link = next(e for e in slices(trace, "command") if e["name"] == "LINK")
    assert link["args"] == {
        "critical": True,
        "task": "link",
        "attempt": 1,
        "outcome": "passed",
        "exit_code": 0,
        "ready_for_s": 0.25,
        "source": "tasks.yaml:3",
    }


def test_the_critical_path_is_marked_and_has_a_track(tmp_path: Path) -> None:
    trace = written(BUILD, tmp_path / "t.json")
    assert {e["name"]: e["args"]["critical"] for e in slices(trace, "command")} == {
        "DOCS": False,
        "COMPILE": True,
        "LINK": True,
    }
    assert [(e["name"], e["ts"]) for e in slices(trace, "critical path")] == [("COMPILE", 500_000), ("LINK", 3_750_000)]


def test_an_arrow_leads_from_what_was_needed_to_what_needed_it(tmp_path: Path) -> None:
    trace = written(BUILD, tmp_path / "t.json")
    ends = [(e["ph"], e["tid"], e["ts"]) for e in trace if e["ph"] in "sf"]
    assert ends == [("s", 10, 3_499_999), ("f", 11, 3_750_000)]


def test_counters_tell_how_many_run_could_run_and_wait(tmp_path: Path) -> None:
    trace = written(BUILD, tmp_path / "t.json")
    assert counted(trace, "running") == [(0.5, 2), (1.5, 1), (3.5, 0), (3.75, 1), (5.75, 0)]
    assert counted(trace, "ready") == [(0, 2), (0.5, 0), (3.5, 1), (3.75, 0)]
    assert counted(trace, "waiting") == [(0, 1), (3.5, 0)]


def test_steps_lie_within_their_attempt_whatever_their_clock_says(tmp_path: Path) -> None:
    def step(index: int, begin: float, duration: float, phase: str = "steps") -> StepFinished:
        label = f"expect: {index}"
        return StepFinished(START + 1, "a", 1, phase, index, label, "expect", True, begin, duration, why="matched")

    steps = [step(0, 0.0, 0.2, "setup"), step(0, 0.2, 0.4), step(1, 0.599999, 0.2), step(2, 0.8, 0.3)]
    events = [started(1, 1), planned("a"), begins(0, "a"), *steps, attempt(0, 1, "a"), passed(1, "a")]
    trace = written(events, tmp_path / "t.json")
    assert [(e["name"], e["ts"], e["dur"]) for e in slices(trace, "step")] == [
        ("setup: expect: 0", 0, 200_000),
        ("expect: 0", 200_000, 400_000),
        ("expect: 1", 600_000, 200_000),
        ("expect: 2", 800_000, 200_000),
    ]
    assert slices(trace, "step")[0]["args"] == {"ok": True, "why": "matched"}


def test_only_so_many_steps_of_an_attempt_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "MAX_STEPS", 3)
    script = RunScript().plan("a").starts("a")
    for _ in range(5):
        script.step_ends("a", "expect: x")
    trace = written(script.ends("a").events, tmp_path / "t.json")
    assert len(slices(trace, "step")) == 3


def test_only_the_needs_that_ended_last_have_arrows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "MAX_FLOWS", 2)
    events: list[Event] = [started(1, 5), *(planned(name) for name in "abcd"), planned("e", *"abcd")]
    for i, name in enumerate("abcd"):
        events += [begins(i, name), attempt(i, i + 1, name), passed(i + 1, name)]
    trace = written([*events, begins(4, "e"), attempt(4, 5, "e")], tmp_path / "t.json")
    assert [e["ts"] for e in trace if e["ph"] == "s"] == [3_999_999, 2_999_999]


def test_retries_are_slices_of_their_own_with_a_mark_between(tmp_path: Path) -> None:
    events = [
        started(1, 1),
        planned("a"),
        begins(0, "a"),
        attempt(0, 1, "a", outcome=Outcome.FAILED),
        RetryScheduled(START + 1, "a", 1, Outcome.FAILED, 2.5),
        begins(4, "a", number=2),
        attempt(4, 5, "a", number=2),
        passed(5, "a"),
    ]
    trace = written(events, tmp_path / "t.json")
    first, second = slices(trace, "command")
    assert (first["name"], first["args"]["outcome"], first["args"]["failure"]) == ("A", "failed", "it broke")
    assert (second["name"], second["args"]["ready_for_s"]) == ("A (attempt 2)", 0.5)
    (mark,) = (e for e in trace if e["ph"] == "i")
    assert (mark["name"], mark["tid"], mark["ts"]) == ("retry in 2.5 s: A", first["tid"], 1_000_000)
    assert counted(trace, "waiting") == [(1, 1), (4, 0)]


def test_what_happens_to_the_run_is_marked_on_its_track(tmp_path: Path) -> None:
    events = [
        started(2, 1),
        planned("a"),
        WorkersChanged(START + 1, 4, "the queue is long"),
        StrategyChanged(START + 2, "sjf"),
        BreakerChanged(START + 3, "command", "open", "5 of 8 failed"),
        TaskRouted(START + 4, "a", Outcome.FAILED, "mend"),
        Diagnostic(START + 5, "warning", "the disk is nearly full"),
        RunInterrupted(START + 6, 1),
    ]
    trace = written(events, tmp_path / "t.json")
    marks = [e for e in trace if e["ph"] == "i"]
    assert [e["name"] for e in marks] == [
        "workers: 4",
        "scheduler: sjf",
        "circuit breaker of command: open",
        "A goes on to mend",
        "warning: the disk is nearly full",
        "interrupted, letting what runs end",
    ]
    assert {(e["tid"], e["s"]) for e in marks} == {(1, "t")}


def test_what_never_ended_is_cut_off_where_the_record_ends_or_is_taken_up_again(tmp_path: Path) -> None:
    events = [
        started(1, 2),
        planned("a"),
        planned("b"),
        begins(0, "a"),
        Diagnostic(START + 2, "warning", "the last sign of life"),
        RunResumed(START + 100, "run-1", 1, 0),
        begins(100, "a"),
        attempt(100, 101, "a"),
        passed(101, "a"),
        begins(101, "b"),
    ]
    trace = written(events, tmp_path / "t.json")
    seen = [(e["name"], e["ts"], e["dur"], e["args"]["outcome"]) for e in slices(trace, "command")]
    assert seen == [
        ("A", 0, 2_000_000, "cut off"),
        ("A", 100_000_000, 1_000_000, "passed"),
        ("B", 101_000_000, 0, "cut off"),
    ]


def test_text_of_any_kind_stays_legal(tmp_path: Path) -> None:
    script = RunScript().plan('half \udc80 "quoted" \x1b[31m').runs('half \udc80 "quoted" \x1b[31m')
    failure = Failure('said "critical":false ' + "x" * 5000)
    trace = written(script.plan("b").runs("b", Outcome.FAILED, failure=failure).events, tmp_path / "t.json")
    assert slices(trace, "scenario")[0]["name"] == 'half ? "quoted" \x1b[31m'
    assert slices(trace, "scenario")[1]["args"]["failure"].startswith('said "critical":false xxx')


def test_a_draft_that_a_crash_left_behind_lacks_only_its_end(tmp_path: Path) -> None:
    reporter = TraceReporter(str(tmp_path / "t.json"))
    script = RunScript()
    names = [f"task {n}" for n in range(2000)]
    for event in [*script.plan(*names).events, *(e for n in names for e in RunScript().runs(n).events[1:])]:
        reporter.handle(event)
    assert not (tmp_path / "t.json").exists()
    (draft,) = tmp_path.iterdir()
    text = draft.read_text(encoding="utf-8")
    assert len(text) >= CHUNK
    assert len(json.loads(text + "]")) > 500
    reporter.close()
    assert [path.name for path in tmp_path.iterdir()] == ["t.json"]


def test_a_run_that_never_began_leaves_an_earlier_trace_alone(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("[]")
    TraceReporter(str(tmp_path / "t.json")).close()
    assert (tmp_path / "t.json").read_text() == "[]"


def test_a_disk_that_refuses_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = TraceFile(str(tmp_path / "t.json"))
    file.add({"ph": "M"})
    monkeypatch.setattr("os.replace", lambda a, b: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        file.close()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_an_empty_array(tmp_path: Path) -> None:
    TraceFile(str(tmp_path / "deep" / "t.json")).close()
    assert json.loads((tmp_path / "deep" / "t.json").read_text()) == []


def test_it_is_built_by_name_and_needs_a_file(tmp_path: Path) -> None:
    assert isinstance(create("trace", ReporterOptions(target=str(tmp_path / "t.json"))), TraceReporter)
    with pytest.raises(UserError, match="needs the path of a file"):
        create("trace", ReporterOptions(target="-"))


def test_every_script_of_the_other_reporters_gives_a_sound_trace(tmp_path: Path) -> None:
    script = RunScript().plan("vim", "flaky", "skipped", "blocked", "never")
    script.starts("vim").step("vim", "type").step_ends("vim", "type: a").step_ends("vim", "see: b", ok=False)
    script.ends("vim", Outcome.TIMED_OUT, duration_s=0.2, failure=NO_MATCH).verdict("vim", Outcome.TIMED_OUT)
    script.flakes("flaky", NO_MATCH).skipped("skipped").blocked("blocked", "vim").interrupted(2).never_run("never")
    trace = written(script.finish(1).events, tmp_path / "t.json")
    assert [e["name"] for e in slices(trace, "scenario")] == ["vim", "flaky", "flaky (attempt 2)"]


@st.composite
def runs(draw: st.DrawFn) -> list[Event]:
    """A run of random tasks with needs, some of which fail and are tried again, on two workers."""
    number = draw(st.integers(1, 10))
    needs = {i: [j for j in range(i) if draw(st.integers(0, 4)) == 0] for i in range(number)}
    events: list[Event] = [started(2, number)]
    events += [planned(str(i), *(str(j) for j in wanted)) for i, wanted in needs.items()]
    free = [0.0, 0.0]
    ended: dict[int, float] = {}
    timed: list[tuple[float, int, Event]] = []
    for i, wanted in needs.items():
        ready = max((ended[j] for j in wanted), default=0.0)
        for count in range(1, draw(st.integers(1, 2)) + 1):
            worker = free.index(min(free))
            begin = max(free[worker], ready)
            free[worker] = ready = begin + draw(st.floats(0, 3, allow_nan=False))
            timed.append((begin, len(timed), begins(begin, str(i), worker, count)))
            timed.append((ready, len(timed), attempt(begin, ready, str(i), worker, count)))
        ended[i] = ready
        timed.append((ready, len(timed), passed(ready, str(i))))
    timed.sort(key=lambda entry: entry[:2])
    end = timed[-1][0]
    whole = [*events, *(event for _, _, event in timed), RunFinished(START + end, "run-1", end, 0)]
    return whole[: draw(st.integers(1, len(whole)))]


@given(events=runs())
def test_a_record_that_ends_anywhere_gives_a_sound_trace(
    events: list[Event], tmp_path_factory: pytest.TempPathFactory
) -> None:
    trace = written(events, tmp_path_factory.mktemp("trace") / "t.json")
    finished = sum(isinstance(event, AttemptStarted) for event in events)
    assert len(slices(trace, "command")) == finished
    for name in ("running", "ready", "waiting"):
        assert all(value >= 0 for _, value in counted(trace, name))
