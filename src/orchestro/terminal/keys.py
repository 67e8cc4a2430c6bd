"""Names of keys, and the bytes a terminal sends for them: xterm's legacy encoding and the kitty keyboard protocol.

A normalised key is ``[ctrl+][alt+][shift+]NAME``, where NAME is one of `KEY_NAMES` or the character that is typed.
"""

from __future__ import annotations

import itertools
import unicodedata
from typing import Final

from orchestro.errors import UnknownKey
from orchestro.terminal.screen.protocol import Modes

__all__ = ["KEY_NAMES", "MODIFIERS", "encode", "normalise", "split"]

MODIFIERS: Final = ("ctrl", "alt", "shift")
"""The modifiers, in the order of a normalised key."""

_KEYPAD = {
    **{f"kp{digit}": (str(digit), chr(ord("p") + digit)) for digit in range(10)},
    "kp_add": ("+", "k"),
    "kp_decimal": (".", "n"),
    "kp_divide": ("/", "o"),
    "kp_enter": ("\r", "M"),
    "kp_equal": ("=", "X"),
    "kp_multiply": ("*", "j"),
    "kp_separator": (",", "l"),
    "kp_subtract": ("-", "m"),
}
# What a key of the keypad types, and the final byte of its SS3 sequence in application keypad mode.

_LETTERS = {"up": "A", "down": "B", "right": "C", "left": "D", "end": "F", "home": "H"}
_NUMBERS = {"insert": 2, "delete": 3, "pageup": 5, "pagedown": 6, "menu": 29} | dict(
    zip((f"f{n}" for n in range(5, 13)), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)
)
_FUNCTION_LETTERS = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_TYPED = {"enter": "\r", "tab": "\t", "escape": "\x1b", "space": " ", "backspace": "\x7f"}

KEY_NAMES: Final = tuple(
    sorted({*_TYPED, *_LETTERS, *_NUMBERS, *_FUNCTION_LETTERS, *_KEYPAD, *(f"f{n}" for n in range(13, 25))})
)
"""Every named key, as `normalise` returns it."""

_ALIASES = {
    "arrow_down": "down",
    "arrow_left": "left",
    "arrow_right": "right",
    "arrow_up": "up",
    "arrowdown": "down",
    "arrowleft": "left",
    "arrowright": "right",
    "arrowup": "up",
    "backtab": "shift+tab",
    "bs": "backspace",
    "cr": "enter",
    "del": "delete",
    "esc": "escape",
    "ins": "insert",
    "linefeed": "ctrl+j",
    "minus": "-",
    "newline": "enter",
    "page_down": "pagedown",
    "page_up": "pageup",
    "page-down": "pagedown",
    "page-up": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "pgup": "pageup",
    "plus": "+",
    "return": "enter",
    "spacebar": "space",
    "kp_minus": "kp_subtract",
    "kp_period": "kp_decimal",
    "kp_plus": "kp_add",
    **{f"kp_{digit}": f"kp{digit}" for digit in range(10)},
}
_NAMES = {name: name for name in KEY_NAMES} | _ALIASES

_MODIFIER_NAMES = {
    "alt": "alt",
    "control": "ctrl",
    "ctrl": "ctrl",
    "ctl": "ctrl",
    "meta": "alt",
    "opt": "alt",
    "option": "alt",
    "shift": "shift",
}
_MODIFIER_LETTERS = {"a": "alt", "c": "ctrl", "m": "alt", "s": "shift"}
# As in C-c and M-x: only before a hyphen.

_US_SHIFTED = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))
# Only to suggest "!" to whoever asks for shift+1, whose character depends on the layout of the keyboard.

_CONTROL_CHARACTERS = {
    "\t": "tab",
    "\n": "enter",
    "\r": "enter",
    "\x1b": "escape",
    "\x7f": "backspace",
    "\0": "ctrl+space",
}


