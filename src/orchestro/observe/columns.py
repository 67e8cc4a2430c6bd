"""Text measured in terminal columns: width, clipping, wrapping, and making foreign text harmless.

Widths follow Unicode's East Asian Width; terminals differ on rare emoji, so callers must survive being one off.
"""

from __future__ import annotations

import re

__all__ = ["clean", "clip", "pad", "width", "wrap"]

# C0, DEL, C1; bidirectional marks and separators that reorder or break a line; surrogates that cannot be encoded.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# A word or blanks; a number and its unit are one word.
_PIECE = re.compile(r"(?:(?<=\d) (?=(?:s|ms|min|h)\b)|\S)+|\s+")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def clean(text: str) -> str:
    """The text on one line with every control character written out (``\\x1b``), safe to print on a terminal."""
    return _UNSAFE.sub(_escape, text) if _UNSAFE.search(text) else text


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _NAMED.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def width(text: str) -> int:
    """How many columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(columns for _, columns in _clusters(text))


def _clusters(text: str) -> list[tuple[str, int]]:
    """Characters with what joins onto them, and the columns of each."""
    from unicodedata import category, east_asian_width

    clusters: list[tuple[str, int]] = []
    joined = False
    for char in text:
        code = ord(char)
        if char == "\ufe0f" and clusters:
            # The emoji presentation selector makes its base wide.
            clusters[-1] = (clusters[-1][0] + char, 2)
        elif clusters and (joined or char == "\u200d" or 0x1F3FB <= code <= 0x1F3FF):
            clusters[-1] = (clusters[-1][0] + char, clusters[-1][1])
        elif 0x1F1E6 <= code <= 0x1F1FF:
            # Two regional indicators are one flag.
            if clusters and clusters[-1] == (clusters[-1][0], 1) and 0x1F1E6 <= ord(clusters[-1][0][0]) <= 0x1F1FF:
                clusters[-1] = (clusters[-1][0] + char, 2)
            else:
                clusters.append((char, 1))
        elif category(char) in ("Mn", "Me", "Cf") or 0x1160 <= code <= 0x11FF:
            if clusters:
                clusters[-1] = (clusters[-1][0] + char, clusters[-1][1])
            else:
                clusters.append((char, 0))
        else:
            clusters.append((char, 2 if east_asian_width(char) in "WF" else 1))
        joined = char == "\u200d"
    return clusters


def clip(text: str, columns: int, marker: str = "…") -> str:
    """At most `columns` of the text; what is cut is replaced by `marker`."""
    if columns <= 0:
        return ""
    if text.isascii():
        if len(text) <= columns:
            return text
        return text[: columns - len(marker)] + marker if columns > len(marker) else marker[:columns]
    if width(text) <= columns:
        return text
    room = columns - width(marker)
    if room <= 0:
        return marker[:columns]
    kept: list[str] = []
    for cluster, taken in _clusters(text):
        room -= taken
        if room < 0:
            break
        kept.append(cluster)
    return "".join(kept) + marker


def pad(text: str, columns: int) -> str:
    """The text with blanks up to `columns`; longer text is left as it is."""
    return text + " " * (columns - width(text))


def wrap(text: str, columns: int | None) -> list[str]:
    """One line of text in lines of at most `columns`, cut at blanks where possible; None does not wrap."""
    if columns is None or width(text) <= columns:
        return [text]
    columns = max(columns, 2)
    lines: list[str] = []
    line, taken = "", 0
    for piece in _PIECE.findall(text):
        size = width(piece)
        if taken + size <= columns:
            line, taken = line + piece, taken + size
            continue
        if piece.isspace():
            lines.append(line)
            line, taken = "", 0
            continue
        if line.strip():
            lines.append(line.rstrip())
        line, taken = "", 0
        for cluster, one in _clusters(piece):
            if taken + one > columns:
                lines.append(line)
                line, taken = "", 0
            line, taken = line + cluster, taken + one
    if line.strip():
        lines.append(line.rstrip())
    return lines
