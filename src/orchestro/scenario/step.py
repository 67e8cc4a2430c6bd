"""Steps and validations as they stand in a document: which keys go together, and what each makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestro.errors import UserError
from orchestro.model import NOWHERE, Source
from orchestro.records import dataclass
from orchestro.scenario import registry
from orchestro.scenario.kinds import Action, Check, StepKind, Validation, ValidationKind
from orchestro.scenario.reader import shorten
from orchestro.scenario.shape import (
    BAD,
    Bad,
    Duration,
    Field,
    Fields,
    Reader,
    Shape,
    Str,
    described,
    keyword_name,
    made,
    nearest,
)

__all__ = ["STEP_KEYS", "VALIDATION_KEYS", "Clause", "Judgement", "Step", "StepShape", "ValidationShape"]

_LABEL = 60
"""Columns of a label."""

STEP_KEYS: Mapping[str, Field] = {
    "name": Field(Str(empty=False), "What people call the step; without it, its first key and value."),
    "note": Field(Str(), "A remark for the report. A step may be nothing but a note."),
    "timeout": Field(Duration(), "Limit of what the step waits for.", default="`timeout` of the scenario"),
}
VALIDATION_KEYS: Mapping[str, Field] = {
    "type": Field(Str(), "Which validation it is."),
    "description": Field(Str(), "What people call it; without it, its type and first value."),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One key of a step and what was made of it."""

    key: str
    """Never another spelling of it."""
    value: Action | Check
    source: Source = NOWHERE


@dataclass(frozen=True, slots=True)
class Step:
    """At most one action, and checks that must all hold after it."""

    clauses: tuple[Clause, ...]
    """In the order written; empty when there is only a note."""
    name: str = ""
    note: str = ""
    timeout_s: float | None = None
    """Seconds; None for the scenario's."""
    source: Source = NOWHERE
    label: str = ""
    """As people would call it: its name, else ``expect: done``."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One validation."""

    type: str
    value: Validation
    description: str = ""
    source: Source = NOWHERE
    label: str = ""


