"""Which steps, validations and drivers there are: the built-in ones, then those of installed packages.

Asking for the entry points costs tens of milliseconds, so it is done only for a key that is not built in.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from orchestro.errors import UserError
from orchestro.scenario.kinds import StepKind, ValidationKind
from orchestro.scenario.shape import nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from orchestro.terminal.driver import DriverFactory

__all__ = [
    "RESERVED_STEP_KEYS",
    "driver_named",
    "driver_names",
    "find_step_kind",
    "find_validation_kind",
    "option_owners",
    "step_kinds",
    "validation_kinds",
]

RESERVED_STEP_KEYS = ("name", "note", "timeout")
"""Keys of every step."""

_STEP_MODULES = (
    "orchestro.scenario.steps.input",
    "orchestro.scenario.steps.waits",
    "orchestro.scenario.steps.assertions",
    "orchestro.scenario.steps.screen",
    "orchestro.scenario.steps.command",
    "orchestro.scenario.steps.snapshot",
)
_VALIDATION_MODULES = ("orchestro.scenario.validations.files",)
_DRIVERS = {
    "pipe": ("orchestro.terminal.pipe_driver", "PipeDriver"),
    "pty": ("orchestro.terminal.pty_driver", "PtyDriver"),
}

K = TypeVar("K", StepKind, ValidationKind)


def _names(kind: StepKind | ValidationKind) -> tuple[str, ...]:
    return (kind.key, *kind.aliases) if isinstance(kind, StepKind) else (kind.type,)


@dataclass
class _Family(Generic[K]):
    """One registry. Filled on first use; the packages' part only when the built-in part does not answer."""

    what: str
    """For messages: ``step``."""
    kind: type[K]
    modules: tuple[str, ...]
    group: str
    reserved: tuple[str, ...] = ()
    built_in: dict[str, K] = field(default_factory=dict)
    installed: dict[str, K] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    """Which package defines a key of `installed`."""
    conflicts: dict[str, str] = field(default_factory=dict)
    """Why a key that is defined more than once cannot be used."""
    failures: list[str] = field(default_factory=list)
    """Packages that could not be loaded, and why."""
    asked: bool = False

    def built_ins(self) -> dict[str, K]:
        if not self.built_in:
            found: dict[str, K] = {}
            for module in self.modules:
                for kind in importlib.import_module(module).KINDS:
                    for name in _names(kind):
                        if name in found or name in self.reserved:
                            raise RuntimeError(f"the {self.what} {name!r} is defined twice")
                        found[name] = kind
            self.built_in = found
        return self.built_in

    def find(self, name: str) -> K | None:
        """The kind of this name; None when nobody defines it. Raises UserError when more than one package does."""
        kind = self.built_ins().get(name)
        if kind is None:
            self._ask_packages()
            if name in self.conflicts:
                raise UserError(self.conflicts[name])
            kind = self.installed.get(name)
        return kind

    def all(self) -> dict[str, K]:
        """Every name and spelling. Raises UserError when a package cannot be loaded or names collide."""
        self._ask_packages()
        if self.failures or self.conflicts:
            raise UserError("; ".join([*self.failures, *self.conflicts.values()]))
        return {**self.built_ins(), **self.installed}

    def known(self) -> list[str]:
        """Every name and spelling that can be used, for suggestions."""
        self._ask_packages()
        return [*self.built_ins(), *self.installed]

    def _ask_packages(self) -> None:
        if self.asked:
            return
        self.asked = True
        for entry in _entry_points(self.group):
            origin = entry.dist.name if entry.dist is not None else entry.value
            try:
                kinds = _kinds_of(entry.load(), self.kind)
            except Exception as error:  # noqa: BLE001  # foreign code: whatever it raises is its own failure, told to the user
                self.failures.append(f"the package {origin!r} could not be loaded: {type(error).__name__}: {error}")
                continue
            for kind in kinds:
                for name in _names(kind):
                    self._add(name, kind, origin)

    def _add(self, name: str, kind: K, origin: str) -> None:
        if name in self.built_ins() or name in self.reserved:
            self.failures.append(f"the package {origin!r} cannot override the built-in {self.what} {name!r}")
        elif name in self.installed:
            other = self.origins[name]
            self.conflicts[name] = f"the packages {other!r} and {origin!r} both define the {self.what} {name!r}"
        else:
            self.installed[name] = kind
            self.origins[name] = origin


