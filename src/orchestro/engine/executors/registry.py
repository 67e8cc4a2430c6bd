"""Executors by the kind of their tasks. The built-in ones and those of installed packages come through the same door.

A package adds a kind with an entry point in the group ``orchestro.executors``: a callable that takes
`ExecutorSettings` and returns an `Executor`. It is called when the first task of its kind starts.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from orchestro.engine.executor import Executor
from orchestro.engine.executors.settings import ExecutorSettings
from orchestro.errors import UserError

__all__ = ["GROUP", "KINDS", "Executors", "known_kinds"]

GROUP = "orchestro.executors"
"""The entry point group that installed packages extend."""

KINDS: Mapping[str, str] = {
    "command": "orchestro.engine.executors.command:CommandExecutor",
    "python": "orchestro.engine.executors.python:PythonExecutor",
    "scenario": "orchestro.engine.executors.scenario:ScenarioExecutor",
}
"""Kind and where its executor is, imported on first use."""


def known_kinds() -> list[str]:
    """All kinds that can be run, sorted; this reads the entry points."""
    return sorted({*KINDS, *_installed()})


class Executors(Mapping[str, Executor]):
    """The executors of one run, each made when it is first asked for. `extra` go before all others."""

    def __init__(self, settings: ExecutorSettings, extra: Mapping[str, Executor] | None = None) -> None:
        self._settings = settings
        self._made: dict[str, Executor] = dict(extra or {})

    def __getitem__(self, kind: str) -> Executor:
        """Raises UserError for a kind that nothing runs."""
        executor = self._made.get(kind)
        if executor is None:
            executor = self._made[kind] = _factory(kind)(self._settings)
        return executor

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def made(self, kind: str) -> Executor | None:
        """The executor of a kind when it was needed; None when no task of the kind has started."""
        return self._made.get(kind)

    async def close(self) -> None:
        """End whatever executors keep for the whole run: worker processes, strays."""
        for executor in self._made.values():
            close: Any = getattr(executor, "close", None)
            if close is not None:
                ended = close()
                if inspect.isawaitable(ended):
                    await ended


def _factory(kind: str) -> Any:
    location = KINDS.get(kind)
    if location is not None:
        module, _, name = location.partition(":")
        return getattr(import_module(module), name)
    entry = _installed().get(kind)
    if entry is None:
        raise UserError(f"nothing runs tasks of the kind {kind!r}; there are {', '.join(known_kinds())}")
    try:
        return entry.load()
    except Exception as error:
        raise UserError(f"the executor of {kind!r} ({entry.value}) cannot be loaded: {error}") from error


def _installed() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}
