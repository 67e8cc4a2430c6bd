"""The end of a run in words: what needs attention, where the records are, and the counts."""

from __future__ import annotations

from collections.abc import Sequence

from orchestro.events import TaskFinished
from orchestro.exits import Exit
from orchestro.model import Outcome
from orchestro.observe.analysis import RunAnalysis
from orchestro.observe.analysis_text import analysis_lines
from orchestro.observe.columns import clean, wrap
from orchestro.observe.matrix import Matrices, group_name
from orchestro.observe.paint import Paint
from orchestro.observe.run_view import RunView
from orchestro.observe.wording import counted, seconds

__all__ = ["BROKEN", "MAX_LISTED", "summary_lines", "totals_line"]

MAX_LISTED = 20
"""Entries of a section that is not about failures; the rest is counted. Failures are always listed in full."""
BROKEN = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERROR)
"""Outcomes that make it into the list of failures."""

_MEANING = {
    Exit.PASSED: "",
    Exit.FAILED: "exit code 1",
    Exit.USAGE: "exit code 2: bad usage or configuration",
    Exit.INTERNAL: "exit code 3: an internal error",
    Exit.NOTHING_SELECTED: "exit code 4: nothing selected",
    Exit.INFRASTRUCTURE: "exit code 5: only infrastructure errors",
    Exit.INTERRUPTED: "exit code 130: interrupted",
}


class _Writer:
    """Collects the sections, wrapped to the window."""

    def __init__(self, paint: Paint, columns: int | None) -> None:
        self.paint = paint
        self.columns = columns
        self.lines: list[str] = []

    def section(self, title: str, entries: Sequence[tuple[str, str, str]], *, limit: int | None = MAX_LISTED) -> None:
        """A heading and a line for each (colour, sign, text)."""
        if not entries:
            return
        self.lines.append(self.paint.bold(title))
        shown = entries if limit is None or len(entries) <= limit else entries[: limit - 1]
        for codes, sign, text in shown:
            room = None if self.columns is None else max(self.columns - 4, 16)
            first, *others = wrap(clean(text), room)
            self.lines.append(f"  {self.paint.sgr(codes, sign)} {first}")
            self.lines += ["    " + line for line in others]
        if len(shown) < len(entries):
            self.lines.append(self.paint.dim(f"    {self.paint.ellipsis} {len(entries) - len(shown)} more"))


def summary_lines(
    view: RunView,
    matrices: Matrices,
    *,
    paint: Paint,
    columns: int | None = None,
    verbosity: int = 0,
    notes: Sequence[tuple[str, str]] = (),
    listed: bool = True,
    analysis: RunAnalysis | None = None,
) -> list[str]:
    """The summary of a run. `listed` tells whether each skipped and blocked task has had its own line already."""
    telling = analysis if analysis is not None and analysis.telling else None
    if verbosity < 0:
        return [totals_line(view, paint)]
    writer = _Writer(paint, columns)
    if verbosity > 0:
        writer.section("Slowest", _slowest(view, paint), limit=None)
        if telling is not None and telling.linked:
            writer.section("Critical path", _critical_path(telling))
    if not listed:
        writer.section("Skipped", _by_reason(view, paint, Outcome.SKIPPED))
        writer.section("Blocked", _by_reason(view, paint, Outcome.BLOCKED))
    writer.section("Flaky", _flaky(view, paint))
    writer.section("Warnings", _findings(view, paint))
    if view.finished is not None:
        gone = [(paint.codes(Outcome.FLAKY), "-", path) for path in view.finished.obsolete_snapshots]
        writer.section("Obsolete snapshots, used by no scenario", gone)
    writer.section("Not run", _not_run(view, paint))
    if telling is not None:
        arrow = paint.arrow
        writer.lines += [
            paint.dim(row) for line in analysis_lines(telling, arrow) for row in wrap(clean(line), columns)
        ]
    if notes:
        longest = max(len(label) for label, _ in notes)
        writer.lines += [f"{paint.dim(label.ljust(longest))}  {clean(path)}" for label, path in notes]
    writer.section("Failed", _failed(view, matrices, paint), limit=None)
    return [*writer.lines, *_wrap_totals(view, paint, columns)]


def totals_line(view: RunView, paint: Paint) -> str:
    """``✗ 2 failed, 40 passed in 12.3 s (exit code 1)`` on one line."""
    return " ".join(_totals(view, paint))


def _wrap_totals(view: RunView, paint: Paint, columns: int | None) -> list[str]:
    """The same within `columns`, broken only between its parts."""
    if columns is None:
        return [totals_line(view, paint)]
    plain = Paint(unicode=paint.unicode)
    lines: list[str] = []
    taken = columns
    for painted, bare in zip(_totals(view, paint), _totals(view, plain), strict=True):
        if lines and taken + 1 + len(bare) <= columns:
            lines[-1] += " " + painted
            taken += 1 + len(bare)
        else:
            lines.append(painted)
            taken = len(bare)
    return lines


