"""All commands, in the order of the help. Each module adds its parser; what it does is imported when it is called."""

from __future__ import annotations

from orchestro.cli import completion, doctor, init, inspect, run, show

__all__ = ["ALL", "NAMES"]

ALL = (
    run.add_parser,
    show.add_parser,
    show.add_runs_parser,
    inspect.add_list_parser,
    inspect.add_validate_parser,
    inspect.add_schema_parser,
    init.add_parser,
    doctor.add_parser,
    completion.add_parser,
    inspect.add_version_parser,
)
NAMES = ("run", "show", "runs", "list", "validate", "schema", "init", "doctor", "completion", "version")
"""For suggestions."""
