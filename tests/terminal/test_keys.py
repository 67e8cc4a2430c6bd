from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestro.errors import UnknownKey
from orchestro.terminal.keys import KEY_NAMES, MODIFIERS, encode, normalise, split
from orchestro.terminal.screen import Modes

LEGACY = Modes()
APPLICATION = Modes(application_cursor=True, application_keypad=True)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("enter", "enter"),
        ("Return", "enter"),
        ("\r", "enter"),
        ("\n", "enter"),
        ("TAB", "tab"),
        ("\t", "tab"),
        ("esc", "escape"),
        ("\x1b", "escape"),
        (" ", "space"),
        ("bs", "backspace"),
        ("\x7f", "backspace"),
        ("Del", "delete"),
        ("ins", "insert"),
        ("pgup", "pageup"),
        ("PageDown", "pagedown"),
        ("page-up", "pageup"),
        ("arrow_left", "left"),
        ("F5", "f5"),
        ("f24", "f24"),
        ("kp_5", "kp5"),
        ("kp_plus", "kp_add"),
        ("kp_enter", "kp_enter"),
        ("a", "a"),
        ("A", "A"),
        ("shift+a", "A"),
        ("é", "é"),
        ("e\u0301", "e\u0301"),
        ("世", "世"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("+", "+"),
        ("-", "-"),
        ("plus", "+"),
        ("minus", "-"),
        ("ctrl+c", "ctrl+c"),
        ("ctrl-c", "ctrl+c"),
        ("Ctrl+C", "ctrl+c"),
        ("control+c", "ctrl+c"),
        ("C-c", "ctrl+c"),
        ("^C", "ctrl+c"),
        ("^c", "ctrl+c"),
        ("\x03", "ctrl+c"),
        ("^[", "ctrl+["),
        ("^^", "ctrl+^"),
        ("\x00", "ctrl+space"),
        ("ctrl++", "ctrl++"),
        ("ctrl--", "ctrl+-"),
        ("ctrl-+", "ctrl++"),
        ("ctrl+-", "ctrl+-"),
        ("alt+x", "alt+x"),
        ("meta+x", "alt+x"),
        ("M-x", "alt+x"),
        ("alt+X", "alt+X"),
        ("alt+shift+x", "alt+X"),
        ("shift+tab", "shift+tab"),
        ("S-Tab", "shift+tab"),
        ("backtab", "shift+tab"),
        ("ctrl+backtab", "ctrl+shift+tab"),
        ("shift+ctrl+Up", "ctrl+shift+up"),
        ("ctrl+alt+delete", "ctrl+alt+delete"),
        ("C-M-x", "ctrl+alt+x"),
        ("ctrl+ctrl+c", "ctrl+c"),
        ("ctrl+shift+a", "ctrl+shift+a"),
        ("shift+space", "shift+space"),
        ("alt++", "alt++"),
    ],
)
def test_a_key_has_one_spelling(written: str, key: str) -> None:
    assert normalise(written) == key
    assert normalise(key) == key


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("entre", "enter"),
        ("ctrl+entre", "ctrl+enter"),
        ("alt+pgeup", "alt+pageup"),
        ("f25", "f5"),
        ("shift+1", "!"),
        ("", None),
        ("ctrl+", None),
        ("hyper+x", None),
        ("a+b", None),
        ("zzzzzzzz", None),
        ("\ud800", None),
        ("\x85", None),
    ],
)
def test_an_unknown_key_comes_with_the_nearest(written: str, nearest: str | None) -> None:
    with pytest.raises(UnknownKey) as caught:
        normalise(written)
    assert caught.value.key == written
    assert caught.value.nearest == nearest


