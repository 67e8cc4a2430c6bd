from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.scenario.durations import LONGEST_S, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("5", 5.0),
        (".5", 0.5),
        ("500ms", 0.5),
        ("30s", 30.0),
        ("30 s", 30.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("1m30s", 90.0),
        ("1h 2m 3s 4ms", 3723.004),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", " ", "soon", "-1s", "5x", "30s1m", "1e3", "nan", "inf", "31d", "5 5", "9" * 100])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


def test_more_than_thirty_days_is_refused() -> None:
    assert parse_duration("720h") == LONGEST_S
    with pytest.raises(ValueError, match="longer than 720h"):
        parse_duration("721h")


@given(st.integers(min_value=0, max_value=int(LONGEST_S * 1000)))
def test_what_is_formatted_is_read_back(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)
