"""Writes docs/reference/events.md from the event classes: ``python -m orchestro.observe.events_reference``.

A test compares the file with what this says, so the documentation cannot lag behind the classes.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import MISSING, fields
from typing import Any

from orchestro import events
from orchestro.events import EVENT_TYPES, SCHEMA
from orchestro.model import Failure, Finding, Outcome, Source, outcome, result, task

__all__ = ["events_reference"]

_INTRODUCTION = """\
# Events

`orchestro run --json FILE` writes what happens as JSON lines: one event a line, in UTF-8, in the order in which things
happened, each line flushed at once (`--json -` writes to stdout). `events.jsonl` in the directory of a run has the same
lines. Every report is made from these events.

The version of this vocabulary is {schema}; it stands in the field `schema` of `run_started`, the first line. Within a
version, fields and types of events may be added: ignore what you do not know. Renaming or removing one raises the
version.

`at` is Unix seconds (UTC), never decreasing within a run; durations are seconds. A task is named by its `task_id`.

```console
$ orchestro run tests/ --json - | jq -r 'select(.type == "task_finished") | "\\(.outcome)\\t\\(.name)"'
```

This page is generated from the classes in `orchestro.events`.
"""


def events_reference() -> str:
    """The reference of all events as Markdown."""
    parts = [_INTRODUCTION.format(schema=SCHEMA), "\n## The events\n"]
    notes = _notes(events)
    parts += [_section(f"`{name}`", cls, notes) for name, cls in EVENT_TYPES.items()]
    parts.append("\n## The values in them\n")
    notes = _notes(task) | _notes(result)
    parts += [_section(cls.__name__, cls, notes) for cls in (Source, Failure, Finding)]
    parts.append(f"\n### Outcome\n\n{inspect.getdoc(Outcome)}\n\n| value | meaning |\n| --- | --- |\n")
    notes = _notes(outcome)
    parts += [f"| `{member.value}` | {notes[('Outcome', member.name)]} |\n" for member in Outcome]
    return "".join(parts)


def _section(title: str, cls: type[Any], notes: dict[tuple[str, str], str]) -> str:
    rows = ""
    for field in fields(cls):
        note = notes.get((cls.__name__, field.name), "")
        rows += f"| `{field.name}` | {_type(str(field.type))} | {_default(field)} | {note} |\n"
    document = " ".join((inspect.getdoc(cls) or "").split())
    return f"\n### {title}\n\n{document}\n\n| field | type | default | |\n| --- | --- | --- | --- |\n{rows}"


def _type(annotation: str) -> str:
    """The annotation of Python as what stands in JSON."""
    alternatives = [part.strip() for part in annotation.split(" | ")]
    words = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null"}
    words |= {name: f"[{name}](#{name.lower()})" for name in ("Source", "Failure", "Finding", "Outcome")}
    shown = []
    for part in alternatives:
        if part.startswith("tuple["):
            inner = part[len("tuple[") : -1]
            if inner.startswith("tuple["):
                shown.append("array of pairs")
            elif inner.endswith(", ..."):
                shown.append(f"array of {words.get(inner[:-5], inner[:-5])}")
            else:
                shown.append("pair of " + ", ".join(words.get(name.strip(), name) for name in inner.split(",")))
        else:
            shown.append(words.get(part, part))
    return " or ".join(shown)


def _default(field: Any) -> str:
    if field.default is MISSING:
        return "required"
    if isinstance(field.default, Source):
        return "nowhere"
    return f"`{_json(field.default)}`"


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def _notes(module: Any) -> dict[tuple[str, str], str]:
    """The string under each field of each class of a module, by names of class and field."""
    notes: dict[tuple[str, str], str] = {}
    for cls in ast.parse(inspect.getsource(module)).body:
        if not isinstance(cls, ast.ClassDef):
            continue
        for field, note in zip(cls.body, cls.body[1:], strict=False):
            match field, note:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    notes[(cls.name, name)] = _markdown(text)
    return notes


def _markdown(docstring: str) -> str:
    """A docstring for a cell of a table, in JSON's words."""
    text = " ".join(docstring.split()).replace("``", "`").replace("|", "\\|")
    return re.sub(r"\bNone\b", "null", text)


if __name__ == "__main__":
    print(events_reference(), end="")
