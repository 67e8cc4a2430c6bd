from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.observe.columns import clean, clip, pad, width, wrap

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("plain", 5),
        ("wörld", 5),
        ("日本", 4),
        ("e\u0301", 1),
        ("👍🏽", 2),
        ("👩‍👩‍👧", 2),
        ("🇩🇪", 2),
        ("🇩🇪🇫🇷", 4),
        ("❤\ufe0f", 2),
        ("\u0301", 0),
    ],
)
def test_width_counts_the_columns_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


@given(ANY)
def test_clean_leaves_no_control_character_and_can_be_encoded(text: str) -> None:
    cleaned = clean(text)
    assert all(char.isprintable() or ord(char) >= 0xA0 for char in cleaned)
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


def test_clean_writes_controls_out() -> None:
    assert clean("a\x1b[1m\n\t\x9b\u202e\udc80") == "a\\x1b[1m\\n\\t\\x9b\\u202e\\udc80"


@given(ANY, st.integers(-1, 70))
def test_clip_never_takes_more_than_its_columns(text: str, columns: int) -> None:
    clipped = clip(text, columns)
    assert width(clipped) <= max(columns, 0)
    if width(text) <= columns:
        assert clipped == text


def test_clip_does_not_halve_a_wide_character() -> None:
    assert clip("日本語", 4) == "日…"
    assert clip("日本語", 5) == "日本…"


@given(ANY, st.integers(2, 70))
def test_wrap_keeps_every_word_and_its_columns(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_wrap_breaks_at_blanks_and_keeps_numbers_with_their_units() -> None:
    assert wrap("passed at attempt 2, 0.70 s", 25) == ["passed at attempt 2,", "0.70 s"]
    assert wrap("a" * 10, 4) == ["aaaa", "aaaa", "aa"]
    assert wrap("as it is", None) == ["as it is"]


def test_pad_fills_to_the_column_and_never_cuts() -> None:
    assert pad("日", 4) == "日  "
    assert pad("long", 2) == "long"