def test_the_names_are_normalised_and_say_what_they_are() -> None:
    assert [normalise(name) for name in KEY_NAMES] == list(KEY_NAMES)
    assert {"enter", "kp0", "f1", "f24", "up"} <= set(KEY_NAMES)
    assert split("ctrl+shift+up") == (frozenset({"ctrl", "shift"}), "up")
    assert split("alt++") == (frozenset({"alt"}), "+")
    assert split("+") == (frozenset(), "+")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a", b"a"),
        ("A", b"A"),
        ("é", "é".encode()),
        ("+", b"+"),
        ("enter", b"\r"),
        ("tab", b"\t"),
        ("escape", b"\x1b"),
        ("space", b" "),
        ("backspace", b"\x7f"),
        ("ctrl+backspace", b"\x08"),
        ("alt+backspace", b"\x1b\x7f"),
        ("shift+tab", b"\x1b[Z"),
        ("shift+enter", b"\r"),
        ("alt+enter", b"\x1b\r"),
        ("up", b"\x1b[A"),
        ("end", b"\x1b[F"),
        ("shift+up", b"\x1b[1;2A"),
        ("alt+up", b"\x1b[1;3A"),
        ("ctrl+up", b"\x1b[1;5A"),
        ("ctrl+shift+up", b"\x1b[1;6A"),
        ("ctrl+alt+shift+home", b"\x1b[1;8H"),
        ("insert", b"\x1b[2~"),
        ("delete", b"\x1b[3~"),
        ("pageup", b"\x1b[5~"),
        ("ctrl+pagedown", b"\x1b[6;5~"),
        ("f1", b"\x1bOP"),
        ("f4", b"\x1bOS"),
        ("f5", b"\x1b[15~"),
        ("f12", b"\x1b[24~"),
        ("shift+f1", b"\x1b[1;2P"),
        ("ctrl+f5", b"\x1b[15;5~"),
        ("f13", b"\x1b[1;2P"),
        ("f24", b"\x1b[24;2~"),
        ("ctrl+a", b"\x01"),
        ("ctrl+z", b"\x1a"),
        ("ctrl+space", b"\x00"),
        ("ctrl+@", b"\x00"),
        ("ctrl+[", b"\x1b"),
        ("ctrl+\\", b"\x1c"),
        ("ctrl+]", b"\x1d"),
        ("ctrl+^", b"\x1e"),
        ("ctrl+_", b"\x1f"),
        ("ctrl+/", b"\x1f"),
        ("ctrl+?", b"\x7f"),
        ("ctrl+1", b"1"),
        ("ctrl+é", "é".encode()),
        ("ctrl+shift+a", b"\x01"),
        ("alt+x", b"\x1bx"),
        ("alt+X", b"\x1bX"),
        ("ctrl+alt+c", b"\x1b\x03"),
        ("kp5", b"5"),
        ("kp_enter", b"\r"),
        ("alt+kp5", b"\x1b5"),
    ],
)
def test_legacy_keys_are_those_of_xterm(key: str, expected: bytes) -> None:
    assert encode(key, LEGACY) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("up", b"\x1bOA"),
        ("home", b"\x1bOH"),
        ("ctrl+up", b"\x1b[1;5A"),
        ("pageup", b"\x1b[5~"),
        ("kp0", b"\x1bOp"),
        ("kp9", b"\x1bOy"),
        ("kp_enter", b"\x1bOM"),
        ("kp_add", b"\x1bOk"),
        ("5", b"5"),
    ],
)
def test_application_modes_change_cursor_keys_and_the_keypad(key: str, expected: bytes) -> None:
    assert encode(key, APPLICATION) == expected


@pytest.mark.parametrize(
    ("key", "flags", "expected"),
    [
        ("a", 1, b"a"),
        ("A", 1, b"A"),
        ("escape", 1, b"\x1b[27u"),
        ("enter", 1, b"\r"),
        ("shift+enter", 1, b"\x1b[13;2u"),
        ("tab", 1, b"\t"),
        ("ctrl+tab", 1, b"\x1b[9;5u"),
        ("backspace", 1, b"\x7f"),
        ("ctrl+c", 1, b"\x1b[99;5u"),
        ("ctrl+shift+c", 1, b"\x1b[99;6u"),
        ("alt+x", 1, b"\x1b[120;3u"),
        ("alt+X", 1, b"\x1b[120;4u"),
        ("ctrl+space", 1, b"\x1b[32;5u"),
        ("up", 1, b"\x1b[A"),
        ("ctrl+up", 1, b"\x1b[1;5A"),
        ("f1", 1, b"\x1b[P"),
        ("f3", 1, b"\x1b[13~"),
        ("f13", 1, b"\x1b[57376u"),
        ("delete", 1, b"\x1b[3~"),
        ("kp_enter", 1, b"\x1b[57414u"),
        ("a", 8, b"\x1b[97u"),
        ("A", 8, b"\x1b[97;2u"),
        ("A", 12, b"\x1b[97:65;2u"),
        ("a", 24, b"\x1b[97;;97u"),
        ("A", 28, b"\x1b[97:65;2;65u"),
        ("enter", 8, b"\x1b[13u"),
        ("ctrl+c", 2, b"\x03"),
    ],
)
def test_the_kitty_protocol_is_spoken_where_it_was_asked_for(key: str, flags: int, expected: bytes) -> None:
    assert encode(key, Modes(application_cursor=True, kitty_keyboard=flags)) == expected


@pytest.mark.parametrize("key", ["entre", "hyper+a", "", "ab", "ctrl+", "\ud800"])
def test_only_normalised_keys_are_encoded(key: str) -> None:
    with pytest.raises(UnknownKey):
        encode(key, LEGACY)


words = st.sampled_from([*KEY_NAMES, *MODIFIERS, "C", "M", "meta", "^", "+", "-", "a", "Z", "\u0301", "\u200d", "\x1b"])
written = st.text(max_size=8) | st.lists(words, max_size=4).map("+".join) | st.lists(words, max_size=4).map("-".join)


@given(written, st.booleans(), st.integers(0, 31))
@example("ctrl+\u0130", False, 1)
@example("shift+\u00df", False, 29)
@example("e\u0301\u0301", True, 29)
def test_any_text_is_a_key_or_an_unknown_one(text: str, application: bool, flags: int) -> None:
    try:
        key = normalise(text)
    except UnknownKey:
        return
    assert normalise(key) == key
    assert encode(key, Modes(application_cursor=application, application_keypad=application, kitty_keyboard=flags))


@given(st.text(max_size=8), st.integers(0, 31))
def test_any_text_is_encoded_or_unknown(text: str, flags: int) -> None:
    try:
        encode(text, Modes(kitty_keyboard=flags))
    except UnknownKey as error:
        assert error.key == text
