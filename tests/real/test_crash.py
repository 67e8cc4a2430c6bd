"""Orchestro is killed at 50 random moments and resumed: nothing is lost, nothing that had succeeded is run again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from orchestro.events import AttemptStarted, RunResumed, TaskFinished
from orchestro.model import Outcome
from orchestro.store.run_log import read_log

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")

ORCHESTRO = [sys.executable, "-m", "orchestro"]
COUNT = 16


def write_tasks(folder: Path) -> None:
    """A graph of small commands, each of which says in a ledger that it was done, as the last thing it does."""
    lines = ["tasks:"]
    for number in range(COUNT):
        needs = [f"t{n}" for n in (number - 3, number - 5) if n >= 0]
        retries = ", retries: 1" if number % 7 == 3 else ""
        # Every seventh fails at its first attempt.
        first = f"test -e m{number} || {{ touch m{number}; exit 1; }}; " if retries else ""
        line = f"{first}sleep 0.01; echo out{number} > o{number}; echo t{number} >> ledger"
        lines.append(f"  t{number}: {{run: '{line}', needs: [{', '.join(needs)}]{retries}}}")
    (folder / "tasks.yaml").write_text("\n".join(lines) + "\n")


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir(exist_ok=True)
    return subprocess.Popen(
        [*ORCHESTRO, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def run_directory(folder: Path) -> Path | None:
    runs = sorted((folder / ".orchestro" / "runs").glob("*")) if (folder / ".orchestro" / "runs").exists() else []
    return runs[0] if runs else None


def passed_in(directory: Path) -> set[str]:
    return {event.task_id for event in read_log(str(directory)) if isinstance(event, TaskFinished) and event.outcome.ok}


def uncrashed(folder: Path) -> tuple[dict[str, Outcome], float]:
    folder.mkdir()
    write_tasks(folder)
    began = time.monotonic()
    process = start(folder, "run", "tasks.yaml", "-j", "4", "-q")
    assert process.wait(60) == 0
    process.stderr.close()  # type: ignore[union-attr]  # it was piped
    took = time.monotonic() - began
    directory = run_directory(folder)
    assert directory is not None
    return verdicts(directory), took


def verdicts(directory: Path) -> dict[str, Outcome]:
    return {event.task_id: event.outcome for event in read_log(str(directory)) if isinstance(event, TaskFinished)}


@pytest.mark.parametrize("part", range(5))
def test_a_killed_run_is_resumed_without_losing_or_repeating_anything(tmp_path: Path, part: int) -> None:
    expected, took = uncrashed(tmp_path / "whole")
    assert set(expected) == {f"t{number}" for number in range(COUNT)}
    for turn in range(10):
        moment = random.Random(part * 100 + turn).uniform(0.05, took)
        kill_and_resume(tmp_path / f"killed{turn}", moment, expected)


def kill_and_resume(folder: Path, moment: float, expected: dict[str, Outcome]) -> None:
    folder.mkdir()
    write_tasks(folder)
    process = start(folder, "run", "tasks.yaml", "-j", "4", "-q")
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    process.stderr.close()  # type: ignore[union-attr]  # it was piped
    directory = run_directory(folder)
    if directory is None or not any(read_log(str(directory)) if (directory / "events.jsonl").exists() else ()):
        return  # killed before there was anything to lose
    before = passed_in(directory)
    resumed = start(folder, "resume", "-q")
    _, said = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, said.decode()
    events = list(read_log(str(directory)))
    again = [index for index, event in enumerate(events) if isinstance(event, RunResumed)]
    started = {event.task_id for event in events[again[0] :] if isinstance(event, AttemptStarted)} if again else set()
    assert not started & before, "what had succeeded was run again"
    ended = verdicts(directory)
    assert ended.keys() == expected.keys()
    assert all(outcome.ok for outcome in ended.values())
    ledger = Counter((folder / "ledger").read_text().split())
    assert ledger.keys() == expected.keys()
    twice = {name for name, count in ledger.items() if count > 1}
    assert not twice & before, "what was recorded as done was done twice"
    for number in range(COUNT):
        assert (folder / f"o{number}").read_text() == f"out{number}\n"
    assert list((folder / "tmp").iterdir()) == [], "temporary directories of the killed run are left"


def test_a_run_that_goes_on_cannot_be_resumed_beside_it(tmp_path: Path) -> None:
    (tmp_path / "tasks.yaml").write_text("tasks:\n  slow: read line < fifo\n")
    os.mkfifo(tmp_path / "fifo")
    process = start(tmp_path, "run", "tasks.yaml", "-q")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        directory = run_directory(tmp_path)
        log = directory / "events.jsonl" if directory else None
        if log and log.exists() and any(isinstance(event, AttemptStarted) for event in read_log(str(directory))):
            break
    second = start(tmp_path, "resume", "-q")
    _, said = second.communicate(timeout=60)
    assert second.returncode == 2
    assert b"is still going on" in said
    with (tmp_path / "fifo").open("w") as fifo:
        fifo.write("go\n")
    assert process.wait(20) == 0
    process.stderr.close()  # type: ignore[union-attr]  # it was piped
    third = start(tmp_path, "resume")
    third.communicate(timeout=60)
    assert third.returncode == 0
