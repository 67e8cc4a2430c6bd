"""All commands, in the order of the help. The module of one is imported when it is called, of all of them for help."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from importlib import import_module

__all__ = ["NAMES", "add_parsers"]

_HOMES = {
    "run": ("run", "add_parser"),
    "resume": ("resume", "add_parser"),
    "show": ("show", "add_parser"),
    "replay": ("resume", "add_replay_parser"),
    "runs": ("show", "add_runs_parser"),
    "dlq": ("dlq", "add_parser"),
    "list": ("inspect", "add_list_parser"),
    "validate": ("inspect", "add_validate_parser"),
    "schema": ("inspect", "add_schema_parser"),
    "init": ("init", "add_parser"),
    "cache": ("cache", "add_parser"),
    "doctor": ("doctor", "add_parser"),
    "completion": ("completion", "add_parser"),
    "version": ("inspect", "add_version_parser"),
}
"""Module and function that adds the parser."""

NAMES = tuple(_HOMES)


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], names: Iterable[str] = NAMES) -> None:
    """Add the parsers of the commands called so."""
    for name in names:
        module, function = _HOMES[name]
        getattr(import_module(f"orchestro.cli.{module}"), function)(subparsers)
