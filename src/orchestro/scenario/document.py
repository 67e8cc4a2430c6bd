"""One YAML document of a file as a `Scenario`: what its keys are, what they may hold, and how they fit together."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any, TypeAlias

from yaml.nodes import MappingNode, Node

from orchestro.model import NOWHERE, Source
from orchestro.records import dataclass
from orchestro.scenario import registry
from orchestro.scenario.expand import ENV_NAME, SIZE, Matrix, MatrixShape
from orchestro.scenario.shape import (
    BAD,
    Bad,
    Bool,
    Choice,
    Converted,
    Duration,
    Field,
    Fields,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Reader,
    Shape,
    Str,
    nearest,
)
from orchestro.scenario.step import Clause, Judgement, Step, StepShape, ValidationShape
from orchestro.scenario.variables import BUILT_IN, NAME, names_in

__all__ = [
    "KEYS",
    "Clause",
    "Command",
    "CopyFile",
    "Document",
    "FileSpec",
    "Judgement",
    "OnlyOn",
    "Scenario",
    "Step",
    "WriteFile",
    "read_document",
]

Command: TypeAlias = str | tuple[str, ...]
"""A line for the shell, or a program and its arguments."""

PRIORITIES = {"low": -10, "normal": 0, "high": 10, "critical": 100}


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file to write into the workspace."""

    path: str
    """Relative to the workspace, inside it."""
    text: str
    mode: int | None = None
    """Permission bits; None for what a new file gets."""


@dataclass(frozen=True, slots=True)
class CopyFile:
    """A file or directory to copy into the workspace."""

    source: str
    """Relative to the directory of the scenario's file, or absolute."""
    path: str
    """Relative to the workspace, inside it."""
    mode: int | None = None
    """Permission bits; None to keep those of the source."""


FileSpec: TypeAlias = WriteFile | CopyFile


@dataclass(frozen=True, slots=True)
class OnlyOn:
    """Where a scenario can run; empty means anywhere."""

    os: tuple[str, ...] = ()
    """``linux``, ``macos``, ``windows``."""
    programs: tuple[str, ...] = ()
    """Programs that must be found on the PATH."""

    def why_not(self) -> str:
        """Why it cannot run on this machine; empty when it can."""
        if self.os and _this_os() not in self.os:
            return f"only on {' or '.join(self.os)}, this is {_this_os()}"
        missing = [program for program in self.programs if not _installed(program)]
        if missing:
            return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
        return ""


def _this_os() -> str:
    return {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)


@lru_cache(maxsize=1024)
def _installed(program: str) -> bool:
    import shutil

    return shutil.which(program) is not None


@dataclass(frozen=True, slots=True)
class Scenario:
    """What one program should do on one terminal. `docs/reference/scenario.md` says what each key means."""

    name: str
    command: tuple[str, ...]
    """The program and its arguments; with `shell` the one text for the shell."""
    description: str = ""
    shell: bool = False
    cwd: str = ""
    """Relative to the workspace; empty for the workspace itself."""
    workspace: str = "shared"
    """``fresh``, ``shared`` (where orchestro was started) or a directory, relative to that of the scenario's file."""
    files: tuple[FileSpec, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    inherit_env: bool = True
    size: tuple[int, int] = (80, 24)
    """Columns and rows."""
    timeout_s: float = 5.0
    total_timeout_s: float = 60.0
    retries: int = 0
    tags: tuple[str, ...] = ()
    priority: int = 0
    """Higher goes first."""
    deadline_s: float | None = None
    needs: tuple[str, ...] = ()
    """Names of scenarios; of each combination, once the matrices are expanded."""
    matrix: Matrix | None = None
    """None once it is expanded."""
    vars: Mapping[str, str] = field(default_factory=dict)
    """Here, in `env`, `cwd`, `workspace` and `files` no variables are left once the matrix is expanded."""
    setup: tuple[Command, ...] = ()
    teardown: tuple[Command, ...] = ()
    skip: str = ""
    """The reason; empty to run it."""
    only_on: OnlyOn = OnlyOn()
    driver: str = ""
    """``pty``, ``pipe`` or that of a package; empty for what the platform has."""
    steps: tuple[Step, ...] = ()
    validations: tuple[Judgement, ...] = ()
    source: Source = NOWHERE
    group: str = ""
    """Name before the matrix was expanded; empty without a matrix."""
    params: Mapping[str, str] = field(default_factory=dict)
    """The combination of the matrix."""

    def skip_reason(self) -> str:
        """Why it is not to be run on this machine; empty when it is."""
        return self.skip or self.only_on.why_not()


@dataclass(frozen=True, slots=True)
class Document:
    """A scenario, and the nodes of its keys for what is checked over several documents."""

    scenario: Scenario
    nodes: Mapping[str, Node]
    root: Node


# -- what the keys may hold

_TEXT = Str(nul=False)
_FULL = Str(empty=False, nul=False)
_ENV = MapOf(_TEXT, key=re.compile(ENV_NAME), what="a mapping such as {NAME: value}")
_VARS = MapOf(Str(), key=NAME, what="a mapping such as {NAME: value}")
_WORDS = ListOf(_FULL, 1, what="a program with its arguments")
_OS = ListOf(Choice("linux", "macos", "windows"), 1, or_single=True)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/+-]*")