def normalise(key: str) -> str:
    """The one spelling of a key that was written as ``Return``, ``^C``, ``C-c``, ``meta+x``, ``Shift-Tab`` or ``pgup``.

    Names and modifiers are read in any case. A single letter keeps its case, and ``shift+a`` is ``A``; beside ctrl
    letters are small, as keyboards cannot tell: ``ctrl+C`` is ``ctrl+c``, and shift must be written there. Raises
    `UnknownKey` with the nearest name for anything else.
    """
    modifiers: set[str] = set()
    rest = key
    if len(rest) == 2 and rest[0] == "^":
        modifiers.add("ctrl")
        rest = rest[1]
    while True:
        at = next((i for i, character in enumerate(rest) if i and character in "+-"), 0)
        if not at or at + 1 == len(rest):
            break
        word = rest[:at].lower()
        modifier = _MODIFIER_NAMES.get(word) or (_MODIFIER_LETTERS.get(word) if rest[at] == "-" else None)
        if modifier is None:
            break
        modifiers.add(modifier)
        rest = rest[at + 1 :]
    found = _NAMES.get(rest.lower()) or _CONTROL_CHARACTERS.get(rest)
    if found is None and len(rest) == 1 and rest < " ":
        found = f"ctrl+{chr(ord(rest) + 0x40).lower()}"
    if found is None:
        found = "space" if rest == " " else rest
        if rest != " " and not _is_character(rest):
            raise UnknownKey(key, _nearest(rest, modifiers))
    *more, name = _parts(found)
    modifiers.update(more)
    if _is_character(name):
        name = _settle_case(key, name, modifiers)
    return "+".join([modifier for modifier in MODIFIERS if modifier in modifiers] + [name])


def _settle_case(key: str, name: str, modifiers: set[str]) -> str:
    """The character in the case that its modifiers leave it; takes a shift that the character already tells away."""
    if "ctrl" in modifiers:
        lower = name.lower()
        return lower if len(lower) == 1 else name
    if "shift" in modifiers:
        upper = name.upper()
        if upper == name and name.lower() == name:
            raise UnknownKey(key, _US_SHIFTED.get(name))
        modifiers.discard("shift")
        return upper if len(upper) == 1 else name
    return name


def _is_character(text: str) -> bool:
    """Whether `text` is one printable character: a code point, or a cluster of joined or combining ones."""
    if not text or any(unicodedata.category(point) in {"Cc", "Cs"} for point in text):
        return False
    return all(
        unicodedata.combining(point) or unicodedata.category(point) in {"Me", "Mn", "Cf", "Sk"} or before == "\u200d"
        for before, point in itertools.pairwise(text)
    )


def _parts(key: str) -> list[str]:
    """The modifiers of a normalised key and its name, which may itself be a plus."""
    if key == "+":
        return ["+"]
    if key.endswith("++"):
        return [*key[:-2].split("+"), "+"]
    return key.split("+")


def split(key: str) -> tuple[frozenset[str], str]:
    """The modifiers and the name of a normalised key."""
    *modifiers, name = _parts(key)
    return frozenset(modifiers), name


def _nearest(name: str, modifiers: set[str]) -> str | None:
    import difflib

    close = difflib.get_close_matches(name.lower()[:40], _NAMES, n=1, cutoff=0.7)
    if not close:
        return None
    return "+".join([modifier for modifier in MODIFIERS if modifier in modifiers] + [_NAMES[close[0]]])


def encode(key: str, modes: Modes) -> bytes:
    """The bytes that a terminal in `modes` sends for a normalised key. Raises `UnknownKey` for any other.

    Legacy keys are xterm's (``modifyOtherKeys`` off, backspace sends DEL), as the terminfo entry xterm-256color says;
    with ``modes.kitty_keyboard`` set, they follow https://sw.kovidgoyal.net/kitty/keyboard-protocol/ for key presses.
    """
    modifiers, name = split(key)
    if not modifiers.issubset(MODIFIERS) or not (name in KEY_NAMES or _is_character(name)):
        raise UnknownKey(key, _nearest(name, set(modifiers)))
    text = _kitty(modifiers, name, modes.kitty_keyboard) if modes.kitty_keyboard else _legacy(modifiers, name, modes)
    return text.encode()


def _parameter(modifiers: frozenset[str]) -> int:
    """xterm's modifier parameter, which kitty shares: one more than the sum of shift 1, alt 2 and ctrl 4."""
    return 1 + ("shift" in modifiers) + 2 * ("alt" in modifiers) + 4 * ("ctrl" in modifiers)


def _legacy(modifiers: frozenset[str], name: str, modes: Modes) -> str:
    if name in _KEYPAD and modes.application_keypad and not modifiers:
        return f"\x1bO{_KEYPAD[name][1]}"
    number = int(name[1:]) if name[0] == "f" and name[1:].isdecimal() else 0
    if number > 12:
        # Keyboards of terminfo's xterm have twelve: the next twelve are those with shift.
        modifiers, name = modifiers | {"shift"}, f"f{number - 12}"
    parameter = _parameter(modifiers)
    letter = _LETTERS.get(name) or _FUNCTION_LETTERS.get(name)
    if letter:
        if parameter > 1:
            return f"\x1b[1;{parameter}{letter}"
        single_shift = name in _FUNCTION_LETTERS or modes.application_cursor
        return f"\x1b{'O' if single_shift else '['}{letter}"
    if name in _NUMBERS:
        return f"\x1b[{_NUMBERS[name]};{parameter}~" if parameter > 1 else f"\x1b[{_NUMBERS[name]}~"
    prefix = "\x1b" if "alt" in modifiers else ""
    if name == "tab" and "shift" in modifiers:
        return f"{prefix}\x1b[Z"
    if name == "backspace" and "ctrl" in modifiers:
        return f"{prefix}\b"
    text = _KEYPAD[name][0] if name in _KEYPAD else _TYPED.get(name, name)
    return prefix + (_control(text) if "ctrl" in modifiers else text)


