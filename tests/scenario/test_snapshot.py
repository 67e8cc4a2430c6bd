"""Snapshots: how a screen is written down, compared, masked, cut and kept."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played import Played, failed, play

from orchestro.model import Outcome
from orchestro.scenario.snapshot import Wanted, differences, draw, obsolete, snapshot_path, write_snapshot
from orchestro.terminal.checks.diff import MAX_DIFF_LINES
from orchestro.terminal.checks.screen import cells
from orchestro.terminal.screen import Screen, open_screen
from orchestro.testing.fake_terminal import FakeTerminal


def screen(data: str = "", cols: int = 20, rows: int = 4) -> Screen:
    drawn = open_screen(cols, rows)
    drawn.feed(data.encode())
    return drawn


def rows_of(text: str) -> list[str]:
    return [line[1:] for line in text.split("\n") if line.startswith("|")]


# -- the text


def test_a_snapshot_reads_like_the_screen() -> None:
    text = draw(screen("File  Edit\r\n\r\n\x1b[1;31mred\x1b[0m \x1b[44m on\x1b[0m"), Wanted(styles=True, cursor=True))
    assert text == (
        "# orchestro snapshot 1\n# size 20x4\n# cursor column 7, row 2\n|File  Edit\n|\n|red  on\n# styles\n"
        "# row 2, columns 0 to 2: fg red, bold\n# row 2, columns 4 to 6: bg blue\n"
    )


def test_only_what_is_asked_for_is_written() -> None:
    drawn = screen("\x1b]2;title\x07\x1b[1mx")
    assert draw(drawn, Wanted()) == "# orchestro snapshot 1\n# size 20x4\n|x\n"
    assert "# title 'title'\n" in draw(drawn, Wanted(title=True))
    assert ", hidden" in draw(screen("\x1b[?25l"), Wanted(cursor=True))


def test_a_mask_takes_as_many_cells_as_what_it_covers() -> None:
    text = draw(screen("at 12:34:56 日本 ok"), Wanted(mask=(re.compile(r"\d\d:\d\d:\d\d"), re.compile("日本"))))
    assert rows_of(text) == ["at ▒▒▒▒▒▒▒▒ ▒▒▒▒ ok"]


def test_a_mask_covers_the_style_of_its_cells() -> None:
    drawn = screen("\x1b[31mab12cd\x1b[0m")
    text = draw(drawn, Wanted(styles=True, mask=(re.compile(r"\d+"),)))
    assert text.endswith("# styles\n# row 0, columns 0 to 1: fg red\n# row 0, columns 4 to 5: fg red\n")


def test_a_region_is_cut_out() -> None:
    drawn = screen("abcdef\r\nghijkl\r\nmnopqr")
    text = draw(drawn, Wanted(row=1, col=2, rows=2, cols=3))
    assert rows_of(text) == ["ijk", "opq"]
    assert "# region rows 1 to 2, columns 2 to 4\n" in text


@pytest.mark.parametrize(("col", "cols", "row"), [(0, 3, "日"), (1, 3, " 本"), (2, 4, "本 x"), (0, 2, "日")])
def test_a_region_cuts_wide_characters_cleanly(col: int, cols: int, row: str) -> None:
    assert rows_of(draw(screen("日本 x"), Wanted(col=col, cols=cols))) == [row]


def test_a_region_keeps_combining_marks_with_their_letter() -> None:
    assert rows_of(draw(screen("ae\u0301i"), Wanted(col=1, cols=1))) == ["e\u0301"]


def test_a_region_outside_the_screen_is_empty() -> None:
    assert rows_of(draw(screen("abc"), Wanted(row=100, col=200, styles=True))) == []


PRINTED = st.text(st.sampled_from("ab1 日✅e\u0301\r\n│"), max_size=60)


@given(PRINTED, st.integers(0, 19), st.integers(1, 20), st.sampled_from([r"\d", "a+", "日", ".", " b"]))
def test_rows_never_get_wider_than_the_region(printed: str, col: int, cols: int, mask: str) -> None:
    drawn = screen(printed)
    for row in rows_of(draw(drawn, Wanted(col=col, cols=cols, mask=(re.compile(mask),), styles=True))):
        assert cells(row) <= min(cols, 20 - col)
        assert row == row.rstrip(" ")


@given(PRINTED)
def test_what_masks_cover_is_gone_and_nothing_else(printed: str) -> None:
    drawn = screen(printed)
    plain, masked = (rows_of(draw(drawn, Wanted(mask=mask))) for mask in ((), (re.compile("[ab]"),)))
    assert not any(set("ab") & set(row) for row in masked)
    assert [re.sub("[ab]", "▒", row) for row in plain] == masked


# -- differences


def test_the_cells_that_differ_are_marked() -> None:
    before, after = (
        draw(screen("same\r\ncolour: red\r\nsame"), Wanted()),
        draw(screen("same\r\ncolour: rod\r\nsame"), Wanted()),
    )
    assert differences(before, after) == (
        "--- stored",
        "+++ screen",
        "@@ row 1 @@",
        " |same",
        "-|colour: red",
        "+|colour: rod",
        "?          ^",
        " |same",
    )


def test_marks_stand_below_wide_characters() -> None:
    lines = differences(draw(screen("日本x"), Wanted()), draw(screen("日本y"), Wanted()))
    assert lines[-1] == "?     ^"


def test_header_and_styles_differ_by_line() -> None:
    before = draw(screen("\x1b[31mab"), Wanted(styles=True, cursor=True))
    after = draw(screen("\x1b[32mab\r"), Wanted(styles=True, cursor=True))
    assert differences(before, after)[2:] == (
        "-# cursor column 2, row 0",
        "+# cursor column 0, row 0",
        "-# row 0, columns 0 to 1: fg red",
        "+# row 0, columns 0 to 1: fg green",
    )


@given(PRINTED, PRINTED)
def test_two_snapshots_differ_exactly_when_lines_are_shown(one: str, other: str) -> None:
    before, after = draw(screen(one), Wanted(cursor=True)), draw(screen(other), Wanted(cursor=True))
    assert (differences(before, after) == ()) == (before == after)


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_file_that_was_spoilt_is_compared_as_well(one: str, other: str) -> None:
    assert len(differences(one, other)) <= MAX_DIFF_LINES + 1


def test_large_screens_are_compared_within_bounds() -> None:
    before, after = ("# size\n" + "\n".join(f"|{mark * 2000}" for _ in range(2000)) for mark in "ab")
    assert len(differences(before, after)) == MAX_DIFF_LINES + 1


# -- files


def test_names_become_readable_file_names(tmp_path: Path) -> None:
    path = snapshot_path(tmp_path, "edit [size=80x24, lang=C]", "main menu")
    assert path == tmp_path / "edit-size=80x24-lang=C" / "main-menu.snap"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".", "", "日本", "a" * 500, "nul\0"])
def test_no_name_leaves_the_directory(tmp_path: Path, name: str) -> None:
    path = snapshot_path(tmp_path, name, name)
    assert path.resolve().is_relative_to(tmp_path)
    assert len(path.name) < 150
    path.parent.mkdir(parents=True)
    path.write_text("")


def test_names_that_look_alike_get_files_of_their_own(tmp_path: Path) -> None:
    names = ["a/b", "a:b", "a?b", "日", "本", "x" * 200, "x" * 201]
    assert len({snapshot_path(tmp_path, "s", name) for name in names}) == len(names)


def test_writers_at_the_same_time_leave_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "s" / "n.snap"
    texts = {f"{n}" * 50_000 for n in range(8)}
    threads = [threading.Thread(target=write_snapshot, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert list(path.parent.iterdir()) == [path]


def test_files_that_nothing_used_are_obsolete(tmp_path: Path) -> None:
    used, unused = tmp_path / "a" / "x.snap", tmp_path / "b" / "y.snap"
    for path in (used, unused, tmp_path / "b" / "readme.md"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert obsolete(tmp_path, {str(used)}) == [unused]


# -- the step

STEP = "- snapshot: {name: menu, styles: true}"


def shot(tmp_path: Path, printed: str, step: str = STEP, **options: object) -> Played:
    return play(step, lambda terminal: terminal.prints(printed.encode()), folder=tmp_path, **options)


def stored(tmp_path: Path) -> Path:
    return tmp_path / "__snapshots__" / "the-scenario" / "menu.snap"


def test_a_missing_snapshot_is_written_and_said(tmp_path: Path) -> None:
    played = shot(tmp_path, "hello")
    assert played.verdict.outcome is Outcome.PASSED
    assert [finding.code for finding in played.verdict.findings] == ["snapshot-written"]
    assert "|hello\n" in stored(tmp_path).read_text()
    assert played.stage.snapshots_used == {str(stored(tmp_path))}


def test_what_is_written_is_a_screen_at_rest(tmp_path: Path) -> None:
    def script(terminal: FakeTerminal) -> None:
        for tenth in range(10):
            terminal.prints(f"{tenth}", after_s=tenth / 10)

    assert play(STEP, script, folder=tmp_path).verdict.outcome is Outcome.PASSED
    assert "|0123456789\n" in stored(tmp_path).read_text()


def test_the_same_screen_passes_and_writes_nothing(tmp_path: Path) -> None:
    shot(tmp_path, "hello")
    before = stored(tmp_path).stat()
    played = shot(tmp_path, "hello", ci=True)
    assert (played.verdict.outcome, played.verdict.findings) == (Outcome.PASSED, ())
    assert stored(tmp_path).stat().st_mtime_ns == before.st_mtime_ns


def test_the_screen_may_take_its_time(tmp_path: Path) -> None:
    shot(tmp_path, "hello")
    played = play(STEP, lambda terminal: terminal.prints("hello", after_s=2), folder=tmp_path)
    assert played.verdict.outcome is Outcome.PASSED
    assert played.terminal.now == pytest.approx(2)


def test_another_screen_fails_with_the_cells(tmp_path: Path) -> None:
    shot(tmp_path, "hello")
    played = shot(tmp_path, "hallo")
    assert played.verdict.outcome is Outcome.FAILED
    assert played.failure.diff[-3:] == ("-|hello", "+|hallo", "?  ^")
    assert "--snapshot update" in played.failure.hint
    assert "|hallo\n" in played.artifacts["snapshot:menu.actual.snap"].decode()
    assert "|hello\n" in stored(tmp_path).read_text()


def test_another_style_fails(tmp_path: Path) -> None:
    shot(tmp_path, "\x1b[31mhello")
    assert shot(tmp_path, "\x1b[32mhello").failure.diff[-1] == "+# row 0, columns 0 to 4: fg green"
    assert shot(tmp_path, "\x1b[31mhello").verdict.outcome is Outcome.PASSED


def test_a_missing_one_fails_in_ci_unless_recording(tmp_path: Path) -> None:
    played = shot(tmp_path, "hello", ci=True)
    assert "there is no snapshot" in played.failure.message
    assert not stored(tmp_path).exists()
    assert shot(tmp_path, "hello", ci=True, snapshot_mode="record").verdict.outcome is Outcome.PASSED
    assert stored(tmp_path).exists()


def test_recording_writes_only_what_is_missing(tmp_path: Path) -> None:
    shot(tmp_path, "hello")
    assert shot(tmp_path, "hallo", snapshot_mode="record").verdict.outcome is Outcome.FAILED
    assert "|hello\n" in stored(tmp_path).read_text()


def test_updating_writes_what_differs(tmp_path: Path) -> None:
    shot(tmp_path, "hello")
    assert shot(tmp_path, "hello", snapshot_mode="update").verdict.findings == ()
    played = shot(tmp_path, "hallo", snapshot_mode="update")
    assert [finding.code for finding in played.verdict.findings] == ["snapshot-written"]
    assert "|hallo\n" in stored(tmp_path).read_text()


def test_line_ends_of_a_checkout_on_windows_do_not_matter(tmp_path: Path) -> None:
    shot(tmp_path, "a\r\nb")
    stored(tmp_path).write_bytes(stored(tmp_path).read_bytes().rstrip().replace(b"\n", b"\r\n"))
    assert shot(tmp_path, "a\r\nb").verdict.outcome is Outcome.PASSED


def test_it_may_stand_beside_what_it_shows(tmp_path: Path) -> None:
    def script(terminal: FakeTerminal) -> None:
        terminal.on_input = lambda t, _: t.prints("menu", after_s=1)

    step = "- press: m\n  see: menu\n  snapshot: menu\n"
    assert play(step, script, folder=tmp_path).verdict.outcome is Outcome.PASSED
    assert "|menu\n" in stored(tmp_path).read_text()


def test_masks_and_regions_of_the_step(tmp_path: Path) -> None:
    step = "- snapshot: {name: menu, mask: ['\\d+'], region: {row: 1, rows: 1}}"
    shot(tmp_path, "x\r\ntime 12", step)
    assert shot(tmp_path, "y\r\ntime 34", step).verdict.outcome is Outcome.PASSED
    assert shot(tmp_path, "y\r\nTime 34", step).verdict.outcome is Outcome.FAILED


def test_a_stored_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    stored(tmp_path).parent.mkdir(parents=True)
    stored(tmp_path).write_bytes(b"\xff\xfe")
    assert "cannot be read" in failed(STEP, folder=tmp_path).message


def test_a_directory_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "__snapshots__").write_text("a file")
    assert "cannot be" in failed(STEP, folder=tmp_path).message
