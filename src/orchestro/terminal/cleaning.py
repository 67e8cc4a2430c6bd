"""From the bytes of a program to the text that it printed: control sequences removed, landmarks kept.

Used for matching, so it must be fast on plain text (regular expressions in C, no emulation) and exact about the few
sequences that tell where a prompt, an input line or a command's output begins.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

__all__ = ["Cleaner", "Landmark", "plain_text"]

Landmark = tuple[int, str]
"""(characters of clean text before it, name). Names: ``A`` to ``D;CODE`` of OSC 133, ``paste+`` and ``paste-`` for
bracketed paste, ``alt+`` and ``alt-`` for the alternate screen."""

_MAX_HELD = 1 << 16
"""Bytes of an unfinished sequence that are kept; a longer one (an image, say) is skipped up to its end."""

_REPEATED = re.compile(rb"\x1b+(?=\x1b)")
_STYLE = re.compile(rb"\x1b\[[0-9;:]*m")
_NOISE = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]*[ -/]*[@ABDI-Zabcegi-km-z[\\\]^_{|}~]"  # CSI without the motions and modes that `_csi` looks at
    rb"|[ -/]+[0-~]"  # charsets and the like
    rb"|[0-OQ-WYZ`-~]"  # two-byte escapes
    rb")"
)
_CONTROLS = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f\x0b\x0c]")
_SPECIAL = re.compile(
    rb"\x1b(?:"
    rb"\[(?P<csi>[0-?]*[ -/]*[@-~])"
    rb"|\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\|(?=\x1b))"  # any other escape aborts a string
    rb"|[PX^_][^\x1b]*(?:\x1b\\|(?=\x1b))"
    rb"|[ -/]+[0-~]"
    rb"|[0-~]"
    rb")?",
    re.DOTALL,
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?)\Z")
_STRING = re.compile(rb"\x1b[\]PX^_]")
_STRING_END = re.compile(rb"\x07|\x1b\\")
_QUERY = re.compile(
    rb"\x05|\x1bZ|\x1bP|\x1b\[[0-?]*[ -/]*[cnqu]|\x1b\[[0-?]*\$p"
    rb"|\x1b\[[0-9;]*t|\x1b\][0-9;]*;\?|\x1b\[[>?=<][0-9;]*[um]"
)


class Cleaner:
    """Turns chunks, cut anywhere, into clean text. Line ends become a line feed; other motion becomes blanks or one."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = b""
        self._skipping = False
        self._column = 0
        self._returned = False
        self.bells = 0
        """How often the bell rang so far."""
        self.modes_set = False
        """Whether any terminal mode was ever set or reset."""
        self.asked = False
        """Whether the last chunk held something that a terminal answers."""

    def feed(self, data: bytes) -> tuple[str, list[Landmark]]:
        """Clean text of a chunk and its landmarks, whose offsets count from the start of that text."""
        self.asked = False
        if self._held:
            data = self._held + data
            self._held = b""
        if self._skipping:
            end = _STRING_END.search(data)
            if end is None:
                self._held = data[-1:] if data.endswith(b"\x1b") else b""
                return "", []
            self._skipping = False
            data = data[end.end() :]
        start = _unfinished_at(data)
        if start >= 0:
            self._hold(data[start:])
            data = data[:start]
        if b"\x1b" in data:
            if b"\x1b\x1b" in data:
                data = _REPEATED.sub(b"", data)
            data = _STYLE.sub(b"", data)
        escaped = b"\x1b" in data
        if escaped:
            self.asked = _QUERY.search(data) is not None
            if _STRING.search(data) is None:  # else its end might be taken for noise
                data = _NOISE.sub(b"", data)
            escaped = b"\x1b" in data
        elif b"\x05" in data:
            self.asked = True
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        if not escaped and not self._returned and b"\r" not in data:
            text = self._printable(data)
            self._advance(text)
            return text, []
        return self._walk(data)

    def _hold(self, tail: bytes) -> None:
        if len(tail) <= _MAX_HELD:
            self._held = tail
        elif _STRING.match(tail):
            self._skipping = True
            self._held = tail[-1:] if tail.endswith(b"\x1b") else b""

    def _walk(self, data: bytes) -> tuple[str, list[Landmark]]:
        parts: list[str] = []
        landmarks: list[Landmark] = []
        length = 0
        for piece, landmark in self._pieces(data):
            if landmark:
                landmarks.append((length, landmark))
            elif piece:
                parts.append(piece)
                length += len(piece)
                self._advance(piece)
        return "".join(parts), landmarks

    def _advance(self, text: str) -> None:
        end = text.rfind("\n")
        self._column = len(text) - end - 1 if end >= 0 else self._column + len(text)

    def _pieces(self, data: bytes) -> Iterator[tuple[str, str]]:
        position = 0
        for match in _SPECIAL.finditer(data):
            yield from self._plain(data[position : match.start()])
            position = match.end()
            if (csi := match["csi"]) is not None:
                yield self._csi(csi)
            elif (osc := match["osc"]) is not None and osc.startswith(b"133;"):
                yield "", osc[4:].decode("ascii", "replace")
        yield from self._plain(data[position:])

    def _plain(self, data: bytes) -> Iterator[tuple[str, str]]:
        text = self._printable(data)
        if not self._returned and "\r" not in text:
            yield text, ""
            return
        # A lone carriage return starts the line anew: what follows is a new text, what stood there was printed too.
        first, *rest = text.split("\r")
        if first:
            yield self._after_return(first), ""
        for piece in rest:
            self._returned = True
            if piece:
                yield self._after_return(piece), ""

    def _after_return(self, text: str) -> str:
        if not self._returned:
            return text
        self._returned = False
        return "\n" + text if self._column and text[0] != "\n" else text

    def _printable(self, data: bytes) -> str:
        bells = data.count(b"\x07")
        if bells:
            self.bells += bells
        return _overstrike(self._decode(_CONTROLS.sub(b"", data)))

    def _csi(self, csi: bytes) -> tuple[str, str]:
        final = csi[-1:]
        if final == b"C":
            count = csi[:-1]
            return " " * (min(int(count), 500) if count.isdigit() else 1), ""
        if final in b"G`":
            column = int(csi[:-1]) - 1 if csi[:-1].isdigit() else 0
            if column > 0:
                return " " * min(max(0, column - self._column), 500), ""
            return ("\n" if self._column else ""), ""
        if final in b"HfEFd":
            return ("\n" if self._column else ""), ""
        if final in b"hl" and csi.startswith(b"?"):
            self.modes_set = True
            sign = "+" if final == b"h" else "-"
            numbers = csi[1:-1].split(b";")
            if b"2004" in numbers:
                return "", "paste" + sign
            if b"1049" in numbers or b"47" in numbers or b"1047" in numbers:
                return "", "alt" + sign
        return "", ""


def plain_text(data: bytes) -> str:
    """The clean text of what a program printed to its end."""
    return Cleaner().feed(data)[0]


def _unfinished_at(data: bytes) -> int:
    """Where a sequence or line end begins that the next chunk must finish; -1 when there is none."""
    last = data.rfind(b"\x1b")
    if last >= 0:
        # A lone escape at the very end may be half of the terminator of a string that began before it.
        before = data.rfind(b"\x1b", 0, last) if last == len(data) - 1 else -1
        if before >= 0 and _UNFINISHED.match(data, before):
            return before
        if _UNFINISHED.match(data, last):
            return last
    return len(data) - 1 if data.endswith(b"\r") else -1


def _overstrike(text: str) -> str:
    """Apply backspaces within each line: a later character replaces the one it is printed over."""
    if "\x08" not in text:
        return text
    return "\n".join(_overstrike_line(line) if "\x08" in line else line for line in text.split("\n"))


def _overstrike_line(line: str) -> str:
    cells: list[str] = []
    column = 0
    for character in line:
        if character == "\x08":
            column = max(0, column - 1)
            continue
        if column < len(cells):
            cells[column] = character
        else:
            cells.append(character)
        column += 1
    return "".join(cells)
