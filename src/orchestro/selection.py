"""Which tasks of all those found are run: by tag, by name, by what failed last time, by shard. Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Collection, Sequence

from orchestro.errors import UserError
from orchestro.model import Task
from orchestro.records import dataclass

__all__ = ["Selection", "parse_expression", "select"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for; the empty one takes everything."""

    tags: str = ""
    """Expression over tags, e.g. ``fast and not (vim or less)``."""
    name: str = ""
    """Expression over parts of the name, or a whole name."""
    last_failed: bool = False
    shard: tuple[int, int] | None = None
    """(number from 1, of how many)."""
    only: frozenset[str] | None = None
    """Names, exactly; None for all."""

    @property
    def narrows(self) -> bool:
        """Whether it can leave anything out."""
        return bool(self.tags or self.name or self.last_failed or self.shard or self.only is not None)


def select(tasks: Sequence[Task], selection: Selection, failed: Collection[str] = ()) -> list[Task]:
    """The chosen tasks in their order, with what they need even when that was not asked for.

    `failed` are the ids of those that did not pass the last time. Raises UserError for an expression that makes no
    sense.
    """
    if not selection.narrows:
        return list(tasks)
    by_tag = parse_expression(selection.tags, "--tag") if selection.tags else None
    exact = {task.name for task in tasks} & {selection.name}
    by_name = parse_expression(selection.name, "-k", phrases=True) if selection.name and not exact else None
    chosen = []
    for task in tasks:
        if selection.only is not None and task.name not in selection.only:
            continue
        if by_tag is not None and not by_tag(lambda word, tags=task.tags: word in tags):  # type: ignore[misc]
            continue
        if exact and task.name not in exact:
            continue
        name = task.name.lower()
        if by_name is not None and not by_name(lambda word, name=name: word.lower() in name):  # type: ignore[misc]
            continue
        chosen.append(task)
    if selection.last_failed:
        chosen = [task for task in chosen if task.id in failed]
    if selection.shard is not None:
        number, count = selection.shard
        chosen = [task for task in chosen if zlib.crc32((task.group or task.name).encode()) % count == number - 1]
    return _with_needs(tasks, chosen)


def _with_needs(tasks: Sequence[Task], chosen: Sequence[Task]) -> list[Task]:
    by_id = {task.id: task for task in tasks}
    wanted = [task.id for task in chosen]
    seen = set(wanted)
    for task_id in wanted:  # grows while it is walked
        for need in by_id[task_id].needs:
            if need not in seen:
                seen.add(need)
                wanted.append(need)
    return [task for task in tasks if task.id in seen]


_TOKEN = re.compile(r"\s*(?:(\()|(\))|([^\s()]+))")
_Test = Callable[[Callable[[str], bool]], bool]


def parse_expression(text: str, option: str, *, phrases: bool = False) -> _Test:
    """Read ``a and not (b or c)``; what is not ``and``, ``or``, ``not`` or a parenthesis is a word to be tested.

    With `phrases`, words that follow each other are one text, with single blanks between. Raises UserError that shows
    where reading stopped.
    """
    tokens = [(m.start(m.lastindex or 0), m[0].strip()) for m in _TOKEN.finditer(text)]
    position = 0

    def fail(what: str) -> UserError:
        column = tokens[position][0] + 1 if position < len(tokens) else len(text) + 1
        return UserError(f"{option} {text!r}: {what} at column {column}")

    def peek() -> str:
        return tokens[position][1] if position < len(tokens) else ""

    def either() -> _Test:
        nonlocal position
        parts = [both()]
        while peek() == "or":
            position += 1
            parts.append(both())
        return parts[0] if len(parts) == 1 else lambda has: any(part(has) for part in parts)

    def both() -> _Test:
        nonlocal position
        parts = [single()]
        while peek() == "and":
            position += 1
            parts.append(single())
        return parts[0] if len(parts) == 1 else lambda has: all(part(has) for part in parts)

    def single() -> _Test:
        nonlocal position
        word = peek()
        if word in ("", "and", "or", ")"):
            raise fail("expected a word, 'not' or '('")
        position += 1
        if word == "not":
            inner = single()
            return lambda has: not inner(has)
        if word == "(":
            inner = either()
            if peek() != ")":
                raise fail("expected ')'")
            position += 1
            return inner
        while phrases and peek() not in ("", "and", "or", "not", "(", ")"):
            word += " " + peek()
            position += 1
        return lambda has: has(word)

    test = either()
    if position < len(tokens):
        raise fail(f"did not expect {peek()!r}")
    return test
