"""Matrices: one scenario written once and run for every combination of some values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from yaml.nodes import MappingNode, Node, ScalarNode

from orchestro.model import NOWHERE, Source
from orchestro.records import dataclass
from orchestro.scenario.reader import shorten
from orchestro.scenario.shape import BAD, Bad, Int, ListOf, MapOf, OneOf, Pair, Reader, Shape, Str, describe
from orchestro.scenario.variables import NAME, substitute
from orchestro.terminal.screen import MAX_SIDE

if TYPE_CHECKING:
    from orchestro.scenario.document import Scenario

__all__ = ["ENV_NAME", "MOST_COMBINATIONS", "SIZE", "Axis", "Matrix", "MatrixShape", "Value", "expand"]

MOST_COMBINATIONS = 1000
"""Of one matrix, before `exclude`."""
_LABEL = 40
"""Characters of a value in the name of a combination."""

ENV_NAME = r"[^=\x00]+"
"""What an environment variable may be called."""
SIZE = Pair(Int(1, MAX_SIDE), Int(1, MAX_SIDE), names=("columns", "rows"))
"""Of a terminal."""

Value = str | tuple[int, int]
"""A text, or the columns and rows of a size."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that varies."""

    kind: str
    """``env``, ``vars`` or ``size``."""
    name: str
    values: tuple[Value, ...]
    source: Source = NOWHERE


@dataclass(frozen=True, slots=True)
class Matrix:
    """What varies, and which combinations are left out."""

    axes: tuple[Axis, ...]
    exclude: tuple[Mapping[str, Value], ...] = ()

    def combinations(self) -> list[tuple[Value, ...]]:
        """A value for each axis, the last axis varying fastest."""
        places = {axis.name: index for index, axis in enumerate(self.axes)}
        return [
            combination
            for combination in itertools.product(*(axis.values for axis in self.axes))
            if not any(all(combination[places[name]] == value for name, value in e.items()) for e in self.exclude)
        ]

    def names(self, kind: str) -> set[str]:
        """The names of the axes of a kind."""
        return {axis.name for axis in self.axes if axis.kind == kind}


def expand(scenario: Scenario) -> list[Scenario]:
    """One scenario for each combination of its matrix; only itself when it has none.

    A value of the matrix is taken literally and wins over the same name in `env` or `vars`. The variables in what is
    needed before a run (the values of `vars` and `env`, `cwd`, `workspace` and `files`) are replaced.

    Raises UserError for a variable without a value,
    which `read_document` has refused.
    """
    matrix = scenario.matrix
    if matrix is None:
        return [_settled(scenario, {})]
    labels = [_labels(axis) for axis in matrix.axes]
    result = []
    for combination in matrix.combinations():
        env: dict[str, str] = {}
        variables: dict[str, str] = {}
        size = scenario.size
        params: dict[str, str] = {}
        for axis, value, names in zip(matrix.axes, combination, labels, strict=True):
            params[axis.name] = names[value]
            if isinstance(value, tuple):
                size = value
            elif axis.kind == "env":
                env[axis.name] = value
            else:
                variables[axis.name] = value
        suffix = ", ".join(f"{name}={label}" for name, label in params.items())
        one = replace(
            scenario,
            name=f"{scenario.name} [{suffix}]",
            group=scenario.name,
            params=params,
            size=size,
            matrix=None,
        )
        one = _settled(one, variables)
        result.append(replace(one, env={**one.env, **env}) if env else one)
    return result


def _settled(scenario: Scenario, variables: dict[str, str]) -> Scenario:
    for name, value in scenario.vars.items():
        if name not in variables:
            variables[name] = substitute(value, variables)
    changes: dict[str, object] = {}
    for name in ("env", "cwd", "workspace", "files"):
        old = getattr(scenario, name)
        new = substitute(old, variables)
        if new is not old:
            changes[name] = new
    if variables:
        changes["vars"] = variables
    return replace(scenario, **changes) if changes else scenario  # type: ignore[arg-type]  # the fields keep their types


def _labels(axis: Axis) -> dict[Value, str]:
    """A short text on one line for each value, all different."""
    labels: dict[Value, str] = {}
    for number, value in enumerate(axis.values, start=1):
        text = f"{value[0]}x{value[1]}" if isinstance(value, tuple) else value
        plain = len(text) <= _LABEL and text.isprintable()
        labels[value] = text if plain else f"{shorten(text, _LABEL).strip()}#{number}"
    return labels