def _name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable() or len(name) > 200:
        raise ValueError(f"expected a name of 1 to 200 printable characters on one line, got {text[:40]!r}")
    return name


def _tag(text: str) -> str:
    if not _TAG.fullmatch(text) or text in ("and", "or", "not"):
        raise ValueError(f"expected a tag of letters, digits and _.:/+-, got {text[:40]!r}")
    return text


def _mode(text: str) -> int:
    if not re.fullmatch(r"(0o?)?[0-7]{3}", text):
        raise ValueError(f"expected permissions such as 755 or 0644, got {text[:40]!r}")
    return int(text[-3:], 8)


def _inside(text: str) -> str:
    path = os.path.normpath(text)
    if os.path.isabs(text) or path == ".." or path.startswith(".." + os.sep) or path == ".":
        raise ValueError(f"expected a path inside the workspace, got {text[:60]!r}")
    return text


_INSIDE = Converted(_FULL, _inside, what="a path inside the workspace")
_MODE = Field(Converted(Str(), _mode, what="permissions such as 755"), "Permissions in octal.")


def _copy(from_: str, to: str = "", mode: int | None = None) -> CopyFile:
    name = os.path.basename(os.path.normpath(from_))
    return CopyFile(from_, to or _inside(name), mode)


_WRITE = Fields(
    {"path": Field(_INSIDE, "Where."), "text": Field(Str(), "What it holds."), "mode": _MODE},
    required=("path", "text"),
    make=WriteFile,
)
_COPY = Fields(
    {
        "from": Field(_FULL, "What to copy, relative to the directory of the scenario's file."),
        "to": Field(_INSIDE, "Where to.", default="the last part of `from`"),
        "mode": _MODE,
    },
    required=("from",),
    make=_copy,
)
_CONTENT: OneOf[Any] = OneOf(
    Str(),
    Fields({"text": Str(), "mode": _MODE.shape}, required=("text",)),
    Fields({"from": _FULL, "mode": _MODE.shape}, required=("from",)),
    what="the text of the file, or {from: PATH}",
)


def _placed(files: Mapping[str, Any]) -> tuple[FileSpec, ...]:
    specs: list[FileSpec] = []
    for path, content in files.items():
        if isinstance(content, str):
            specs.append(WriteFile(_inside(path), content))
        elif "text" in content:
            specs.append(WriteFile(_inside(path), content["text"], content.get("mode")))
        else:
            specs.append(CopyFile(content["from_"], _inside(path), content.get("mode")))
    return tuple(specs)


_FILES: Shape[tuple[FileSpec, ...]] = OneOf(
    Converted(MapOf(_CONTENT, key=re.compile(r"[^\x00]+")), _placed),
    ListOf(OneOf[FileSpec](Converted(_FULL, _copy), _COPY, _WRITE)),
    what="a mapping such as {notes.txt: text} or a list of files to copy",
)

_ONE_COMMAND: Shape[Command] = OneOf(
    _FULL,
    _WORDS,
    Fields({"run": OneOf[Command](_FULL, _WORDS)}, required=("run",), make=lambda run: run),
    what="a command",
)
_COMMANDS = ListOf(_ONE_COMMAND, or_single=False, what="a list of commands")


def _one_line(text: Command) -> tuple[Command, ...]:
    return (text,)


_COMMAND_LIST: Shape[tuple[Command, ...]] = OneOf(
    Converted(_FULL, _one_line), _COMMANDS, what="a command or a list of commands"
)


def _skip(value: bool | str) -> str:
    if isinstance(value, str):
        return value
    return "skipped by its scenario" if value else ""


def _only_on(os: tuple[str, ...] = (), programs: tuple[str, ...] = ()) -> OnlyOn:
    return OnlyOn(os, programs)


_ONLY_ON: Shape[OnlyOn] = OneOf(
    Converted(_OS, OnlyOn),
    Fields(
        {
            "os": Field(_OS, "Operating systems."),
            "programs": Field(ListOf(_FULL, 1, or_single=True), "Programs that must be installed."),
        },
        make=_only_on,
    ),
    what="linux, macos or windows, a list of them, or {os: ..., programs: ...}",
)

