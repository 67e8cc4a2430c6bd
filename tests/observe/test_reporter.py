from __future__ import annotations

import io

from run_script import RunScript

from orchestro.events import Diagnostic, Event
from orchestro.observe.reporter import Fanout, Reporter


class Recorder(Reporter):
    """Remembers what it was told."""

    def __init__(self, name: str, log: list[str], *, shows: bool = False, tick_s: float | None = None) -> None:
        self.name = name
        self.log = log
        self.shows_diagnostics = shows
        self.tick_s = tick_s
        self.events: list[Event] = []

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def tick(self, now: float) -> None:
        self.log.append(f"{self.name} ticks")

    def close(self) -> None:
        self.log.append(f"{self.name} closes")


class Broken(Recorder):
    def handle(self, event: Event) -> None:
        super().handle(event)
        raise RuntimeError("boom")


EVENTS = RunScript().plan("a").runs("a").finish().events


def test_a_broken_reporter_is_logged_once_and_dropped_while_the_others_go_on() -> None:
    stderr, log = io.StringIO(), list[str]()
    broken, sound = Broken("broken", log), Recorder("sound", log)
    fanout = Fanout([broken, sound], stderr=stderr)
    for event in EVENTS:
        fanout.handle(event)
    fanout.close()
    assert sound.events == EVENTS
    assert len(broken.events) == 1
    assert stderr.getvalue() == "orchestro: reporter Broken failed and was dropped: RuntimeError: boom\n"
    assert log == ["sound closes"]
    assert len(fanout.broken) == 1


def test_one_that_shows_diagnostics_tells_about_a_broken_one() -> None:
    stderr = io.StringIO()
    console = Recorder("console", [], shows=True)
    fanout = Fanout([console, Broken("broken", [])], stderr=stderr)
    fanout.handle(EVENTS[0])
    assert stderr.getvalue() == ""
    assert isinstance(console.events[-1], Diagnostic)
    assert "boom" in console.events[-1].message


def test_when_all_are_broken_stderr_is_told() -> None:
    stderr = io.StringIO()
    fanout = Fanout([Broken("b", []), Broken("c", [], shows=True)], stderr=stderr)
    fanout.handle(EVENTS[0])
    fanout.handle(EVENTS[1])
    assert stderr.getvalue().count("boom") == 2, "the second broke when it was told of the first"
    assert len(fanout.broken) == 2


def test_a_closed_stderr_does_not_break_the_run() -> None:
    stderr = io.StringIO()
    stderr.close()
    fanout = Fanout([Broken("b", [])], stderr=stderr)
    fanout.handle(EVENTS[0])
    assert len(fanout.broken) == 1


def test_reporters_are_closed_once_and_in_reverse_order() -> None:
    log: list[str] = []
    fanout = Fanout([Recorder("console", log)])
    fanout.add(Recorder("file", log))
    fanout.close()
    fanout.close()
    assert log == ["file closes", "console closes"]


def test_only_those_that_want_ticks_get_them() -> None:
    log: list[str] = []
    fanout = Fanout([Recorder("still", log), Recorder("slow", log, tick_s=1.0), Recorder("quick", log, tick_s=0.1)])
    assert fanout.tick_s == 0.1
    fanout.tick(1.0)
    assert log == ["slow ticks", "quick ticks"]
    assert Fanout([Recorder("still", log)]).tick_s is None