_VALUES = ListOf(Str(nul=False), 1, what="a list of texts")
_SIZES = ListOf(SIZE, 1, what="a list of sizes such as [[80, 24], [40, 10]]")
_EXCLUDE: ListOf[dict[str, Value]] = ListOf(
    MapOf(OneOf[Value](SIZE, Str()), what="a mapping such as {NAME: value}"), what="a list of mappings"
)


class MatrixShape(Shape[Matrix]):
    """The key `matrix`."""

    expected = "a mapping such as {NAME: [one, two], size: [[80, 24], [40, 10]], env: {LANG: [C, de_DE]}}"

    def read(self, node: Node, reader: Reader) -> Matrix | Bad:
        if not isinstance(node, MappingNode):
            return reader.wrong(node, self.expected)
        before = len(reader.problems)
        axes: list[Axis] = []
        exclude_node: Node | None = None
        for key, key_node, value in reader.items(node):
            if key == "exclude":
                exclude_node = value
            elif key in ("env", "vars"):
                self._group(reader, key, value, axes)
            elif key == "size":
                self._axis(reader, "size", key, key_node, value, axes)
            else:
                self._axis(reader, "vars", key, key_node, value, axes)
        if len(reader.problems) > before:
            return BAD
        if not axes:
            return reader.wrong(node, self.expected)
        count = math.prod(len(axis.values) for axis in axes)
        if count > MOST_COMBINATIONS:
            return reader.problem(node, f"expected at most {MOST_COMBINATIONS} combinations, got {count}")
        exclude = () if exclude_node is None else self._exclude(reader, exclude_node, axes)
        if exclude is BAD:
            return BAD
        matrix = Matrix(tuple(axes), exclude)
        if exclude and exclude_node is not None and not matrix.combinations():
            return reader.problem(exclude_node, "leaves no combination")
        return matrix

    def _group(self, reader: Reader, kind: str, node: Node, axes: list[Axis]) -> None:
        if not isinstance(node, MappingNode):
            reader.problem(node, f"expected a mapping such as {{NAME: [one, two]}}, got {describe(node)}")
            return
        reader.path.append(kind)
        for key, key_node, value in reader.items(node):
            self._axis(reader, kind, key, key_node, value, axes)
        reader.path.pop()

    def _axis(self, reader: Reader, kind: str, name: str, key_node: ScalarNode, node: Node, axes: list[Axis]) -> None:
        shape: ListOf[Any] = _SIZES if kind == "size" else _VALUES
        if kind == "vars" and not NAME.fullmatch(name):
            reader.problem(key_node, f"expected a name such as NAME or name_2, got {shorten(name, 40)!r}")
        elif kind == "env" and (not name or "=" in name or "\0" in name):
            reader.problem(key_node, f"expected the name of an environment variable, got {shorten(name, 40)!r}")
        elif any(axis.name == name for axis in axes):
            reader.problem(key_node, f"{name!r} stands twice in the matrix")
        values = reader.at(name, shape, node)
        if values is BAD:
            return
        twice = next((index for index, value in enumerate(values) if value in values[:index]), None)
        if twice is not None and isinstance(node.value, list):
            reader.path.append(f"{name}[{twice}]")
            reader.problem(node.value[twice], "the same value stands twice")
            reader.path.pop()
        axes.append(Axis(kind, name, values, reader.source(key_node)))

    def _exclude(self, reader: Reader, node: Node, axes: list[Axis]) -> tuple[dict[str, Value], ...] | Bad:
        read = reader.at("exclude", _EXCLUDE, node)
        if read is BAD or not isinstance(node.value, list):
            return BAD
        by_name = {axis.name: axis for axis in axes}
        before = len(reader.problems)
        for entry, item in zip(read, node.value, strict=True):
            if not entry:
                reader.problem(item, "an empty mapping leaves out everything")
            for name, value in entry.items():
                if name not in by_name:
                    reader.unknown(item, name, by_name, f"one of {', '.join(by_name)}")
                elif value not in by_name[name].values:
                    reader.problem(item, f"{value!r} is not a value of {name!r} in the matrix")
        return read if len(reader.problems) == before else BAD

    def schema(self) -> dict[str, Any]:
        group = {"type": "object", "additionalProperties": _VALUES.schema()}
        return {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "env": {**group, "description": "Values of environment variables."},
                "vars": {**group, "description": "Values of variables."},
                "size": {**_SIZES.schema(), "description": "Sizes of the terminal."},
                "exclude": {**_EXCLUDE.schema(), "description": "Combinations to leave out."},
            },
            "additionalProperties": {**_VALUES.schema(), "description": "Values of a variable of this name."},
        }

    def suits(self, node: Node) -> bool:
        return isinstance(node, MappingNode)
