"""Which files patterns such as ``src/**/*.py`` name, with each directory read once for all tasks."""

from __future__ import annotations

import fnmatch
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Tree", "is_literal"]

_WILD = re.compile(r"[*?\[]")
_RACY_NS = 2_000_000_000
"""A directory that was changed this short before it was read may have changed since and still bear the same time."""


class _Listing(NamedTuple):
    turn: int
    """In which the listing was known to be right."""
    state: tuple[int, int, int] | None
    """mtime, ctime, inode of the directory; None when it had just been changed, or is not there."""
    files: tuple[str, ...]
    folders: tuple[str, ...]
    linked: tuple[str, ...]
    """Symbolic links to directories: ``**`` does not follow them, as they may lead in circles."""


class Tree:
    """What directories hold, remembered.

    After `changed` a directory is looked at again when it is next asked for: one `stat`, and read only when that says
    that it changed. Its size is bounded by the directories that patterns reach.
    """

    def __init__(self, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._turn = 0
        self._listings: dict[str, _Listing] = {}
        self.directories_read = 0
        """How many directories had to be read since it was made."""

    def changed(self) -> None:
        """Tell that files may have been made or removed."""
        self._turn += 1

    def expand(self, root: str, pattern: str) -> Iterator[str]:
        """Files that a pattern with wildcards names, relative to `root`, in no order, some perhaps twice.

        ``*``, ``?`` and ``[...]`` stand for parts of a name, ``**`` for any directories, none included; a last ``**``
        for all files below. Hidden names must be named: neither ``*`` nor ``**`` stands for a dot in front.
        """
        parts: list[str] = []
        for part in pattern.split("/"):
            if part not in ("", ".") and not part == "**" == (parts[-1] if parts else ""):
                parts.append(part)
        yield from self._walk(root, "/" if pattern.startswith("/") else "", tuple(parts))

    def below(self, root: str, folder: str, *, hidden: bool) -> Iterator[str]:
        """All files below a directory, relative to `root`; the hidden ones only when they are wanted."""
        pending = [folder]
        while pending:
            prefix = pending.pop()
            listing = self._listing(os.path.join(root, prefix))
            front = _front(prefix)
            for name in listing.files:
                if hidden or name[0] != ".":
                    yield front + name
            pending += [front + name for name in listing.folders if hidden or name[0] != "."]

    def _walk(self, root: str, prefix: str, parts: tuple[str, ...]) -> Iterator[str]:
        pending = [(prefix, parts)]
        seen: set[tuple[str, tuple[str, ...]]] = set()  # with several ``**`` there are many ways to one place
        while pending:
            if pending[-1] in seen:
                pending.pop()
                continue
            prefix, parts = pending.pop()
            seen.add((prefix, parts))
            literal = 0
            while literal < len(parts) - 1 and is_literal(parts[literal]):
                literal += 1
            prefix = _front(prefix) + "/".join(parts[:literal]) if literal else prefix
            part, rest = parts[literal], parts[literal + 1 :]
            front = _front(prefix)
            listing = self._listing(os.path.join(root, prefix))
            if part == "**":
                if not rest:
                    yield from self.below(root, prefix, hidden=False)
                    continue
                pending.append((prefix, rest))
                pending += [(front + name, parts[literal:]) for name in listing.folders if name[0] != "."]
                continue
            matches = _matcher(part)
            if not rest:
                for name in listing.files:
                    if matches(name):
                        yield front + name
                continue
            pending += [(front + name, rest) for name in (*listing.folders, *listing.linked) if matches(name)]

    def _listing(self, path: str) -> _Listing:
        listing = self._listings.get(path)
        if listing is not None:
            if listing.turn == self._turn:
                return listing
            if listing.state is not None and listing.state == _state(path):
                listing = self._listings[path] = listing._replace(turn=self._turn)
                return listing
        listing = self._listings[path] = self._scan(path)
        return listing

    def _scan(self, path: str) -> _Listing:
        since_ns = self._clock_ns()
        state = _state(path)
        files: list[str] = []
        folders: list[str] = []
        linked: list[str] = []
        self.directories_read += 1
        try:
            with os.scandir(path or ".") as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_symlink() and entry.is_dir():
                        linked.append(entry.name)
                    else:
                        files.append(entry.name)
        except OSError:
            return _Listing(self._turn, None, (), (), ())
        if state is not None and max(state[:2]) >= since_ns - _RACY_NS:
            state = None
        return _Listing(self._turn, state, tuple(files), tuple(folders), tuple(linked))


def is_literal(pattern: str) -> bool:
    """Whether a pattern names one file, so that nothing need be searched."""
    return _WILD.search(pattern) is None


def _front(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        state = os.stat(path or ".")
    except OSError:
        return None
    return (state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


@lru_cache(maxsize=1024)
def _matcher(part: str) -> Callable[[str], object]:
    if is_literal(part):
        return part.__eq__
    expression = re.compile(fnmatch.translate(part)).match
    if part.startswith("."):
        return expression
    return lambda name: name[0] != "." and expression(name)
