"""Digests of files, remembered by what `stat` says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from orchestro.store.cache.files import DIRECTORY, FileDigests, content_digest


def later() -> int:
    """A clock by which every file that a test has just written is old enough to be trusted."""
    return time.time_ns() + 10_000_000_000


def made(tmp_path: Path) -> FileDigests:
    return FileDigests(str(tmp_path / "state" / "digests"), clock_ns=later)


def test_a_digest_is_that_of_the_content(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"abc")
    large.write_bytes(bytes(range(256)) * 8192 * 5)
    found = made(tmp_path).digest_many([str(small), str(large), str(tmp_path / "none"), str(small / "x")])
    assert found == {
        str(small): content_digest(b"abc"),
        str(large): content_digest(large.read_bytes()),
        str(tmp_path / "none"): None,
        str(small / "x"): None,
    }


def test_an_unchanged_file_is_not_read_again_in_this_run_or_the_next(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    digests = made(tmp_path)
    digest = digests.digest_many([str(file)])
    assert digests.digest_many([str(file)]) == digest
    assert digests.files_read == 1
    digests.save()
    again = made(tmp_path)
    assert again.digest_many([str(file)]) == digest
    assert again.files_read == 0


@pytest.mark.parametrize("change", ["content", "same size and time", "replaced", "mode"])
def test_a_changed_file_is_read_again(tmp_path: Path, change: str) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    state = file.stat()
    digests = made(tmp_path)
    digests.content(str(file))
    if change == "content":
        file.write_text("longer")
    elif change == "same size and time":
        while file.stat().st_ctime_ns == state.st_ctime_ns:  # until the file system's clock has moved on
            file.write_text("two")
            os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    elif change == "replaced":
        (tmp_path / "b").write_text("two")
        os.replace(tmp_path / "b", file)
    else:
        file.chmod(0o755)
    content = digests.content(str(file))
    assert content is not None
    assert content[5] == content_digest(file.read_bytes())
    assert content[4] == file.stat().st_mode
    assert digests.files_read == 2


def test_a_file_that_was_changed_as_it_was_read_is_not_trusted(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    digests = FileDigests(str(tmp_path / "digests"), clock_ns=lambda: file.stat().st_mtime_ns)
    digests.content(str(file))
    digests.content(str(file))
    assert digests.files_read == 2
    digests.save()
    again = FileDigests(str(tmp_path / "digests"), clock_ns=later)
    again.content(str(file))
    again.content(str(file))
    assert again.files_read == 1


@pytest.mark.parametrize("damage", ["empty", "torn", "flipped", "other format", "no file"])
def test_a_damaged_memo_is_dropped(tmp_path: Path, damage: str) -> None:
    file, memo = tmp_path / "a", tmp_path / "state" / "digests"
    file.write_text("one")
    digests = made(tmp_path)
    digests.content(str(file))
    digests.save()
    data = bytearray(memo.read_bytes())
    if damage == "empty":
        data.clear()
    elif damage == "torn":
        del data[-5:]
    elif damage == "flipped":
        data[-5] ^= 1
    elif damage == "other format":
        data[0] ^= 1
    memo.write_bytes(data)
    if damage == "no file":
        memo.unlink()
    again = made(tmp_path)
    assert again.digest_many([str(file)]) == {str(file): content_digest(b"one")}
    assert again.files_read == 1


def test_nothing_is_written_when_nothing_is_new(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    digests = made(tmp_path)
    digests.content(str(file))
    digests.save()
    memo = tmp_path / "state" / "digests"
    memo.unlink()
    digests.content(str(file))
    digests.save()
    assert not memo.exists()


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    digests = made(tmp_path)
    found = digests.digest_many([str(tmp_path), str(tmp_path / "pipe")])
    assert found[str(tmp_path)] == DIRECTORY
    assert found[str(tmp_path / "pipe")] not in (None, DIRECTORY)
    assert digests.files_read == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_never_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    file.chmod(0)
    digests = made(tmp_path)
    assert digests.digest_many([str(file)]) != digests.digest_many([str(file)])


def test_a_path_that_leads_in_circles_is_never_the_same(tmp_path: Path) -> None:
    os.symlink("loop", tmp_path / "loop")
    digests = made(tmp_path)
    assert digests.digest_many([str(tmp_path / "loop")]) != digests.digest_many([str(tmp_path / "loop")])


def test_the_memo_is_bounded_and_forgets_first_what_was_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestro.store.cache.files._MOST_KEPT", 2)
    for name in "abcd":
        (tmp_path / name).write_text(name)
    digests = made(tmp_path)
    digests.content_many([str(tmp_path / "a"), str(tmp_path / "b")])
    digests.save()
    digests = made(tmp_path)
    digests.content_many([str(tmp_path / "b"), str(tmp_path / "c")])
    digests.save()
    digests = made(tmp_path)
    digests.content_many([str(tmp_path / name) for name in "abc"])
    assert digests.files_read == 1
