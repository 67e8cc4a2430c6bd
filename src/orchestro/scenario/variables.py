"""``${NAME}`` in the texts of a scenario: finding it, replacing it, and regular expressions that hold it.

``$${`` stands for ``${`` itself. What is not a name in braces, such as the shell's ``${x:-y}``, is left alone.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from orchestro.errors import UserError
from orchestro.records import dataclass

__all__ = ["BUILT_IN", "NAME", "Pattern", "names_in", "substitute", "substitute_text"]

BUILT_IN = frozenset({"HOME", "SCENARIO", "TMPDIR", "WORKSPACE"})
"""Names that every scenario has."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a variable may be called."""

_USE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression as it was written, before the variables in it are known."""

    source: str
    flags: int = re.MULTILINE

    def compile(self, variables: Mapping[str, str] | None = None) -> re.Pattern[str]:
        """The expression with the values of its variables taken literally.

        Raises UserError for a variable that is not in `variables`; re.error when it is not valid.
        """
        return compile_source(substitute_text(self.source, variables or {}, as_regex=True), self.flags)

    def __str__(self) -> str:
        return self.source

    @property
    def plain(self) -> bool:
        """Whether it matches nothing but its own text."""
        return _SPECIAL.search(self.source) is None

    def check(self) -> None:
        """Raises re.error when it can never be compiled, whatever the variables hold."""
        if not self.plain:  # compiling costs 50 to 500 us, and most expressions are plain words
            compile_source(_USE.sub("x", self.source) if "${" in self.source else self.source, self.flags)


@lru_cache(maxsize=2048)
def compile_source(source: str, flags: int) -> re.Pattern[str]:
    """Compile once for the check at load and for every attempt; the cache of `re` itself holds only 512."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "possible nested set" would be printed without saying in which scenario
        return re.compile(source, flags)


def substitute_text(text: str, variables: Mapping[str, str], *, as_regex: bool = False) -> str:
    """`text` with each ``${NAME}`` replaced, escaped for a regular expression if asked.

    Raises UserError for a name that is not in `variables`.
    """
    if "${" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return r"\$\{" if as_regex else "${"
        if name not in variables:
            raise UserError(f"the variable ${{{name}}} has no value; write $${{{name}}} for the text itself")
        return re.escape(variables[name]) if as_regex else variables[name]

    return _USE.sub(value, text)


def substitute(value: _V, variables: Mapping[str, str]) -> _V:
    """`value` with the variables in all its texts replaced; the same object when there is nothing to replace.

    Looks into tuples, lists, dictionaries (values only), frozen sets are left alone, and dataclasses. A `Pattern` gets
    the values escaped. Raises UserError for a name that is not in `variables`.
    """
    return cast(_V, _substitute(value, variables))


def _substitute(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return substitute_text(value, variables)
    if isinstance(value, Pattern):
        if "${" not in value.source:
            return value
        return Pattern(substitute_text(value.source, variables, as_regex=True), value.flags)
    if isinstance(value, tuple | list):
        items = [_substitute(item, variables) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        changed = {key: _substitute(item, variables) for key, item in value.items()}
        return value if all(changed[key] is item for key, item in value.items()) else changed
    names = _fields_of(value.__class__)
    if not names:
        return value
    changes = {}
    for name in names:
        old = getattr(value, name)
        new = _substitute(old, variables)
        if new is not old:
            changes[name] = new
    return dataclasses.replace(value, **changes) if changes else value


@lru_cache(maxsize=512)
def _fields_of(kind: type) -> tuple[str, ...]:
    return (
        tuple(field.name for field in dataclasses.fields(kind) if field.init) if dataclasses.is_dataclass(kind) else ()
    )


def names_in(value: Any) -> Iterator[str]:
    """The names of the variables that the texts in `value` use, in order, with repetitions."""
    if isinstance(value, str):
        if "${" in value:
            yield from (match[1] for match in _USE.finditer(value) if match[1] is not None)
    elif isinstance(value, Pattern):
        yield from names_in(value.source)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from names_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from names_in(item)
    else:
        for name in _fields_of(value.__class__):
            yield from names_in(getattr(value, name))
