"""Orchestro: everything that has to hold before software ships, in parallel, with one live view and one record.

The layout is drawn in `docs/design/architecture.md`. Public names load on first use, so that the command starts fast.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestro.app import RunOptions, run, run_async
    from orchestro.errors import (
        DocumentError,
        InfrastructureError,
        OrchestroError,
        SelectionError,
        SpawnError,
        TerminalClosed,
        UserError,
        WaitTimeout,
    )
    from orchestro.model import Failure, Finding, Outcome, Report, Result
    from orchestro.selection import Selection
    from orchestro.terminal.terminal import Terminal, WaitFailed

__version__ = "0.1.0"

__all__ = [
    "DocumentError",
    "Failure",
    "Finding",
    "InfrastructureError",
    "OrchestroError",
    "Outcome",
    "Report",
    "Result",
    "RunOptions",
    "Selection",
    "SelectionError",
    "SpawnError",
    "Terminal",
    "TerminalClosed",
    "UserError",
    "WaitFailed",
    "WaitTimeout",
    "__version__",
    "run",
    "run_async",
]

_HOMES = {
    "orchestro.app": ("RunOptions", "run", "run_async"),
    "orchestro.errors": (
        "DocumentError",
        "InfrastructureError",
        "OrchestroError",
        "SelectionError",
        "SpawnError",
        "TerminalClosed",
        "UserError",
        "WaitTimeout",
    ),
    "orchestro.model": ("Failure", "Finding", "Outcome", "Report", "Result"),
    "orchestro.selection": ("Selection",),
    "orchestro.terminal.terminal": ("Terminal", "WaitFailed"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
