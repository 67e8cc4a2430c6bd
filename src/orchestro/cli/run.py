"""`orchestro run`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from orchestro.cli.help import HelpFormatter
from orchestro.cli.lines import say
from orchestro.cli.store_option import add_store_option
from orchestro.cli.values import amount, at_least_one, count, folder, positive_duration, shard, workers
from orchestro.exits import Exit

if TYPE_CHECKING:
    from orchestro.app import Observer, RunOptions
    from orchestro.model import Report, Task
    from orchestro.observe.reporter import Fanout

__all__ = ["add_parser", "run_options", "with_reports"]

_EXAMPLES = """\
examples:
  orchestro run                          every scenario below this directory
  orchestro run tests/login.yaml -v      one file, step by step
  orchestro run tests/ -j 16 -x          sixteen at once, stop at the first failure
  orchestro run tests/ --tag 'fast and not network' -k login
  orchestro run tests/ --last-failed --retries 2
  orchestro run tests/ --junit-xml results.xml --html report.html
  orchestro run tests/ --snapshot update
  orchestro run tasks.yaml -j 2..10      commands with needs; as many workers as the queue deserves
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "run",
        help="run scenarios and task files",
        description="Run the scenarios and task files in files, directories and patterns, and say what held and what "
        "did not.",
        epilog=_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, directories or patterns (default: .)")
    group = parser.add_argument_group("how to run")
    group.add_argument(
        "-j",
        "--workers",
        type=workers,
        metavar="N",
        help="tasks at once, MIN..MAX to follow the queue, or auto (default: twice the processors)",
    )
    group.add_argument("--parallel", action="store_true", help="accepted for -j auto; runs are parallel anyway")
    group.add_argument(
        "--scheduler",
        default="",
        metavar="NAME",
        help="critical_path (default), fifo, priority, sjf, load_balance, deadline, adaptive, or that of a package",
    )
    group.add_argument(
        "--resource",
        action="append",
        default=[],
        type=amount,
        metavar="NAME=N",
        help="how much there is of a resource that tasks take, e.g. db=2",
    )
    group.add_argument("--no-cache", action="store_true", help="take no result from the cache, and keep none")
    group.add_argument(
        "--keep-going", action="store_true", help="run whatever a failure does not block; that is the default"
    )
    group.add_argument("--retries", type=count, metavar="N", help="give failures so many further attempts")
    group.add_argument("-x", "--fail-fast", action="store_true", help="stop at the first failure")
    group.add_argument("--maxfail", type=count, default=0, metavar="N", help="stop after so many failures")
    group.add_argument("--repeat", type=at_least_one, default=1, metavar="N", help="run everything so many times")
    group.add_argument(
        "--timeout", type=positive_duration, metavar="S", help="limit of every wait, e.g. 30s, over the scenario's"
    )
    group.add_argument("--dry-run", action="store_true", help="show what would run, and run nothing")
    group = parser.add_argument_group("which scenarios")
    group.add_argument("--tag", default="", metavar="EXPR", help="by tag, e.g. 'fast and not (vim or less)'")
    group.add_argument(
        "-k", dest="name", default="", metavar="EXPR", help="by parts of the name, e.g. 'login or logout'"
    )
    group.add_argument("--last-failed", action="store_true", help="those that did not pass when they last ran")
    group.add_argument("--shard", type=shard, metavar="I/N", help="the i-th of n parts")
    group = parser.add_argument_group("snapshots")
    group.add_argument(
        "--snapshot",
        choices=("verify", "update", "record"),
        default="verify",
        metavar="MODE",
        help="verify (default) compares, update writes those that differ, record writes only missing ones",
    )
    group.add_argument(
        "--snapshot-dir", type=folder, metavar="DIR", help="where they are kept (default: beside each scenario)"
    )
    group = parser.add_argument_group("what to write")
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help="show each step")
    volume.add_argument("-q", "--quiet", action="store_true", help="only failures and one line at the end")
    group.add_argument("--no-color", action="store_true", help="no colours (NO_COLOR and FORCE_COLOR hold, too)")
    group.add_argument("--junit-xml", metavar="FILE", help="JUnit XML for CI servers")
    group.add_argument("--html", metavar="FILE", help="one HTML file with timeline and replays")
    group.add_argument("--json", metavar="FILE", help="the events as JSON lines; - is standard output")
    group.add_argument("--trace", metavar="FILE", help="a timeline for ui.perfetto.dev and chrome://tracing")
    group.add_argument(
        "--reporter", action="append", default=[], metavar="NAME[=TARGET]", help="a reporter of an installed package"
    )
    group.add_argument(
        "--output-dir",
        type=folder,
        default=".orchestro",
        metavar="DIR",
        help="where runs are kept (default: .orchestro)",
    )
    add_store_option(group)
    parser.set_defaults(action=_run)


