"""Cuts terminal output into text, controls and sequences, for back ends without a parser that takes any input.

It follows the state machine of https://vt100.net/emu/dec_ansi_parser for UTF-8: any input, cut anywhere, gives events;
nothing raises, and what is kept of an unfinished sequence is bounded.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, Protocol

__all__ = ["MAX_STRING", "SequenceHandler", "SequenceParser", "numbers"]

MAX_STRING: Final = 64 << 10
"""Most characters kept of an OSC, DCS or APC string; a longer one is dropped whole."""

_MAX_CSI = 512
# Most characters of a CSI sequence between its introducer and its final one; the longest useful SGR is below 200.

_MAX_NUMBER = 65535

_TEXT = re.compile("[^\x00-\x1f\x7f-\x9f]+")
_STRING_PART = re.compile("[^\x07\x18\x1a\x1b\x9c]*")
_GROUND, _ESCAPE, _CSI, _STRING = range(4)
_STRING_KINDS = {"]": "OSC", "P": "DCS", "_": "APC", "^": "PM", "X": "SOS"}


class SequenceHandler(Protocol):
    """What the parser calls, in the order of the input."""

    def text(self, text: str) -> None:
        """Printable characters, at least one."""

    def control(self, code: str) -> None:
        """A C0 control such as a line feed, also from amid a CSI sequence."""

    def escape(self, intermediates: str, final: str) -> None:
        """``ESC intermediates final``, such as ``ESC 7`` or ``ESC ( 0``."""

    def csi(self, prefix: str, parameters: str, intermediates: str, final: str) -> None:
        """``CSI prefix parameters intermediates final``; the prefix is one or more of ``<=>?`` or empty."""

    def string(self, kind: str, content: str, *, bell: bool) -> None:
        """A finished ``OSC``, ``DCS``, ``APC``, ``PM`` or ``SOS`` string; `bell` when a BEL ended it, not an ST."""


class SequenceParser:
    """Feeds bytes to a `SequenceHandler` as events."""

    def __init__(self, handler: SequenceHandler) -> None:
        self._handler = handler
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = _GROUND
        self._kept: list[str] = []
        self._length = 0
        self._kind = ""

    def feed(self, data: bytes) -> None:
        """Parse the next bytes; invalid UTF-8 becomes U+FFFD."""
        text = self._decoder.decode(data)
        at, end = 0, len(text)
        while at < end:
            if self._state == _GROUND and (found := _TEXT.match(text, at)):
                self._handler.text(found.group())
                at = found.end()
            elif self._state == _STRING:
                at = self._string(text, at)
            else:
                self._step(text[at])
                at += 1

    def _enter(self, state: int) -> None:
        self._state = state
        self._kept.clear()
        self._length = 0

    def _step(self, character: str) -> None:
        """One character outside strings and plain text."""
        if character == "\x1b":
            self._enter(_ESCAPE)
        elif character in "\x18\x1a":
            self._enter(_GROUND)
        elif character < " ":
            self._handler.control(character)
        elif self._state == _ESCAPE:
            self._escape(character)
        elif self._state == _CSI:
            self._csi(character)

    def _escape(self, character: str) -> None:
        if character == "[" and not self._kept:
            self._enter(_CSI)
        elif character in _STRING_KINDS and not self._kept:
            self._enter(_STRING)
            self._kind = _STRING_KINDS[character]
        elif " " <= character <= "/":
            self._keep(character, _MAX_CSI)
        else:
            intermediates, whole = "".join(self._kept), self._length <= _MAX_CSI
            self._enter(_GROUND)
            if whole and "0" <= character <= "~":
                self._handler.escape(intermediates, character)

    def _csi(self, character: str) -> None:
        if " " <= character <= "?":
            self._keep(character, _MAX_CSI)
        elif "@" <= character <= "~":
            found = re.fullmatch(r"([<-?]*)([0-9:;]*)([ -/]*)", "".join(self._kept))
            whole = self._length <= _MAX_CSI
            self._enter(_GROUND)
            if found and whole:
                self._handler.csi(found[1], found[2], found[3], character)
        elif character > "\x7f":
            self._enter(_GROUND)

    def _string(self, text: str, at: int) -> int:
        """Take what `text` holds of a string from `at` on; returns where it stopped."""
        found = _STRING_PART.match(text, at)
        part = found.group() if found else ""
        self._keep(part, MAX_STRING)
        at += len(part)
        if at == len(text):
            return at
        content, whole = "".join(self._kept), self._length <= MAX_STRING
        # An escape ends the string and starts what follows, most often the backslash of its terminator.
        self._enter(_ESCAPE if text[at] == "\x1b" else _GROUND)
        if whole and text[at] not in "\x18\x1a":
            self._handler.string(self._kind, content, bell=text[at] == "\x07")
        return at + 1

    def _keep(self, part: str, most: int) -> None:
        self._length += len(part)
        if self._length <= most:
            self._kept.append(part)
        else:
            self._kept.clear()


def numbers(parameters: str) -> list[list[int | None]]:
    """The parameters of a CSI sequence, each with its sub-parameters; None for those left out."""
    return [
        [min(int(number), _MAX_NUMBER) if number else None for number in parameter.split(":")]
        for parameter in parameters.split(";")
    ]