KEYS: Mapping[str, Field] = {
    "name": Field(
        Converted(_FULL, _name), "What the scenario is called; unique in a run.", default="the name of the file"
    ),
    "description": Field(Str(), "What it is for, in the report."),
    "command": Field(
        OneOf[Command](_FULL, _WORDS, what="a command"),
        "The program to run: a text that is split as a shell would, or a list. Never run through a shell unless "
        "`shell` is true.",
    ),
    "shell": Field(Bool(), "Whether `command`, a text then, is run by `/bin/sh`.", default="false"),
    "cwd": Field(_FULL, "Where the program starts, relative to the workspace.", default="the workspace"),
    "workspace": Field(
        _FULL,
        "`fresh` for a new empty directory, `shared` for where orchestro was started, or a directory relative to the "
        "scenario's file.",
        default="shared",
    ),
    "files": Field(
        _FILES,
        "What a fresh workspace holds: `{path: text}`, `{path: {from: SOURCE}}`, or a list of sources to copy. "
        "Sources are relative to the scenario's file.",
    ),
    "env": Field(_ENV, "Environment variables of the program, set-up and teardown."),
    "inherit_env": Field(Bool(), "Whether the program sees the environment that orchestro has.", default="true"),
    "size": Field(SIZE, "Columns and rows of the terminal.", default="[80, 24]"),
    "timeout": Field(Duration(), "Limit of every wait.", default="5s"),
    "total_timeout": Field(Duration(zero=False), "Limit of one attempt, set-up included.", default="60s"),
    "retries": Field(Int(0, 100), "How many further attempts a failure is given.", default="0"),
    "tags": Field(ListOf(Converted(_FULL, _tag), or_single=True), "Words to select scenarios by."),
    "priority": Field(
        OneOf[Any](Int(-1_000_000, 1_000_000), Converted(Choice(*PRIORITIES), PRIORITIES.__getitem__)),
        "Higher goes first: a number, or low (-10), normal (0), high (10), critical (100).",
        default="normal",
    ),
    "deadline": Field(Duration(zero=False), "Time after the start of the run by which it should have ended."),
    "needs": Field(
        ListOf(_FULL, or_single=True), "Names of scenarios that must have passed before; of a matrix, all combinations."
    ),
    "matrix": Field(MatrixShape(), "Values to combine: one scenario for each combination."),
    "vars": Field(_VARS, "Variables, used as `${NAME}`."),
    "setup": Field(_COMMAND_LIST, "Commands before the program starts; a text is run by the shell."),
    "teardown": Field(_COMMAND_LIST, "Commands after the program ended, whatever happened."),
    "skip": Field(
        Converted(OneOf[bool | str](Bool(), Str(empty=False)), _skip, what="true or the reason"),
        "Not to run it: `true`, or the reason.",
    ),
    "only_on": Field(_ONLY_ON, "Where it can run; elsewhere it is skipped and says so."),
    "driver": Field(_FULL, "`pty` for a terminal, `pipe` for none, or that of a package.", default="pty"),
    "steps": Field(ListOf(StepShape(), what="a list of steps"), "What to do and what to expect, in order."),
    "validations": Field(
        ListOf(ValidationShape(), what="a list of validations"), "What must hold after the program ended."
    ),
}
"""The keys of a scenario, in the order of the reference."""

_ATTRIBUTES = {"timeout": "timeout_s", "total_timeout": "total_timeout_s", "deadline": "deadline_s"}


def read_document(node: Node, reader: Reader, default_name: str) -> Document | Bad:
    """Read one document; every mistake goes to `reader`, and then the answer is `BAD`."""
    if not isinstance(node, MappingNode):
        return reader.wrong(node, "a mapping with `command` and `steps`")
    before = len(reader.problems)
    nodes: dict[str, Node] = {}
    values: dict[str, Any] = {}
    misspelt: set[str | None] = set()
    for key, key_node, value_node in reader.items(node):
        known = KEYS.get(key)
        if known is None:
            misspelt.add(_unknown(reader, key_node, key))
            continue
        nodes[key] = value_node
        values[_ATTRIBUTES.get(key, key)] = reader.at(key, known.shape, value_node)
    if "command" not in nodes:
        if "command" not in misspelt:
            reader.problem(node, "the key 'command' is missing, expected the program to run")
    elif values["command"] is not BAD:
        values["command"] = _split(reader, nodes["command"], values["command"], values.get("shell") is True)
    if len(reader.problems) > before:
        return BAD
    values.setdefault("name", default_name)
    scenario = Scenario(source=reader.source(node), **values)
    document = Document(scenario, nodes, node)
    _check(document, reader)
    return BAD if len(reader.problems) > before else document


