"""The reference of the scenario format, written from the shapes and kinds: ``python -m orchestro.scenario.reference``.

`docs/reference/scenario.md` is what it prints.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchestro.scenario.document import KEYS
from orchestro.scenario.registry import step_kinds, validation_kinds
from orchestro.scenario.shape import Field, Fields, Shape
from orchestro.scenario.step import STEP_KEYS

__all__ = ["reference"]

_INTRODUCTION = """\
# Scenario reference

<!-- Written by `python -m orchestro.scenario.reference`; change the shapes and kinds, not this file. -->

A YAML file holds one scenario, or several documents separated by `---`. Mistakes are shown before anything runs, all
of them at once, as `file:line:column: key: what was expected`. `orchestro validate PATH...` shows only them. For
completion and checks in an editor, point it to `scenario.schema.json` of the package, for instance with
`# yaml-language-server: $schema=scenario.schema.json` in the first line; `python -m orchestro.scenario.schema` prints
it, with the steps of installed packages.

In a directory, `*.scenario.yaml` and `*.scenario.yml` are taken, and every other `*.yaml` and `*.yml` with `command` or
`steps` at the top. Hidden directories, `node_modules`, `venv`, `__pycache__` and `__snapshots__` are left out.

Text is taken as it is written: `send: yes` types "yes" and `send: 1.0` types "1.0". Quote a text that starts with one
of ``[ { * & ! % @ ` ' " # | >`` or holds `: ` or ` #`. Anchors, aliases and merge keys (`<<`) work within a document.

A file has at most 1 MiB, 200 levels of nesting, and 100,000 values in a document once its aliases are written out.
"""

_DURATIONS = """\
## Durations

A number of seconds (`5`, `0.5`), or numbers with the units `ms`, `s`, `m`, `h`: `500ms`, `30s`, `2m`, `1h`, `1m30s`. At
most 30 days.
"""

_VARIABLES = """\
## Variables

`${NAME}` is replaced by the value of a variable when the step runs: one of `vars`, of `matrix`, one bound by `capture`
in an earlier step, or one of these:

| name | value |
|---|---|
| `WORKSPACE` | the directory that the scenario works in |
| `HOME` | the private home of the scenario |
| `TMPDIR` | the private directory for temporary files |
| `SCENARIO` | the name of the scenario |

In `env`, `cwd`, `workspace`, `files` and `vars` only names of `vars` and `matrix` have a value, and in `vars` only
those above. In a regular expression the value is taken literally. `$${` stands for `${` itself; other uses of the
dollar sign, such as `$HOME` or `${x:-y}`, are left to the program. A name that has no value is a mistake, shown before
anything runs.
"""

_MATRIX = """\
## Matrices

```yaml
matrix:
  SHELL_NAME: [bash, zsh]        # a variable
  size: [[80, 24], [40, 10]]     # sizes of the terminal
  env: {LANG: [C.UTF-8, de_DE]}  # environment variables
  vars: {N: [1, 2]}              # variables, the long way
  exclude:
    - {SHELL_NAME: zsh, N: 2}
```

Every combination that is not excluded is a scenario of its own, called `NAME [SHELL_NAME=bash, size=80x24, ...]`. There
may be at most 1000. `needs: NAME` means all of them. Values are taken literally, and win over the same name in `env`
and `vars`.
"""

_STEPS = """\
## Steps

A step is a mapping with at most one action and any number of checks: the action is done, then all the checks must hold.
They wait, up to `timeout`. Then comes what looks at the result, such as `capture`, which may stand beside an action.
Every step may have these keys besides:
"""

_VALIDATIONS = """\
What must hold after the program ended. Each has a `type`, and may have a `description` for the report.
"""

_REGEX = """\
## Regular expressions

Those of Python's [`re`](https://docs.python.org/3/library/re.html), found anywhere in the text, with `^` and `$` at the
start and end of each line. An empty one is a mistake, since it matches anything.
"""


def reference(*, installed: bool = False) -> str:
    """The reference in Markdown; `installed` adds the steps and validations of installed packages."""
    sections = [_INTRODUCTION, "## Keys of a scenario\n", "Only `command` is required.\n", *_keys(KEYS), _DURATIONS]
    sections += [_VARIABLES, _MATRIX, _REGEX, _STEPS, _table(STEP_KEYS)]
    steps = step_kinds(installed=installed)
    for key, kind in steps.items():
        if key == kind.key:
            sections += [f"### `{key}`\n", _step(kind.summary, kind.shape, kind.aliases, kind.example)]
            sections += _sub_keys(kind.shape)
            if kind.options:
                sections += ["Keys that may stand beside it:\n", _table(_as_fields(kind.options))]
    sections += ["## Validations\n", _VALIDATIONS]
    for name, validation in validation_kinds(installed=installed).items():
        sections += [f"### `{name}`\n", validation.summary + "\n"]
        if validation.fields:
            sections.append(_table(_as_fields(validation.fields), validation.required))
    return "\n".join(sections)


def _keys(fields: Mapping[str, Field]) -> Iterator[str]:
    yield _table(fields, ("command",))
    for key, field in fields.items():
        inner = [] if key in ("steps", "validations", "matrix") else _sub_keys(field.shape)
        if inner:
            yield f"### `{key}`\n"
            yield from inner


def _step(summary: str, shape: Shape[Any], aliases: tuple[str, ...], example: str) -> str:
    lines = [summary, "", f"Value: {shape.expected}."]
    if aliases:
        lines += ["", "Also spelt " + ", ".join(f"`{alias}`" for alias in aliases) + "."]
    if example:
        lines += ["", "```yaml", example, "```"]
    return "\n".join(lines) + "\n"


def _sub_keys(shape: Shape[Any]) -> list[str]:
    """Tables of the mappings that may stand somewhere in the value."""
    tables: list[str] = []
    for fields in _mappings(shape):
        tables.append(f"Keys of {fields.expected}:\n")
        if fields.one_of:
            tables.append(f"Exactly one of {', '.join(f'`{key}`' for key in fields.one_of)} is given.\n")
        tables.append(_table(fields.fields, fields.required))
    return tables


def _mappings(shape: Shape[Any]) -> Iterator[Fields[Any]]:
    if isinstance(shape, Fields):
        yield shape
    for part in shape.parts():
        yield from _mappings(part)


def _as_fields(fields: Mapping[str, Shape[Any] | Field]) -> dict[str, Field]:
    return {key: field if isinstance(field, Field) else Field(field, "") for key, field in fields.items()}


def _table(fields: Mapping[str, Field], required: Iterable[str] = ()) -> str:
    with_meaning = any(field.summary for field in fields.values())
    lines = ["| key | value | meaning |", "|---|---|---|"] if with_meaning else ["| key | value |", "|---|---|"]
    for key, field in fields.items():
        notes = ["Required."] if key in required else []
        notes += [f"Default: {field.default}."] if field.default else []
        meaning = " ".join([field.summary, *notes]).strip()
        value = field.shape.expected + ("" if with_meaning or key not in required else "; required")
        cells = [f"`{key}`", value, meaning] if with_meaning else [f"`{key}`", value]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference(installed="--installed" in sys.argv[1:]))
