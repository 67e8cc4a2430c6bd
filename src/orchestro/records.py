"""`dataclass(frozen=True, slots=True)`, made in a third of the time and filled four times as fast.

Starting the command makes nearly a hundred classes of values, and a run makes ten values a task. With the decorator of
the standard library the first take 45 ms, half of all imports, and the second a tenth of what the engine adds to a
task. Most of it goes into compiling methods that are never called, and into storing around the lock of a frozen
instance. So those methods are shared here, and that nobody assigns to a field is left to the type checker, for which
this is the decorator of the standard library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from dataclasses import dataclass as _dataclass
    from dataclasses import fields

    def dataclass(*, frozen=False, slots=False, **options):
        """As the one of the standard library, except that a frozen instance with slots is not locked."""
        if not (frozen and slots) or options:
            return _dataclass(frozen=frozen, slots=slots, **options)

        def make(cls):
            own = cls.__dict__
            made = _dataclass(slots=True, repr=False, eq=False, match_args=False)(cls)
            made.__match_args__ = tuple(found.name for found in fields(made) if found.init)
            for name, method in _SHARED.items():
                if name not in own:
                    setattr(made, name, method)
            return made

        return make

    def _values(self):
        return tuple([getattr(self, name) for name in self.__match_args__])

    def _shown(self):
        shown = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__match_args__])
        return f"{type(self).__qualname__}({shown})"

    def _equals(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return _values(self) == _values(other)

    def _hashed(self):
        return hash(_values(self))

    _SHARED = {"__repr__": _shown, "__eq__": _equals, "__hash__": _hashed}


__all__ = ["dataclass"]
