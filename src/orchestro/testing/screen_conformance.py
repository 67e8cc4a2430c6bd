"""What every `Screen` has to do, as checks to run over a factory of screens: the checklist for new back ends.

    @pytest.mark.parametrize("check", CHECKS, ids=str)
    def test_my_screen_conforms(check):
        check(MyScreen)

A check raises AssertionError with what was expected. What is expected is what xterm and the terminals after it do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from orchestro.terminal.screen.protocol import PLAIN, Color, Screen, Style, StyledRun

__all__ = ["CHECKS", "Check", "Make"]

Make: TypeAlias = Callable[[int, int], Screen]
"""Makes a screen of so many columns and rows."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a screen has to do."""

    name: str
    run: Callable[[Make], None]

    def __call__(self, make: Make) -> None:
        """Run it on screens from `make`. Raises AssertionError."""
        self.run(make)

    def __str__(self) -> str:
        return self.name


_checks: list[Check] = []


def _check(run: Callable[[Make], None]) -> Callable[[Make], None]:
    _checks.append(Check(run.__name__.strip("_"), run))
    return run


def _same(actual: object, expected: object, what: str) -> None:
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {actual!r}")


def _shown(make: Make, data: bytes | str, *, cols: int = 10, rows: int = 4) -> Screen:
    screen = make(cols, rows)
    screen.feed(data.encode() if isinstance(data, str) else data)
    return screen


def _draws(
    name: str,
    data: bytes | str,
    *lines: str,
    cols: int = 10,
    rows: int = 4,
    cursor: tuple[int, int] | None = None,
) -> None:
    """A check that `data` leaves `lines` (the missing ones empty) on the screen and the cursor at `cursor`."""

    def run(make: Make) -> None:
        screen = _shown(make, data, cols=cols, rows=rows)
        _same(screen.lines(), [*lines, *[""] * (rows - len(lines))], "lines")
        if cursor is not None:
            _same((screen.cursor.col, screen.cursor.row), cursor, "cursor")
        screen.close()

    _checks.append(Check(name, run))


_GRID = b"\x1b[Haaaa\r\nbbbb\r\ncccc\r\ndddd"

# Text, wrapping and widths.
_draws("text_and_line_feeds", b"ab\r\ncd\nef", "ab", "cd", "  ef", cursor=(4, 2))
_draws("lines_are_right_trimmed", b"ab   \x1b[2;3Hc  ", "ab", "  c")
_draws("autowrap", b"0123456789ab", "0123456789", "ab", cursor=(2, 1))
_draws("pending_wrap", b"0123456789", "0123456789", cursor=(9, 0))
_draws("pending_wrap_ends_at_carriage_return", b"0123456789\rX", "X123456789", cursor=(1, 0))
_draws("pending_wrap_ends_at_backspace", b"0123456789\bX", "01234567X9")
_draws("wrap_off_overwrites_last_column", b"\x1b[?7l0123456789abX", "012345678X", cursor=(9, 0))
_draws("wrap_on_again", b"\x1b[?7l0123456789ab\x1b[?7h\x1b[1;10Hxy", "012345678x", "y")
_draws("wide_characters", "a世界b", "a世界b", cursor=(6, 0))
_draws("wide_character_wraps_whole", "123456789世", "123456789", "世", cursor=(2, 1))
_draws("wide_character_half_overwritten", "世界\x1b[1;2Hx", " x界")
_draws("wide_character_other_half_overwritten", "世界\x1b[1;1Hx", "x 界")
_draws("combining_character", "e\u0301x", "e\u0301x", cursor=(2, 0))
_draws("combining_character_in_last_column", "123456789e\u0301x", "123456789e\u0301", "x")
_draws("joined_emoji_take_two_columns", "👨\u200d👩\u200d👧x", "👨\u200d👩\u200d👧x", cursor=(3, 0))
_draws("line_drawing_charset", b"\x1b(0lqk\x1b(Blqk", "┌─┐lqk")
_draws("shifted_line_drawing_charset", b"\x1b)0\x0elqk\x0flqk", "┌─┐lqk")
_draws("invalid_utf8_is_replaced", b"a\xffb\xc3(", "a\ufffdb\ufffd(")
_draws("rep", b"ab\x1b[3bc", "abbbbc")
_draws("rep_wraps", b"x\x1b[11b", "x" * 10, "xx")

