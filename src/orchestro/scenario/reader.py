"""Where a document is being read, the mistakes found in it, and how they are told."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestro.errors import Problem
from orchestro.model import Source

if TYPE_CHECKING:
    from orchestro.scenario.shape import Shape

__all__ = ["BAD", "DEEPEST", "NULLS", "Bad", "Reader", "describe", "is_null", "nearest", "shorten"]

T = TypeVar("T")

DEEPEST = 100
"""Levels of nesting in a JSON value and of merges; far below Python's recursion limit."""
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""Bare scalars that mean nothing is there."""


class _Bad(enum.Enum):
    BAD = "bad"


Bad: TypeAlias = Literal[_Bad.BAD]
"""The type of `BAD`."""
BAD: Final = _Bad.BAD
"""What `Shape.read` answers instead of a value, after it has reported why."""


class Reader:
    """Where a document is read from, which key is being read, and the mistakes found so far."""

    __slots__ = ("file", "path", "problems")

    def __init__(self, file: str) -> None:
        self.file = file
        self.path: list[str] = []
        """The keys and ``[i]`` from the top to the value being read."""
        self.problems: list[Problem] = []

    def source(self, node: Node) -> Source:
        """Where `node` starts."""
        mark = node.start_mark
        return Source(self.file, mark.line + 1, mark.column + 1)

    def problem(self, node: Node, message: str, hint: str = "", *, key: str | None = None) -> Bad:
        """Report a mistake at `node`, under the current path or the given key; answers `BAD` to be returned."""
        mark = node.start_mark
        name = self.key() if key is None else key
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, name, message, hint))
        return BAD

    def report(self, source: Source, key: str, message: str, hint: str = "") -> None:
        """Report a mistake whose node is no longer at hand."""
        self.problems.append(Problem(self.file, source.line, source.column, key, message, hint))

    def wrong(self, node: Node, expected: str, hint: str = "") -> Bad:
        """Report that something else than `expected` stands at `node`."""
        if not hint and isinstance(node, ScalarNode) and "${" in node.value and not expected.startswith("text"):
            hint = "variables stand for text only"
        return self.problem(node, f"expected {expected}, got {describe(node)}", hint)

    def key(self) -> str:
        """The current path as people write it: ``steps[2].expect``."""
        return ".".join(self.path).replace(".[", "[")

    def at(self, name: str, shape: Shape[T], node: Node) -> T | Bad:
        """Read `node` as the value of the key or ``[index]`` `name`."""
        self.path.append(name)
        try:
            return shape.read(node, self)
        finally:
            self.path.pop()

    def items(self, node: MappingNode, depth: int = 0) -> list[tuple[str, ScalarNode, Node]]:
        """Keys with their nodes and values, merge keys ``<<`` resolved, in the order written.

        Reports duplicate keys and keys that are not text, and leaves them out. `depth` counts merges within merges.
        """
        found: dict[str, tuple[str, ScalarNode, Node]] = {}
        merged: list[MappingNode] = []
        for key_node, value in node.value:
            if not isinstance(key_node, ScalarNode):
                self.problem(key_node, f"expected text as a key, got {describe(key_node)}")
                continue
            key = key_node.value
            if key == "<<" and not key_node.style:
                merged += self._merged(value)
            elif key in found:
                line = found[key][1].start_mark.line + 1
                name = ".".join([*self.path, key]).replace(".[", "[")
                self.problem(key_node, f"duplicate key, already given on line {line}", key=name)
            else:
                found[key] = (key, key_node, value)
        for mapping in merged:
            if depth >= DEEPEST:
                self.problem(mapping, f"merges nested deeper than {DEEPEST} levels")
                break
            for item in self.items(mapping, depth + 1):
                found.setdefault(item[0], item)
        return list(found.values())

    def _merged(self, node: Node) -> list[MappingNode]:
        mappings = node.value if isinstance(node, SequenceNode) else [node]
        result = []
        for mapping in mappings:
            if isinstance(mapping, MappingNode):
                result.append(mapping)
            else:
                self.problem(mapping, f"expected a mapping to merge, such as *name, got {describe(mapping)}")
        return result

    def unknown(self, node: Node, key: str, known: Iterable[str], what: str) -> str | None:
        """Report the unknown key `key` at its node, and answer which one was probably meant.

        `what` says what was expected, e.g. ``one of the step keys``.
        """
        near = nearest(key, known)
        hint = f"did you mean {near!r}?" if near else ""
        name = ".".join([*self.path, shorten(key, 40)]).replace(".[", "[")
        self.problem(node, f"unknown key, expected {what}", hint, key=name)
        return near


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name in `known` that `word` was probably meant to be; None when none is near."""
    if len(word) > 80:  # comparing is quadratic, and no key is so long
        return None
    import difflib  # 6 ms that only a mistake costs

    names = [name for name in known if name != word]
    lowered = {name.lower(): name for name in names}
    match = difflib.get_close_matches(word.lower().replace("-", "_"), lowered, n=1, cutoff=0.6)
    return lowered[match[0]] if match else None


def shorten(text: str, width: int) -> str:
    """The first line of `text`, cut to `width` characters."""
    line = text.split("\n", 1)[0]
    return text if line == text and len(text) <= width else line[: width - 3] + "..."


def is_null(node: Node) -> bool:
    """Whether nothing, or a bare ``null`` or ``~``, stands there."""
    return isinstance(node, ScalarNode) and not node.style and node.value in NULLS


def describe(node: Node) -> str:
    """What stands there, for messages: ``'soon'``, ``a list of 3``, ``nothing``."""
    if isinstance(node, SequenceNode):
        return f"a list of {len(node.value)}" if node.value else "an empty list"
    if isinstance(node, MappingNode):
        keys = [key.value for key, _ in node.value[:3] if isinstance(key, ScalarNode)]
        return f"a mapping with {', '.join(repr(shorten(key, 20)) for key in keys)}" if keys else "an empty mapping"
    if is_null(node):
        return "nothing" if node.value == "" else f"nothing ({node.value})"
    return repr(shorten(node.value, 40))