def _entry_points(group: str) -> list[EntryPoint]:
    from importlib.metadata import entry_points

    unique = {(entry.name, entry.value): entry for entry in entry_points(group=group)}
    return [unique[key] for key in sorted(unique)]


def _kinds_of(loaded: Any, kind: type[K]) -> Iterable[K]:
    """The kinds in what an entry point names: a module with `KINDS`, a list of kinds, or one kind."""
    if isinstance(loaded, ModuleType):
        if not hasattr(loaded, "KINDS"):
            raise TypeError(f"{loaded.__name__} does not define KINDS")
        loaded = loaded.KINDS
    kinds = [loaded] if isinstance(loaded, kind) else list(loaded)
    for item in kinds:
        if not isinstance(item, kind):
            raise TypeError(f"expected a {kind.__name__}, got {item!r}")
    return kinds


_steps: _Family[StepKind] = _Family("step", StepKind, _STEP_MODULES, "orchestro.steps", RESERVED_STEP_KEYS)
_validations: _Family[ValidationKind] = _Family(
    "validation", ValidationKind, _VALIDATION_MODULES, "orchestro.validations"
)


def step_kinds(*, installed: bool = True) -> Mapping[str, StepKind]:
    """Every step key, other spellings and, unless `installed` is false, those of installed packages included.

    Raises UserError when a package cannot be loaded or two define the same key.
    """
    return _steps.all() if installed else _steps.built_ins()


def validation_kinds(*, installed: bool = True) -> Mapping[str, ValidationKind]:
    """Every type of validation, as `step_kinds`."""
    return _validations.all() if installed else _validations.built_ins()


def find_step_kind(key: str) -> StepKind | None:
    """The kind of a step key, None when there is none. Raises UserError when several packages define it."""
    return _steps.find(key)


def find_validation_kind(name: str) -> ValidationKind | None:
    """The kind of a validation type, None when there is none. Raises UserError when several packages define it."""
    return _validations.find(name)


def option_owners() -> Mapping[str, tuple[str, ...]]:
    """Which built-in and loaded step keys each option belongs to."""
    owners: dict[str, tuple[str, ...]] = {}
    for key, kind in {**_steps.built_ins(), **_steps.installed}.items():
        for option in kind.options if key == kind.key else ():
            owners[option] = (*owners.get(option, ()), key)
    return owners


def suggestions(family: str) -> tuple[list[str], str]:
    """The names that a ``step`` or ``validation`` may have, and why some packages give none, for a message."""
    registry = _steps if family == "step" else _validations
    return registry.known(), "; ".join(registry.failures)


def driver_names() -> list[str]:
    """The drivers that may be named, those of installed packages included."""
    return sorted({*_DRIVERS, *(entry.name for entry in _entry_points("orchestro.drivers"))})


def driver_named(name: str) -> DriverFactory:
    """The driver of this name; empty chooses a pseudo-terminal, or pipes on Windows where there is none yet.

    Raises UserError for a name that is not known and for a package that cannot be loaded.
    """
    if not name:
        name = "pipe" if sys.platform == "win32" else "pty"
    if name in _DRIVERS:
        module, attribute = _DRIVERS[name]
        factory: DriverFactory = getattr(importlib.import_module(module), attribute)
        return factory
    found = [entry for entry in _entry_points("orchestro.drivers") if entry.name == name]
    if not found:
        near = nearest(name, driver_names())
        raise UserError(f"unknown driver {name!r}" + (f", did you mean {near!r}?" if near else ""))
    if len(found) > 1:
        origins = " and ".join(repr(entry.dist.name if entry.dist else entry.value) for entry in found)
        raise UserError(f"the packages {origins} both define the driver {name!r}")
    try:
        loaded: DriverFactory = found[0].load()
    except Exception as error:
        raise UserError(f"the driver {name!r} could not be loaded: {type(error).__name__}: {error}") from error
    return loaded
