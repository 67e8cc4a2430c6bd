"""libghostty-vt's key encoder: the keyboard protocols whose state only the emulator knows in full."""

from __future__ import annotations

from typing import Any

from orchestro.errors import InfrastructureError
from orchestro.terminal.keys import KEY_NAMES, split
from orchestro.terminal.screen.ghostty_library import load

__all__ = ["KeyEncoder"]

_SHIFT, _CTRL, _ALT = 1, 2, 4

_BYTES = 128
# Longest encoding: a kitty report with alternates and text is below 40 bytes.

_NAMED = {
    "down": "ARROW_DOWN",
    "left": "ARROW_LEFT",
    "menu": "CONTEXT_MENU",
    "pagedown": "PAGE_DOWN",
    "pageup": "PAGE_UP",
    "right": "ARROW_RIGHT",
    "up": "ARROW_UP",
}
_PUNCTUATION = {
    "'": "QUOTE",
    ",": "COMMA",
    "-": "MINUS",
    ".": "PERIOD",
    "/": "SLASH",
    ";": "SEMICOLON",
    "=": "EQUAL",
    "[": "BRACKET_LEFT",
    "\\": "BACKSLASH",
    "]": "BRACKET_RIGHT",
    "`": "BACKQUOTE",
}

_PLAIN_CTRL_A = b"\x01"
_SHIFTED_ENTER = {"enter", "tab", "escape", "backspace", "space"}


def _physical(name: str) -> str:
    """The name of the key on the keyboard in the enumeration GhosttyKey."""
    if name.startswith("kp"):
        return "NUMPAD_" + name[2:].lstrip("_").upper()
    if name in KEY_NAMES:
        return _NAMED.get(name, name.upper())
    if name.isascii() and name.isalpha():
        return name.upper()
    if name.isascii() and name.isdigit():
        return f"DIGIT_{name}"
    return _PUNCTUATION.get(name, "UNIDENTIFIED")


class KeyEncoder:
    """Encodes keys under the state of one terminal."""

    def __init__(self) -> None:
        library = load()
        self._ffi, self._lib = library.ffi, library.lib
        encoder, event = self._ffi.new("GhosttyKeyEncoder *"), self._ffi.new("GhosttyKeyEvent *")
        if self._lib.ghostty_key_encoder_new(self._ffi.NULL, encoder):
            raise InfrastructureError("libghostty-vt: no memory for a key encoder")
        self._encoder = self._ffi.gc(encoder[0], self._lib.ghostty_key_encoder_free)
        if self._lib.ghostty_key_event_new(self._ffi.NULL, event):
            raise InfrastructureError("libghostty-vt: no memory for a key event")
        self._event = self._ffi.gc(event[0], self._lib.ghostty_key_event_free)

    def encode(self, key: str, terminal: Any, kitty_flags: int) -> bytes | None:
        """The bytes of a normalised key, or None where xterm's legacy encoding holds, which `terminal.keys` knows.

        That is always so without the kitty protocol, save under xterm's ``modifyOtherKeys=2``, which changes typing
        keys with modifiers and which no mode tells of: a ctrl+a that comes out otherwise gives it away.
        """
        self._lib.ghostty_key_encoder_setopt_from_terminal(self._encoder, terminal)
        modifiers, name = split(key)
        if not kitty_flags:
            typing = name not in KEY_NAMES or name in _SHIFTED_ENTER
            if not (modifiers and typing) or self._press("ctrl+a") == _PLAIN_CTRL_A:
                return None
        return self._press(key) or None

    def _press(self, key: str) -> bytes:
        lib, event = self._lib, self._event
        modifiers, name = split(key)
        text = "" if name in KEY_NAMES and name != "space" else (" " if name == "space" else name)
        base = text.lower() if len(text.lower()) == 1 else text
        mods = _SHIFT * ("shift" in modifiers or base != text)
        mods |= _CTRL * ("ctrl" in modifiers) | _ALT * ("alt" in modifiers)
        typed = text.encode()
        lib.ghostty_key_event_set_action(event, lib.GHOSTTY_KEY_ACTION_PRESS)
        lib.ghostty_key_event_set_key(event, getattr(lib, f"GHOSTTY_KEY_{_physical(name)}"))
        lib.ghostty_key_event_set_mods(event, mods)
        lib.ghostty_key_event_set_consumed_mods(event, mods & _SHIFT if text else 0)
        lib.ghostty_key_event_set_unshifted_codepoint(event, ord(base) if len(base) == 1 else 0)
        # The event borrows the text: `typed` lives until it is encoded.
        lib.ghostty_key_event_set_utf8(event, typed, len(typed))
        out, length = self._ffi.new("char[]", _BYTES), self._ffi.new("size_t *")
        if lib.ghostty_key_encoder_encode(self._encoder, event, out, _BYTES, length):
            return b""
        encoded: bytes = self._ffi.buffer(out, length[0])[:]
        return encoded
