"""JUnit XML as Jenkins and GitLab read it: one suite a file, retries the way Maven Surefire writes them.

The elements and attributes are those of the Jenkins xUnit schema (junit-10.xsd) and, on ``testcase``, ``file`` and
``line``, which GitLab shows and Jenkins' own reader ignores.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from orchestro.events import AttemptFinished, Event, TaskPlanned
from orchestro.model import Failure, Outcome, Source
from orchestro.observe.atomic import write_atomically
from orchestro.observe.failure_text import failure_lines, screen_box
from orchestro.observe.reporter import Reporter
from orchestro.observe.run_view import RunView
from orchestro.observe.wording import rerun_command

if TYPE_CHECKING:
    from orchestro.observe.registry import ReporterOptions

__all__ = ["MAX_TEXT", "JUnitReporter", "build"]

MAX_TEXT = 65_536
"""Characters kept of one text; readers refuse files of many megabytes (GitLab's limit is 30 MB)."""

_MAX_MESSAGE = 1000
"""Characters kept of a message, which is an attribute and shown in one line."""

# XML 1.0 allows tab, line feed, carriage return and from U+0020 on, except surrogates, U+FFFE and U+FFFF.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnitReporter(Reporter):
    """Writes `path` when closed, whatever the run came to; a run that broke off has its missing tasks as skipped."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._view = RunView()

    def handle(self, event: Event) -> None:
        self._view.apply(event)

    def close(self) -> None:
        """Write the file. Raises OSError."""
        root = _document(self._view)
        indent(root)
        write_atomically(self._path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def build(options: ReporterOptions) -> JUnitReporter:
    """The factory of the registry."""
    return JUnitReporter(options.target or "junit.xml")


def _document(view: RunView) -> Element:
    files: dict[str, list[TaskPlanned]] = {}
    for task in view.planned.values():
        files.setdefault(task.source.file, []).append(task)
    root = Element("testsuites", name="orchestro")
    host = _host()
    for file, tasks in files.items():
        root.append(_suite(view, file, tasks, host))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{view.elapsed_s(view.last_at):.3f}")
    return root


def _suite(view: RunView, file: str, tasks: Sequence[TaskPlanned], host: str) -> Element:
    suite = Element("testsuite", name=_legal(file or "orchestro"))
    cases = [_case(view, task) for task in tasks]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    if view.started is not None:
        # Local time of no zone is what the schema of JUnit asks for; UTC is the one that is repeatable.
        suite.set("timestamp", datetime.fromtimestamp(view.started.at, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    suite.set("hostname", _legal(host))
    if file:
        suite.set("file", _legal(file))
    return suite


def _case(view: RunView, task: TaskPlanned) -> Element:
    ended = view.ended.get(task.task_id)
    attempts = view.attempts.get(task.task_id, [])
    duration = ended.duration_s if ended else sum(attempt.duration_s for attempt in attempts)
    case = Element("testcase", name=_legal(task.name), classname=_legal(_class_name(task.source)))
    if task.source.file:
        case.set("file", _legal(task.source.file))
    if task.source.line:
        case.set("line", str(task.source.line))
    case.set("time", f"{duration:.3f}")
    outcome = ended.outcome if ended else Outcome.INTERRUPTED
    reason = ended.reason if ended else "the run broke off before its verdict"
    if not outcome.ran:
        SubElement(
            case,
            "skipped",
            type=outcome.value,
            message=_legal(f"{outcome.value}: {reason}" if reason else outcome.value),
        )
    elif outcome is Outcome.FLAKY:
        for attempt in attempts:
            if not attempt.outcome.ok:
                _rerun(case, "flaky", task, attempt)
    elif outcome is not Outcome.PASSED:
        _broken(view, case, task, outcome, reason, attempts)
    return case


def _broken(
    view: RunView, case: Element, task: TaskPlanned, outcome: Outcome, reason: str, attempts: Sequence[AttemptFinished]
) -> None:
    """The first attempt that ended as the verdict says is the failure, the others are its reruns."""
    main = next((attempt for attempt in attempts if attempt.outcome is outcome), None)
    failure = main.failure if main is not None else view.failure(task.task_id)
    element = SubElement(case, "error" if outcome is Outcome.ERROR else "failure", type=outcome.value)
    element.set("message", _message(failure, reason or outcome.value))
    element.text = _text(failure, task) if failure else None
    for attempt in attempts:
        if attempt is not main and not attempt.outcome.ok:
            _rerun(case, "rerun", task, attempt)
    if failure is not None and (out := _screen_and_output(failure)):
        SubElement(case, "system-out").text = out


def _rerun(case: Element, prefix: str, task: TaskPlanned, attempt: AttemptFinished) -> None:
    """``flakyFailure``, ``rerunError`` and so on, for one attempt."""
    failure = attempt.failure
    kind = "Error" if attempt.outcome is Outcome.ERROR else "Failure"
    element = SubElement(case, prefix + kind, type=attempt.outcome.value)
    element.set("message", _message(failure, attempt.outcome.value))
    if failure is not None:
        SubElement(element, "stackTrace").text = _text(failure, task)
        if out := _screen_and_output(failure):
            SubElement(element, "system-out").text = out


def _message(failure: Failure | None, otherwise: str) -> str:
    return _legal((failure.message if failure else otherwise)[:_MAX_MESSAGE])


def _text(failure: Failure, task: TaskPlanned) -> str:
    """The failure as people read it; the screen goes to ``system-out``."""
    rerun = rerun_command(task.source, task.name)
    return _legal("\n".join(failure_lines(failure, rerun=rerun, where=task.source, screen=False)))[:MAX_TEXT]


def _screen_and_output(failure: Failure) -> str:
    parts = []
    if failure.screen:
        parts.append("\n".join(["screen at that moment:", *screen_box(failure.screen, failure.cursor)]))
    if failure.output:
        parts.append("output since the last input:\n" + failure.output)
    return _legal("\n".join(parts))[-MAX_TEXT:]


def _class_name(source: Source) -> str:
    """``examples/vim.scenario.yaml`` as ``examples.vim``: Jenkins makes its tree of packages from the dots."""
    path = re.sub(r"(\.scenario)?\.ya?ml$", "", source.file.replace("\\", "/"))
    parts = [part.replace(".", "_") for part in path.split("/") if part not in ("", ".", "..")]
    return ".".join(parts) or "orchestro"


def _host() -> str:
    import platform

    return platform.node() or "localhost"


def _legal(text: str) -> str:
    """The text without the characters that XML 1.0 does not allow, even escaped."""
    return _ILLEGAL.sub("", text)
