"""The console: permanent lines as scenarios end, a summary, and on a terminal a live view below them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from orchestro.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    Diagnostic,
    Event,
    RetryScheduled,
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
from orchestro.model import Outcome
from orchestro.observe.analysis import Measurements
from orchestro.observe.columns import clean, wrap
from orchestro.observe.failure_text import failure_lines
from orchestro.observe.matrix import Matrices, group_name
from orchestro.observe.paint import Paint
from orchestro.observe.reporter import Reporter
from orchestro.observe.run_view import RunView
from orchestro.observe.summary import BROKEN, summary_lines
from orchestro.observe.wording import noun, plural, rerun_command, seconds, verdict

if TYPE_CHECKING:
    from orchestro.observe.console_live import LiveRegion
    from orchestro.observe.registry import ReporterOptions

__all__ = ["FEW", "ConsoleReporter", "build", "choose_console"]

FEW = 30
"""Up to so many scenarios each gets its line also above a live view; of more, only what did not simply pass."""
REDRAW_S = 0.1
"""Least time between two frames of the live view: fluent to the eye, and 1 % of a processor at the most."""
APPEAR_S = 0.2
"""A run that is over sooner shows no live view: it would only flash."""
_LONG_PAUSE_S = 1.0
"""A pause before another attempt that is worth a line: someone may wonder why nothing happens."""


class ConsoleReporter(Reporter):
    """Results on `stdout`, diagnostics on `stderr`.

    `live` needs a terminal that understands ANSI cursor movement. `size` gives the window as (columns, rows) and is
    asked whenever it matters; None means that nothing bounds the lines. `verbosity`: -1 only failures and one line of
    summary, 0 a line for each scenario, 1 each step as well. Held text is bounded: the live view writes out what ended
    at least once a frame.
    """

    shows_diagnostics = True

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        *,
        color: bool = False,
        live: bool = False,
        size: Callable[[], tuple[int, int]] | None = None,
        verbosity: int = 0,
    ) -> None:
        self._stdout = stdout
        self._stderr = stderr
        unicode = (getattr(stdout, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")
        self._paint = Paint(color=color, unicode=unicode)
        self._size = size
        self._verbosity = verbosity
        self._view = RunView()
        self._matrices = Matrices(self._view)
        self._measurements = Measurements()
        self._notes: list[tuple[str, str]] = []
        self._blank = True
        self._closed = False
        self._live = live and size is not None
        self._region: LiveRegion | None = None
        self._pending: list[str] = []
        self._drawn_at = 0.0
        self.tick_s = REDRAW_S if self._live else None
        self._show: dict[type[Any], Callable[[Any], None]] = {
            RunStarted: self._run_started,
            TaskPlanned: self._matrices.plan,
            TaskFinished: self._task_finished,
            Diagnostic: self._diagnostic,
            RunInterrupted: self._run_interrupted,
            BreakerChanged: self._breaker_changed,
        }
        if verbosity >= 0:
            self._show[RetryScheduled] = self._retry_scheduled
            self._show[TaskRouted] = self._task_routed
            self._show[RunResumed] = self._run_resumed
        if verbosity > 0:
            self._show[WorkersChanged] = self._workers_changed
            self._show[StrategyChanged] = self._strategy_changed
            self._show[AttemptStarted] = self._attempt_started
            self._show[StepFinished] = self._step_finished
            self._show[AttemptFinished] = self._attempt_finished

    def note(self, label: str, path: str) -> None:
        """Name something that was written, e.g. ``("HTML report", "report.html")``; the summary lists it."""
        self._notes.append((label, path))

    def handle(self, event: Event) -> None:
        self._view.apply(event)
        if self._verbosity >= 0:
            self._measurements.apply(event)
        show = self._show.get(type(event))
        if show is not None:
            show(event)
        if self._live and event.at - self._drawn_at >= REDRAW_S:
            self._draw(event.at)

    def tick(self, now: float) -> None:
        """Redraw the live view; does nothing without one."""
        if self._live and now - self._drawn_at >= REDRAW_S / 2:
            self._draw(now)

    def close(self) -> None:
        """Take the live view away and print the summary, also when the run broke off."""
        if self._closed:
            return
        self._closed = True
        self._flush_groups()
        if self._view.started is not None:
            if self._verbosity >= 0 and not self._blank:
                self._print("")
            for line in summary_lines(
                self._view,
                self._matrices,
                paint=self._paint,
                columns=self._columns(),
                verbosity=self._verbosity,
                notes=self._notes,
                listed=self._lists_everything(),
                analysis=self._measurements.analyze() if self._verbosity >= 0 else None,
            ):
                self._print(line)
        self._erase()
        self._live = False

    # -- what is printed for good

    def _run_started(self, event: RunStarted) -> None:
        self._drawn_at = event.at + APPEAR_S - REDRAW_S
        if self._verbosity >= 0 and event.tasks > 1:
            text = f"{plural(event.tasks, noun(event.kinds))}, {plural(event.workers, 'worker')}"
            self._print(self._paint.dim(text))

    def _task_finished(self, event: TaskFinished) -> None:
        if event.outcome in BROKEN:
            self._print_failure(event)
        elif not self._lists(event):
            return
        members = self._matrices.members(event.task_id) if self._verbosity <= 0 else []
        if not members:
            if event.outcome not in BROKEN:
                self._print_verdict(event)
            return
        verdicts = self._matrices.finished(members)
        if verdicts is not None:
            self._print_group(verdicts)

    def _print_group(self, verdicts: list[TaskFinished]) -> None:
        first = verdicts[0]
        if not self._matrices.agree(verdicts):
            for event in verdicts:
                if event.outcome not in BROKEN and self._lists(event):
                    self._print_verdict(event)
        elif first.outcome not in BROKEN:
            name = group_name(self._matrices.group(first.task_id), len(verdicts))
            took = sum(event.duration_s for event in verdicts)
            tries = max(event.attempts for event in verdicts)
            self._print_line(first.outcome, name, verdict(first.outcome, took, attempts=tries, reason=first.reason))

    def _flush_groups(self) -> None:
        """Print what was held back for matrices that did not end."""
        if self._verbosity > 0:
            return
        for event in self._view.ended.values():
            members = self._matrices.members(event.task_id)
            held = members and self._matrices.finished(members) is None
            if held and event.outcome not in BROKEN and self._lists(event):
                self._print_verdict(event)

    def _lists_everything(self) -> bool:
        return self._verbosity > 0 or not self._live or self._view.total <= FEW

    def _lists(self, event: TaskFinished) -> bool:
        """Whether a task that is not broken gets a line of its own."""
        if self._verbosity < 0:
            return False
        if event.outcome is Outcome.INTERRUPTED and not event.attempts:
            # Thousands may never have started; the summary counts them.
            return False
        return self._lists_everything() or event.outcome is Outcome.FLAKY

    def _print_verdict(self, event: TaskFinished) -> None:
        words = verdict(event.outcome, event.duration_s, attempts=event.attempts, reason=event.reason)
        self._print_line(event.outcome, event.name, words)

    def _print_line(self, outcome: Outcome, name: str, words: str, indent: str = "") -> None:
        """``✓ name  0.12 s``; a line that does not fit is wrapped with its rest indented."""
        paint = self._paint
        columns = self._columns()
        sign = paint.sign(outcome)
        color = paint.dim if outcome is Outcome.PASSED else lambda text: paint.outcome(outcome, text)
        name, words = clean(name), clean(words)
        taken = len(indent) + len(sign) + 1
        rows = wrap(f"{name}  {words}", None if columns is None else max(columns - taken, 16))
        head = f"{indent}{paint.outcome(outcome, sign)} "
        if len(rows) == 1:
            shown = paint.bold(name) if outcome in BROKEN else name
            self._print(f"{head}{shown}  {color(words)}")
            return
        self._print(head + rows[0])
        for row in rows[1:]:
            self._print(" " * taken + row)

    def _print_failure(self, event: TaskFinished) -> None:
        like = self._matrices.first_like(event) if self._verbosity <= 0 else None
        words = verdict(event.outcome, event.duration_s, attempts=event.attempts)
        if like is not None:
            self._print_line(event.outcome, event.name, f"{words}, just as {like.name}")
            return
        if not self._blank:
            self._print("")
        self._print_line(event.outcome, event.name, words)
        columns = self._columns()
        indent = "  "
        source = self._view.source(event.task_id)
        rerun = rerun_command(source, event.name)
        failure = self._view.failure(event.task_id)
        if failure is not None:
            room = None if columns is None else max(columns - len(indent), 20)
            for line in failure_lines(failure, paint=self._paint, columns=room, rerun=rerun, where=source):
                self._print(indent + line)
        elif event.reason:
            self._print(indent + clean(event.reason))
        self._print("")

    def _attempt_started(self, event: AttemptStarted) -> None:
        if event.number > 1:
            before = self._view.attempts.get(event.task_id, [])
            failure = before[-1].failure if before else None
            words = f"attempt {event.number} begins" + (f", the last one: {failure.message}" if failure else "")
            self._print_line(Outcome.FLAKY, self._name(event.task_id), words)

    def _step_finished(self, event: StepFinished) -> None:
        outcome = Outcome.PASSED if event.ok else Outcome.FAILED
        phase = "" if event.phase == "steps" else f"{event.phase}: "
        why = f"{event.why}, " if event.why else ""
        name = f"{self._name(event.task_id)} {self._paint.arrow} {phase}{event.label}"
        self._print_line(outcome, name, f"{why}{seconds(event.duration_s)}", indent="    ")

    def _attempt_finished(self, event: AttemptFinished) -> None:
        for finding in event.findings:
            self._print(f"    {self._paint.warn(clean(f'{finding.code}: {finding.message}'))}")

    def _retry_scheduled(self, event: RetryScheduled) -> None:
        if event.delay_s >= _LONG_PAUSE_S or (event.delay_s > 0 and self._verbosity > 0):
            words = f"{event.outcome.value}, attempt {event.number + 1} in {seconds(event.delay_s)}"
            self._print_line(Outcome.FLAKY, self._name(event.task_id), words)

    def _task_routed(self, event: TaskRouted) -> None:
        reason = f" ({event.reason})" if event.reason else ""
        words = f"{event.outcome.value}, goes on to {self._name(event.to)}{reason}"
        self._print_line(Outcome.FLAKY, self._name(event.task_id), words)

    def _run_resumed(self, event: RunResumed) -> None:
        left = self._view.total - len(self._view.ended)
        kept = f"{plural(event.kept, 'task')} kept, {left} to run"
        self._print(self._paint.dim(f"resumed: {kept}, {plural(event.workers, 'worker')}"))

    def _workers_changed(self, event: WorkersChanged) -> None:
        self._remark(plural(event.workers, "worker") + " from now on", event.reason)

    def _strategy_changed(self, event: StrategyChanged) -> None:
        self._remark(f"scheduler {event.strategy} from now on", event.reason)

    def _remark(self, text: str, reason: str) -> None:
        self._print(self._paint.dim(clean(f"{text}: {reason}" if reason else text)))

    def _name(self, task_id: str) -> str:
        task = self._view.planned.get(task_id)
        return task.name if task else task_id

    # -- diagnostics

    def _run_interrupted(self, event: RunInterrupted) -> None:
        running = len(self._view.running)
        if event.level > 1:
            text = f"interrupted: ending {plural(running, 'running ' + self._view.noun)} now"
        else:
            text = (
                f"interrupted: waiting for {plural(running, 'running ' + self._view.noun)}; Ctrl-C again ends them now"
            )
        self._tell(self._paint.warn(text))

    def _diagnostic(self, event: Diagnostic) -> None:
        color = self._paint.bad if event.level == "error" else self._paint.warn
        name = f"{clean(self._name(event.task_id))}: " if event.task_id else ""
        self._tell(f"{color(event.level + ':')} {name}{clean(event.message)}")

    def _breaker_changed(self, event: BreakerChanged) -> None:
        """It holds up a whole kind of tasks, which is news even for who wants to hear little."""
        kind, reason = clean(event.kind), f": {clean(event.reason)}" if event.reason else ""
        if event.state == "open":
            text = f"no {kind} task starts until the circuit breaker lets one try{reason}"
            self._tell(f"{self._paint.warn('warning:')} {text}")
        elif event.state == "closed":
            self._tell(f"{kind} tasks start again{reason}")
        elif self._verbosity > 0:
            self._tell(f"a few {kind} tasks are tried{reason}")

    def _tell(self, line: str) -> None:
        self._erase()
        _write(self._stderr, line + "\n")

    # -- output

    def _columns(self) -> int | None:
        return self._size()[0] if self._size is not None else None

    def _print(self, line: str) -> None:
        self._blank = not line
        if self._live:
            self._pending.append(line)
        else:
            _write(self._stdout, line + "\n")

    def _draw(self, now: float) -> None:
        self._drawn_at = now
        if self._size is None:
            return
        from orchestro.observe.console_live import LiveRegion, live_lines

        if self._region is None:
            self._region = LiveRegion(lambda text: _write(self._stdout, text))
        columns, rows = self._size()
        lines = live_lines(self._view, now, columns=columns, rows=rows, paint=self._paint)
        self._region.draw(self._pending, lines, columns=columns, rows=rows)
        self._pending = []

    def _erase(self) -> None:
        """Leave only permanent lines on the screen; the next frame draws the live view again."""
        if self._region is not None and self._size is not None:
            columns, rows = self._size()
            self._region.draw(self._pending, [], columns=columns, rows=rows)
        elif self._pending:
            _write(self._stdout, "".join(line + "\n" for line in self._pending))
        self._pending = []


def _write(stream: TextIO, text: str) -> None:
    """Write and flush; what the stream's encoding cannot take is replaced."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def choose_console(
    stdout: TextIO,
    stderr: TextIO,
    env: Mapping[str, str],
    *,
    verbosity: int = 0,
    no_color: bool = False,
    windows: bool = os.name == "nt",
) -> ConsoleReporter:
    """The console that suits the streams and the environment.

    Colours: never with `no_color` or a non-empty ``NO_COLOR``; always with a ``FORCE_COLOR`` other than empty and
    ``0``; else on a terminal that is not dumb. The live view: on a terminal that is not dumb, outside CI, unless quiet.
    """
    terminal = _isatty(stdout)
    # Windows sets no TERM; its new terminal says WT_SESSION, the old one may not understand ANSI at all.
    term = env.get("TERM") or ("ansi" if windows and env.get("WT_SESSION") else "dumb")
    capable = terminal and term not in ("dumb", "unknown")
    if no_color or env.get("NO_COLOR"):
        color = False
    elif env.get("FORCE_COLOR", "") not in ("", "0"):
        color = True
    else:
        color = capable and env.get("FORCE_COLOR") != "0"
    in_ci = env.get("CI", "").lower() not in ("", "0", "false")
    return ConsoleReporter(
        stdout,
        stderr,
        color=color,
        live=capable and not in_ci and verbosity >= 0,
        size=(lambda: _window(stdout)) if terminal else None,
        verbosity=verbosity,
    )


def build(options: ReporterOptions) -> ConsoleReporter:
    """The factory of the registry."""
    return choose_console(
        options.stdout, options.stderr, options.env, verbosity=options.verbosity, no_color=options.no_color
    )


def _isatty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def _window(stream: TextIO) -> tuple[int, int]:
    """The size of the window; 80x24 when the terminal does not know it."""
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return 80, 24
    return columns or 80, rows or 24