def _control(text: str) -> str:
    """What ctrl makes of a character: the C0 control of the same column in ASCII, where there is one."""
    if "a" <= text <= "z" and len(text) == 1:
        return chr(ord(text) & 0x1F)
    return {
        " ": "\x00", "@": "\x00", "2": "\x00",
        "[": "\x1b", "3": "\x1b",
        "\\": "\x1c", "4": "\x1c",
        "]": "\x1d", "5": "\x1d",
        "^": "\x1e", "6": "\x1e", "~": "\x1e",
        "_": "\x1f", "7": "\x1f", "/": "\x1f",
        "?": "\x7f", "8": "\x7f",
    }.get(text, text)  # fmt: skip


_DISAMBIGUATE, _ALTERNATES, _ALL, _TEXT = 1, 4, 8, 16

_KITTY_CODES = {"escape": 27, "enter": 13, "tab": 9, "backspace": 127, "space": 32, "menu": 57363} | {
    f"f{n}": 57376 + n - 13 for n in range(13, 25)
}
_KITTY_KEYPAD = {f"kp{digit}": 57399 + digit for digit in range(10)} | {
    "kp_decimal": 57409,
    "kp_divide": 57410,
    "kp_multiply": 57411,
    "kp_subtract": 57412,
    "kp_add": 57413,
    "kp_enter": 57414,
    "kp_equal": 57415,
    "kp_separator": 57416,
}


def _kitty(modifiers: frozenset[str], name: str, flags: int) -> str:
    parameter = _parameter(modifiers)
    suffix = f";{parameter}" if parameter > 1 else ""
    if name in _LETTERS or name in {"f1", "f2", "f4"}:
        letter = _LETTERS.get(name) or _FUNCTION_LETTERS[name]
        return f"\x1b[1{suffix}{letter}" if suffix else f"\x1b[{letter}"
    if name == "f3" or (name in _NUMBERS and name != "menu"):
        return f"\x1b[{_NUMBERS.get(name, 13)}{suffix}~"
    if not flags & (_DISAMBIGUATE | _ALL) and name not in _KITTY_CODES and name not in _KITTY_KEYPAD:
        return _legacy(modifiers, name, Modes())
    everything = bool(flags & _ALL)
    if name in {"enter", "tab", "backspace"} and not modifiers and not everything:
        return _TYPED[name]
    if name in _KITTY_KEYPAD:
        typed = _KEYPAD[name][0]
        if name != "kp_enter" and not modifiers and not everything:
            return typed
        silent = name == "kp_enter" or bool(modifiers & {"ctrl", "alt"})
        return _csi_u(_KITTY_KEYPAD[name], None, parameter, "" if silent else typed, flags)
    if name in _KITTY_CODES and name != "space":
        if flags & (_DISAMBIGUATE | _ALL) or name not in _TYPED:
            return _csi_u(_KITTY_CODES[name], None, parameter, "", flags)
        return _legacy(modifiers, name, Modes())
    text = " " if name == "space" else name
    if len(text) > 1 or (not everything and not modifiers & {"ctrl", "alt"}):
        return text
    base = text.lower() if len(text.lower()) == 1 else text
    if base != text:
        parameter = _parameter(modifiers | {"shift"})
    shifted = ord(text) if base != text else None
    typed = "" if modifiers & {"ctrl", "alt"} else text
    return _csi_u(ord(base), shifted, parameter, typed, flags)


def _csi_u(code: int, shifted: int | None, parameter: int, text: str, flags: int) -> str:
    """One ``CSI code[:shifted][;modifiers[;text]] u``, with as much as `flags` asks for."""
    key = f"{code}:{shifted}" if shifted is not None and flags & _ALTERNATES else str(code)
    typed = ":".join(str(ord(point)) for point in text) if flags & _TEXT and flags & _ALL else ""
    if typed:
        return f"\x1b[{key};{parameter if parameter > 1 else ''};{typed}u"
    return f"\x1b[{key};{parameter}u" if parameter > 1 else f"\x1b[{key}u"
