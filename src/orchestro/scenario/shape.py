"""Shapes: what a value in YAML must look like. One definition reads it, explains mistakes, and describes it to editors.

No pydantic or msgspec here: they cost 40 to 90 ms of start-up, msgspec stops at the first mistake, neither knows lines
and columns, and the short spellings of steps would need code of their own anyway.
"""

from __future__ import annotations

import keyword
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestro.errors import UnknownKey, UserError
from orchestro.records import dataclass
from orchestro.scenario.durations import DURATION_PATTERN, parse_duration
from orchestro.scenario.reader import BAD, DEEPEST, NULLS, Bad, Reader, describe, is_null, nearest, shorten
from orchestro.scenario.variables import Pattern

__all__ = [
    "BAD",
    "Bad",
    "Bool",
    "Choice",
    "Converted",
    "Duration",
    "Field",
    "Fields",
    "Int",
    "Json",
    "ListOf",
    "MapOf",
    "Number",
    "OneOf",
    "Pair",
    "Pattern",
    "Reader",
    "Regex",
    "Shape",
    "Str",
    "describe",
    "nearest",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
A = TypeVar("A")
B = TypeVar("B")


_COLLECTION = (SequenceNode, MappingNode)
_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_INT = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?\Z")


class Shape(ABC, Generic[T_co]):
    """What a value must look like."""

    expected: str = "a value"
    """A noun phrase for messages and the reference: ``a duration such as 500ms, 30s or 2m``."""

    @abstractmethod
    def read(self, node: Node, reader: Reader) -> T_co | Bad:
        """The value, or `BAD` after reporting every mistake to `reader`. Never raises for a mistake of the user."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON Schema, draft 2020-12."""

    @abstractmethod
    def suits(self, node: Node) -> bool:
        """Whether `node` was probably meant for this shape: how `OneOf` chooses. Looks no deeper than the keys."""

    def parts(self) -> tuple[Shape[Any], ...]:
        """The shapes that this one is made of, for the reference; the keys of `Fields` are not among them."""
        return ()


def _plain(node: Node) -> str | None:
    """The text of a bare scalar that is not null; quoted ones are text and never numbers."""
    if isinstance(node, ScalarNode) and not node.style and node.value not in NULLS:
        return str(node.value)
    return None


class Str(Shape[str]):
    """Text: a scalar, taken literally as it is written (``yes`` is "yes", ``1.0`` is "1.0")."""

    def __init__(self, *, empty: bool = True, nul: bool = True, what: str = "text") -> None:
        """`empty` and `nul` say whether the empty text and NUL characters are allowed."""
        self.expected = what
        self.empty = empty
        self.nul = nul

    def read(self, node: Node, reader: Reader) -> str | Bad:
        if not isinstance(node, ScalarNode):
            hint = (
                "a text that starts with [ or { must be quoted"
                if isinstance(node, _COLLECTION) and node.flow_style
                else ""
            )
            return reader.wrong(node, self.expected, hint)
        if not node.style and node.value in NULLS:
            hint = "quote it to mean the text itself" if node.value else 'write "" to mean the empty text'
            return reader.wrong(node, self.expected, hint)
        if not (self.empty or node.value):
            return reader.problem(node, f"expected {self.expected}, got an empty one")
        if not self.nul and "\0" in node.value:
            return reader.problem(node, f"expected {self.expected} without NUL characters")
        return str(node.value)

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": ["string", "number", "boolean"]}
        if not self.empty:
            schema["minLength"] = 1
        return schema

    def suits(self, node: Node) -> bool:
        return isinstance(node, ScalarNode) and not is_null(node)


class Int(Shape[int]):
    """A whole number."""

    def __init__(self, minimum: int | None = None, maximum: int | None = None, *, what: str = "a whole number") -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.expected = what + _range(minimum, maximum)

    def read(self, node: Node, reader: Reader) -> int | Bad:
        text = _plain(node)
        if text is None or not _INT.match(text):
            return reader.wrong(node, self.expected)
        number = int(text)
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            return reader.wrong(node, self.expected)
        return number

    def schema(self) -> dict[str, Any]:
        return {"type": "integer"} | _bounds(self.minimum, self.maximum)

    def suits(self, node: Node) -> bool:
        return bool(_INT.match(_plain(node) or ""))


class Number(Shape[float]):
    """A number, whole or not."""

    def __init__(self, minimum: float | None = None, maximum: float | None = None, *, what: str = "a number") -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.expected = what + _range(minimum, maximum)

    def read(self, node: Node, reader: Reader) -> float | Bad:
        text = _plain(node)
        number = float(text) if text is not None and _FLOAT.match(text) else None
        if number is None or abs(number) == float("inf"):
            return reader.wrong(node, self.expected)
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            return reader.wrong(node, self.expected)
        return number

    def schema(self) -> dict[str, Any]:
        return {"type": "number"} | _bounds(self.minimum, self.maximum)

    def suits(self, node: Node) -> bool:
        return bool(_FLOAT.match(_plain(node) or ""))


def _range(minimum: float | None, maximum: float | None) -> str:
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}"
    if minimum is not None:
        return f" of at least {minimum}"
    return f" of at most {maximum}" if maximum is not None else ""


