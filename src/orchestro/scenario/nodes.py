"""YAML text to nodes that know where they stand; every way in which the text can be broken becomes a located problem.

Scalars are not resolved to numbers and the like here: the shapes decide what a text means. Bounds keep a hostile file
from costing more than its size: on bytes, on nesting (libyaml's composer overflows the C stack), on aliases.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestro.errors import Problem
from orchestro.scenario.finding import LARGEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEEPEST", "MOST_NODES", "compose"]

MOST_NODES = 100_000
"""In one document once its aliases are written out."""
DEEPEST = 200
"""Levels of nesting that are refused for certain."""

_SUSPECT = 500
"""Opening brackets, or characters in a line, from which nesting is counted before composing: below it the depth is at
most 500 brackets and twice 500 columns of indentation, which the composer survives."""

_PLAIN_TAG = "tag:yaml.org,2002:str"
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str")}
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Unresolved:
    """Stands for PyYAML's resolver, and leaves every scalar the text that it is."""

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        del kind, value, implicit
        return _PLAIN_TAG

    def descend_resolver(self, current_node: Node | None, current_index: Any) -> None:
        """Nothing depends on the path."""

    def ascend_resolver(self) -> None:
        """Nothing depends on the path."""


def _pick_loader() -> Any:
    try:
        from yaml._yaml import CParser
    except ImportError:  # PyYAML built without libyaml: the same trees, ten times slower
        from yaml.composer import Composer
        from yaml.parser import Parser
        from yaml.reader import Reader
        from yaml.scanner import Scanner

        class PureLoader(_Unresolved, Reader, Scanner, Parser, Composer):
            def __init__(self, stream: str) -> None:
                Reader.__init__(self, stream)
                Scanner.__init__(self)
                Parser.__init__(self)
                Composer.__init__(self)

        return PureLoader

    class FastLoader(_Unresolved, CParser):
        pass

    return FastLoader


_LOADER = _pick_loader()