class StepShape(Shape[Step]):
    """A step."""

    expected = "a step such as `- send: ls` or `- expect: done`"

    def read(self, node: Node, reader: Reader) -> Step | Bad:
        if not isinstance(node, MappingNode):
            return reader.wrong(node, self.expected, _instead_of_step(node))
        before = len(reader.problems)
        items = reader.items(node)
        if not items and len(reader.problems) == before:
            return reader.wrong(node, self.expected)
        own: dict[str, Any] = {}
        kinds: dict[str, tuple[StepKind, ScalarNode, Node]] = {}
        others: list[tuple[str, ScalarNode, Node]] = []
        for item in items:
            key, key_node, value_node = item
            if key in STEP_KEYS:
                own[key] = reader.at(key, STEP_KEYS[key].shape, value_node)
                continue
            if any(key in kind.options for kind, _, _ in kinds.values()):
                others.append(item)
                continue
            kind = _find(reader, key_node, key)
            if kind is BAD:
                continue
            if kind is None:
                others.append(item)
            elif kind.key in kinds:
                first = str(kinds[kind.key][1].value)
                reader.problem(key_node, f"{key!r} and {first!r} are spellings of the same key", key=_key(reader, key))
            else:
                kinds[kind.key] = (kind, key_node, value_node)
        options = self._options(reader, kinds, others)
        clauses = self._clauses(reader, kinds, options)
        if len(reader.problems) > before:
            return BAD
        name = own.get("name", "")
        return Step(
            clauses=tuple(clauses),
            name=name,
            note=own.get("note", ""),
            timeout_s=own.get("timeout"),
            source=reader.source(node),
            label=name or _label(*((clauses[0].key, kinds[clauses[0].key][2]) if clauses else _only(items))),
        )

    def _options(
        self,
        reader: Reader,
        kinds: Mapping[str, tuple[StepKind, ScalarNode, Node]],
        others: list[tuple[str, ScalarNode, Node]],
    ) -> dict[str, dict[str, Any]]:
        options: dict[str, dict[str, Any]] = {}
        for key, key_node, value_node in others:
            owners = [kind for kind, _, _ in kinds.values() if key in kind.options]
            if not owners:
                self._unknown(reader, key_node, key, kinds)
            elif owners:
                value = reader.at(key, owners[0].options[key], value_node)
                if value is not BAD:
                    for owner in owners:  # an option that two keys know, such as ``near``, holds for both
                        options.setdefault(owner.key, {})[keyword_name(key)] = value
        return options

    def _unknown(self, reader: Reader, node: Node, key: str, kinds: Mapping[str, object]) -> None:
        owners = registry.option_owners().get(key)
        if owners:
            names = " or ".join(repr(owner) for owner in owners)
            reader.problem(node, f"belongs to a step with {names}", key=_key(reader, key))
            return
        known, failures = registry.suggestions("step")
        options = {option for name in kinds if (kind := _kind(name)) is not None for option in kind.options}
        near = nearest(key, [*known, *STEP_KEYS, *options])
        hint = f"did you mean {near!r}?" if near else failures
        reader.problem(node, "unknown key, expected one of the step keys", hint, key=_key(reader, key))

    def _clauses(
        self,
        reader: Reader,
        kinds: Mapping[str, tuple[StepKind, ScalarNode, Node]],
        options: Mapping[str, dict[str, Any]],
    ) -> list[Clause]:
        clauses: list[Clause] = []
        action = ""
        for key, (kind, key_node, value_node) in kinds.items():
            spelled = str(key_node.value)
            reader.path.append(spelled)
            value = kind.shape.read(value_node, reader)
            if value is not BAD:
                value = made(reader, value_node, kind.make, value, **options.get(key, {}))
            reader.path.pop()
            if value is BAD:
                continue
            if hasattr(value, "perform") and not getattr(value, "after_checks", False):
                if action:
                    message = f"a step has one action, and this one has {action!r} and {spelled!r}"
                    reader.problem(key_node, message, "make it a step of its own", key=_key(reader, spelled))
                action = action or spelled
            clauses.append(Clause(key, value, reader.source(key_node)))
        return clauses

    def schema(self) -> dict[str, Any]:
        return step_schema(registry.step_kinds())

    def suits(self, node: Node) -> bool:
        return isinstance(node, MappingNode)


def _key(reader: Reader, key: str) -> str:
    return ".".join([*reader.path, shorten(key, 40)]).replace(".[", "[")


def _find(reader: Reader, node: Node, key: str) -> StepKind | Bad | None:
    try:
        return _kind(key)
    except UserError as error:
        return reader.problem(node, str(error), "uninstall one of them", key=_key(reader, key))


_kind = registry.find_step_kind


def _instead_of_step(node: Node) -> str:
    """What to write instead of a step that is not a mapping."""
    if not isinstance(node, ScalarNode) or not node.value:
        return ""
    word, _, rest = str(node.value).partition(" ")
    known, _ = registry.suggestions("step")
    near = word.rstrip(":") if word.rstrip(":") in known else None
    if near is not None and rest:
        return f"write `- {near}: {shorten(rest.strip(), 30)}`"
    return f"write `- send: {shorten(node.value, 30)}` to type it, or `- note: ...` for a remark"


def _only(items: list[tuple[str, ScalarNode, Node]]) -> tuple[str, Node]:
    """The key and value that stand for a step without clauses."""
    key, _, node = next((item for item in items if item[0] == "note"), items[0])
    return key, node


def _label(key: str, node: Node) -> str:
    return shorten(f"{key}: {_flow(node, _LABEL)}", _LABEL)


