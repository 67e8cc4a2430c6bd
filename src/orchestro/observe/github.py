"""What GitHub Actions shows of a run: annotations at the lines that failed, and a summary of the job."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from orchestro.events import Event, TaskFinished
from orchestro.model import Outcome, Source
from orchestro.observe.failure_text import failure_lines
from orchestro.observe.reporter import Reporter
from orchestro.observe.run_view import RunView
from orchestro.observe.summary import BROKEN
from orchestro.observe.wording import counted, rerun_command, seconds

if TYPE_CHECKING:
    from orchestro.observe.registry import ReporterOptions

__all__ = ["MAX_ANNOTATIONS", "MAX_SUMMARY_BYTES", "GitHubReporter", "build"]

MAX_ANNOTATIONS = 10
"""GitHub shows so many of each kind for a step and drops the rest without a word."""
MAX_SUMMARY_BYTES = 1024 * 1024
"""GitHub's limit for the summary of a step; a larger one is refused altogether."""
_RESERVE = 200
"""Bytes kept free for the line that says what was left out."""
_MAX_MESSAGE = 4000
"""Characters of an annotation's message; GitHub cuts at 4 KB for all of them."""


class GitHubReporter(Reporter):
    """Prints the workflow commands when closed and appends the summary to the file that `env` names.

    `env` is the environment of the job: ``GITHUB_WORKSPACE`` makes the paths relative to the repository, without
    ``GITHUB_STEP_SUMMARY`` there is no summary.
    """

    def __init__(self, stdout: TextIO, env: Mapping[str, str]) -> None:
        self._stdout = stdout
        self._summary_path = env.get("GITHUB_STEP_SUMMARY", "")
        self._workspace = env.get("GITHUB_WORKSPACE", "")
        self._view = RunView()

    def handle(self, event: Event) -> None:
        self._view.apply(event)

    def close(self) -> None:
        """Write both. Raises OSError."""
        lines = [*_capped("error", self._errors()), *_capped("warning", self._warnings())]
        if lines:
            # A command counts only at the start of a line.
            self._stdout.write("".join(line + "\n" for line in lines))
            self._stdout.flush()
        if self._summary_path:
            self._append_summary()

    def _errors(self) -> list[str]:
        commands = []
        for event in self._view.ended.values():
            if event.outcome in BROKEN:
                failure = self._view.failure(event.task_id)
                message = failure.message if failure else event.reason or event.outcome.value
                if failure is not None:
                    facts = (("waited for", failure.waited_for), ("nearest", failure.nearest), ("hint", failure.hint))
                    message = "\n".join([message, *(f"{label}: {value}" for label, value in facts if value)])
                commands.append(self._command("error", event, f"{event.name} {_ended(event)}", message))
        return commands

    def _warnings(self) -> list[str]:
        commands = []
        for event in self._view.ended.values():
            if event.outcome is Outcome.FLAKY:
                failure = self._view.failure(event.task_id)
                message = f"passed at attempt {event.attempts}" + (f"; before: {failure.message}" if failure else "")
                commands.append(self._command("warning", event, f"{event.name} is flaky", message))
            for attempt in self._view.attempts.get(event.task_id, ())[-1:]:
                commands += [
                    self._command("warning", event, f"{event.name}: {finding.code}", finding.message, at_task=True)
                    for finding in attempt.findings
                ]
        return commands

    def _command(self, kind: str, event: TaskFinished, title: str, message: str, *, at_task: bool = False) -> str:
        failure = None if at_task else self._view.failure(event.task_id)
        source = failure.source if failure is not None and failure.source.file else self._view.source(event.task_id)
        properties = []
        if source.file:
            properties.append(f"file={_property(self._in_repository(source))}")
            if source.line:
                properties.append(f"line={source.line}")
        properties.append(f"title={_property(title)}")
        return f"::{kind} {','.join(properties)}::{_data(message[:_MAX_MESSAGE])}"

    def _in_repository(self, source: Source) -> str:
        """The path from the root of the repository, where GitHub looks for it."""
        if not self._workspace:
            return source.file
        base = self._view.started.cwd if self._view.started else ""
        path = os.path.normpath(os.path.join(base, source.file))
        inside = os.path.relpath(path, self._workspace) if os.path.isabs(path) else source.file
        return source.file if inside.startswith("..") else inside.replace(os.sep, "/")

    def _append_summary(self) -> None:
        try:
            room = MAX_SUMMARY_BYTES - os.path.getsize(self._summary_path)
        except FileNotFoundError:
            room = MAX_SUMMARY_BYTES
        text = _summary(self._view, room - _RESERVE)
        if len(text) <= room:
            with open(self._summary_path, "ab") as file:
                file.write(text)


def build(options: ReporterOptions) -> GitHubReporter:
    """The factory of the registry."""
    return GitHubReporter(options.stdout, options.env)


def _ended(event: TaskFinished) -> str:
    return "ended in an error" if event.outcome is Outcome.ERROR else event.outcome.value


def _capped(kind: str, commands: Sequence[str]) -> list[str]:
    """At most GitHub's number; the last one then says how many there are beyond."""
    if len(commands) <= MAX_ANNOTATIONS:
        return list(commands)
    kept = commands[: MAX_ANNOTATIONS - 1]
    rest = len(commands) - len(kept)
    return [*kept, f"::{kind} title=orchestro::{rest} more {kind}s are not annotated; the log has all of them"]


def _data(text: str) -> str:
    """Escaped for the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escaped for a property, where ``:`` and ``,`` separate."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _summary(view: RunView, room: int) -> bytes:
    """Markdown of at most `room` bytes: the counts, then each failure to be opened."""
    counts = "".join(f"| {outcome.value} | {view.counts[outcome]} |\n" for outcome, _ in counted(view.counts))
    took = seconds(view.elapsed_s(view.last_at))
    state = "" if view.finished is not None else " (the run broke off)"
    said = ", ".join(text for _, text in counted(view.counts)) or "nothing was run"
    head = f"### orchestro: {said} in {took}{state}\n\n"
    table = f"| outcome | scenarios |\n| --- | ---: |\n{counts}\n" if counts else ""
    parts = [(head + table).encode("utf-8", "replace")]
    used = len(parts[0])
    broken = [event for event in view.ended.values() if event.outcome in BROKEN]
    for shown, event in enumerate(broken):
        part = _details(view, event).encode("utf-8", "replace")
        if used + len(part) > room:
            parts.append(f"\n{len(broken) - shown} more failures are left out: the summary is full.\n".encode())
            break
        parts.append(part)
        used += len(part)
    return b"".join(parts)


def _details(view: RunView, event: TaskFinished) -> str:
    source = view.source(event.task_id)
    failure = view.failure(event.task_id)
    title = f"<b>{_html(event.name)}</b> {_ended(event)} after {seconds(event.duration_s)}"
    lines = failure_lines(failure, rerun=rerun_command(source, event.name), where=source) if failure else [event.reason]
    text = "\n".join(lines)
    # A fence longer than any run of backticks within cannot be closed by the program's output.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"<details><summary>{title}</summary>\n\n{fence}text\n{text}\n{fence}\n\n</details>\n\n"


def _html(text: str) -> str:
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
