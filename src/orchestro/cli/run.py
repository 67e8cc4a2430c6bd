"""`orchestro run`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestro.app import RunOptions
    from orchestro.observe.reporter import Fanout

__all__ = ["add_parser"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("run", help="run scenarios")
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH")
    parser.add_argument("-j", "--workers", type=int, metavar="N")
    parser.add_argument("--html", metavar="FILE")
    parser.add_argument("--junit-xml", metavar="FILE")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--output-dir", default=".orchestro", metavar="DIR")
    parser.add_argument("-v", dest="verbosity", action="store_const", const=1, default=0)
    parser.add_argument("--no-color", action="store_true")
    parser.set_defaults(action=_run)


def _run(options: argparse.Namespace) -> int:
    from orchestro.app import RunOptions

    chosen = RunOptions(
        workers=options.workers, output_dir=options.output_dir, argv=tuple(sys.argv), handle_signals=True
    )
    return asyncio.run(_execute(options, chosen))


async def _execute(options: argparse.Namespace, chosen: RunOptions) -> int:
    from orchestro.app import run_async
    from orchestro.observe.console import choose_console
    from orchestro.observe.reporter import Fanout
    from orchestro.observe.registry import ReporterOptions, create

    console = choose_console(sys.stdout, sys.stderr, os.environ, verbosity=options.verbosity, no_color=options.no_color)
    fanout = Fanout([console])
    for name, target in (("junit", options.junit_xml), ("json", options.json)):
        if target:
            fanout.add(create(name, ReporterOptions(target=target, env=os.environ)))
    ticking = asyncio.ensure_future(_tick(fanout)) if fanout.tick_s else None
    try:
        report = await run_async(options.paths, chosen, [fanout])
        if options.html:
            from orchestro.observe.html import write_report
            from orchestro.store.run_log import read_log

            write_report(read_log(report.directory), report.directory, options.html)
            console.note("HTML report", options.html)
        return report.exit_code
    finally:
        if ticking is not None:
            ticking.cancel()
        fanout.close()


async def _tick(fanout: Fanout) -> None:
    import time

    while fanout.tick_s is not None:
        await asyncio.sleep(fanout.tick_s)
        fanout.tick(time.time())