def _flow(node: Node, width: int) -> str:
    """`node` on one line, cut somewhere past `width` characters."""
    if isinstance(node, ScalarNode):
        text = str(node.value)
        return text if text.isprintable() else text.strip("\n").replace("\t", "\\t").replace("\x1b", "\\e")
    parts = []
    used = 0
    for item in node.value if isinstance(node, SequenceNode | MappingNode) else ():
        part = ": ".join(_flow(half, width - used) for half in item) if isinstance(item, tuple) else _flow(item, width)
        parts.append(part)
        used += len(part) + 2
        if used > width:
            break
    text = ", ".join(parts)
    return f"[{text}]" if isinstance(node, SequenceNode) else f"{{{text}}}"


class ValidationShape(Shape[Judgement]):
    """A validation."""

    expected = "a validation such as `- {type: path_exists, path: out.txt}`"

    def read(self, node: Node, reader: Reader) -> Judgement | Bad:
        if not isinstance(node, MappingNode):
            return reader.wrong(node, self.expected)
        found = [value for key, value in node.value if isinstance(key, ScalarNode) and key.value == "type"]
        if not found:
            found = [value for key, _, value in reader.items(node) if key == "type"]  # behind a merge key
        if not found:
            known, _ = registry.suggestions("validation")
            return reader.problem(node, f"the key 'type' is missing, expected one of {', '.join(sorted(known))}")
        kind = self._kind(reader, found[0])
        if kind is BAD:
            return BAD
        values = _fields(kind).read(node, reader)
        if values is BAD:
            return BAD
        description = values.pop("description", "")
        del values["type"]
        value = made(reader, node, kind.make, **values)
        if value is BAD:
            return BAD
        first = next((v for k, _, v in reader.items(node) if k not in VALIDATION_KEYS), found[0])
        label = description or (_label(kind.type, first) if values else kind.type)
        return Judgement(kind.type, value, description, reader.source(node), shorten(label, _LABEL))

    def _kind(self, reader: Reader, node: Node) -> ValidationKind | Bad:
        name = reader.at("type", VALIDATION_KEYS["type"].shape, node)
        if name is BAD:
            return BAD
        key = _key(reader, "type")
        try:
            kind = registry.find_validation_kind(name)
        except UserError as error:
            return reader.problem(node, str(error), "uninstall one of them", key=key)
        if kind is not None:
            return kind
        known, failures = registry.suggestions("validation")
        near = nearest(name, known)
        hint = f"did you mean {near!r}?" if near else failures
        message = f"expected one of {', '.join(sorted(known))}, got {shorten(name, 40)!r}"
        return reader.problem(node, message, hint, key=key)

    def schema(self) -> dict[str, Any]:
        return validation_schema(registry.validation_kinds())

    def suits(self, node: Node) -> bool:
        return isinstance(node, MappingNode)


def _fields(kind: ValidationKind) -> Fields[dict[str, Any]]:
    return Fields({**VALIDATION_KEYS, **kind.fields}, required=("type", *kind.required))


def step_schema(kinds: Mapping[str, StepKind]) -> dict[str, Any]:
    """JSON Schema of a step that may have these keys."""
    properties = {key: described(field) for key, field in STEP_KEYS.items()}
    for key, kind in kinds.items():
        summary = kind.summary if key == kind.key else f"Another spelling of `{kind.key}`."
        properties[key] = {**kind.shape.schema(), "description": summary}
    for kind in kinds.values():
        for option, shape in kind.options.items():
            properties.setdefault(option, {**shape.schema(), "description": f"Belongs to `{kind.key}`."})
    return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}


def validation_schema(kinds: Mapping[str, ValidationKind]) -> dict[str, Any]:
    """JSON Schema of a validation of one of these types."""
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(kinds), "description": VALIDATION_KEYS["type"].summary}},
        "oneOf": [_one_type(kind) for kind in kinds.values()],
    }


def _one_type(kind: ValidationKind) -> dict[str, Any]:
    schema = _fields(kind).schema()
    schema["properties"]["type"] = {"const": kind.type}
    return {"description": kind.summary, **schema}