def _bounds(minimum: float | None, maximum: float | None) -> dict[str, Any]:
    bounds = {"minimum": minimum, "maximum": maximum}
    return {key: value for key, value in bounds.items() if value is not None}


class Bool(Shape[bool]):
    """``true`` or ``false``; ``yes``, ``no``, ``on`` and ``off`` are understood."""

    expected = "true or false"

    def read(self, node: Node, reader: Reader) -> bool | Bad:
        text = _plain(node)
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        return reader.wrong(node, self.expected)

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def suits(self, node: Node) -> bool:
        text = _plain(node)
        return text in _TRUE or text in _FALSE


class Duration(Shape[float]):
    """A span of time, read as seconds: a number of them, or ``500ms``, ``30s``, ``2m``, ``1h``, ``1m30s``."""

    expected = "a duration such as 500ms, 30s or 2m"

    def __init__(self, *, zero: bool = True) -> None:
        """`zero` says whether 0 is allowed."""
        self.zero = zero

    def read(self, node: Node, reader: Reader) -> float | Bad:
        if not isinstance(node, ScalarNode) or is_null(node):
            return reader.wrong(node, self.expected)
        try:
            seconds = parse_duration(node.value)
        except ValueError as error:
            reason = str(error)
            return reader.wrong(node, self.expected, "" if reason.startswith("not ") else f"it is {reason}")
        if not seconds and not self.zero:
            return reader.wrong(node, f"{self.expected}, more than 0")
        return seconds

    def schema(self) -> dict[str, Any]:
        number: dict[str, Any] = {"type": "number", "minimum" if self.zero else "exclusiveMinimum": 0}
        return {"anyOf": [number, {"type": "string", "pattern": DURATION_PATTERN, "minLength": 1}]}

    def suits(self, node: Node) -> bool:
        try:
            return isinstance(node, ScalarNode) and parse_duration(node.value) >= 0
        except ValueError:
            return False


