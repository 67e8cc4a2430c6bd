from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.terminal.mouse import ACTIONS, BUTTONS, encode_mouse
from orchestro.terminal.screen import Modes

FORMATS = ["x10", "utf8", "sgr", "urxvt", "sgr_pixels"]
TRACKING = ["off", "x10", "normal", "button", "any"]


def normal(mouse_format: str) -> Modes:
    return Modes(mouse="normal", mouse_format=mouse_format)


@pytest.mark.parametrize(
    ("mouse_format", "pressed", "released"),
    [
        ("x10", b"\x1b[M *#", b"\x1b[M#*#"),
        ("utf8", b"\x1b[M *#", b"\x1b[M#*#"),
        ("urxvt", b"\x1b[32;10;3M", b"\x1b[35;10;3M"),
        ("sgr", b"\x1b[<0;10;3M", b"\x1b[<0;10;3m"),
        ("sgr_pixels", b"\x1b[<0;77;41M", b"\x1b[<0;77;41m"),
    ],
)
def test_a_click_is_reported_in_each_format(mouse_format: str, pressed: bytes, released: bytes) -> None:
    assert encode_mouse("press", "left", 9, 2, normal(mouse_format)) == pressed
    assert encode_mouse("release", "left", 9, 2, normal(mouse_format)) == released


@pytest.mark.parametrize(
    ("button", "modifiers", "code"),
    [
        ("left", (), 0),
        ("middle", (), 1),
        ("right", (), 2),
        ("wheel_up", (), 64),
        ("wheel_down", (), 65),
        ("left", ("shift",), 4),
        ("left", ("alt",), 8),
        ("right", ("ctrl",), 18),
        ("wheel_up", ("ctrl", "shift"), 84),
    ],
)
def test_buttons_and_modifiers_have_their_codes(button: str, modifiers: tuple[str, ...], code: int) -> None:
    report = encode_mouse("press", button, 0, 0, normal("sgr"), modifiers)  # type: ignore[arg-type]  # parametrised text
    assert report == b"\x1b[<%d;1;1M" % code


def test_a_program_that_did_not_ask_gets_nothing() -> None:
    assert encode_mouse("press", "left", 0, 0, Modes()) is None


@pytest.mark.parametrize(
    ("tracking", "reported"),
    [
        ("off", set()),
        ("x10", {"press left"}),
        ("normal", {"press left", "release left", "press wheel_up"}),
        ("button", {"press left", "release left", "press wheel_up", "move left"}),
        ("any", {"press left", "release left", "press wheel_up", "move left", "move none"}),
    ],
)
def test_a_tracking_mode_reports_its_events(tracking: str, reported: set[str]) -> None:
    events = {f"{action} {button}" for action in ACTIONS for button in ("left", "wheel_up", "none")}
    modes = Modes(mouse=tracking, mouse_format="sgr")
    found = {event for event in events if encode_mouse(*event.split(), 0, 0, modes) is not None}  # type: ignore[arg-type, misc]  # words
    assert found == reported


def test_moves_carry_the_motion_bit() -> None:
    modes = Modes(mouse="any", mouse_format="sgr")
    assert encode_mouse("move", "left", 1, 1, modes) == b"\x1b[<32;2;2M"
    assert encode_mouse("move", "none", 1, 1, modes) == b"\x1b[<35;2;2M"


def test_x10_tracking_leaves_modifiers_out() -> None:
    assert encode_mouse("press", "left", 0, 0, Modes(mouse="x10"), ["ctrl"]) == b"\x1b[M !!"


def test_a_position_that_a_format_cannot_carry_is_not_reported() -> None:
    assert encode_mouse("press", "left", 222, 0, normal("x10")) == b"\x1b[M \xff!"
    assert encode_mouse("press", "left", 223, 0, normal("x10")) is None
    assert encode_mouse("press", "left", 223, 0, normal("utf8")) == b"\x1b[M \xc4\x80!"
    assert encode_mouse("press", "left", 2015, 0, normal("utf8")) is None
    assert encode_mouse("press", "left", 2015, 0, normal("sgr")) == b"\x1b[<0;2016;1M"


@pytest.mark.parametrize(
    ("action", "button", "col", "modifiers"),
    [("click", "left", 0, ()), ("press", "fourth", 0, ()), ("press", "left", -1, ()), ("press", "left", 0, ("hyper",))],
)
def test_what_is_no_mouse_event_is_refused(action: str, button: str, col: int, modifiers: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no such"):
        encode_mouse(action, button, col, 0, normal("sgr"), modifiers)  # type: ignore[arg-type]  # wrong on purpose


@given(
    st.sampled_from(ACTIONS),
    st.sampled_from(BUTTONS),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.sampled_from(TRACKING),
    st.sampled_from(FORMATS),
)
def test_sgr_reports_tell_the_cell_again(
    action: str, button: str, col: int, row: int, tracking: str, mouse_format: str
) -> None:
    modes = Modes(mouse=tracking, mouse_format=mouse_format)
    report = encode_mouse(action, button, col, row, modes)  # type: ignore[arg-type]  # drawn from the valid ones
    if report is None:
        return
    assert tracking != "off"
    if mouse_format == "sgr":
        assert [int(number) for number in re.findall(rb"\d+", report)][1:] == [col + 1, row + 1]
    elif mouse_format == "sgr_pixels":
        _, x, y = (int(number) for number in re.findall(rb"\d+", report))
        assert ((x - 1) // 8, (y - 1) // 16) == (col, row)
