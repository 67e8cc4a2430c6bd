"""Clean text of a program's bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.terminal.cleaning import Cleaner


def clean(data: bytes) -> str:
    return Cleaner().feed(data)[0]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"plain", "plain", id="plain text"),
        pytest.param(b"a\r\nb\r\r\nc", "a\nb\nc", id="line ends become line feeds"),
        pytest.param(b"10%\r20%\r\n", "10%\n20%\n", id="a carriage return begins a new text"),
        pytest.param(b"\x1b[1;31mred\x1b[0m", "red", id="styles"),
        pytest.param(b"\x1b[38:2::1:2:3mrgb\x1b[m", "rgb", id="styles with colons"),
        pytest.param(b"\x1b]0;title\x07x\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "xlink", id="titles and links"),
        pytest.param(b"a\x1b[5Cb", "a     b", id="cursor forward is blanks"),
        pytest.param(b"a\x1b[3;4Hb", "a\nb", id="cursor addressing begins a line"),
        pytest.param(b"\x1b[1G\x1b[0J> \x1b[3G", "> ", id="a column that is reached already adds nothing"),
        pytest.param(b"ab\x1b[6Gc", "ab   c", id="a column further on is blanks"),
        pytest.param(b"\x1bP1;2q####\x1b\\x\x1b_apc\x1b\\y", "xy", id="device and application strings"),
        pytest.param(b"\x1b]0;t\x07\x1b[m\x1b(Bx", "x", id="charsets beside a title"),
        pytest.param(b"\x1b(0\x1b)B\x1b=\x1b>\x1b7\x1b8x", "x", id="charsets and two-byte escapes"),
        pytest.param(b"abc\b\b\bxyz", "xyz", id="overstrike replaces"),
        pytest.param(b"N\bNA\bA", "NA", id="bold by overstrike"),
        pytest.param(b"\x00a\x07b\x0ec\x0f\x7f", "abc", id="control characters"),
        pytest.param(b"caf\xc3\xa9 \xff", "café \ufffd", id="utf-8 and what is none"),
    ],
)
def test_control_sequences_are_removed(data: bytes, text: str) -> None:
    assert clean(data) == text


@pytest.mark.parametrize(
    "data", [b"\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b[?2004l\r\x1b]133;C\x07a\x1b[1mb\xc3\xa9\r\n"]
)
def test_chunks_may_be_cut_anywhere(data: bytes) -> None:
    whole = Cleaner().feed(data)
    for cut in range(len(data) + 1):
        cleaner = Cleaner()
        first, marks = cleaner.feed(data[:cut])
        second, more = cleaner.feed(data[cut:])
        assert first + second == whole[0]
        assert marks + [(len(first) + at, name) for at, name in more] == whole[1]


def test_landmarks_tell_where_they_stand() -> None:
    text, landmarks = Cleaner().feed(
        b"\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x1b\\out\r\n\x1b]133;D;3\x07\x1b[?1049h"
    )
    assert text == "$ ls\nout\n"
    assert landmarks == [(0, "A"), (2, "B"), (5, "C"), (9, "D;3"), (9, "alt+")]


@pytest.mark.parametrize(
    "query",
    [
        b"\x1b[c",
        b"\x1b[>c",
        b"\x1b[6n",
        b"\x1b[?u",
        b"\x1b]11;?\x1b\\",
        b"\x1b]4;1;?\x07",
        b"\x05",
        b"\x1b[18t",
        b"\x1b[?2026$p",
    ],
)
def test_questions_to_the_terminal_are_noticed(query: bytes) -> None:
    cleaner = Cleaner()
    cleaner.feed(b"x" + query)
    assert cleaner.asked
    cleaner.feed(b"plain \x1b[1mtext")
    assert not cleaner.asked


def test_bells_are_counted_but_not_those_that_end_a_title() -> None:
    cleaner = Cleaner()
    cleaner.feed(b"\x07a\x1b]0;t\x07b\x07")
    assert cleaner.bells == 2


def test_an_endless_string_is_skipped_without_being_kept() -> None:
    cleaner = Cleaner()
    cleaner.feed(b"a\x1b]52;c;")
    for _ in range(100):
        assert cleaner.feed(b"A" * 10_000) == ("", [])
    assert len(cleaner._held) < 1 << 17
    assert cleaner.feed(b"A\x07after")[0] == "after"


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes_give_text(chunks: list[bytes]) -> None:
    cleaner = Cleaner()
    for chunk in chunks:
        text, _ = cleaner.feed(chunk)
        assert "\x1b" not in text
        assert "\r" not in text


@given(
    st.lists(
        st.sampled_from([b"\x1b", b"[", b"]", b"133;A", b"\x07", b"m", b"\r", b"\n", b"\b", b"x", b"?2004h", b"\\"])
    )
)
def test_any_sequence_of_fragments_gives_the_same_text_whole_and_in_pieces(fragments: list[bytes]) -> None:
    whole, pieces = Cleaner(), Cleaner()
    together = whole.feed(b"".join(fragments) + b"\x1b\\END")[0]
    apart = "".join(pieces.feed(fragment)[0] for fragment in fragments) + pieces.feed(b"\x1b\\END")[0]
    # A backspace cannot reach back into text that was already handed out.
    if b"\b" not in fragments:
        assert apart == together
