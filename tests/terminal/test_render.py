"""Pictures of screens."""

from __future__ import annotations

import struct
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.terminal.render import screen_png, screen_svg
from orchestro.terminal.render.boxes import shape
from orchestro.terminal.render.palette import css
from orchestro.terminal.render.svg import CELL
from orchestro.terminal.screen import PLAIN, Cursor, Style, StyledRun

SVG = "{http://www.w3.org/2000/svg}"


def run(text: str, style: Style = PLAIN, width: int | None = None) -> StyledRun:
    return StyledRun(text, style, len(text) if width is None else width)


def drawn(*runs: StyledRun, cursor: Cursor | None = None) -> ET.Element:
    return ET.fromstring(screen_svg([list(runs)], 20, cursor))


def test_text_stands_in_its_cells() -> None:
    texts = list(drawn(run("漢字", width=4), run("ab")).iter(f"{SVG}text"))
    assert [t.text for t in texts] == ["漢", "字", "ab"]
    assert [round(float(t.get("x", "")) / CELL[0]) for t in texts] == [0, 2, 4]
    assert round(float(texts[2].get("textLength", "")) / CELL[0]) == 2


@pytest.mark.parametrize(
    ("style", "mark"),
    [
        (Style(bold=True), 'font-weight="bold"'),
        (Style(italic=True), 'font-style="italic"'),
        (Style(faint=True), 'opacity="0.6"'),
        (Style(underline=1), "<path"),
        (Style(underline=3), "q1.5"),
        (Style(underline=5), "stroke-dasharray"),
        (Style(strikethrough=True), "<path"),
        (Style(overline=True), "<path"),
        (Style(fg=1), css(1)),
        (Style(bg=(1, 2, 3)), "#010203"),
        (Style(fg=208), "#ff8700"),
    ],
)
def test_every_attribute_is_drawn(style: Style, mark: str) -> None:
    plain, styled = screen_svg([[run("x")]], 5, None), screen_svg([[run("x", style)]], 5, None)
    assert mark in styled
    assert mark not in plain


def test_reverse_swaps_and_invisible_hides() -> None:
    reverse = screen_svg([[run("x", Style(fg=1, bg=2, reverse=True))]], 5, None)
    assert f'fill="{css(2)}" textLength' in reverse
    assert "<text" not in screen_svg([[run("x", Style(invisible=True))]], 5, None)


def test_boxes_join_and_blocks_are_shapes() -> None:
    assert "<text" not in screen_svg([[run("┌─┐█▄░")]], 10, None)
    lines = [shape("│"), shape("├"), shape("└")]
    assert all(part is not None for part in lines)
    assert shape("x") is None


@pytest.mark.parametrize("shape_name", ["block", "bar", "underline"])
def test_the_cursor_is_drawn_unless_hidden(shape_name: str) -> None:
    assert 'fill-opacity="0.6"' in screen_svg([[]], 5, Cursor(1, 0, True, shape_name))
    assert "fill-opacity" not in screen_svg([[]], 5, Cursor(1, 0, False))
    assert "fill-opacity" not in screen_svg([[]], 5, Cursor(9, 0))


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_text_gives_valid_xml_and_the_same_bytes(text: str, title: str) -> None:
    rows = [[run(text, Style(fg=3, underline=2))]]
    svg = screen_svg(rows, 40, None, title=title)
    ET.fromstring(svg)
    assert svg == screen_svg(rows, 40, None, title=title)


def test_the_picture_has_the_size_of_the_drawing_and_shows_something() -> None:
    svg = screen_svg([[run("hello", Style(fg=2))]] * 3, 20, None)
    png = screen_png(svg)
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    root = ET.fromstring(svg)
    assert abs(width - 2 * float(root.get("width", ""))) <= 2
    assert abs(height - 2 * float(root.get("height", ""))) <= 2
    assert len(png) > len(screen_png(screen_svg([[]] * 3, 20, None)))
