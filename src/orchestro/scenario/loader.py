"""Paths to scenarios: every mistake in all files at once, and what holds across them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from yaml.nodes import Node, SequenceNode

from orchestro.errors import DocumentError, Problem
from orchestro.records import dataclass
from orchestro.scenario.document import Document, Scenario, read_document
from orchestro.scenario.expand import expand
from orchestro.scenario.finding import LARGEST_BYTES, SCENARIO_NAMES, SUFFIXES, find_files, looks_like_scenario
from orchestro.scenario.nodes import compose
from orchestro.scenario.shape import BAD, Reader, nearest

__all__ = [
    "Loaded",
    "join_documents",
    "load",
    "load_or_raise",
    "load_text",
    "read_documents",
]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What paths came to."""

    scenarios: tuple[Scenario, ...]
    """In the order of the paths, matrices expanded; those with problems left out."""
    problems: tuple[Problem, ...]
    """In the order of files and lines."""


def load_or_raise(paths: Sequence[str | Path]) -> list[Scenario]:
    """The scenarios in `paths`.

    Raises DocumentError with every mistake of every file, UserError for paths that are not there.
    """
    loaded = load(paths)
    if loaded.problems:
        raise DocumentError(loaded.problems)
    return list(loaded.scenarios)


def load(paths: Sequence[str | Path]) -> Loaded:
    """The scenarios and the mistakes in `paths`: files, directories and patterns such as ``tests/**/*.yaml``.

    Raises UserError, naming them all, for paths that are not there.
    """
    drafts: list[Document] = []
    problems: list[Problem] = []
    for path, explicit in find_files(paths):
        try:
            with open(path, "rb") as file:
                data = file.read(LARGEST_BYTES + 1)
        except OSError as error:
            problems.append(Problem(path, 1, 1, "", f"cannot be read: {error.strerror or error}"))
            continue
        if explicit or looks_like_scenario(data):
            read_documents(data, path, drafts, problems)
    return join_documents(drafts, problems)


def load_text(text: str | bytes, file: str = "<text>") -> Loaded:
    """The scenarios and the mistakes in the text of one file; `file` is what messages call it."""
    drafts: list[Document] = []
    problems: list[Problem] = []
    read_documents(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, file, drafts, problems)
    return join_documents(drafts, problems)


# -- reading one


def read_documents(data: bytes, path: str, drafts: list[Document], problems: list[Problem]) -> None:
    """Read the text of one file: its documents go to `drafts`, its mistakes to `problems`."""
    roots, broken = compose(data, path)
    reader = Reader(path)
    stem = _stem(path)
    for number, root in enumerate(roots, start=1):
        document = read_document(root, reader, stem if number == 1 else f"{stem}#{number}")
        if document is not BAD:
            drafts.append(document)
    found = [*reader.problems, *broken]
    if len(found) > 1:  # an alias brings the same mistake as often as it is used
        found = sorted(dict.fromkeys(found), key=lambda problem: (problem.line, problem.column))
    problems += found


def _stem(path: str) -> str:
    name = os.path.basename(path)
    for suffix in (*SCENARIO_NAMES, *SUFFIXES):
        if name.endswith(suffix) and name != suffix:
            return name[: -len(suffix)]
    return name


# -- what holds across files


def join_documents(drafts: Sequence[Document], problems: list[Problem], others: Collection[str] = ()) -> Loaded:
    """Expand the documents and check what holds across files; `others` are names that may be needed besides."""
    by_name: dict[str, Document] = {}
    across: list[Problem] = []
    for draft in drafts:
        first = by_name.setdefault(draft.scenario.name, draft)
        if first is not draft:
            across.append(_duplicate(draft, first))
    expanded = {id(draft): expand(draft.scenario) for draft in drafts}
    names: dict[str, tuple[str, ...]] = {one.name: (one.name,) for draft in drafts for one in expanded[id(draft)]}
    names |= {draft.scenario.name: tuple(one.name for one in expanded[id(draft)]) for draft in drafts}
    whole = not problems and not across  # else a name may be missing only because its document is broken
    if any(draft.scenario.needs for draft in drafts):
        bases = {one: draft.scenario.name for draft in drafts for one in names[draft.scenario.name]}
        bases |= {base: base for base in bases.values()}
        across += _check_needs(drafts, {**{name: name for name in others}, **bases}, whole)
        names = {**{name: (name,) for name in others}, **names}
    if across:
        order = {file: index for index, file in enumerate(dict.fromkeys(p.file for p in [*problems, *across]))}
        problems = sorted([*problems, *across], key=lambda p: (order[p.file], p.line, p.column))
    scenarios = [
        replace(one, needs=tuple(dict.fromkeys(name for need in one.needs for name in names.get(need, ()))))
        if one.needs
        else one
        for draft in drafts
        for one in expanded[id(draft)]
    ]
    return Loaded(tuple(scenarios), tuple(problems))


def _problem(draft: Document, key: str, node: Node, message: str, hint: str = "") -> Problem:
    mark = node.start_mark
    return Problem(draft.scenario.source.file, mark.line + 1, mark.column + 1, key, message, hint)


def _duplicate(draft: Document, first: Document) -> Problem:
    node = draft.nodes.get("name", draft.root)
    other = first.scenario.source
    named = first.nodes.get("name")
    line = named.start_mark.line + 1 if named is not None else other.line
    hint = "" if "name" in draft.nodes else "give it a `name`, else it is called like its file"
    message = f"the name {draft.scenario.name!r} is already taken at {other.file}:{line}"
    return _problem(draft, "name", node, message, hint)


def _check_needs(drafts: Sequence[Document], bases: Mapping[str, str], whole: bool) -> list[Problem]:
    """`bases` gives the name before expansion for every name that may be needed."""
    problems = []
    for draft in drafts:
        for index, need in enumerate(draft.scenario.needs):
            if need in bases or not whole:
                continue
            near = nearest(need, bases)
            hint = f"did you mean {near!r}?" if near else "a scenario that is needed must be in the paths of the run"
            problems.append(_problem(draft, *_need(draft, index), f"there is no scenario {need!r}", hint))
    problems += _cycles(drafts, bases)
    return problems


def _need(draft: Document, index: int) -> tuple[str, Node]:
    node = draft.nodes["needs"]
    return (f"needs[{index}]", node.value[index]) if isinstance(node, SequenceNode) else ("needs", node)


def _cycles(drafts: Sequence[Document], bases: Mapping[str, str]) -> list[Problem]:
    """A problem for each way back to where a chain of needs began; every cycle is reported once."""
    by_name = {draft.scenario.name: draft for draft in drafts}
    state: dict[str, int] = {}  # 1 while its needs are followed, 2 when they are done
    problems = []
    for start in by_name:
        if start in state:
            continue
        state[start] = 1
        trail = [start]
        pending = [iter(enumerate(by_name[start].scenario.needs))]
        while pending:
            step = next(pending[-1], None)
            if step is None:
                state[trail.pop()] = 2
                pending.pop()
                continue
            index, need = step
            base = bases.get(need)
            if base is None or state.get(base) == 2:
                continue
            if state.get(base) == 1:
                cycle = " -> ".join([*trail[trail.index(base) :], base])
                draft = by_name[trail[-1]]
                message = "a scenario cannot need itself" if base == trail[-1] else f"the needs go in a circle: {cycle}"
                problems.append(_problem(draft, *_need(draft, index), message))
                continue
            state[base] = 1
            trail.append(base)
            pending.append(iter(enumerate(by_name[base].scenario.needs)))
    return problems
