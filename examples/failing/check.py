"""Runs the scenarios beside it and checks that each fails as it should: `python examples/failing/check.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

EXPECTED = {
    "expect times out near a match": ("timed out", "was not printed"),
    "see finds another colour": ("timed out", "is not on the screen"),
    "wrong exit code": ("failed", "exit code 3"),
    "the program dies before it answers": ("failed", "signal SIGSEGV"),
    "the program hangs and ignores TERM": ("timed out", "was not printed"),
    "the program floods": ("timed out", "was not printed"),
    "total time runs out": ("timed out", "total_timeout"),
    "every attempt fails": ("failed", "exit code 1"),
    "output differs": ("failed", "not as expected"),
    "JSON differs": ("failed", "expected 3, got 2"),
    "exit code of a command differs": ("failed", "exit code 1"),
    "snapshot differs": ("failed", "not as in the snapshot"),
    "validation fails": ("failed", "does not contain"),
    "cannot start": ("error", "no such program"),
    "set-up fails": ("error", "exit code 7"),
    "a need that fails": ("failed", "exit code 1"),
    "blocked by it": ("blocked", "a need that fails"),
    "skipped": ("skipped", "never as passed"),
    "leaves the alternate screen on": ("passed", "alternate-screen"),
    "leaves the cursor hidden": ("passed", "cursor-hidden"),
    "leaves a process behind": ("passed", "orphan-process"),
    "waits a fixed time": ("passed", "fixed-wait"),
}
"""Scenario: its outcome, and what its message, reason or warning must contain."""


def main() -> int:
    command = [sys.executable, "-m", "orchestro", "run", "--json", "-", "-q", str(HERE)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    outcomes: dict[str, tuple[str, str]] = {}
    warnings: dict[str, str] = {}
    for line in run.stdout.splitlines():
        event = json.loads(line)
        if event["type"] == "attempt_finished":
            warnings[event["task_id"]] = " ".join(finding["code"] for finding in event["findings"])
        elif event["type"] == "task_finished":
            said = (event["failure"] or {}).get("message", "") + event["reason"] + warnings.get(event["task_id"], "")
            outcomes[event["task_id"]] = (event["outcome"], said)
    wrong = 0
    for name, (outcome, text) in EXPECTED.items():
        got, said = outcomes.pop(name, ("missing", ""))
        ok = got == outcome and text in said
        wrong += not ok
        print(
            f"{'ok   ' if ok else 'WRONG'}  {name}: {got}"
            + ("" if ok else f" ({said!r}), expected {outcome} ({text!r})")
        )
    for name in outcomes:
        wrong += 1
        print(f"WRONG  {name}: not in the table")
    if run.returncode != 1:
        wrong += 1
        print(f"WRONG  exit code {run.returncode}, expected 1\n{run.stderr}")
    print(f"{len(EXPECTED)} scenarios, {wrong} not as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
