"""The parser and what every command shares: errors become messages and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from orchestro.cli import run as run_command
from orchestro.errors import DocumentError, SelectionError, UserError
from orchestro.exits import Exit

__all__ = ["make_parser", "run"]


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(prog="orchestro", description="Run what has to hold before software ships.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run_command.add_parser(commands)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Parse, carry out, and return the exit code."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return Exit.USAGE
    try:
        code: int = options.action(options)
        return code
    except DocumentError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        count = len(error.problems)
        sys.stderr.write(f"{count} mistake{'s' if count != 1 else ''}; nothing was run\n")
        return Exit.USAGE
    except SelectionError as error:
        sys.stderr.write(f"orchestro: {error}\n")
        return Exit.NOTHING_SELECTED
    except UserError as error:
        sys.stderr.write(f"orchestro: {error}\n")
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.PASSED
