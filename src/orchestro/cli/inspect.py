"""`orchestro list`, `validate`, `schema` and `version`: they look and run nothing."""

from __future__ import annotations

import argparse
import json

from orchestro.cli.lines import say

__all__ = ["add_list_parser", "add_schema_parser", "add_validate_parser", "add_version_parser"]

_Subparsers = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def add_list_parser(subparsers: _Subparsers[argparse.ArgumentParser]) -> None:
    """Add `list`."""
    parser = subparsers.add_parser("list", help="list scenarios", description="List the scenarios in PATH...")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, directories or patterns (default: .)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(action=_list)


def _list(options: argparse.Namespace) -> int:
    from orchestro.app import RunOptions, load_tasks

    tasks = load_tasks(options.paths or ["."], RunOptions())
    if options.json:
        rows = [
            {
                "name": task.name,
                "file": task.source.file,
                "line": task.source.line,
                "tags": list(task.tags),
                "needs": list(task.needs),
                "skip": task.skip,
            }
            for task in tasks
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    width = min(50, max(len(task.name) for task in tasks))
    for task in tasks:
        remarks = [
            f"[{' '.join(task.tags)}]" if task.tags else "",
            f"needs {', '.join(task.needs)}" if task.needs else "",
        ]
        remarks.append(f"skipped: {task.skip}" if task.skip else "")
        say(f"{task.name:{width}}  {task.source}  {'  '.join(r for r in remarks if r)}".rstrip())
    return 0


def add_validate_parser(subparsers: _Subparsers[argparse.ArgumentParser]) -> None:
    """Add `validate`."""
    parser = subparsers.add_parser(
        "validate",
        help="check scenarios without running them",
        description="Read the scenarios in PATH... and show every mistake with file, line and column.",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, directories or patterns (default: .)")
    parser.add_argument("--json", action="store_true", help="the mistakes as JSON, for editors")
    parser.set_defaults(action=_validate)


def _validate(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from orchestro.errors import DocumentError, SelectionError
    from orchestro.exits import Exit
    from orchestro.scenario.loader import load

    loaded = load(options.paths or ["."])
    if options.json:
        print(json.dumps([asdict(problem) for problem in loaded.problems], indent=2, ensure_ascii=False))
        return Exit.USAGE if loaded.problems else Exit.PASSED
    if loaded.problems:
        raise DocumentError(loaded.problems)
    if not loaded.scenarios:
        raise SelectionError("there is no scenario in " + ", ".join(options.paths or ["."]))
    count, files = len(loaded.scenarios), len({scenario.source.file for scenario in loaded.scenarios})
    scenarios, are = ("scenarios", "are") if count != 1 else ("scenario", "is")
    print(f"{count} {scenarios} in {files} file{'s' if files != 1 else ''} {are} valid")
    return Exit.PASSED


def add_schema_parser(subparsers: _Subparsers[argparse.ArgumentParser]) -> None:
    """Add `schema`."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of scenarios",
        description="Print the JSON Schema of the scenario format, those of installed packages included, for editors.",
    )
    parser.set_defaults(action=_schema)


def _schema(options: argparse.Namespace) -> int:
    del options
    from orchestro.scenario.schema import schema_text

    print(schema_text(), end="")
    return 0


def add_version_parser(subparsers: _Subparsers[argparse.ArgumentParser]) -> None:
    """Add `version`."""
    parser = subparsers.add_parser("version", help="print the version", description="Print the version.")
    parser.set_defaults(action=_version)


def _version(options: argparse.Namespace) -> int:
    del options
    from orchestro import __version__

    print(f"orchestro {__version__}")
    return 0