# Cursor movement and tabs.
_draws("cursor_moves", b"\x1b[2;3Ha\x1b[Ab\x1b[2Bc\x1b[3Dd\x1b[2Ce", "   b", "  a", "  d ce")
_draws("cursor_moves_stop_at_edges", b"\x1b[9A\x1b[9Da\x1b[99B\x1b[99Cb", "a", "", "", "         b")
_draws("next_and_previous_line", b"abc\x1b[Ed\x1b[2Fe", "ebc", "d")
_draws("columns_and_rows", b"\x1b[3d\x1b[5Ga\x1b[2`b", "", "", " b  a")
_draws("position_beyond_screen_is_clamped", b"\x1b[99;99Hx", "", "", "", "         x")
_draws("tab_stops_every_eight", b"a\tb\tc", "a       b       c", cols=20)
_draws("tab_stops_at_last_column", b"\t\t\tx", "         x")
_draws("tab_set_and_cleared", b"\x1b[1;4H\x1bH\r\ta\r\x1b[4G\x1b[0g\r\tb", "   a    b", cols=20)
_draws("tab_cleared_without_parameter", b"\x1b[1;4H\x1bH\r\x1b[4G\x1b[g\r\tb", "        b", cols=20)
_draws("all_tabs_cleared", b"\x1b[3g\ra\tb", "a                  b", cols=20)
_draws("tab_back_and_forward", b"\x1b[2Ix\x1b[2Zy", "        y       x", cols=20)
_draws("save_and_restore_cursor", b"ab\x1b7\x1b[3;3Hc\x1b8d", "abd", "", "  c")
_draws("save_and_restore_cursor_ansi", b"ab\x1b[s\x1b[3;3Hc\x1b[ud", "abd", "", "  c")
_draws("restore_cursor_without_save_goes_home", b"ab\x1b8c", "cb")
_draws("restored_cursor_can_be_restored_again", b"a\x1b7bc\x1b8\x1b[3;3H\x1b8d", "adc")

# Scrolling, regions and origin mode.
_draws("scroll_at_bottom", _GRID + b"\r\neeee", "bbbb", "cccc", "dddd", "eeee")
_draws("index_keeps_column", b"a\x1bDb", "a", " b")
_draws("next_line_starts_row", b"a\x1bEb", "a", "b")
_draws("reverse_index_scrolls_down_at_top", _GRID + b"\x1b[H\x1bMx", "x", "aaaa", "bbbb", "cccc")
_draws("scroll_up", _GRID + b"\x1b[2S", "cccc", "dddd", cursor=(4, 3))
_draws("scroll_down", _GRID + b"\x1b[2T", "", "", "aaaa", "bbbb", cursor=(4, 3))
_draws("scroll_far_up", _GRID + b"\x1b[9999S")
_draws("region_homes_cursor", b"xyz\x1b[2;3r", "xyz", cursor=(0, 0))
_draws("region_scrolls_alone", _GRID + b"\x1b[2;3r\x1b[3;1H\nee", "aaaa", "cccc", "ee", "dddd")
_draws("region_scrolls_down_alone", _GRID + b"\x1b[2;3r\x1b[2;1H\x1bMee", "aaaa", "ee", "bbbb", "dddd")
_draws("region_bounds_su_and_sd", _GRID + b"\x1b[2;3r\x1b[S", "aaaa", "cccc", "", "dddd")
_draws("line_feed_below_region_does_not_scroll", _GRID + b"\x1b[1;2r\x1b[4;1H\nx", "aaaa", "bbbb", "cccc", "xddd")
_draws("region_is_reset", _GRID + b"\x1b[2;3r\x1b[r\x1b[4;1H\n", "bbbb", "cccc", "dddd", "")
_draws("origin_mode", _GRID + b"\x1b[2;3r\x1b[?6hx\x1b[9;1Hy", "aaaa", "xbbb", "yccc", "dddd")
_draws("origin_mode_off_goes_home", _GRID + b"\x1b[2;3r\x1b[?6h\x1b[?6lx", "xaaa", "bbbb", "cccc", "dddd")

