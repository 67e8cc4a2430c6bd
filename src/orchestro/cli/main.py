"""The parser and what every command shares: errors become messages and exit codes."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from orchestro.cli import commands
from orchestro.cli.help import HelpFormatter
from orchestro.errors import DocumentError, InfrastructureError, OrchestroError, SelectionError
from orchestro.exits import Exit

__all__ = ["Parser", "make_parser", "run"]

_OVERVIEW = """\
Runs what has to hold before software ships: end-to-end tests of terminal programs, in parallel.

  orchestro init -- my-program       write a first scenario for a program
  orchestro run tests/               run every scenario below tests/
  orchestro run tests/ -k login -v   those named login, step by step
  orchestro show --html report.html  the last run as one file
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that names what is nearest to a misspelling, and takes no abbreviations.

    An abbreviation that works today would be ambiguous, so broken, when an option is added.
    """

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **{**keywords, "allow_abbrev": False})
        self._inside = False

    def parse_known_args(  # type: ignore[override]  # typeshed overloads it by the type of the namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Take paths also after options (``run a -v b``), and complain in the name of the command."""
        paths = next((action.dest for action in self._actions if action.nargs == "*"), None)
        if self._inside or paths is None:
            parsed, rest = super().parse_known_args(args, namespace)
        else:
            given = list(sys.argv[1:] if args is None else args)
            end = given.index("--") if "--" in given else len(given)
            self._inside = True  # the method below calls this one
            try:
                parsed, rest = self.parse_known_intermixed_args(given[:end], namespace)
            finally:
                self._inside = False
            # That method reads twice, and would take what stands behind `--` for options the second time.
            setattr(parsed, paths, [*(getattr(parsed, paths) or ()), *given[end + 1 :]])
        if rest and not self._inside:
            self.error(self._unknown(rest))
        return parsed, rest

    def _unknown(self, rest: Sequence[str]) -> str:
        import difflib

        option = next((text for text in rest if text.startswith("-")), None)
        if option is None:
            return f"unexpected argument {rest[0]!r}"
        option = option.partition("=")[0]
        near = difflib.get_close_matches(option, self._option_string_actions, 1)
        return f"unknown option {option}" + (f", did you mean {near[0]}?" if near else "")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to learn more."""
        if "invalid choice" in message and "COMMAND" in message:
            import difflib

            given = message.split("'")[1]
            near = difflib.get_close_matches(given, commands.NAMES, 1)
            message = f"unknown command {given!r}" + (f", did you mean {near[0]!r}?" if near else "")
        sys.stderr.write(f"orchestro: {message}\nSee `{self.prog} --help`.\n")
        raise SystemExit(int(Exit.USAGE))


def make_parser(command: str | None = None) -> Parser:
    """The whole command line, or as much of it as `command` needs: importing every command costs 8 ms."""
    parser = Parser(
        prog="orchestro",
        description=_OVERVIEW,
        formatter_class=HelpFormatter,
        epilog="Each command has its own --help. Exit codes: 0 passed, 1 failed, 2 bad usage, "
        "3 internal error, 4 nothing selected, 5 only infrastructure errors, 130 interrupted.",
    )
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        dest="command", metavar="COMMAND", parser_class=Parser
    )
    commands.add_parsers(subparsers, commands.NAMES if command is None else (command,))
    return parser


def run(arguments: Sequence[str]) -> int:
    """Parse, carry out, and return the exit code."""
    options = argparse.Namespace(command=None, output_dir=".orchestro")
    try:
        code = _carry_out(list(arguments), options)
        sys.stdout.flush()  # here, where a closed pipe and a full disk are caught, rather than at exit
    except SystemExit as stopped:  # argparse has said all there is to say
        return _flushed(int(stopped.code or 0))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last door: a bug must end in a message and its own exit code
        return _explain(error, options)
    return code


def _carry_out(arguments: list[str], options: argparse.Namespace) -> int:
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    parser = make_parser(next((name for name in arguments[:1] if name in commands.NAMES), None))
    parser.parse_args(arguments, options)
    if options.version:
        parser.parse_args(["version"], options)
    if options.command is None:
        parser.print_help()
        return Exit.USAGE
    options.argv = ("orchestro", *arguments)
    return int(options.action(options))


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError:
        _silence_output()
    return code


def _explain(error: Exception, options: argparse.Namespace) -> int:
    """Say what is wrong, and return the exit code that stands for it."""
    if isinstance(error, BrokenPipeError):
        # Whoever read has gone, which is no mistake: `orchestro list | head -1`.
        _silence_output()
        return Exit.PASSED
    if isinstance(error, DocumentError):
        from orchestro.cli.problems import show_problems

        end = "; nothing was run" if options.command == "run" else ""
        show_problems(error.problems, sys.stderr, os.environ, end=end)
        return Exit.USAGE
    if isinstance(error, OSError) and error.errno in _MACHINE:
        _silence_output()
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"orchestro: {where}{error.strerror}\n")
        return Exit.INFRASTRUCTURE
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        sys.stderr.write("orchestro: the directory that it was started in is gone\n")
        return Exit.USAGE
    if not isinstance(error, OrchestroError):
        return _internal(error, options.output_dir)
    sys.stderr.write(f"orchestro: {error}\n")
    if isinstance(error, SelectionError):
        return Exit.NOTHING_SELECTED
    return Exit.INFRASTRUCTURE if isinstance(error, InfrastructureError) else Exit.USAGE


def _is_nowhere() -> bool:
    """Whether the current directory was removed; its name still answers then, but nothing can be found from it."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
"""Errors of the system that no program can help: full or broken disks, too many open files."""


def _silence_output() -> None:
    """Send standard output nowhere, so that what is still buffered does not raise again at exit."""
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, sys.stdout.fileno())
    except (OSError, ValueError):
        # Standard output is no real file, e.g. within a test; then nothing raises at exit either.
        return
    finally:
        os.close(silence)


def _internal(error: Exception, state: str) -> int:
    import tempfile
    import traceback

    trace = "".join(traceback.format_exception(error))
    if os.environ.get("ORCHESTRO_DEBUG"):
        sys.stderr.write(trace)
    else:
        # A command that keeps no runs must not begin a state directory.
        folder = state if os.path.isdir(state) and os.access(state, os.W_OK) else None
        with tempfile.NamedTemporaryFile(
            "w", prefix="bug-", suffix=".txt", dir=folder, delete=False, encoding="utf-8"
        ) as file:
            file.write(trace)
        sys.stderr.write(
            f"orchestro: internal error: {type(error).__name__}: {error}\n"
            f"This is a bug in orchestro or in a plugin; the traceback is in {file.name}.\n"
        )
    return Exit.INTERNAL
