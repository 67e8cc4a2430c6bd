"""The parser and what every command shares: errors become messages and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from orchestro.cli import commands
from orchestro.errors import DocumentError, InfrastructureError, OrchestroError, SelectionError
from orchestro.exits import Exit

__all__ = ["Parser", "make_parser", "run"]

_OVERVIEW = """\
Runs what has to hold before software ships: end-to-end tests of terminal programs, in parallel.

  orchestro init -- my-program      write a first scenario for a program
  orchestro run tests/              run every scenario below tests/
  orchestro run tests/ -k login -v  those whose name contains login, step by step
  orchestro show --html report.html the last run as one file
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that names the nearest command when one is misspelt, and exits as the others do."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to learn more."""
        if "invalid choice" in message and "COMMAND" in message:
            import difflib

            given = message.split("'")[1]
            near = difflib.get_close_matches(given, commands.NAMES, 1)
            message = f"unknown command {given!r}" + (f", did you mean {near[0]!r}?" if near else "")
        sys.stderr.write(f"orchestro: {message}\nSee `{self.prog} --help`.\n")
        raise SystemExit(int(Exit.USAGE))


def make_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="orchestro",
        description=_OVERVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Each command has its own --help. Exit codes: 0 passed, 1 failed, 2 bad usage or configuration, "
        "3 internal error,\n4 nothing selected, 5 only infrastructure errors, 130 interrupted.",
    )
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        dest="command", metavar="COMMAND", parser_class=Parser
    )
    for add in commands.ALL:
        add(subparsers)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Parse, carry out, and return the exit code."""
    parser = make_parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stopped:
        return int(stopped.code or 0)
    if options.version:
        options = parser.parse_args(["version"])
    if options.command is None:
        parser.print_help()
        return Exit.USAGE
    options.argv = ("orchestro", *arguments)
    try:
        return int(options.action(options))
    except DocumentError as error:
        from orchestro.cli.problems import show_problems

        show_problems(error.problems, sys.stderr, os.environ)
        return Exit.USAGE
    except SelectionError as error:
        sys.stderr.write(f"orchestro: {error}\n")
        return Exit.NOTHING_SELECTED
    except InfrastructureError as error:
        sys.stderr.write(f"orchestro: {error}\n")
        return Exit.INFRASTRUCTURE
    except OrchestroError as error:
        sys.stderr.write(f"orchestro: {error}\n")
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PASSED
    except Exception as error:  # noqa: BLE001  # the last door: a bug must end in a message and its own exit code
        return _internal(error)


def _internal(error: Exception) -> int:
    import tempfile
    import traceback

    trace = "".join(traceback.format_exception(error))
    if os.environ.get("ORCHESTRO_DEBUG"):
        sys.stderr.write(trace)
    else:
        with tempfile.NamedTemporaryFile("w", prefix="orchestro-bug-", suffix=".txt", delete=False) as file:
            file.write(trace)
        sys.stderr.write(
            f"orchestro: internal error: {type(error).__name__}: {error}\n"
            f"This is a bug in orchestro or in a plugin; the traceback is in {file.name}.\n"
        )
    return Exit.INTERNAL