# Inserting, deleting and erasing.
_draws("insert_characters", b"abcdef\x1b[1;2H\x1b[2@", "a  bcdef")
_draws("insert_characters_push_off_the_edge", b"0123456789\x1b[H\x1b[3@x", "x  0123456")
_draws("insert_mode", b"abc\x1b[H\x1b[4hX\x1b[4lY", "XYbc")
_draws("delete_characters", b"abcdef\x1b[1;2H\x1b[2P", "adef")
_draws("erase_characters", b"abcdef\x1b[1;2H\x1b[2X", "a  def", cursor=(1, 0))
_draws("insert_lines", _GRID + b"\x1b[2;3H\x1b[2L", "aaaa", "", "", "bbbb")
_draws("delete_lines", _GRID + b"\x1b[2;3H\x1b[2M", "aaaa", "dddd")
_draws("insert_lines_in_region", _GRID + b"\x1b[1;3r\x1b[2;1H\x1b[L", "aaaa", "", "bbbb", "dddd")
_draws("delete_lines_in_region", _GRID + b"\x1b[1;3r\x1b[2;1H\x1b[M", "aaaa", "cccc", "", "dddd")
_draws("insert_lines_outside_region_do_nothing", _GRID + b"\x1b[1;2r\x1b[4;1H\x1b[L", "aaaa", "bbbb", "cccc", "dddd")
_draws("erase_to_end_of_line", b"abcdef\x1b[1;3H\x1b[K", "ab")
_draws("erase_to_start_of_line", b"abcdef\x1b[1;3H\x1b[1K", "   def")
_draws("erase_line", b"abcdef\x1b[1;3H\x1b[2Kx", "  x")
_draws("erase_below", _GRID + b"\x1b[2;3H\x1b[J", "aaaa", "bb")
_draws("erase_above", _GRID + b"\x1b[3;2H\x1b[1J", "", "", "  cc", "dddd")
_draws("erase_screen_keeps_cursor", _GRID + b"\x1b[2Jx", "", "", "", "    x")
_draws("alignment_pattern", b"\x1b#8", "E" * 10, "E" * 10, "E" * 10, "E" * 10, cursor=(0, 0))

# Alternate screen and resets.
_draws("alternate_screen_1049_restores_text_and_cursor", b"shell\x1b[?1049h\x1b[2;2Hvim\x1b[?1049l$", "shell$")
_draws("alternate_screen_1049_starts_empty", b"shell\x1b[?1049hone\x1b[?1049l\x1b[?1049h\x1b[Htwo", "two")
_draws("alternate_screen_47_restores_text", b"\x1b[Hshell\x1b[?47h\x1b[Hother\x1b[?47l", "shell")
_draws("alternate_screen_1047_restores_text", b"\x1b[Hshell\x1b[?1047h\x1b[Hother\x1b[?1047l", "shell")
_draws("full_reset", _GRID + b"\x1b[2;3r\x1b[?6h\x1b[1m\x1bcx", "x", cursor=(1, 0))
_draws("soft_reset_keeps_text_and_ends_modes", b"bcd\x1b[4h\x1b[?7l\x1b[!p\x1b[Haa", "aad")

# Input that must leave no trace.
_draws(
    "unknown_sequences_are_invisible", b"a\x1b[?9999hb\x1b[1;2;3yc\x1b]777;x\x07d\x1bPq#0\x1b\\e\x1b_x\x1b\\f", "abcdef"
)
_draws("controls_within_a_sequence_are_obeyed", b"a\x1b[\r1mb", "b")
_draws("cancel_ends_a_sequence", b"a\x1b[31\x18mb", "amb")
_draws("string_ended_by_c0_st", b"\x1b]0;t\x1b\\x", "x")


def _styles(make: Make, data: bytes | str, *, cols: int = 20) -> list[Style]:
    """The styles of the runs in the first row."""
    screen = _shown(make, data, cols=cols, rows=2)
    found = [run.style for run in screen.styled()[0]]
    screen.close()
    return found