class Choice(Shape[str]):
    """One of a few words."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.expected = "one of " + ", ".join(names) if len(names) > 1 else names[0]

    def read(self, node: Node, reader: Reader) -> str | Bad:
        if isinstance(node, ScalarNode) and node.value in self.names:
            return str(node.value)
        near = nearest(node.value, self.names) if isinstance(node, ScalarNode) else None
        return reader.wrong(node, self.expected, f"did you mean {near!r}?" if near else "")

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.names)}

    def suits(self, node: Node) -> bool:
        return isinstance(node, ScalarNode) and node.value in self.names


class Regex(Shape[Pattern]):
    """A regular expression of Python, in which the values of ``${NAME}`` are taken literally."""

    def __init__(self, flags: int = re.MULTILINE) -> None:
        self.flags = flags
        self.expected = "a regular expression"

    def read(self, node: Node, reader: Reader) -> Pattern | Bad:
        text = _TEXT.read(node, reader)
        if text is BAD:
            return BAD
        if not text:
            return reader.problem(node, "expected a regular expression, got an empty one, which matches anything")
        pattern = Pattern(text, self.flags)
        try:
            pattern.check()
        except re.error as error:
            hint = "a backslash before it takes a character literally" if error.pos is not None else ""
            return reader.problem(node, f"{shorten(text, 40)!r} is not a regular expression: {error}", hint)
        except (OverflowError, RecursionError) as error:
            return reader.problem(node, f"the regular expression is too large: {error}")
        return pattern

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean"], "minLength": 1}

    def suits(self, node: Node) -> bool:
        return _TEXT.suits(node)


_TEXT = Str()


class Json(Shape[Any]):
    """Any YAML, read as the JSON value that it looks like: text, numbers, true, false, null, lists, mappings."""

    expected = "a JSON value"

    def read(self, node: Node, reader: Reader) -> Any | Bad:
        return self._read(node, reader, 0)

    def _read(self, node: Node, reader: Reader, depth: int) -> Any | Bad:
        if depth > DEEPEST:
            return reader.problem(node, f"nested deeper than {DEEPEST} levels")
        if isinstance(node, ScalarNode):
            return _scalar(node)
        bad = False
        if isinstance(node, SequenceNode):
            values = []
            for index, item in enumerate(node.value):
                reader.path.append(f"[{index}]")
                value = self._read(item, reader, depth + 1)
                reader.path.pop()
                bad = bad or value is BAD
                values.append(value)
            return BAD if bad else values
        mapping = {}
        before = len(reader.problems)
        for key, _, item in reader.items(node) if isinstance(node, MappingNode) else ():
            reader.path.append(key)
            value = self._read(item, reader, depth + 1)
            reader.path.pop()
            bad = bad or value is BAD
            mapping[key] = value
        return BAD if bad or len(reader.problems) > before else mapping

    def schema(self) -> dict[str, Any]:
        return {}

    def suits(self, node: Node) -> bool:
        del node
        return True


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    if node.style:
        return text
    if text in NULLS:
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text) and abs(number := float(text)) != float("inf"):
        return number
    return text


class ListOf(Shape[tuple[T, ...]]):
    """A list of values of one shape."""

    def __init__(
        self, item: Shape[T], minimum: int = 0, maximum: int | None = None, *, or_single: bool = False, what: str = ""
    ) -> None:
        """`or_single` lets one item stand for a list of it."""
        self.item = item
        self.minimum = minimum
        self.maximum = maximum
        self.or_single = or_single
        self.expected = what or (f"{item.expected}, or a list of them" if or_single else f"a list ({item.expected})")

    def read(self, node: Node, reader: Reader) -> tuple[T, ...] | Bad:
        # An item may be a list itself, e.g. a position: then one position is told from a list of them by what is in it.
        if self.or_single and (not isinstance(node, SequenceNode) or self.item.suits(node)):
            value = self.item.read(node, reader)
            return BAD if value is BAD else (value,)
        if not isinstance(node, SequenceNode):
            return reader.wrong(node, self.expected)
        count = len(node.value)
        if count < self.minimum or (self.maximum is not None and count > self.maximum):
            return reader.problem(node, f"expected {self._amount()}, got {describe(node)}")
        values = [reader.at(f"[{index}]", self.item, item) for index, item in enumerate(node.value)]
        good = tuple(value for value in values if value is not BAD)
        return good if len(good) == count else BAD

    def _amount(self) -> str:
        if self.maximum is None:
            return "a list that is not empty" if self.minimum == 1 else f"a list of at least {self.minimum}"
        return f"a list of {self.minimum} to {self.maximum}"

    def schema(self) -> dict[str, Any]:
        item = self.item.schema()
        schema: dict[str, Any] = {"type": "array", "items": item}
        if self.minimum:
            schema["minItems"] = self.minimum
        if self.maximum is not None:
            schema["maxItems"] = self.maximum
        return {"anyOf": [item, schema]} if self.or_single else schema

    def parts(self) -> tuple[Shape[Any], ...]:
        return (self.item,)

    def suits(self, node: Node) -> bool:
        if not isinstance(node, SequenceNode):
            return self.or_single and self.item.suits(node)
        return not node.value or self.item.suits(node.value[0]) or (self.or_single and self.item.suits(node))


class Pair(Shape[tuple[A, B]]):
    """A list of exactly two values, e.g. ``[cols, rows]``."""

    def __init__(self, first: Shape[A], second: Shape[B], *, names: tuple[str, str] = ("first", "second")) -> None:
        self.first = first
        self.second = second
        self.names = names
        self.expected = f"[{names[0]}, {names[1]}]"

    def read(self, node: Node, reader: Reader) -> tuple[A, B] | Bad:
        if not isinstance(node, SequenceNode) or len(node.value) != 2:
            return reader.wrong(node, self.expected)
        first = reader.at("[0]", self.first, node.value[0])
        second = reader.at("[1]", self.second, node.value[1])
        return BAD if first is BAD or second is BAD else (first, second)

    def schema(self) -> dict[str, Any]:
        items = [
            {**self.first.schema(), "title": self.names[0]},
            {**self.second.schema(), "title": self.names[1]},
        ]
        return {"type": "array", "prefixItems": items, "minItems": 2, "maxItems": 2}

    def parts(self) -> tuple[Shape[Any], ...]:
        return (self.first, self.second)

    def suits(self, node: Node) -> bool:
        return isinstance(node, SequenceNode) and all(isinstance(item, ScalarNode) for item in node.value)


class MapOf(Shape[dict[str, T]]):
    """A mapping from names that the user chooses."""

    def __init__(self, value: Shape[T], *, key: re.Pattern[str] | None = None, what: str = "a mapping") -> None:
        """`key` is an expression that each key must match as a whole."""
        self.value = value
        self.key = key
        self.expected = what

    def read(self, node: Node, reader: Reader) -> dict[str, T] | Bad:
        if not isinstance(node, MappingNode):
            return reader.wrong(node, self.expected)
        before = len(reader.problems)
        result: dict[str, T] = {}
        for key, key_node, value_node in reader.items(node):
            if self.key is not None and not self.key.fullmatch(key):
                reader.problem(key_node, f"expected a name such as {self._sample()}, got {key!r}")
            value = reader.at(key, self.value, value_node)
            if value is not BAD:
                result[key] = value
        return result if len(reader.problems) == before else BAD

    def _sample(self) -> str:
        return "NAME or name_2"

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object", "additionalProperties": self.value.schema()}
        if self.key is not None:
            schema["propertyNames"] = {"pattern": f"^(?:{self.key.pattern})$"}
        return schema

    def parts(self) -> tuple[Shape[Any], ...]:
        return (self.value,)

    def suits(self, node: Node) -> bool:
        return isinstance(node, MappingNode)


@dataclass(frozen=True, slots=True)
class Field:
    """One key of `Fields`, with a sentence for the reference."""

    shape: Shape[Any]
    summary: str
    default: str = ""
    """What holds without it, for the reference."""


class Fields(Shape[T]):
    """A mapping with known keys."""

    @overload
    def __init__(
        self: Fields[dict[str, Any]],
        fields: Mapping[str, Shape[Any] | Field],
        *,
        required: Sequence[str] = (),
        one_of: Sequence[str] = (),
        what: str = "",
    ) -> None: ...

    @overload
    def __init__(
        self,
        fields: Mapping[str, Shape[Any] | Field],
        *,
        make: Callable[..., T],
        required: Sequence[str] = (),
        one_of: Sequence[str] = (),
        what: str = "",
    ) -> None: ...

    def __init__(
        self,
        fields: Mapping[str, Shape[Any] | Field],
        *,
        make: Callable[..., Any] = dict,
        required: Sequence[str] = (),
        one_of: Sequence[str] = (),
        what: str = "",
    ) -> None:
        """`make` gets the keys that were given as keyword arguments (``from`` as ``from_``) and may raise ValueError or
        UserError. All of `required` and exactly one of `one_of`, when it is not empty, must be given.
        """
        self.fields = {key: f if isinstance(f, Field) else Field(f, "") for key, f in fields.items()}
        self.make = make
        self.required = tuple(required)
        self.one_of = tuple(one_of)
        self.expected = what or "a mapping with " + " or ".join(
            [" and ".join(required)] if required else list(one_of or fields)
        )

    def read(self, node: Node, reader: Reader) -> T | Bad:
        if not isinstance(node, MappingNode):
            return reader.wrong(node, self.expected)
        before = len(reader.problems)
        values: dict[str, Any] = {}
        misspelt: set[str | None] = set()
        for key, key_node, value_node in reader.items(node):
            field = self.fields.get(key)
            if field is None:
                misspelt.add(reader.unknown(key_node, key, self.fields, _either(list(self.fields))))
                continue
            values[keyword_name(key)] = reader.at(key, field.shape, value_node)
        for key in self.required:
            if keyword_name(key) not in values and key not in misspelt:
                expected = self.fields[key].shape.expected
                reader.problem(node, f"the key {key!r} is missing, expected {expected}")
        given = [key for key in self.one_of if keyword_name(key) in values]
        if self.one_of and len(given) != 1 and misspelt.isdisjoint(self.one_of):
            got = " and ".join(given) if given else "none of them"
            reader.problem(node, f"expected exactly one of {', '.join(self.one_of)}, got {got}")
        if len(reader.problems) > before:
            return BAD
        return made(reader, node, self.make, **values)

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {key: described(field) for key, field in self.fields.items()},
            "additionalProperties": False,
        }
        if self.required:
            schema["required"] = list(self.required)
        if self.one_of:
            schema["oneOf"] = [{"required": [key]} for key in self.one_of]
        return schema

    def suits(self, node: Node) -> bool:
        if not isinstance(node, MappingNode):
            return False
        keys = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
        return keys <= self.fields.keys() | {"<<"} and (
            keys.issuperset(self.required) and (not self.one_of or not keys.isdisjoint(self.one_of))
        )


def described(field: Field) -> dict[str, Any]:
    """The schema of a key with its sentence."""
    schema = field.shape.schema()
    return {**schema, "description": field.summary} if field.summary else schema


def keyword_name(key: str) -> str:
    """The keyword argument that gets the value of `key`: ``from_`` for ``from``."""
    return key + "_" if keyword.iskeyword(key) else key


def _either(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}" if len(names) > 1 else "".join(names)


def made(reader: Reader, node: Node, make: Callable[..., T], *args: Any, **values: Any) -> T | Bad:
    """Call `make`; what it raises as ValueError or UserError is the user's mistake at `node`."""
    try:
        return make(*args, **values)
    except UnknownKey as error:
        hint = f"did you mean {error.nearest!r}?" if error.nearest else ""
        return reader.problem(node, f"unknown key {error.key!r}", hint)
    except (ValueError, UserError) as error:
        return reader.problem(node, str(error))


