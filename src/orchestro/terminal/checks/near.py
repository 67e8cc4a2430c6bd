"""What came nearest to a text that was waited for: only computed for failure reports."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = ["case_hint", "literal_of", "nearest_line"]

_MAX_LINES = 200
_MAX_WIDTH = 200
_SPECIAL = re.compile(
    r"\\(?P<literal>[^A-Za-z0-9])|\\."  # an escaped character, a class or anchor
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:[:=!>]|<[=!]|P?<\w+>|[a-zA-Z-]+[:)])?|\{\d*,?\d*\}|[.^$*+?()|]",
    re.DOTALL,
)


def literal_of(pattern: str) -> str:
    """The characters of a regular expression that stand for themselves; enough to compare with."""
    return " ".join(_SPECIAL.sub(lambda match: match["literal"] or " ", pattern).split())


def nearest_line(wanted: str, lines: Iterable[str]) -> str:
    """The line most like `wanted`, at least six tenths alike or holding most of its words; empty when there is none."""
    wanted = wanted.strip()[:_MAX_WIDTH]
    if not wanted:
        return ""
    best, best_score = "", 0.0
    seen: set[str] = set()
    for line in list(lines)[-_MAX_LINES:]:
        text = line.strip()[:_MAX_WIDTH]
        if not text or text in seen:
            continue
        seen.add(text)
        matcher = difflib.SequenceMatcher(None, wanted.lower(), text.lower(), autojunk=False)
        overlap = sum(block.size for block in matcher.get_matching_blocks() if block.size > 1)
        score = max(overlap / len(wanted) * 0.9, matcher.ratio())
        if score > best_score:
            best, best_score = text, score
    return best if best_score >= 0.6 else ""


def case_hint(wanted: str, near: str) -> str:
    """What to say when `near` holds `wanted` but for upper and lower case; empty otherwise."""
    wanted = wanted.strip()
    differs = wanted and wanted not in near and wanted.lower() in near.lower()
    return "it differs in upper and lower case" if differs else ""