_ATTRIBUTES = (
    ("1", Style(bold=True)),
    ("2", Style(faint=True)),
    ("3", Style(italic=True)),
    ("4", Style(underline=1)),
    ("21", Style(underline=2)),
    ("4:2", Style(underline=2)),
    ("4:3", Style(underline=3)),
    ("4:4", Style(underline=4)),
    ("4:5", Style(underline=5)),
    ("5", Style(blink=True)),
    ("7", Style(reverse=True)),
    ("8", Style(invisible=True)),
    ("9", Style(strikethrough=True)),
    ("53", Style(overline=True)),
    ("1;3;4;7", Style(bold=True, italic=True, underline=1, reverse=True)),
)
_COLORS: tuple[tuple[str, Color], ...] = (
    ("5;200", 200),
    (":5:200", 200),
    ("2;1;2;3", (1, 2, 3)),
    (":2:1:2:3", (1, 2, 3)),
    (":2::1:2:3", (1, 2, 3)),
)


@_check
def _sgr_attributes(make: Make) -> None:
    for codes, style in _ATTRIBUTES:
        _same(_styles(make, f"\x1b[{codes}mx\x1b[mx"), [style, PLAIN], f"SGR {codes}")


@_check
def _sgr_attributes_end(make: Make) -> None:
    ends = (("1", "22"), ("2", "22"), ("3", "23"), ("4", "24"), ("4:3", "4:0"), ("5", "25"), ("7", "27"), ("8", "28"))
    for start, end in (*ends, ("9", "29"), ("53", "55"), ("31", "39"), ("41", "49"), ("4;58:5:1", "24;59")):
        _same(_styles(make, f"\x1b[{start}mx\x1b[{end}mx")[1:], [PLAIN], f"SGR {start} ended by {end}")


@_check
def _sgr_16_colors(make: Make) -> None:
    for code in range(8):
        _same(_styles(make, f"\x1b[{30 + code}mx"), [Style(fg=code)], f"SGR {30 + code}")
        _same(_styles(make, f"\x1b[{40 + code}mx"), [Style(bg=code)], f"SGR {40 + code}")
        _same(_styles(make, f"\x1b[{90 + code}mx"), [Style(fg=8 + code)], f"SGR {90 + code}")
        _same(_styles(make, f"\x1b[{100 + code}mx"), [Style(bg=8 + code)], f"SGR {100 + code}")


@_check
def _sgr_256_and_true_colors_in_both_forms(make: Make) -> None:
    for form, color in _COLORS:
        join = "" if form.startswith(":") else ";"
        _same(_styles(make, f"\x1b[38{join}{form}mx"), [Style(fg=color)], f"SGR 38{join}{form}")
        _same(_styles(make, f"\x1b[48{join}{form}mx"), [Style(bg=color)], f"SGR 48{join}{form}")
        expected = [Style(underline=1, underline_color=color)]
        _same(_styles(make, f"\x1b[4;58{join}{form}mx"), expected, f"SGR 58{join}{form}")
    mixed = Style(fg=5, bg=(9, 8, 7), bold=True, underline=3)
    _same(_styles(make, "\x1b[1;38;5;5;48:2::9:8:7;4:3mx"), [mixed], "both forms in one sequence")


@_check
def _erased_cells_take_the_background(make: Make) -> None:
    screen = _shown(make, b"\x1b[44;4m\x1b[K")
    _same(screen.styled()[0], [StyledRun(" " * 10, Style(bg=4), 10)], "row after EL")
    screen.close()


@_check
def _runs_tell_widths(make: Make) -> None:
    screen = _shown(make, "世\x1b[31m界e\u0301\x1b[m ")
    runs = [StyledRun("世", PLAIN, 2), StyledRun("界e\u0301", Style(fg=1), 3)]
    _same(screen.styled()[0], runs, "runs")
    _same(screen.styled(1, 3), [[], []], "empty rows")
    screen.close()