def _totals(view: RunView, paint: Paint) -> list[str]:
    """The parts of the last line, to be joined by blanks."""
    counts = counted(view.counts)
    missing = len(view.unfinished)
    words = [paint.outcome(outcome, text) for outcome, text in counts]
    if missing:
        words.append(paint.warn(f"{missing} without a verdict"))
    if not words:
        words = ["nothing was run"]
    words = [word + "," for word in words[:-1]] + words[-1:]
    worst = next((outcome for outcome, _ in counts), None)
    sign = [paint.outcome(worst, paint.sign(worst))] if worst is not None else []
    took = seconds(view.elapsed_s(view.last_at))
    end = [f"in {took}"]
    if view.finished is None:
        end.append(paint.bad("(the run broke off)"))
    else:
        code = view.finished.exit_code
        meaning = _MEANING.get(Exit(code), "") if code in Exit.__members__.values() else f"exit code {code}"
        if meaning:
            end.append(paint.dim(f"({meaning})"))
    # The sign stays with the first number.
    return [" ".join([*sign, words[0]]), *words[1:], *end]


def _slowest(view: RunView, paint: Paint) -> list[tuple[str, str, str]]:
    ran = sorted((e for e in view.ended.values() if e.attempts), key=lambda e: e.duration_s, reverse=True)
    return [(paint.codes(e.outcome), paint.sign(e.outcome), f"{seconds(e.duration_s)}  {e.name}") for e in ran[:3]]


def _critical_path(analysis: RunAnalysis) -> list[tuple[str, str, str]]:
    return [("", "-", f"{seconds(step.duration_s)}  {step.name}") for step in analysis.critical_path]


def _by_reason(view: RunView, paint: Paint, outcome: Outcome) -> list[tuple[str, str, str]]:
    reasons: dict[str, list[str]] = {}
    for event in view.ended.values():
        if event.outcome is outcome:
            reasons.setdefault(event.reason or "no reason given", []).append(event.name)
    return [
        (paint.codes(outcome), paint.sign(outcome), f"{reason}: {_few(names)}") for reason, names in reasons.items()
    ]


def _few(names: Sequence[str], limit: int = 3) -> str:
    """The first names and how many more there are."""
    more = len(names) - limit
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:limit])} and {more} more"


def _flaky(view: RunView, paint: Paint) -> list[tuple[str, str, str]]:
    entries = []
    for event in view.ended.values():
        if event.outcome is Outcome.FLAKY:
            failed = next((a for a in view.attempts.get(event.task_id, ()) if not a.outcome.ok), None)
            why = ""
            if failed is not None:
                message = failed.failure.message if failed.failure else failed.outcome.value
                why = f"; attempt {failed.number} {failed.outcome.value}: {message}"
            text = f"{_at(view, event)}{event.name}: passed at attempt {event.attempts}{why}"
            entries.append((paint.codes(Outcome.FLAKY), paint.sign(Outcome.FLAKY), text))
    return entries


def _findings(view: RunView, paint: Paint) -> list[tuple[str, str, str]]:
    """Findings of the last attempts, equal ones once with the names of all that have them."""
    found: dict[tuple[str, str], list[str]] = {}
    for attempts in view.attempts.values():
        last = attempts[-1]
        task = view.planned.get(last.task_id)
        name = task.name if task else last.task_id
        for finding in last.findings:
            names = found.setdefault((finding.code, finding.message), [])
            if name not in names[-1:]:
                names.append(name)
    sign = "▲" if paint.unicode else "!"
    return [
        (paint.codes(Outcome.FLAKY), sign, f"{code}: {message} ({_few(names)})")
        for (code, message), names in found.items()
    ]


def _not_run(view: RunView, paint: Paint) -> list[tuple[str, str, str]]:
    """What was cut off, one by one, and what never started, by the reason."""
    cut: list[str] = []
    reasons: dict[str, list[str]] = {}
    for event in view.ended.values():
        if event.outcome is Outcome.INTERRUPTED:
            if event.attempts:
                cut.append(f"{event.name}: cut off after {seconds(event.duration_s)}")
            else:
                reasons.setdefault(event.reason or "the run was stopped", []).append(event.name)
    if view.unfinished:
        reasons["the run broke off"] = [task.name for task in view.unfinished]
    texts = [*cut, *(f"{reason}: {_few(names, 10)}" for reason, names in reasons.items())]
    return [(paint.codes(Outcome.INTERRUPTED), paint.sign(Outcome.INTERRUPTED), text) for text in texts]


def _failed(view: RunView, matrices: Matrices, paint: Paint) -> list[tuple[str, str, str]]:
    entries = []
    done: set[str] = set()
    for event in view.ended.values():
        if event.outcome not in BROKEN or event.task_id in done:
            continue
        name = event.name
        members = matrices.members(event.task_id)
        verdicts = matrices.finished(members) if members else None
        if verdicts is not None and matrices.agree(verdicts):
            name = group_name(matrices.group(event.task_id), len(members))
            done.update(members)
        entries.append((paint.codes(event.outcome), paint.sign(event.outcome), _why(view, event, name)))
    return entries


def _why(view: RunView, event: TaskFinished, name: str) -> str:
    failure = view.failure(event.task_id)
    message = next(iter(failure.message.splitlines()), "") if failure else event.reason
    kind = "" if event.outcome is Outcome.FAILED else f"{event.outcome.value}: "
    return (
        f"{_at(view, event)}{name}: {kind}{message}" if message else f"{_at(view, event)}{name}: {event.outcome.value}"
    )


def _at(view: RunView, event: TaskFinished) -> str:
    failure = view.failure(event.task_id)
    source = failure.source if failure is not None and failure.source.file else view.source(event.task_id)
    return f"{source}  " if source.file else ""
