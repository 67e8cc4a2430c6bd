"""Results that are kept and given back, evicted, damaged, and shared."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestro.store.cache.cache import CacheStats, ResultCache
from orchestro.store.cache.index import DATABASE, ENTRY_BYTES, CacheUnusable


class Clock:
    """Unix seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def cache(tmp_path: Path, clock: Clock) -> Iterator[ResultCache]:
    made = ResultCache(str(tmp_path / "cache"), clock=clock)
    yield made
    made.close()


def blobs(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache/blobs").rglob("*") if path.is_file()]


def test_outputs_are_put_back_as_they_were(cache: ResultCache, root: Path) -> None:
    (root / "bin").mkdir()
    (root / "bin/tool").write_bytes(b"#!\0")
    (root / "bin/tool").chmod(0o755)
    (root / "large").write_bytes(os.urandom(3 << 20))
    (root / "dist/.deep").mkdir(parents=True)
    (root / "dist/.deep/file").write_text("")
    large = (root / "large").read_bytes()
    stored = cache.put("k", str(root), ("bin/*", "large", "dist"), "it says", 2.5)
    assert [output.path for output in stored.outputs] == ["bin/tool", "dist/.deep/file", "large"]
    assert stored.missing == ()
    for name in ("bin/tool", "large", "dist/.deep/file"):
        (root / name).unlink()
    (root / "dist/.deep").rmdir()
    entry = cache.get("k")
    assert entry is not None
    assert cache.in_place([(entry, str(root))]) == set()
    assert cache.restore(entry, str(root))
    assert (root / "bin/tool").read_bytes() == b"#!\0"
    assert stat.S_IMODE((root / "bin/tool").stat().st_mode) == 0o755
    assert (root / "large").read_bytes() == large
    assert (root / "dist/.deep/file").exists()
    assert cache.in_place([(entry, str(root))]) == {"k"}
    assert (entry.duration_s, entry.created_at, cache.text(entry)) == (2.5, 1_000_000.0, "it says")
    assert not list(root.rglob(".orchestro*"))


def test_files_that_are_in_place_are_left_alone_and_others_replaced(cache: ResultCache, root: Path) -> None:
    for name in "abc":
        (root / name).write_text(name)
    cache.put("k", str(root), ("a", "b", "c"), "", 1.0)
    before = (root / "a").stat()
    (root / "b").write_text("changed")
    (root / "c").chmod(0o755)
    entry = cache.get("k")
    assert entry is not None
    assert cache.restore(entry, str(root))
    assert (root / "a").stat() == before
    assert (root / "b").read_text() == "b"
    assert not os.access(root / "c", os.X_OK)


def test_changing_an_output_in_place_does_not_change_what_is_kept(cache: ResultCache, root: Path) -> None:
    (root / "a").write_text("one")
    cache.put("k", str(root), ("a",), "", 1.0)
    entry = cache.get("k")
    assert entry is not None
    for _ in range(2):
        with (root / "a").open("r+") as file:
            file.write("two")
        assert cache.restore(entry, str(root))
        assert (root / "a").read_text() == "one"


@pytest.mark.parametrize("size", [10, 3 << 20])
@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_a_damaged_file_makes_it_a_miss_once(
    cache: ResultCache, root: Path, tmp_path: Path, damage: str, size: int
) -> None:
    (root / "a").write_bytes(b"x" * size)
    cache.put("k", str(root), ("a",), "", 1.0)
    (blob,) = blobs(tmp_path)
    blob.chmod(0o644)
    if damage == "gone":
        blob.unlink()
    else:
        blob.write_bytes(b"y" * size if damage == "changed" else b"x" * (size - 1))
    (root / "a").unlink()
    entry = cache.get("k")
    assert entry is not None
    assert not cache.restore(entry, str(root))
    assert not (root / "a").exists()
    assert cache.get("k") is None
    (root / "a").write_bytes(b"x" * size)
    cache.put("k", str(root), ("a",), "", 1.0)
    (root / "a").unlink()
    entry = cache.get("k")
    assert entry is not None
    assert cache.restore(entry, str(root))


def test_equal_contents_are_kept_once(cache: ResultCache, root: Path, tmp_path: Path) -> None:
    for name in "abc":
        (root / name).write_text("same")
        cache.put(name, str(root), (name,), "", 1.0)
    assert len(blobs(tmp_path)) == 1
    assert cache.stats().bytes == 3 * ENTRY_BYTES + 4


def test_outputs_that_were_not_made_are_told(cache: ResultCache, root: Path) -> None:
    stored = cache.put("k", str(root), ("a", "b/*"), "", 1.0)
    assert stored.outputs == ()
    assert stored.missing == ("a",)
    assert cache.get("k") is not None


def test_what_is_no_file_is_refused(cache: ResultCache, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        cache.put("k", str(root), ("pipe",), "", 1.0)
    assert cache.get("k") is None


def test_a_name_that_is_no_text_is_kept(cache: ResultCache, root: Path) -> None:
    name = os.fsdecode(b"\xff\xfe")
    (root / name).write_text("x")
    cache.put("k", str(root), ("*",), "\ud800", 1.0)
    (root / name).unlink()
    entry = cache.get("k")
    assert entry is not None
    assert cache.restore(entry, str(root))
    assert (root / name).read_text() == "x"
    assert cache.text(entry) == "?"


def test_a_later_result_takes_the_place_of_an_earlier_one(cache: ResultCache, root: Path) -> None:
    for content in ("one", "two"):
        (root / "a").write_text(content)
        cache.put("k", str(root), ("a",), content, 1.0)
    entry = cache.get("k")
    assert entry is not None
    assert cache.text(entry) == "two"
    assert cache.stats().entries == 1
    assert cache.gc().files == 1


def test_many_keys_are_found_at_once(cache: ResultCache, root: Path) -> None:
    for number in range(1000):
        cache.put(str(number), str(root), (), "", 1.0)
    for wanted in (3, 950, 5000):
        keys = [str(number) for number in range(wanted)]
        assert set(cache.get_many(keys)) == {key for key in keys if int(key) < 1000}


def test_a_result_expires(tmp_path: Path, root: Path, clock: Clock) -> None:
    cache = ResultCache(str(tmp_path / "cache"), ttl_s=100.0, clock=clock)
    cache.put("k", str(root), (), "", 1.0)
    clock.now += 100.0
    assert cache.get("k") is not None
    clock.now += 0.5
    assert cache.get("k") is None
    assert cache.gc().entries == 1
    cache.close()


def test_without_a_limit_nothing_expires(tmp_path: Path, root: Path, clock: Clock) -> None:
    cache = ResultCache(str(tmp_path / "cache"), ttl_s=None, clock=clock)
    cache.put("k", str(root), (), "", 1.0)
    clock.now += 1e9
    assert cache.get("k") is not None
    cache.close()


def test_the_least_recently_used_go_first(tmp_path: Path, root: Path, clock: Clock) -> None:
    cache = ResultCache(str(tmp_path / "cache"), clock=clock)
    for name in "abcd":
        clock.now += 1
        (root / name).write_text(name * 1000)
        cache.put(name, str(root), (name,), "", 1.0)
    found = cache.get_many(list("abcd"))
    cache.touch([found["c"], found["a"]])
    clock.now += 1
    cache.close()
    cache = ResultCache(str(tmp_path / "cache"), clock=clock)
    one = 1000 + ENTRY_BYTES
    assert cache.gc(max_bytes=3 * one).entries == 1
    assert set(cache.get_many(list("abcd"))) == {"a", "c", "d"}
    assert cache.gc(max_bytes=2 * one).entries == 1
    assert set(cache.get_many(list("abcd"))) == {"a", "c"}
    assert cache.gc(max_bytes=2 * one - 1).entries == 1
    assert set(cache.get_many(list("abcd"))) == {"a"}
    assert len(blobs(tmp_path)) == 1
    cache.close()


def test_what_was_long_not_used_can_be_removed(cache: ResultCache, root: Path, clock: Clock) -> None:
    cache.put("old", str(root), (), "", 1.0)
    clock.now += 100.0
    cache.put("new", str(root), (), "", 1.0)
    assert cache.gc(unused_s=50.0).entries == 1
    assert set(cache.get_many(["old", "new"])) == {"new"}


def test_a_run_that_adds_too_much_keeps_to_the_limit(tmp_path: Path, root: Path, clock: Clock) -> None:
    cache = ResultCache(str(tmp_path / "cache"), max_bytes=3000, clock=clock)
    for name in "abcd":
        clock.now += 1
        (root / name).write_text(name * 1000)
        cache.put(name, str(root), (name,), "", 1.0)
    cache.close()
    cache = ResultCache(str(tmp_path / "cache"), clock=clock)
    assert set(cache.get_many(list("abcd"))) == {"d"}
    assert len(blobs(tmp_path)) == 1
    cache.close()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["put", "use", "gc"])), max_size=25))
