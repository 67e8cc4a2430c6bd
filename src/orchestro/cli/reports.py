"""What a run is told to: the console and every report that was asked for, and which of the files were written."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING

from orchestro.errors import UserError
from orchestro.events import Diagnostic, Event, RunStarted
from orchestro.observe.reporter import Fanout, Reporter
from orchestro.store.directory import StateDirectory

if TYPE_CHECKING:
    from orchestro.observe.console import ConsoleReporter

__all__ = ["Reports", "check_file"]


class Reports:
    """All reporters of one run behind one `fanout`. Raises UserError for a target that cannot be written."""

    def __init__(self, options: argparse.Namespace) -> None:
        from orchestro.cli.streams import lasting
        from orchestro.observe.console import choose_console

        for option, path in (
            ("--junit-xml", options.junit_xml),
            ("--html", options.html),
            ("--trace", options.trace),
        ):
            if path is not None:
                check_file(option, path)
        if options.json not in (None, "-"):
            check_file("--json", options.json)
        verbosity = 1 if options.verbose else -1 if options.quiet else 0
        self._options = options
        self._stdout, self._stderr = lasting(sys.stdout), lasting(sys.stderr)
        # Standard output that carries JSON lines carries nothing else; people read the other one.
        self._readable = self._stderr if options.json == "-" else self._stdout
        self._verbosity = verbosity
        console = choose_console(
            self._readable, self._stderr, os.environ, verbosity=verbosity, no_color=options.no_color
        )
        self.fanout = Fanout([console])
        self._files = _Files(self.fanout, console, options.html, StateDirectory(options.output_dir).runs)
        self.fanout.add(self._files)
        for option, name, target, label in self._wanted():
            reporter = self._make(option, name, target)
            self.fanout.add(reporter)
            if label:
                self._files.expect(label, target, reporter)

    @property
    def complete(self) -> bool:
        """Whether every file that was asked for was written; known after the fan-out was closed."""
        return not self._files.failed

    def _wanted(self) -> list[tuple[str, str, str, str]]:
        """(option, name of the reporter, target, label of the file), each reporter and target once."""
        options = self._options
        wanted = []
        if options.junit_xml is not None:
            wanted.append(("--junit-xml", "junit", options.junit_xml, "JUnit XML"))
        if options.json is not None:
            wanted.append(("--json", "json", options.json, "JSON lines" if options.json != "-" else ""))
        if options.trace is not None:
            wanted.append(("--trace", "trace", options.trace, "Trace"))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            wanted.append(("GITHUB_ACTIONS", "github", "", ""))
        for text in options.reporter:
            name, _, target = text.partition("=")
            # The console is always there; a second one would print everything twice.
            if name != "console" and (name, target) not in [(other[1], other[2]) for other in wanted]:
                wanted.append((f"--reporter {text}", name, target, ""))
        return wanted

    def _make(self, option: str, name: str, target: str) -> Reporter:
        from orchestro.observe.registry import ReporterOptions, create

        stdout = self._stdout if name == "json" else self._readable
        made = ReporterOptions(
            target=target,
            stdout=stdout,
            stderr=self._stderr,
            env=os.environ,
            verbosity=self._verbosity,
            no_color=self._options.no_color,
        )
        try:
            return create(name, made)
        except OSError as error:
            raise UserError(f"{option}: {target or name} cannot be written: {error.strerror or error}") from None


class _Files(Reporter):
    """Closed when the other reports are, and before the console: writes the HTML report, and has the files listed.

    So the report is also written when the run was interrupted or broke off.
    """

    def __init__(self, fanout: Fanout, console: ConsoleReporter, html: str | None, runs: str) -> None:
        self._fanout = fanout
        self._console = console
        self._html = html
        self._runs = runs
        self._directory: str | None = None
        self._expected: list[tuple[str, str, Reporter]] = []
        self.failed = False

    def expect(self, label: str, path: str, reporter: Reporter) -> None:
        """`reporter` writes `path`; the summary lists it as `label` unless the reporter was dropped."""
        self._expected.append((label, path, reporter))

    def handle(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._directory = os.path.join(self._runs, event.run_id)

    def close(self) -> None:
        if self._directory is None:
            return
        for label, path, reporter in self._expected:
            if any(message.startswith(f"reporter {type(reporter).__name__} ") for message in self._fanout.broken):
                self.failed = True
            else:
                self._console.note(label, path)
        self._write_html(self._directory)

    def _write_html(self, directory: str) -> None:
        if self._html is None:
            return
        from orchestro.observe.html import write_report
        from orchestro.store.run_log import read_log

        try:
            write_report(read_log(directory), directory, self._html)
        except OSError as error:
            self.failed = True
            message = f"the HTML report {self._html} was not written: {error.strerror or error}"
            self._console.handle(Diagnostic(time.time(), "error", message))
        else:
            self._console.note("HTML report", self._html)


def check_file(option: str, path: str) -> None:
    """Make the folder of `path`. Raises UserError when no file can be written there, before any time is spent."""
    if path in ("", "-") or os.path.isdir(path):
        kind = "this is a directory" if os.path.isdir(path) else f"got {path!r}"
        raise UserError(f"{option} {path}: expected the path of a file, {kind}")
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise UserError(f"{option} {path}: {folder} cannot be made: {error.strerror}") from None
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise UserError(f"{option} {path}: no permission to write there")
