"""Reporters by name. The built-in ones and those of installed packages come through the same door.

A package adds one with an entry point in the group ``orchestro.reporters``: a callable that takes `ReporterOptions`
and returns a `Reporter`. Entry points are read only when a name is asked for that is not built in, because reading
them costs tens of milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import field
from importlib import import_module
from typing import Any, TextIO, TypeAlias

from orchestro.errors import UserError
from orchestro.observe.reporter import Reporter
from orchestro.records import dataclass

__all__ = ["BUILT_IN", "GROUP", "Factory", "ReporterOptions", "create", "names"]

GROUP = "orchestro.reporters"
"""The entry point group that installed packages extend."""

BUILT_IN: Mapping[str, str] = {
    "console": "orchestro.observe.console:build",
    "github": "orchestro.observe.github:build",
    "json": "orchestro.observe.json_lines:build",
    "junit": "orchestro.observe.junit:build",
    "trace": "orchestro.observe.trace:build",
}
"""Name and where its factory is, imported on first use."""


@dataclass(frozen=True, slots=True)
class ReporterOptions:
    """What a reporter is built from; one that needs less ignores the rest."""

    target: str = ""
    """Where to write, as the user gave it: a path, ``-`` for stdout, or empty for the reporter's own default."""
    directory: str = ""
    """Directory of the run, to which the paths of `ArtifactWritten` are relative; empty when nothing is kept."""
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    env: Mapping[str, str] = field(default_factory=dict)
    verbosity: int = 0
    """-1 quiet, 0 normal, 1 each step."""
    no_color: bool = False


Factory: TypeAlias = Callable[[ReporterOptions], Reporter]


def names() -> list[str]:
    """All names that `create` knows, sorted; this reads the entry points."""
    return sorted({*BUILT_IN, *_installed()})


def create(name: str, options: ReporterOptions) -> Reporter:
    """Build the reporter called `name`.

    Raises UserError for an unknown name, for a plugin that cannot be loaded, and for what the factory objects to.
    """
    location = BUILT_IN.get(name)
    if location is not None:
        module, _, attribute = location.partition(":")
        factory: Any = getattr(import_module(module), attribute)
    else:
        entry = _installed().get(name)
        if entry is None:
            raise UserError(f"unknown reporter {name!r}; there are {', '.join(names())}")
        try:
            factory = entry.load()
        except Exception as error:
            raise UserError(f"reporter {name!r} ({entry.value}) cannot be loaded: {error}") from error
    reporter = factory(options)
    if not isinstance(reporter, Reporter):
        raise UserError(f"reporter {name!r} is a {type(reporter).__name__}, not an orchestro.observe.Reporter")
    return reporter


def _installed() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}