def test_what_is_kept_is_what_a_model_keeps(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    """Against an ordered dict: the least recently used goes first, by bytes, and shared contents count once."""
    path = tmp_path_factory.mktemp("model")
    clock = Clock()
    cache = ResultCache(str(path / "cache"), clock=clock)
    used: list[str] = []  # the longest unused first

    def content(name: str) -> str:
        return "shared" * 100 if name in "abc" else name * 600

    def total(names: list[str]) -> int:
        return len(names) * ENTRY_BYTES + sum(map(len, {content(name) for name in names}))

    for name, step in steps:
        clock.now += 1
        found = cache.get(name)
        assert (found is not None) == (name in used)
        if step == "put":
            (path / name).write_text(content(name))
            cache.put(name, str(path), (name,), "", 1.0)
            used = [*(other for other in used if other != name), name]
        elif step == "use" and found is not None:
            cache.touch([found])
            cache.close()
            cache = ResultCache(str(path / "cache"), clock=clock)
            used = [*(other for other in used if other != name), name]
        elif step == "gc":
            cache.gc(max_bytes=2500)
            while total(used) > 2500:
                used.pop(0)
        assert cache.stats().bytes == total(used)
    cache.gc()
    assert len(blobs(path)) == len({content(name) for name in used})
    cache.close()


def test_hits_and_misses_are_counted_over_runs(tmp_path: Path, root: Path, clock: Clock) -> None:
    for _ in range(2):
        cache = ResultCache(str(tmp_path / "cache"), clock=clock)
        cache.put("k", str(root), (), "", 1.0)
        entry = cache.get("k")
        assert entry is not None
        cache.touch([entry])
        cache.miss(3)
        cache.close()
    cache = ResultCache(str(tmp_path / "cache"), clock=clock)
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.hit_rate, stats.oldest_at) == (2, 6, 0.25, 1_000_000.0)
    cache.clear()
    assert cache.stats() == CacheStats(0, 0, stats.max_bytes, 0, 0, None)
    assert cache.stats().hit_rate is None
    cache.close()