class Converted(Shape[T]):
    """Another shape whose value is turned into something else."""

    def __init__(self, shape: Shape[A], convert: Callable[[A], T], *, what: str = "") -> None:
        """`convert` may raise ValueError or UserError; the message should say what was expected and what was got."""
        self.shape: Shape[Any] = shape
        self.convert: Callable[[Any], T] = convert
        self.expected = what or shape.expected

    def read(self, node: Node, reader: Reader) -> T | Bad:
        value = self.shape.read(node, reader)
        return BAD if value is BAD else made(reader, node, self.convert, value)

    def schema(self) -> dict[str, Any]:
        return self.shape.schema()

    def parts(self) -> tuple[Shape[Any], ...]:
        return (self.shape,)

    def suits(self, node: Node) -> bool:
        return self.shape.suits(node)


class OneOf(Shape[T]):
    """One of several shapes: the first that suits what stands there, else the first of the same kind of node."""

    def __init__(self, *shapes: Shape[T], what: str = "") -> None:
        self.shapes = shapes
        self.expected = what or " or ".join(dict.fromkeys(shape.expected for shape in shapes))

    def read(self, node: Node, reader: Reader) -> T | Bad:
        for shape in self.shapes:
            if shape.suits(node):
                return shape.read(node, reader)
        near = [shape for shape in self.shapes if _same_kind(shape, node)]
        if len(near) > 1 and isinstance(node, MappingNode):
            scores = [_common_keys(shape, node) for shape in near]
            best = max(scores)
            near = [near[scores.index(best)]] if best and scores.count(best) == 1 else []
        if len(near) == 1 and not isinstance(node, ScalarNode):  # its message is more exact than a list of all shapes
            return near[0].read(node, reader)
        words = [word for shape in self.shapes for word in _words(shape)]
        meant = nearest(node.value, words) if isinstance(node, ScalarNode) else None
        return reader.wrong(node, self.expected, f"did you mean {meant!r}?" if meant else "")

    def schema(self) -> dict[str, Any]:
        schemas = [shape.schema() for shape in self.shapes]
        unique = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
        return unique[0] if len(unique) == 1 else {"anyOf": unique}

    def parts(self) -> tuple[Shape[Any], ...]:
        return self.shapes

    def suits(self, node: Node) -> bool:
        return any(shape.suits(node) for shape in self.shapes)


def _same_kind(shape: Shape[Any], node: Node) -> bool:
    if isinstance(shape, Converted):
        return _same_kind(shape.shape, node)
    if isinstance(shape, OneOf):
        return any(_same_kind(inner, node) for inner in shape.shapes)
    if isinstance(node, MappingNode):
        return isinstance(shape, Fields | MapOf)
    return isinstance(node, SequenceNode) and isinstance(shape, ListOf | Pair)


def _common_keys(shape: Shape[Any], node: MappingNode) -> int:
    if isinstance(shape, Converted):
        return _common_keys(shape.shape, node)
    if isinstance(shape, OneOf):
        return max(_common_keys(inner, node) for inner in shape.shapes)
    return sum(key.value in shape.fields for key, _ in node.value) if isinstance(shape, Fields) else 0


def _words(shape: Shape[Any]) -> Iterable[str]:
    if isinstance(shape, Converted):
        return _words(shape.shape)
    return shape.names if isinstance(shape, Choice) else ()
