"""How durations, numbers and verdicts are put into words, the same in every reporter."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from orchestro.model import Outcome, Source

__all__ = ["ORDER", "clock", "counted", "noun", "plural", "rerun_command", "seconds", "verdict"]

ORDER = (
    Outcome.FAILED,
    Outcome.TIMED_OUT,
    Outcome.ERROR,
    Outcome.BLOCKED,
    Outcome.INTERRUPTED,
    Outcome.FLAKY,
    Outcome.PASSED,
    Outcome.CACHED,
    Outcome.SKIPPED,
)
"""Outcomes in the order in which a reader wants them: what needs attention first."""


def seconds(duration_s: float) -> str:
    """A duration with three significant digits or so: ``0.12 s``, ``12.3 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if duration_s < 9.995:
        return f"{max(duration_s, 0.0):.2f} s"
    if duration_s < 59.95:
        return f"{duration_s:.1f} s"
    whole = round(duration_s)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def clock(duration_s: float) -> str:
    """A running time as a clock shows it: ``0:07``, ``12:03``, ``1:02:03``."""
    whole = max(int(duration_s), 0)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def noun(kinds: Sequence[str]) -> str:
    """What to call the tasks of a run with these kinds: scenarios when they all are."""
    return "scenario" if not kinds or tuple(kinds) == ("scenario",) else "task"


def plural(number: int, noun: str) -> str:
    """``1 scenario``, ``2 scenarios``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def counted(counts: Mapping[Outcome, int]) -> list[tuple[Outcome, str]]:
    """Each outcome that occurred with its words, most urgent first: ``(failed, '2 failed')``."""
    return [(outcome, f"{counts[outcome]} {outcome.value}") for outcome in ORDER if counts.get(outcome)]


def verdict(outcome: Outcome, duration_s: float, *, attempts: int = 1, reason: str = "") -> str:
    """What follows the name of a finished task: ``0.12 s``, ``timed out after 5.00 s``, ``skipped: needs vim``."""
    took = seconds(duration_s)
    tries = f", {attempts} attempts" if attempts > 1 else ""
    if outcome is Outcome.PASSED:
        return took
    if outcome is Outcome.CACHED:
        return outcome.value
    if outcome is Outcome.FLAKY:
        return f"flaky: passed at attempt {attempts}, {took}"
    if outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR):
        said = f": {reason}" if reason and outcome is Outcome.ERROR else ""
        return f"{outcome.value} after {took}{tries}{said}"
    if outcome is Outcome.INTERRUPTED and attempts:
        return f"{outcome.value} after {took}"
    return f"{outcome.value}: {reason}" if reason else outcome.value


def rerun_command(source: Source, name: str) -> str:
    """The shell command that runs this one scenario again."""
    return f"orchestro run {shlex.quote(source.file)} -k {shlex.quote(name)}" if source.file else ""