@_check
def _cells(make: Make) -> None:
    screen = _shown(make, "a\x1b[1m世\x1b[me\u0301")
    found = [(cell.text, cell.width, cell.style.bold) for cell in (screen.cell(col, 0) for col in range(5))]
    _same(found, [("a", 1, False), ("世", 2, True), ("", 0, True), ("e\u0301", 1, False), (" ", 1, False)], "cells")
    for col, row in ((10, 0), (0, 4), (-1, 0), (0, -1)):
        try:
            screen.cell(col, row)
        except IndexError:
            continue
        raise AssertionError(f"cell {col},{row} of a 10x4 screen: expected IndexError")
    screen.close()


@_check
def _osc_titles(make: Make) -> None:
    for data, title in (
        (b"\x1b]0;one\x07", "one"),
        (b"\x1b]2;t\xc3\xadtulo\x1b\\", "t\u00edtulo"),
        (b"\x1b]2;a;b\x07", "a;b"),
        (b"\x1b]2;old\x07\x1b]2;new\x07", "new"),
        (b"\x1b]1;icon only\x07", ""),
        (b"\x1b]2;cut", ""),
    ):
        screen = _shown(make, data)
        _same(screen.title, title, f"title after {data!r}")
        _same(screen.lines()[0], "", "first line")
        screen.close()


@_check
def _osc_8_links(make: Make) -> None:
    data = b"a\x1b]8;;https://x.test/?a=b;c\x1b\\link\x1b]8;;\x1b\\b\x1b]8;id=1;mailto:m\x07two\x1b]8;;\x07"
    screen = _shown(make, data, cols=20)
    found = [(run.text, run.style.link) for run in screen.styled()[0]]
    _same(found, [("a", None), ("link", "https://x.test/?a=b;c"), ("b", None), ("two", "mailto:m")], "links")
    screen.close()


@_check
def _neighbouring_links_stay_apart(make: Make) -> None:
    screen = _shown(make, b"\x1b]8;;x:1\x07a\x1b]8;;x:2\x07b\x1b]8;;\x07")
    _same([(run.text, run.style.link) for run in screen.styled()[0]], [("a", "x:1"), ("b", "x:2")], "links")
    screen.close()


@_check
def _links_survive_sgr_reset(make: Make) -> None:
    screen = _shown(make, b"\x1b]8;;x:1\x07\x1b[1ma\x1b[0mb\x1b]8;;\x07c")
    found = [(run.text, run.style.link) for run in screen.styled()[0]]
    _same(found, [("a", "x:1"), ("b", "x:1"), ("c", None)], "links")
    screen.close()


@_check
def _bells_are_counted(make: Make) -> None:
    screen = _shown(make, b"\x07a\x07\x1b]2;t\x07")
    _same(screen.bells, 2, "bells; the one that ends a title does not ring")
    screen.close()


_SWITCHES = (
    (b"\x1b[?1h", b"\x1b[?1l", "application_cursor", True),
    (b"\x1b=", b"\x1b>", "application_keypad", True),
    (b"\x1b[?66h", b"\x1b[?66l", "application_keypad", True),
    (b"\x1b[?2004h", b"\x1b[?2004l", "bracketed_paste", True),
    (b"\x1b[?1004h", b"\x1b[?1004l", "focus_events", True),
    (b"\x1b[?1049h", b"\x1b[?1049l", "alternate_screen", True),
    (b"\x1b[?1047h", b"\x1b[?1047l", "alternate_screen", True),
    (b"\x1b[?47h", b"\x1b[?47l", "alternate_screen", True),
    (b"\x1b[?9h", b"\x1b[?9l", "mouse", "x10"),
    (b"\x1b[?1000h", b"\x1b[?1000l", "mouse", "normal"),
    (b"\x1b[?1002h", b"\x1b[?1002l", "mouse", "button"),
    (b"\x1b[?1000;1002;1003h", b"\x1b[?1003;1002;1000l", "mouse", "any"),
    (b"\x1b[?1005h", b"\x1b[?1005l", "mouse_format", "utf8"),
    (b"\x1b[?1006h", b"\x1b[?1006l", "mouse_format", "sgr"),
    (b"\x1b[?1015h", b"\x1b[?1015l", "mouse_format", "urxvt"),
    (b"\x1b[?1016h", b"\x1b[?1016l", "mouse_format", "sgr_pixels"),
)


