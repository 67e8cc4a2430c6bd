"""`orchestro show` and `orchestro runs`: what was run before, from its log."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from orchestro.cli.help import HelpFormatter
from orchestro.cli.lines import say
from orchestro.cli.values import folder

__all__ = ["add_parser", "add_runs_parser", "run_directory"]

_EXAMPLES = """\
examples:
  orchestro show                         print the last run again
  orchestro show --failed                only what did not pass
  orchestro show --html report.html      write the report of the last run
  orchestro show --trace trace.json      write its timeline, for ui.perfetto.dev
  orchestro show 20260102-030405-ab12 --open
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `show`."""
    parser = subparsers.add_parser(
        "show",
        help="show the last run, or write its report",
        description="Print a run again from its log, or write its report. RUN is an id of `orchestro runs` or a path.",
        epilog=_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="which run (default: the last)")
    parser.add_argument("--html", metavar="FILE", help="write the HTML report")
    parser.add_argument("--open", action="store_true", help="write the HTML report and open it in a browser")
    parser.add_argument("--trace", metavar="FILE", help="write a timeline for ui.perfetto.dev and chrome://tracing")
    parser.add_argument("--failed", action="store_true", help="only what did not pass")
    parser.add_argument("--json", action="store_true", help="print the events as JSON lines")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each step")
    parser.add_argument("--no-color", action="store_true", help="no colours")
    parser.add_argument("--output-dir", type=folder, default=".orchestro", metavar="DIR", help="where runs are kept")
    parser.set_defaults(action=_show)


def run_directory(options: argparse.Namespace) -> str:
    """The directory of the run that was asked for. Raises UserError when there is none."""
    from orchestro.errors import UserError
    from orchestro.store.directory import StateDirectory
    from orchestro.store.run_log import NAME

    state = StateDirectory(options.output_dir)
    if options.run is None:
        for run_id in reversed(list(state.run_ids())):
            if os.path.exists(os.path.join(state.runs, run_id, NAME)):
                return os.path.join(state.runs, run_id)
        raise UserError(f"there is no run in {state.runs}; start one with `orchestro run`")
    for directory in (os.path.join(state.runs, options.run), options.run):
        if os.path.exists(os.path.join(directory, NAME)):
            return directory
    alike = [run_id for run_id in state.run_ids() if run_id.startswith(options.run)]
    if len(alike) == 1:
        return os.path.join(state.runs, alike[0])
    known = f"{len(alike)} runs begin with {options.run!r}" if alike else f"there is no run {options.run!r}"
    raise UserError(f"{known}; `orchestro runs` lists them")


def _show(options: argparse.Namespace) -> int:
    from orchestro.errors import UserError
    from orchestro.events import to_json
    from orchestro.store.run_log import read_log

    directory = run_directory(options)
    if next(read_log(directory), None) is None:
        raise UserError(f"the record in {directory} is empty: the run was killed as it began")
    if options.html is not None or options.open or options.trace is not None:
        _write(options, directory)
        return 0
    if options.json:
        for event in read_log(directory):
            print(to_json(event))
        return 0
    from orchestro.observe.console import ConsoleReporter, choose_console

    chosen: ConsoleReporter = choose_console(
        sys.stdout,
        sys.stderr,
        {**os.environ, "CI": "true"},  # a replay is over at once: no live view
        verbosity=1 if options.verbose else -1 if options.failed else 0,
        no_color=options.no_color,
    )
    for event in read_log(directory):
        chosen.handle(event)
    chosen.note("Recordings", os.path.join(os.path.relpath(directory), "recordings"))
    chosen.close()
    return 0


def _write(options: argparse.Namespace, directory: str) -> None:
    """Write the files that were asked for, and name each on a line."""
    from orchestro.cli.reports import check_file
    from orchestro.store.run_log import read_log

    html = options.html if options.html is not None or not options.open else os.path.join(directory, "report.html")
    for option, path in (("--html", html), ("--trace", options.trace)):
        if path is not None:
            check_file(option, path)
    if options.trace is not None:
        from orchestro.observe.trace import TraceReporter

        trace = TraceReporter(options.trace)
        for event in read_log(directory):
            trace.handle(event)
        trace.close()
        print(options.trace)
    if html is not None:
        from orchestro.observe.html import write_report

        write_report(read_log(directory), directory, html)
        print(html)
    if options.open:
        import pathlib
        import webbrowser

        if not webbrowser.open(pathlib.Path(html).absolute().as_uri()):
            sys.stderr.write("orchestro: no browser could be started\n")


def add_runs_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `runs`."""
    parser = subparsers.add_parser(
        "runs", help="list the runs that are kept", description="List the runs that are kept."
    )
    parser.add_argument("--output-dir", type=folder, default=".orchestro", metavar="DIR", help="where runs are kept")
    parser.set_defaults(action=_runs)


def _runs(options: argparse.Namespace) -> int:
    from orchestro.events import RunFinished, RunStarted
    from orchestro.store.directory import StateDirectory
    from orchestro.store.run_log import read_log

    state = StateDirectory(options.output_dir)
    shown = 0
    for run_id in state.run_ids():
        started: RunStarted | None = None
        finished: RunFinished | None = None
        try:
            for event in read_log(os.path.join(state.runs, run_id)):
                if isinstance(event, RunStarted):
                    started = event
                elif isinstance(event, RunFinished):
                    finished = event
        except OSError:
            continue
        if started is None:
            continue
        counts = ", ".join(f"{n} {outcome}" for outcome, n in finished.counts) if finished else "did not end"
        duration = f"{finished.duration_s:.2f} s" if finished else ""
        say(f"{run_id}  {duration:>9}  {counts}  {shlex.join(started.argv[1:])}".rstrip())
        shown += 1
    if not shown:
        sys.stderr.write(f"orchestro: there is no run in {state.runs}; start one with `orchestro run`\n")
    return 0
