"""What a task file holds, as plain values."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from orchestro.records import dataclass

__all__ = ["TaskFile"]


@dataclass(slots=True)
class TaskFile:
    """What one file holds, as plain values: it can be kept with `marshal` but for the retry policies."""

    file: str
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Keys that were given, by task; ``line`` and ``column`` with them."""
    resources: dict[str, float] = field(default_factory=dict)
    routes: tuple[dict[str, Any], ...] = ()
    breakers: dict[str, Any] = field(default_factory=dict)
    retry_budget: int | None = None
