"""Any bytes, cut anywhere, give the same screen and no exception, on every back end."""

from __future__ import annotations

import importlib.util
import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestro.terminal.screen import BACKENDS, Screen, open_screen

HERE = [name for name in BACKENDS if name != "ghostty" or importlib.util.find_spec("pyghostty")]

sequences = st.builds(
    lambda prefix, numbers, middle, final: b"\x1b[" + prefix + b";".join(numbers) + middle + final,
    st.sampled_from([b"", b"", b"", b"?", b">", b"=", b"<"]),
    st.lists(
        st.integers(0, 12).map(lambda n: b"%d" % n) | st.sampled_from([b"", b"1049", b"4:3", b"99999"]), max_size=4
    ),
    st.sampled_from([b"", b"", b"", b" ", b"$", b"!"]),
    st.integers(0x40, 0x7E).map(lambda code: bytes([code])),
)
pieces = st.one_of(
    st.binary(max_size=6),
    sequences,
    sequences,
    st.text(alphabet="ab \u4e16e\u0301\U0001f468\u200d\ufe0f\u00ad\u0600", max_size=6).map(str.encode),
    st.sampled_from(
        [b"\x1b7", b"\x1b8", b"\x1bM", b"\x1bD", b"\x1bc", b"\x1b(0", b"\x0e", b"\x0f", b"\r\n", b"\t", b"\b"]
    ),
    st.sampled_from(
        [b"\x1b]2;t\x07", b"\x1b]8;;x:y\x1b\\", b"\x1b]11;?\x07", b"\x1bP$qm\x1b\\", b"\x1b_x", b"\x18", b"\x1a"]
    ),
)
streams = st.lists(pieces, max_size=25).map(b"".join)
sizes = st.tuples(st.integers(1, 12), st.integers(1, 6))


def state(screen: Screen) -> object:
    cols, rows = screen.size
    lines = screen.lines()
    assert len(lines) == rows
    assert all(line == line.rstrip(" ") and "\n" not in line for line in lines)
    styled = screen.styled()
    assert len(styled) == rows
    assert all(sum(run.width for run in runs) <= cols for runs in styled)
    assert ["".join(run.text for run in runs).rstrip(" ") for runs in styled] == lines
    cursor = screen.cursor
    assert 0 <= cursor.col < cols
    assert 0 <= cursor.row < rows
    cells = [[screen.cell(col, row) for col in range(cols)] for row in range(rows)]
    assert ["".join(cell.text for cell in row).rstrip(" ") for row in cells] == lines
    return lines, styled, cursor, screen.modes, screen.title, screen.bells, list(screen.history()), screen.dump()


@pytest.mark.parametrize("backend", HERE)
@settings(max_examples=120, deadline=None)
@given(data=streams, cuts=st.lists(st.integers(0, 200), max_size=6), size=sizes)
@example(data=b"\xe4\xb8", cuts=[1], size=(2, 1))
@example(data=b"\x1b[4:9999999999999999999999m\x1b[38;5m\x1b[48:2:1mx", cuts=[], size=(3, 1))
def test_any_bytes_in_any_split_give_the_same_screen(
    backend: str, data: bytes, cuts: list[int], size: tuple[int, int]
) -> None:
    whole, cut = open_screen(*size, backend=backend), open_screen(*size, backend=backend)
    told: list[list[bytes]] = [[], []]
    whole.on_reply(told[0].append)
    cut.on_reply(told[1].append)
    whole.feed(data)
    edges = [0, *sorted(min(at, len(data)) for at in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        cut.feed(data[start:end])
    assert state(whole) == state(cut)
    assert b"".join(told[0]) == b"".join(told[1])
    whole.close()
    cut.close()


@pytest.mark.parametrize("backend", HERE)
@settings(max_examples=80, deadline=None)
@given(before=streams, after=streams, size=sizes, new=sizes)
def test_any_resize_amid_any_bytes_keeps_the_screen_whole(
    backend: str, before: bytes, after: bytes, size: tuple[int, int], new: tuple[int, int]
) -> None:
    screen = open_screen(*size, backend=backend)
    screen.feed(before)
    screen.resize(*new)
    state(screen)
    screen.feed(after)
    assert screen.size == new
    state(screen)
    screen.close()


@pytest.mark.parametrize("backend", HERE)
@settings(max_examples=100, deadline=None)
@given(data=streams, size=sizes)
def test_a_dump_of_any_screen_draws_it_again(backend: str, data: bytes, size: tuple[int, int]) -> None:
    screen, again = open_screen(*size, backend=backend), open_screen(*size, backend=backend)
    # Not the joiner: cells that were drawn apart would be drawn as one cluster, side by side. Nor line drawing, which
    # turns wide characters into wide blanks that no byte draws.
    screen.feed(data.replace("\u200d".encode(), b"").replace(b"\x1b(0", b""))
    again.feed(screen.dump())
    assert (again.lines(), again.styled()) == (screen.lines(), screen.styled())
    assert (again.cursor, again.modes, again.title) == (screen.cursor, screen.modes, screen.title)
    screen.close()
    again.close()
