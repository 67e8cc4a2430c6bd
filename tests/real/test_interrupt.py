"""Stopping a run: Ctrl-C once drains, twice kills, and kill -9 loses no verdict and leaves nothing for long."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestro.events import Event, RunFinished, TaskFinished
from orchestro.isolate.scratch import Scratch
from orchestro.store.directory import StateDirectory
from orchestro.store.run_log import read_log

SCENARIOS = """\
name: first
command: echo one
steps: [{expect: one}]
priority: high
---
name: running
command: [sh, -c, 'echo $$ > PIDS/$$; echo started; read x']
total_timeout: 30s
timeout: 20s
priority: normal
steps:
  - expect: started
  - run: GATE
  - run: BACK
  - expect: WORD
---
name: waiting
command: echo never
priority: low
steps: [{expect: never}]
"""


class Started:
    """`orchestro run` of the scenarios above, in a process of its own, waiting in the middle of the second."""

    def __init__(self, folder: Path, word: str) -> None:
        self.folder = folder
        (folder / "tmp").mkdir()
        (folder / "pids").mkdir()
        os.mkfifo(folder / "gate")
        text = SCENARIOS.replace("PIDS", str(folder / "pids")).replace("WORD", word)
        os.mkfifo(folder / "back")
        text = text.replace("GATE", f"sh -c 'echo go > {folder / 'gate'}'")
        text = text.replace("BACK", f"cat {folder / 'back'}")
        (folder / "t.scenario.yaml").write_text(textwrap.dedent(text))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestro", "run", "-j", "1", "t.scenario.yaml"],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder / "tmp"), "CI": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with open(folder / "gate") as gate:  # opens once the second scenario has come that far
            gate.read()

    def go_on(self) -> None:
        """Let the second scenario end."""
        (self.folder / "back").write_text("go\n")

    def events(self) -> list[Event]:
        directory = StateDirectory(str(self.folder / ".orchestro")).last_run()
        assert directory is not None
        return list(read_log(directory))

    def verdicts(self) -> dict[str, str]:
        return {e.task_id: e.outcome.value for e in self.events() if isinstance(e, TaskFinished)}

    def programs(self) -> list[int]:
        return [int(name) for name in os.listdir(self.folder / "pids")]

    def living(self) -> list[int]:
        return [pid for pid in self.programs() if alive(pid)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str], Started]:
    return lambda word: Started(tmp_path, word)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
class TestStopping:
    def test_once_drains_what_runs_and_starts_nothing_more(self, start: Callable[[str], Started]) -> None:
        run = start("started")
        run.process.send_signal(signal.SIGINT)
        run.go_on()
        out, _ = run.process.communicate(timeout=20)
        assert run.process.returncode == 130, out
        assert run.verdicts() == {"first": "passed", "running": "passed", "waiting": "interrupted"}
        assert any(isinstance(e, RunFinished) for e in run.events())
        assert os.listdir(run.folder / "tmp") == []

    def test_twice_kills_what_runs(self, start: Callable[[str], Started]) -> None:
        run = start("never")
        run.process.send_signal(signal.SIGINT)
        timer = threading.Timer(0.1, run.process.send_signal, [signal.SIGINT])  # two at once would be one
        timer.start()
        out, _ = run.process.communicate(timeout=20)
        assert run.process.returncode == 130, out
        assert run.verdicts() == {"first": "passed", "running": "interrupted", "waiting": "interrupted"}
        assert run.living() == []
        assert os.listdir(run.folder / "tmp") == []

    def test_term_kills_at_once_and_still_writes_the_record(self, start: Callable[[str], Started]) -> None:
        run = start("never")
        run.process.terminate()
        out, _ = run.process.communicate(timeout=20)
        assert run.process.returncode == 130, out
        assert run.verdicts()["running"] == "interrupted"
        assert run.living() == []

    def test_kill_9_loses_no_verdict_and_the_next_run_removes_what_is_left(
        self, start: Callable[[str], Started], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = start("never")
        run.process.kill()
        run.process.communicate(timeout=20)
        assert run.verdicts() == {"first": "passed"}
        monkeypatch.setattr("tempfile.tempdir", str(run.folder / "tmp"))
        removed = Scratch.remove_stale()
        assert len(removed) == 1
        assert os.listdir(run.folder / "tmp") == []
        for pid in run.living():
            with contextlib.suppress(ProcessLookupError):
                watch = select.poll()
                watch.register(os.pidfd_open(pid), select.POLLIN)
                watch.poll(5000)
        assert run.living() == []