@_check
def _modes_are_told(make: Make) -> None:
    fresh = make(10, 4)
    start = fresh.modes
    fresh.close()
    for on, off, name, value in _SWITCHES:
        screen = _shown(make, on)
        _same(getattr(screen.modes, name), value, f"{name} after {on!r}")
        screen.feed(off)
        _same(screen.modes, start, f"modes after {on + off!r}")
        screen.feed(on + b"\x1bc")
        _same(screen.modes, start, f"modes after {on!r} and a full reset")
        screen.close()


@_check
def _kitty_keyboard_stack(make: Make) -> None:
    screen = make(10, 4)
    replies = _listen(screen)
    for data, flags in (
        (b"\x1b[>1u", 1),
        (b"\x1b[>5u", 5),
        (b"\x1b[=2;2u", 7),
        (b"\x1b[=4;3u", 3),
        (b"\x1b[=8u", 8),
        (b"\x1b[<u", 1),
        (b"\x1b[?1049h", 0),
        (b"\x1b[>3u", 3),
        (b"\x1b[?1049l", 1),
        (b"\x1b[<9u", 0),
    ):
        screen.feed(data + b"\x1b[?u")
        _same(screen.modes.kitty_keyboard, flags, f"flags after {data!r}")
        _same(replies.pop(), b"\x1b[?%du" % flags, f"reported flags after {data!r}")
    screen.close()


@_check
def _cursor_visibility(make: Make) -> None:
    screen = make(10, 4)
    _same(screen.cursor.visible, True, "visible at first")
    screen.feed(b"\x1b[?25l")
    _same(screen.cursor.visible, False, "visible after DECTCEM off")
    screen.feed(b"\x1b[?25h")
    _same(screen.cursor.visible, True, "visible after DECTCEM on")
    screen.close()


@_check
def _cursor_shapes(make: Make) -> None:
    screen = make(10, 4)
    _same(screen.cursor.shape, "block", "shape at first")
    for code, shape in ((3, "underline"), (5, "bar"), (1, "block"), (4, "underline"), (6, "bar"), (2, "block")):
        screen.feed(b"\x1b[%d q" % code)
        _same(screen.cursor.shape, shape, f"shape {code}")
    screen.close()


def _listen(screen: Screen) -> list[bytes]:
    replies: list[bytes] = []
    screen.on_reply(replies.append)
    return replies