def run_options(options: argparse.Namespace) -> RunOptions:
    """What the command line asks for."""
    from orchestro.app import RunOptions
    from orchestro.selection import Selection
    from orchestro.store.database import without_password

    fewest, most = options.workers or (None, None)
    return RunOptions(
        workers=fewest,
        max_workers=most,
        scheduler=options.scheduler,
        retries=options.retries,
        maxfail=0 if options.keep_going else 1 if options.fail_fast else options.maxfail,
        selection=Selection(options.tag, options.name, options.last_failed, options.shard),
        repeat=options.repeat,
        timeout_s=options.timeout,
        capacities=dict(options.resource),
        cache=not options.no_cache,
        snapshot_mode=options.snapshot,
        snapshot_dir=options.snapshot_dir,
        output_dir=options.output_dir,
        store=options.store or "",
        argv=tuple(without_password(argument) for argument in options.argv),
        handle_signals=True,
    )


def _run(options: argparse.Namespace) -> int:
    import asyncio

    chosen = run_options(options)
    paths = options.paths or ["."]
    if options.dry_run:
        return _dry_run(paths, chosen)
    return asyncio.run(_execute(options, paths, chosen))


async def _execute(options: argparse.Namespace, paths: list[str], chosen: RunOptions) -> int:
    from orchestro.app import run_async

    return await with_reports(options, lambda observers: run_async(paths, chosen, observers))


async def with_reports(
    options: argparse.Namespace, start: Callable[[Sequence[Observer]], Coroutine[None, None, Report]]
) -> int:
    """Run something under the reporters that the command line asks for; returns the exit code."""
    import asyncio

    from orchestro.cli.reports import Reports

    reports = Reports(options)
    ticking = asyncio.ensure_future(_tick(reports.fanout)) if reports.fanout.tick_s else None
    try:
        report = await start([reports.fanout])
    finally:
        if ticking is not None:
            ticking.cancel()
        reports.fanout.close()
    if report.exit_code == Exit.PASSED and not reports.complete:
        # A CI server that waits for the file must not take the run for a good one.
        return Exit.INFRASTRUCTURE
    return report.exit_code


async def _tick(fanout: Fanout) -> None:
    """Let the live view move on while nothing happens."""
    import asyncio
    import time

    while (pause := fanout.tick_s) is not None:
        await asyncio.sleep(pause)
        fanout.tick(time.time())


def _dry_run(paths: list[str], chosen: RunOptions) -> int:
    from orchestro.app import default_workers, load_tasks, read_history
    from orchestro.app.loading import estimates, noun
    from orchestro.observe.wording import plural
    from orchestro.schedule import DEFAULT, Outlook, make_scheduler

    strategy = make_scheduler(chosen.scheduler or DEFAULT)
    known = read_history(chosen)
    tasks = load_tasks(paths, chosen, known)
    strategy.plan(Outlook(tasks, estimates(tasks, known)))
    workers = min(chosen.workers or default_workers(), len(tasks))
    skipped = sum(1 for task in tasks if task.skip)
    heading = f"{plural(len(tasks) - skipped, noun(tasks))} would run on {plural(workers, 'worker')}, in this order"
    say(f"{heading}, {skipped} skipped:" if skipped else f"{heading}:", indent=0)
    waiting = list(tasks)
    done: set[str] = set()
    while waiting:
        ready = [task for task in strategy.prioritize_tasks(waiting) if done.issuperset(task.needs)]
        for task in ready:
            say(f"  {task.name}{_remarks(task)}")
        done.update(task.id for task in ready)
        waiting = [task for task in waiting if task.id not in done]
    return 0


def _remarks(task: Task) -> str:
    remarks = [
        f"skipped: {task.skip}" if task.skip else "",
        f"needs {', '.join(task.needs)}" if task.needs else "",
        f"priority {task.priority}" if task.priority else "",
        f"tags {', '.join(task.tags)}" if task.tags else "",
        str(task.source),
    ]
    return "  (" + "; ".join(remark for remark in remarks if remark) + ")"
