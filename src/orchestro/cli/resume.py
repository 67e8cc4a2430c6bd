"""`orchestro resume` and `orchestro replay`: going on with a run, and seeing it again."""

from __future__ import annotations

import argparse
import os

from orchestro.cli.help import HelpFormatter
from orchestro.cli.values import folder
from orchestro.exits import Exit

__all__ = ["add_parser", "add_replay_parser"]

_EXAMPLES = """\
examples:
  orchestro resume                       the last run: what had not passed, and nothing else
  orchestro resume 20260102-030405-006-ab12 -j 8
"""

_REPLAY_EXAMPLES = """\
examples:
  orchestro replay                       print the last run again
  orchestro replay --speed 10            as it happened, ten times as fast
  orchestro replay ~/from-ci/20260102-030405-006-ab12
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `resume`."""
    parser = subparsers.add_parser(
        "resume",
        help="go on with a run that was cut off",
        description="Run what had not passed in a run that was killed, interrupted or failed, with the options that it "
        "was started with, and never what had. The record goes on in the same run.",
        epilog=_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="which run (default: the last)")
    parser.add_argument("-j", "--workers", metavar="N", help="another number of workers than before")
    parser.add_argument("-q", "--quiet", action="store_true", help="only failures and one line at the end")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each step")
    parser.add_argument("--output-dir", type=folder, default=".orchestro", metavar="DIR", help="where runs are kept")
    parser.set_defaults(action=_resume)


def _resume(options: argparse.Namespace) -> int:
    import asyncio

    from orchestro.app import plan_work, read_history
    from orchestro.app.resuming import read_earlier
    from orchestro.app.running import execute
    from orchestro.cli.lines import say
    from orchestro.cli.main import make_parser
    from orchestro.cli.run import run_options, with_reports
    from orchestro.cli.show import run_directory
    from orchestro.errors import UserError
    from orchestro.isolate.scratch import Scratch

    earlier = read_earlier(run_directory(options))
    argv = list(earlier.started.argv[1:])
    if argv[:1] != ["run"]:
        raise UserError(f"run {earlier.run_id} was not started by `orchestro run`: it cannot be resumed from here")
    os.chdir(_directory(earlier.started.cwd))
    again = make_parser("run").parse_args(argv)
    state = os.path.dirname(os.path.dirname(earlier.directory))
    if options.workers:
        again.workers = make_parser("run").parse_args(["run", "-j", options.workers]).workers
    again.output_dir, again.argv = state, earlier.started.argv
    again.quiet, again.verbose = again.quiet or options.quiet, again.verbose or options.verbose
    chosen = run_options(again)
    work = plan_work(again.paths or ["."], chosen, read_history(chosen))
    left = [task for task in work.tasks if task.id not in earlier.kept]
    if not left and earlier.finished:
        Scratch.remove_stale()  # it may have been killed as it cleaned up
        say(f"Everything in run {earlier.run_id} has passed; there is nothing to resume.")
        return Exit.PASSED
    return asyncio.run(with_reports(again, lambda observers: execute(work, chosen, observers, earlier=earlier)))


def _directory(path: str) -> str:
    from orchestro.errors import UserError

    if not os.path.isdir(path):
        raise UserError(f"the run was started in {path}, which is not there; it can be shown, but not resumed")
    return path


def add_replay_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `replay`."""
    parser = subparsers.add_parser(
        "replay",
        help="print a run again, as it happened",
        description="Print a run again from its log, which may come from another machine.",
        epilog=_REPLAY_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="an id of `orchestro runs`, or a path (default: the last)"
    )
    parser.add_argument("--speed", type=_speed, metavar="X", help="keep the time between events, divided by X")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each step")
    parser.add_argument("--no-color", action="store_true", help="no colours")
    parser.add_argument("--output-dir", type=folder, default=".orchestro", metavar="DIR", help="where runs are kept")
    parser.set_defaults(action=_replay)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return speed


def _replay(options: argparse.Namespace) -> int:
    import sys
    import time

    from orchestro.cli.show import run_directory
    from orchestro.observe.console import choose_console
    from orchestro.store.run_log import read_log

    directory = run_directory(options)
    env = {**os.environ, "CI": "true"} if options.speed is None else os.environ
    console = choose_console(
        sys.stdout, sys.stderr, env, verbosity=1 if options.verbose else 0, no_color=options.no_color
    )
    damaged: list[int] = []
    before: float | None = None
    for event in read_log(directory, damaged):
        if options.speed is not None and before is not None and event.at > before:
            time.sleep((event.at - before) / options.speed)  # what the user asks for: the time that passed
        before = event.at
        console.handle(event)
        if options.speed is not None:
            console.tick(event.at)
    console.close()
    if damaged:
        sys.stderr.write(
            f"orchestro: {len(damaged)} damaged lines of the log were passed over, the first {damaged[0]}\n"
        )
    return Exit.PASSED