def test_a_file_that_is_no_database_is_begun_anew(tmp_path: Path, root: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / DATABASE).write_text("no database" * 1000)
    cache = ResultCache(str(tmp_path / "cache"))
    cache.put("k", str(root), (), "", 1.0)
    assert cache.get("k") is not None
    cache.close()


def test_a_database_of_another_version_is_begun_anew(tmp_path: Path, root: Path) -> None:
    import sqlite3

    cache = ResultCache(str(tmp_path / "cache"))
    cache.put("k", str(root), (), "", 1.0)
    cache.close()
    db = sqlite3.connect(tmp_path / "cache" / DATABASE)
    db.execute("PRAGMA user_version=99")
    db.close()
    cache = ResultCache(str(tmp_path / "cache"))
    assert cache.get("k") is None
    cache.close()


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(CacheUnusable, match="result cache in"):
        ResultCache(str(tmp_path / "cache"))


def test_an_output_that_cannot_be_written_is_said(cache: ResultCache, root: Path) -> None:
    (root / "a").write_text("x")
    cache.put("k", str(root), ("a",), "", 1.0)
    (root / "a").unlink()
    (root / "a").mkdir()
    entry = cache.get("k")
    assert entry is not None
    with pytest.raises(OSError, match="a"):
        cache.restore(entry, str(root))
    assert not list(root.glob(".orchestro*"))