@_check
def _reports_are_answered(make: Make) -> None:
    screen = make(80, 24)
    replies = _listen(screen)
    screen.feed(b"\x1b[3;5H")
    for query, start, end in (
        (b"\x1b[c", b"\x1b[?6", b"c"),
        (b"\x1b[0c", b"\x1b[?6", b"c"),
        (b"\x1b[>c", b"\x1b[>", b"c"),
        (b"\x1b[=c", b"\x1bP!|", b"\x1b\\"),
        (b"\x1b[5n", b"\x1b[0n", b""),
        (b"\x1b[6n", b"\x1b[3;5R", b""),
        (b"\x1b[?996n", b"\x1b[?997;1n", b""),
        (b"\x1b]10;?\x1b\\", b"\x1b]10;rgb:d4d4/d4d4/d4d4", b"\x1b\\"),
        (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:1e1e/1e1e/1e1e", b"\x1b\\"),
        (b"\x1b]4;9;?\x1b\\", b"\x1b]4;9;rgb:", b"\x1b\\"),
        (b"\x1b[?u", b"\x1b[?0u", b""),
        (b"\x1b[>q", b"\x1bP>|", b"\x1b\\"),
        (b"\x1b[>0q", b"\x1bP>|", b"\x1b\\"),
        (b"\x1b[?2004$p", b"\x1b[?2004;2$y", b""),
        (b"\x1b[?2004h\x1b[?2004$p", b"\x1b[?2004;1$y", b""),
        (b"\x1b[?31337$p", b"\x1b[?31337;0$y", b""),
        (b"\x1b[14t", b"\x1b[4;384;640t", b""),
        (b"\x1b[16t", b"\x1b[6;16;8t", b""),
        (b"\x1b[18t", b"\x1b[8;24;80t", b""),
    ):
        screen.feed(query)
        found = b"".join(replies)
        replies.clear()
        if not (found.startswith(start) and found.endswith(end)):
            raise AssertionError(f"answer to {query!r}: expected {start + b'...' + end!r}, got {found!r}")
    _same(screen.lines(), [""] * 24, "screen after the queries")
    screen.on_reply(None)
    screen.feed(b"\x1b[c")
    _same(replies, [], "answers after nobody listens")
    screen.close()


@_check
def _answer_ends_as_its_query_did(make: Make) -> None:
    screen = make(10, 4)
    replies = _listen(screen)
    screen.feed(b"\x1b]11;?\x07")
    _same(replies, [b"\x1b]11;rgb:1e1e/1e1e/1e1e\x07"], "answer to a query ended by BEL")
    screen.close()


@_check
def _cursor_report_in_origin_mode(make: Make) -> None:
    screen = make(10, 6)
    replies = _listen(screen)
    screen.feed(b"\x1b[2;4r\x1b[?6h\x1b[2;3H\x1b[6n")
    _same((screen.cursor.col, screen.cursor.row), (2, 2), "cursor")
    _same(replies, [b"\x1b[2;3R"], "report")
    screen.close()


@_check
def _a_reply_may_feed_the_screen(make: Make) -> None:
    screen = make(10, 4)
    screen.on_reply(lambda _: screen.feed(b"!"))
    screen.feed(b"a\x1b[5n")
    _same(screen.lines()[0], "a!", "first line")
    screen.close()


@_check
def _size_changes(make: Make) -> None:
    screen = _shown(make, b"ab\r\ncd")
    _same(screen.size, (10, 4), "size")
    screen.resize(20, 6)
    _same(screen.size, (20, 6), "size")
    _same(screen.lines(), ["ab", "cd", "", "", "", ""], "lines when larger")
    screen.feed(b"\x1b[99;99Hx")
    _same((screen.cursor.col, screen.cursor.row), (19, 5), "cursor")
    screen.resize(5, 2)
    _same(len(screen.lines()), 2, "number of lines when smaller")
    _same(screen.cursor.row < 2 and screen.cursor.col < 5, True, "cursor within the smaller screen")
    screen.resize(1, 1)
    _same(len(screen.styled()), 1, "number of rows of one cell")
    screen.close()


@_check
def _size_changes_on_the_alternate_screen(make: Make) -> None:
    screen = _shown(make, b"shell\x1b[?1049h\x1b[4;1Hstatus")
    screen.resize(8, 5)
    screen.feed(b"\x1b[2J\x1b[5;1Hbar\x1b[?1049l")
    _same(screen.lines(), ["shell", "", "", "", ""], "lines")
    screen.close()


@_check
def _resize_reflows(make: Make) -> None:
    screen = _shown(make, b"0123456789abcdef\r\n$ ")
    screen.resize(20, 4)
    _same(screen.lines()[:2], ["0123456789abcdef", "$"], "lines when wider")
    screen.resize(8, 4)
    _same(screen.lines()[:3], ["01234567", "89abcdef", "$"], "lines when narrower")
    screen.close()


_SPLIT = (
    "a\x1b[1;38;2;1;2;3mé世\x1b[0m\x1b]2;títle\x1b\\\x1b]8;;x:y\x07l\x1b]8;;\x07\r\n\x1b(0q\x1b(B"
    "\x1b[?2004h\x1b[3;2Hz\x1bMy\x1bP$qm\x1b\\\x1b[>1u\x1b[5 q👨\u200d👩\u200d👧"
).encode()


def _state(screen: Screen) -> object:
    return screen.lines(), screen.styled(), screen.cursor, screen.modes, screen.title, screen.bells


@_check
def _sequences_may_be_cut_at_every_byte(make: Make) -> None:
    whole = _shown(make, _SPLIT)
    for at in range(1, len(_SPLIT)):
        cut = _shown(make, _SPLIT[:at])
        cut.feed(_SPLIT[at:])
        _same(_state(cut), _state(whole), f"screen after a cut at byte {at}")
        cut.close()
    single = make(10, 4)
    for byte in _SPLIT:
        single.feed(bytes([byte]))
    _same(_state(single), _state(whole), "screen after single bytes")
    single.close()
    whole.close()


@_check
def _nothing_is_a_valid_feed(make: Make) -> None:
    screen = _shown(make, b"a")
    screen.feed(b"")
    _same(screen.lines()[0], "a", "first line")
    screen.close()


@_check
def _dump_redraws_the_screen(make: Make) -> None:
    for data in (
        _SPLIT,
        _GRID,
        b"\x1b[?1049h\x1b[44m\x1b[2J\x1b[2;2Hmenu\x1b[7mX\x1b[0m\x1b[?25l\x1b[?1002h\x1b[?1006h\x1b[?1h\x1b=",
        b"0123456789" * 4,
        "123456789世\x1b[4;9H世".encode(),
        b"\x1b[4:3;58:5:9mcurly\x1b[0m \x1b]8;id=a;x:1\x07one\x1b]8;;x:2\x07two\x1b]8;;\x07",
        b"\x1b[2;3r\x1b[?6h\x1b[2;2Hin region",
        b"",
    ):
        screen = _shown(make, data)
        again = _shown(make, screen.dump())
        for what in ("lines", "styled"):
            _same(getattr(again, what)(), getattr(screen, what)(), f"{what} of the dump of {data!r}")
        for what in ("cursor", "modes", "title", "size"):
            _same(getattr(again, what), getattr(screen, what), f"{what} of the dump of {data!r}")
        screen.close()
        again.close()


@_check
def _history_keeps_what_scrolled_off(make: Make) -> None:
    screen = make(10, 3)
    _same(list(screen.history()), [], "history at first")
    screen.feed(b"".join(b"line %d\r\n" % number for number in range(8)))
    _same(screen.lines(), ["line 6", "line 7", ""], "lines")
    _same(list(screen.history()), [f"line {number}" for number in range(6)], "history")
    _same(list(screen.history(2)), ["line 4", "line 5"], "the newest two lines")
    _same(list(screen.history(0)), [], "no lines")
    screen.close()


@_check
def _history_leaves_out_regions_and_the_alternate_screen(make: Make) -> None:
    screen = make(10, 4)
    screen.feed(_GRID + b"\x1b[2;3r\x1b[3;1H\n\n\n\x1b[r\x1b[?1049h" + b"full screen\r\n" * 9 + b"\x1b[?1049l")
    _same(list(screen.history()), [], "history")
    screen.feed(b"\x1b[4;1H\n")
    _same(list(screen.history()), ["aaaa"], "history after the primary screen scrolled")
    screen.close()


@_check
def _history_is_bounded(make: Make) -> None:
    screen = make(10, 3)
    for start in range(0, 20_000, 1000):
        screen.feed(b"".join(b"%d\r\n" % number for number in range(start, start + 1000)))
    kept = list(screen.history(1_000_000))
    if not 500 <= len(kept) <= 10_000:
        raise AssertionError(f"history after 20,000 lines: expected 500 to 10,000 lines, got {len(kept)}")
    _same(kept[-1], "19997", "newest line of the history")
    _same(len(screen.history()), min(1000, len(kept)), "lines by default")
    screen.close()


@_check
def _unfinished_strings_are_bounded(make: Make) -> None:
    for introducer in (b"\x1b]2;", b"\x1b]8;;", b"\x1bP", b"\x1b_G", b"\x1b[", b"\x1b]52;c;"):
        screen = _shown(make, introducer)
        for _ in range(8):
            screen.feed(b"1" * 262_144)
        screen.feed(b"\x18ok")
        _same(screen.lines()[0], "ok", f"first line after an endless {introducer!r}")
        screen.close()


@_check
def _close_twice_is_harmless(make: Make) -> None:
    screen = _shown(make, b"a")
    screen.close()
    screen.close()


CHECKS: Final[tuple[Check, ...]] = tuple(_checks)
"""Every check, in the order of this file."""
