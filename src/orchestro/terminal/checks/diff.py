"""How two texts or two JSON values differ, for failure reports; bounded in lines and in work whatever the input."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

__all__ = [
    "MAX_DIFF_LINES",
    "clip",
    "clip_both",
    "json_diff",
    "json_differences",
    "pretty",
    "preview",
    "project",
    "text_diff",
]

MAX_DIFF_LINES = 200
"""Lines of a diff that are kept."""
_MAX_COMPARED = 2000
# Lines of each text that are compared, past their common head: `difflib` is quadratic in the worst case.
_MAX_WIDTH = 500
_CONTEXT = 3
_MAX_DIFFERENCES = 50
_MAX_TEXT = 20_000


def clip(text: str, limit: int = _MAX_TEXT) -> str:
    """`text`, cut to `limit` characters for a report; it says so when it was longer."""
    return text if len(text) <= limit else f"{text[:limit]}\n... {len(text) - limit} more characters"


def clip_both(expected: str, actual: str, limit: int = _MAX_TEXT) -> tuple[str, str]:
    """Two texts for a report, each cut to about `limit` characters where they begin to differ, so that this is kept."""
    if len(expected) <= limit and len(actual) <= limit:
        return expected, actual
    before, after = expected.split("\n"), actual.split("\n")
    skipped = _common_head(before, after)
    if skipped:
        head = f"... {skipped} lines are the same"
        before, after = [head, *before[skipped:]], [head, *after[skipped:]]
    return clip("\n".join(before), limit), clip("\n".join(after), limit)


def text_diff(expected: str, actual: str) -> tuple[str, ...]:
    """Unified diff, at most `MAX_DIFF_LINES` lines and one that counts the rest; empty when the two are equal."""
    if expected == actual:
        return ()
    before, after = expected.split("\n"), actual.split("\n")
    skipped = _common_head(before, after)
    lines = ["--- expected", "+++ actual", *_hunks(before[skipped:], after[skipped:], skipped)]
    if len(lines) > MAX_DIFF_LINES:
        lines = [*lines[:MAX_DIFF_LINES], f"... {len(lines) - MAX_DIFF_LINES} more lines"]
    return tuple(lines)


def _common_head(before: list[str], after: list[str]) -> int:
    """How many lines can be left out at the start, with some kept as context."""
    same = 0
    for left, right in zip(before, after, strict=False):
        if left != right:
            break
        same += 1
    return max(0, same - _CONTEXT)


def _hunks(before: list[str], after: list[str], offset: int) -> Iterator[str]:
    uncompared = max(len(before), len(after)) - _MAX_COMPARED
    before, after = before[:_MAX_COMPARED], after[:_MAX_COMPARED]
    for group in difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        old = _range(first[1] + offset, last[2] - first[1])
        new = _range(first[3] + offset, last[4] - first[3])
        yield f"@@ -{old} +{new} @@"
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from (" " + _narrow(line) for line in before[a:b])
                continue
            yield from ("-" + _narrow(line) for line in before[a:b])
            yield from ("+" + _narrow(line) for line in after[c:d])
    if uncompared > 0:
        yield f"... {uncompared} more lines were not compared"


def _range(start: int, length: int) -> str:
    """As unified diffs write it: from 1, and the line before it when there is none."""
    return f"{start + 1}" if length == 1 else f"{start + 1 if length else start},{length}"


def _narrow(line: str) -> str:
    return line if len(line) <= _MAX_WIDTH else f"{line[:_MAX_WIDTH]}... ({len(line)} characters)"


def json_differences(expected: Any, actual: Any) -> list[str]:
    """Where `actual` lacks something of `expected`, by path and in its order; at most 50. Extra keys are none."""
    found: list[str] = []
    for difference in _differences(expected, actual, "$"):
        found.append(difference)
        if len(found) >= _MAX_DIFFERENCES:
            break
    return found


def _differences(expected: Any, actual: Any, path: str) -> Iterator[str]:
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            yield f"at {path}: expected an object, got {preview(actual)}"
            return
        for key, value in expected.items():
            if key in actual:
                yield from _differences(value, actual[key], _member(path, key))
            else:
                yield f"at {_member(path, key)}: expected {preview(value)}, but there is no such key"
    elif isinstance(expected, list):
        if not isinstance(actual, list):
            yield f"at {path}: expected a list, got {preview(actual)}"
            return
        for index, (value, got) in enumerate(zip(expected, actual, strict=False)):
            yield from _differences(value, got, f"{path}[{index}]")
        if len(actual) != len(expected):
            yield f"at {path}: expected {len(expected)} items, got {len(actual)}"
    elif not _same(expected, actual):
        yield f"at {path}: expected {preview(expected)}, got {preview(actual)}"


def _same(expected: Any, actual: Any) -> bool:
    """Equal as JSON: 1 is 1.0, but true is not 1."""
    return isinstance(expected, bool) == isinstance(actual, bool) and bool(expected == actual)


def _member(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def preview(value: Any) -> str:
    """JSON of `value` on one line, cut to 60 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "a value nested too deeply to show"
    return text if len(text) <= 60 else text[:57] + "..."


def project(expected: Any, actual: Any) -> Any:
    """The part of `actual` that `expected` speaks of, so that a diff of the two shows nothing else."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: project(value, actual[key]) for key, value in expected.items() if key in actual}
    if isinstance(expected, list) and isinstance(actual, list):
        kept = [project(value, got) for value, got in zip(expected, actual, strict=False)]
        return kept + actual[len(kept) :]
    return actual


def pretty(value: Any) -> str:
    """JSON over several lines, keys in the order they have; on one, cut, when it is nested too deeply."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:
        return preview(value)


def json_diff(expected: Any, actual: Any) -> tuple[str, ...]:
    """The differences by path, then the unified diff of what is asked for and what there is of it."""
    differences = json_differences(expected, actual)
    if not differences:
        return ()
    return (*differences, *text_diff(pretty(expected), pretty(project(expected, actual))))