def _unknown(reader: Reader, node: Node, key: str) -> str | None:
    if nearest(key, KEYS) is None and key in registry.suggestions("step")[0]:
        reader.problem(node, "a key of a step, not of a scenario", f"put it under 'steps' as `- {key}: ...`", key=key)
        return None
    return reader.unknown(node, key, KEYS, "one of the scenario keys")


def _split(reader: Reader, node: Node, command: Command, shell: bool) -> tuple[str, ...] | Bad:
    reader.path.append("command")
    try:
        if shell:
            if isinstance(command, str):
                return (command,)
            return reader.problem(node, "expected a text, since 'shell' is true, got a list")
        if not isinstance(command, str):
            return command
        words = tuple(shlex.split(command))
        if not words or not words[0]:
            return reader.problem(node, "expected a program to run, got an empty text")
        return words  # noqa: TRY300  # the whole function is the attempt
    except ValueError as error:  # of shlex: "No closing quotation", "No escaped character"
        reason = str(error)
        return reader.problem(
            node, f"cannot be split into words: {reason[:1].lower()}{reason[1:]}", "quote it as a shell would"
        )
    finally:
        reader.path.pop()


# -- how the keys fit together


def _check(document: Document, reader: Reader) -> None:
    scenario, nodes = document.scenario, document.nodes
    if "name" in nodes and next(names_in(scenario.name), None) is not None:
        message = "a name holds no variables, got " + repr(scenario.name[:60])
        reader.problem(nodes["name"], message, "of a matrix, the combination is added to the name", key="name")
    if scenario.files and scenario.workspace != "fresh":
        message = "files are placed in a fresh workspace only"
        reader.problem(nodes["files"], message, "add `workspace: fresh`", key="files")
    if scenario.driver not in ("", "pty", "pipe") and scenario.driver not in (names := registry.driver_names()):
        near = nearest(scenario.driver, names)
        hint = f"did you mean {near!r}?" if near else ""
        message = f"expected one of {', '.join(names)}, got {scenario.driver!r}"
        reader.problem(nodes["driver"], message, hint, key="driver")
    folder = os.path.dirname(reader.file)
    for spec in scenario.files:
        if not isinstance(spec, CopyFile) or "${" in spec.source:
            continue
        if not os.path.lexists(os.path.join(folder, spec.source)):
            reader.problem(nodes["files"], f"there is no {spec.source!r} beside the scenario to copy", key="files")
    _Uses(document, reader).check()


class _Uses:
    """Checks that every ``${NAME}`` will have a value when it is needed."""

    def __init__(self, document: Document, reader: Reader) -> None:
        self._document = document
        self._reader = reader
        matrix = document.scenario.matrix
        self._varied = matrix.names("vars") if matrix is not None else set()
        self._known = {*document.scenario.vars, *self._varied}

    def check(self) -> None:
        """Report every use of a name that has no value there."""
        scenario = self._document.scenario
        self._vars()
        known = self._known
        for key in ("env", "cwd", "workspace", "files"):
            self._key(key, getattr(scenario, key), known, "only names in 'vars' and 'matrix' have a value here")
        known = known | BUILT_IN
        for key in ("command", "setup"):
            self._key(key, getattr(scenario, key), known)
        for index, step in enumerate(scenario.steps):
            bound: set[str] = set()
            for clause in step.clauses:
                self._uses(clause.value, known, clause.source, f"steps[{index}].{clause.key}")
                bound.update(getattr(clause.value, "binds", ()))
            known = known | bound if bound else known
        self._key("teardown", scenario.teardown, known)
        for index, validation in enumerate(scenario.validations):
            self._uses(validation.value, known, validation.source, f"validations[{index}]")

    def _vars(self) -> None:
        """A variable may use those before it."""
        scenario = self._document.scenario
        before = set(self._varied)
        for name, value in scenario.vars.items():
            for used in names_in(value):
                if used not in before:
                    later = used in scenario.vars
                    hint = "a variable may use only those above it" if later else self._near(used, before)
                    self._unknown(used, self._reader.source(self._document.nodes["vars"]), f"vars.{name}", hint)
            before.add(name)

    def _key(self, key: str, value: Any, known: Iterable[str], hint: str = "") -> None:
        if value:
            self._uses(value, known, None, key, hint)

    def _uses(self, value: Any, known: Iterable[str], source: Source | None, key: str, hint: str = "") -> None:
        for name in names_in(value):
            if name not in known:
                place = self._reader.source(self._document.nodes[key]) if source is None else source
                self._unknown(name, place, key, self._near(name, known) or hint)

    def _near(self, name: str, known: Iterable[str]) -> str:
        near = nearest(name, known)
        return f"did you mean {near!r}?" if near else ""

    def _unknown(self, name: str, source: Source, key: str, hint: str) -> None:
        hint = hint or f"write $${{{name}}} for the text itself"
        self._reader.report(source, key, f"no value is known for ${{{name}}}", hint)
