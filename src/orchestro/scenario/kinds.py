"""The registries of a scenario: step kinds and validation kinds, and what their authors implement.

Built-in kinds come through the same door as those of installed packages: a module that defines `KINDS`. Packages name
theirs under the entry point groups ``orchestro.steps`` and ``orchestro.validations``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from orchestro.records import dataclass
from orchestro.terminal.probe import Check

if TYPE_CHECKING:
    from orchestro.scenario.shape import Shape
    from orchestro.scenario.stage import Aftermath, Stage

__all__ = ["Action", "Check", "Resolvable", "StepKind", "Validation", "ValidationKind"]


class Action(Protocol):
    """Something that a step does.

    One with a true attribute ``after_checks`` looks at what came of the step (``capture``, ``snapshot``): it is
    performed once the checks of its step hold, and may stand beside an action that does something.
    """

    async def perform(self, stage: Stage) -> str:
        """Do it and say what was done, for the report: ``typed 'ls' and Enter``.

        Raises `StepFailed` when it cannot be done for a reason of the program, `OrchestroError` otherwise.
        """


class Resolvable(Protocol):
    """A check whose texts may still hold variables."""

    def resolve(self) -> Check:
        """The check, once the variables have been replaced."""


class Validation(Protocol):
    """A condition on what the program left behind."""

    def validate(self, aftermath: Aftermath) -> str:
        """Say why it holds. Raises `StepFailed` when it does not."""


@dataclass(frozen=True, slots=True)
class StepKind:
    """One key that a step may have, e.g. ``send``.

    A step holds at most one action and any number of checks: the action is performed, then all checks must hold. Then
    come the actions that are performed ``after_checks``, in the order written.
    """

    key: str
    shape: Shape[Any]
    """Of the key's value."""
    make: Callable[..., Action | Check | Resolvable]
    """Called with the value, and the options given as keyword arguments; returns a frozen dataclass.

    An object with ``perform`` is an action, one with ``probe`` a check; one with ``resolve`` gives its check when the
    variables in it are known.
    """
    summary: str
    """One sentence for the reference."""
    example: str = ""
    """One YAML line for the reference, e.g. ``- send: ls -l``."""
    aliases: tuple[str, ...] = ()
    """Other accepted spellings of the key."""
    options: Mapping[str, Shape[Any]] = field(default_factory=dict)
    """Keys that may stand beside it in the same step, e.g. ``raw``."""


@dataclass(frozen=True, slots=True)
class ValidationKind:
    """One `type` of validation, e.g. ``file_contains``."""

    type: str
    fields: Mapping[str, Shape[Any]]
    """Its keys beside `type` and `description`."""
    make: Callable[..., Validation]
    """Called with the fields given as keyword arguments; returns a frozen dataclass."""
    summary: str
    required: tuple[str, ...] = ()
