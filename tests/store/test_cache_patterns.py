"""Patterns of files, and directories that are read once."""

from __future__ import annotations

import glob
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestro.store.cache.patterns import Tree, is_literal

FILES = (
    "a.c",
    "b.h",
    ".hidden.c",
    "src/a.c",
    "src/deep/er/a.c",
    "src/deep/b.c",
    "src/.git/a.c",
    "src/[x].c",
    "lib/src/a.c",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    os.symlink("src", tmp_path / "linked")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("*.c", "a.c"),
        ("*", "a.c b.h"),
        (".*.c", ".hidden.c"),
        ("./?.[ch]", "a.c b.h"),
        ("src/*.c", "src/a.c src/[x].c"),
        ("src/[[]x].c", "src/[x].c"),
        ("src/[!a].c", ""),
        ("**/a.c", "a.c lib/src/a.c src/a.c src/deep/er/a.c"),
        ("**/src/*", "lib/src/a.c src/[x].c src/a.c"),
        ("src/**", "src/[x].c src/a.c src/deep/b.c src/deep/er/a.c"),
        ("src/**/**/deep/**/*.c", "src/deep/b.c src/deep/er/a.c"),
        ("src/.git/*", "src/.git/a.c"),
        ("src/.*/*", "src/.git/a.c"),
        ("linked/*.c", "linked/[x].c linked/a.c"),
        ("l*/a.c", "linked/a.c"),
        ("src/../*.c", "src/../a.c"),
        ("none/*", ""),
        ("a.c/*", ""),
    ],
)
def test_a_pattern_names(root: Path, pattern: str, files: str) -> None:
    assert sorted(set(Tree().expand(str(root), pattern))) == sorted(files.split())


def test_a_pattern_may_be_absolute(root: Path) -> None:
    assert list(Tree().expand("/", f"{root}/*.h")) == [f"{root}/b.h"]


def test_a_directory_may_be_taken_whole(root: Path) -> None:
    assert set(Tree().below(str(root), "src", hidden=True)) == {name for name in FILES if name.startswith("src/")}


def test_directories_are_read_once(root: Path) -> None:
    tree = Tree()
    for _ in range(3):
        list(tree.expand(str(root), "src/*.c"))
        list(tree.expand(str(root), "src/?.c"))
    assert tree.directories_read == 1


def test_after_a_change_only_changed_directories_are_read_again(root: Path) -> None:
    tree = Tree(clock_ns=lambda: time.time_ns() + 10_000_000_000)
    before = set(tree.expand(str(root), "**/*.c"))
    read = tree.directories_read
    tree.changed()
    assert set(tree.expand(str(root), "**/*.c")) == before
    assert tree.directories_read == read
    state = (root / "src").stat()
    while (root / "src").stat().st_mtime_ns == state.st_mtime_ns:  # until the file system's clock has moved on
        (root / "src/new.c").unlink(missing_ok=True)
        (root / "src/new.c").write_text("new")
    tree.changed()
    assert set(tree.expand(str(root), "**/*.c")) == {*before, "src/new.c"}
    assert tree.directories_read == read + 1


def test_a_directory_that_was_changed_as_it_was_read_is_not_trusted(root: Path) -> None:
    tree = Tree(clock_ns=lambda: (root / "src").stat().st_mtime_ns)
    list(tree.expand(str(root), "src/*.c"))
    tree.changed()
    list(tree.expand(str(root), "src/*.c"))
    assert tree.directories_read == 2


def test_a_name_without_wildcards_is_literal() -> None:
    assert is_literal("src/a.c")
    assert not any(is_literal(pattern) for pattern in ("*", "a?", "src/[ab]"))


PARTS = st.sampled_from(["**", "*", "?", "a", "b", "[ab]", "a*"])


@given(parts=st.lists(PARTS, min_size=1, max_size=5).filter(lambda parts: not is_literal("/".join(parts))))
def test_patterns_mean_what_they_mean_to_python(parts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / "patterns"
    if not root.exists():
        for name in ("a/a", "a/b/a", "b/a/b/a", "b/b/ab", "ab", "aa/b/b"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("")
    pattern = "/".join(parts)
    # Python finds a/b/ below a/**/b/** also where a/b is a file; `os.path` minds the slash, `Path` does not.
    found = glob.glob(pattern, root_dir=root, recursive=True)
    expected = {name for name in found if os.path.isfile(os.path.join(root, name))}
    assert set(Tree().expand(str(root), pattern)) == expected