def compose(data: bytes, file: str, largest_bytes: int = LARGEST_BYTES) -> tuple[list[Node], list[Problem]]:
    """The documents in the text that are not empty, and what is wrong with the text.

    Documents before a mistake of syntax are returned beside it; nothing after it can be read.
    """
    if len(data) > largest_bytes:
        message = f"expected at most {largest_bytes} bytes in a file, got {len(data)}"
        return [], [Problem(file, 1, 1, "", message)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [_undecodable(data, error, file)]
    try:
        too_deep = _too_deep(text, file)
        if too_deep is not None:
            return [], [too_deep]
        return _compose(text, file)
    except yaml.YAMLError as error:  # not marked: characters that YAML does not allow
        return [], [_unreadable(text, error, file)]


def _compose(text: str, file: str) -> tuple[list[Node], list[Problem]]:
    documents: list[Node] = []
    problems: list[Problem] = []
    loader = _LOADER(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if not (isinstance(node, ScalarNode) and node.value == "" and not node.style):
                documents.append(node)
    except yaml.MarkedYAMLError as error:
        problems.append(_broken(text, error, file))
    finally:
        loader.dispose()
    if "!" in text:
        problems += _check_tags(documents, file)
    if "&" in text and "*" in text:
        bad = [(node, problem) for node in documents if (problem := _check_aliases(node, file)) is not None]
        problems += [problem for _, problem in bad]
        documents = [node for node in documents if not any(node is other for other, _ in bad)]
    if not documents and not problems:
        problems.append(Problem(file, 1, 1, "", "no scenario in it", "a scenario has at least `command` and `steps`"))
    return documents, problems


def _too_deep(text: str, file: str) -> Problem | None:
    if text.count("[") + text.count("{") < _SUSPECT and max(map(len, text.split("\n"))) < _SUSPECT:
        return None
    depth = 0
    loader = _LOADER(text)
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                mark = event.start_mark
                if depth > DEEPEST and mark is not None:
                    return Problem(file, mark.line + 1, mark.column + 1, "", f"nested deeper than {DEEPEST} levels")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.MarkedYAMLError:
        return None  # composing explains it, and gets no deeper than the events before it
    finally:
        loader.dispose()
    return None


def _undecodable(data: bytes, error: UnicodeDecodeError, file: str) -> Problem:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem(file, 1, 1, "", "expected UTF-8 text, got UTF-16", "save the file as UTF-8")
    line = data.count(b"\n", 0, error.start) + 1
    start = data.rfind(b"\n", 0, error.start) + 1
    column = len(data[start : error.start].decode("utf-8", "replace")) + 1
    message = f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}"
    return Problem(file, line, column, "", message, "save the file as UTF-8")


def _unreadable(text: str, error: yaml.YAMLError, file: str) -> Problem:
    match = _CONTROL.search(text)
    if match is None:
        return Problem(file, 1, 1, "", f"not readable as YAML: {error}")
    line = text.count("\n", 0, match.start()) + 1
    column = match.start() - text.rfind("\n", 0, match.start())
    code = ord(match[0])
    escape = f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    message = f"the control character U+{code:04X} cannot stand in YAML as it is"
    return Problem(file, line, column, "", message, f'write "{escape}" in double quotes')


_MESSAGES: tuple[tuple[str, str, str], ...] = (
    # (what libyaml or PyYAML says, what people are told, hint)
    (
        r"mapping values are not allowed",
        "a colon with a blank after it cannot stand here",
        "quote the text if it holds ': ', else check the indentation",
    ),
    (r"cannot start any token", "this character cannot start a value", ""),
    (
        r"undefined alias",
        "a bare * refers to an anchor, and there is none of this name",
        "quote a text that starts with *",
    ),
    (
        r"while scanning an? (?:alias|anchor).*expected alpha",
        "* or & without a name",
        "quote a text that starts with it",
    ),
    (r"duplicate anchor", "the anchor of this name is already taken", ""),
    (r"while scanning a quoted scalar.*end of stream", "the quote that is opened here is never closed", ""),
    (
        r"while scanning a quoted scalar.*document indicator",
        "the quote that is opened here is not closed before the end of the document",
        "",
    ),
    (
        r"unknown escape|expected hexdecimal|expected escape sequence|Unicode character escape",
        "this is not an escape sequence of double quotes",
        "single quotes take backslashes literally",
    ),
    (
        r"while parsing a flow sequence",
        "the list that is opened with [ is not closed",
        "quote a text that starts with [",
    ),
    (
        r"while parsing a flow mapping",
        "the mapping that is opened with { is not closed",
        "quote a text that starts with { or holds one",
    ),
    (
        r"while parsing a flow node",
        "the bracket that is opened here is not closed",
        "quote a text that starts with [ or {",
    ),
    (
        r"could not find expected ':'",
        "expected a colon after the key",
        "check the indentation and that each key is followed by ': '",
    ),
    (
        r"did not find expected key",
        "expected a key, an item or the end here",
        "check the indentation, and quote a text that goes on after a closing quote",
    ),
    (r"expected '-' indicator|expected <block end>", "expected an item that starts with '- '", "check the indentation"),
    (r"block sequence entries are not allowed", "a list item cannot start here", "start it on a line of its own"),
    (r"directive", "a line that starts with % is a YAML directive", "quote a text that starts with %"),
    (r"expected <document start>", "expected the end of the document here", "check the indentation"),
    (r"tag", "! starts a YAML tag", "quote a text that starts with !"),
    (r"block scalar", "expected a line break after | or >", "the text starts on the next line"),
)


def _broken(text: str, error: yaml.MarkedYAMLError, file: str) -> Problem:
    said = f"{error.context or ''} {error.problem or ''}".strip()
    mark = error.problem_mark or error.context_mark
    message, hint = "", ""
    for pattern, plain, help_text in _MESSAGES:
        if re.search(pattern, said):
            message, hint = plain, help_text
            break
    if "never closed" in message or "not closed" in message:
        mark = error.context_mark or mark
    if mark is None:
        return Problem(file, 1, 1, "", f"not valid YAML: {said}")
    lines = text.split("\n")
    line, column = mark.line, mark.column
    if "bracket" in message:  # libyaml points to where it gave up, often the end of the file
        before = "\n".join([*lines[:line], "".join(lines[line : line + 1])[:column]])
        opened = max(before.rfind("["), before.rfind("{"))
        line, column = before.count("\n", 0, opened), opened - before.rfind("\n", 0, opened) - 1
    row = lines[line] if line < len(lines) else ""
    character = row[column] if column < len(row) else ""
    if character == "\t" or "\t" in row[: len(row) - len(row.lstrip())]:
        return Problem(file, line + 1, row.index("\t") + 1, "", "a tab cannot indent YAML", "use spaces")
    if character and character in "@`%" and "cannot start" in message:
        message = f"a value cannot start with {character}"
        hint = "quote the text"
    return Problem(file, line + 1, column + 1, "", message or f"not valid YAML: {said}", hint)


def _check_tags(documents: Iterable[Node], file: str) -> list[Problem]:
    problems = []
    seen: set[int] = set()
    stack = list(documents)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.tag not in _TAGS:
            mark = node.start_mark
            message = f"the tag {node.tag} is not understood"
            problems.append(
                Problem(file, mark.line + 1, mark.column + 1, "", message, "quote a text that starts with !")
            )
        stack += _children(node)
    return problems


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _check_aliases(root: Node, file: str) -> Problem | None:
    """Refuse a node that holds itself, and more than `MOST_NODES` nodes once the aliases are written out."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        key = id(node)
        mark = node.start_mark
        if done:
            open_nodes.discard(key)
            sizes[key] = 1 + sum(sizes[id(child)] for child in _children(node))
            if sizes[key] > MOST_NODES:
                message = f"more than {MOST_NODES} values once the aliases are written out"
                return Problem(file, mark.line + 1, mark.column + 1, "", message)
        elif key in open_nodes:
            return Problem(file, mark.line + 1, mark.column + 1, "", "this value holds an alias of itself")
        elif key not in sizes:
            open_nodes.add(key)
            stack.append((node, True))
            stack += [(child, False) for child in _children(node)]
    return None
