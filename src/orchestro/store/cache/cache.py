"""The results of tasks that passed, by their keys, in a directory that several processes use at once."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from orchestro.records import dataclass
from orchestro.store.cache.blobs import Blobs, Kept
from orchestro.store.cache.files import Content, FileDigests
from orchestro.store.cache.flight import Flights, locked
from orchestro.store.cache.index import DATABASE, CacheUnusable, Entry, Index, Output, remove_database
from orchestro.store.cache.patterns import Tree, is_literal

__all__ = ["MAX_BYTES", "TTL_S", "CacheStats", "Collected", "ResultCache", "Stored", "clear_cache"]

MAX_BYTES = 5 << 30
"""What results may take together, unless told otherwise: 5 GiB."""
TTL_S = 30 * 24 * 3600.0
"""Age in seconds from which a result is not used any more, unless told otherwise: 30 days."""
_TEXT_CHARS = 16 << 10
"""Of the output of a command, its end, that is kept."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What is in a cache and how it was used since it was last cleared."""

    entries: int
    bytes: int
    """Distinct contents of outputs, texts, and a charge for each entry."""
    max_bytes: int
    hits: int
    misses: int
    oldest_at: float | None
    """When the oldest result was made, Unix seconds; None without any."""

    @property
    def hit_rate(self) -> float | None:
        """Hits over hits and misses; None before the first."""
        looked = self.hits + self.misses
        return self.hits / looked if looked else None


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection removed."""

    entries: int
    files: int
    bytes: int
    """On disk."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was kept of a task."""

    outputs: tuple[Output, ...]
    missing: tuple[str, ...]
    """Outputs that were named in full, but that the task has not made."""


class ResultCache:
    """Keeps results and gives them back. Raises CacheUnusable, after which a run does better without it.

    A killed process leaves it sound at any moment: files of outputs are there before the transaction that tells of
    them, and what no transaction tells of is removed by `gc`. Methods are for one thread at a time, except `put` and
    `restore`, which copy files and may be called in threads.
    """

    def __init__(
        self,
        directory: str,
        *,
        digests: FileDigests | None = None,
        max_bytes: int = MAX_BYTES,
        ttl_s: float | None = TTL_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the cache in `directory`, which is made; `clock` tells Unix seconds.

        The digests are those of `directory` unless given; `close` saves them.
        """
        self._directory = os.path.abspath(directory)
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._clock = clock
        self._blobs = Blobs(os.path.join(self._directory, "blobs"))
        self._in_use = os.path.join(self._directory, "in-use.lock")
        self._thread = threading.Lock()
        self._used: dict[int, None] = {}
        self._hits = 0
        self._misses = 0
        self._grown = False
        flights = os.path.join(self._directory, "flights")
        try:
            self._blobs.prepare()
            os.makedirs(flights, exist_ok=True)
            # Two processes that make the file at once would fail at switching it to WAL.
            with locked(os.path.join(self._directory, "open.lock")):
                self._index = Index(os.path.join(self._directory, DATABASE))
        except OSError as error:
            raise CacheUnusable(self._directory, error) from error
        self._flights = Flights(flights)
        self.digests = digests or FileDigests(os.path.join(self._directory, "digests"))

    # -- a run

    def get(self, key: str) -> Entry | None:
        """The result of that key, if it is kept and not too old."""
        return self.get_many((key,)).get(key)

    def get_many(self, keys: Sequence[str]) -> dict[str, Entry]:
        """The results of those keys that are kept and not too old. Counts nothing: see `touch` and `miss`."""
        with self._thread:
            return self._index.get_many(keys, self._oldest())

    def text(self, entry: Entry) -> str:
        """The end of what the command printed."""
        with self._thread:
            return self._index.text(entry)

    def in_place(self, entries: Iterable[tuple[Entry, str]]) -> set[str]:
        """Keys of those entries whose outputs all are below the root beside them as they were kept.

        Files that `digests` knows are not read.
        """
        fronts: dict[str, str] = {}
        wanted: list[tuple[Entry, list[str]]] = []
        paths: list[str] = []
        for entry, root in entries:
            front = fronts.get(root)
            if front is None:
                front = fronts[root] = _front(root)
            own = [_place(front, output.path) for output in entry.outputs]
            wanted.append((entry, own))
            paths += own
        contents = self.digests.content_many(paths)
        return {
            entry.key
            for entry, own in wanted
            if all(_is_same(contents[path], output) for path, output in zip(own, entry.outputs, strict=True))
        }

    def restore(self, entry: Entry, root: str) -> bool:
        """Put the outputs below `root`; False, and the entry is dropped, if one of them is missing or damaged here.

        Those that are there already are left alone. Each of the others is verified as it is copied and appears whole.
        Raises OSError when one cannot be written.
        """
        root = _front(root)
        contents = self.digests.content_many(_place(root, output.path) for output in entry.outputs)
        for output in entry.outputs:
            path = _place(root, output.path)
            if _is_same(contents[path], output):
                continue
            if not self._blobs.put_out(Kept(output.digest, output.mode, output.size), path, self.digests):
                with self._thread:
                    self._index.drop((entry.id,))
                return False
        return True

    def put(self, key: str, root: str, outputs: Sequence[str], output_text: str, duration_s: float) -> Stored:
        """Keep the result of a task that passed, with the files below `root` that the patterns name.

        A directory that is named stands for all files below it, hidden ones too. Only the last 16 Ki characters of the
        text are kept. Raises OSError when a file cannot be read or kept.
        """
        root = _front(root)
        paths, missing = _outputs(root, outputs)
        kept = []
        # While it is held, no other process removes files that no entry tells of yet.
        with locked(self._in_use, shared=True):
            for path in paths:
                try:
                    kept.append(Output(path, *self._blobs.take_in(_place(root, path), self.digests)))
                except FileNotFoundError as error:
                    if error.filename != _place(root, path):
                        raise
                    missing.append(path)
            with self._thread:
                self._index.put(key, kept, output_text[-_TEXT_CHARS:], duration_s, self._clock())
                self._grown = True
        return Stored(tuple(kept), tuple(missing))

    def flight(self, key: str) -> contextlib.AbstractAsyncContextManager[bool]:
        """Have a key for oneself, in this process and among all: ``async with cache.flight(key) as waited``.

        Whoever comes second waits until the first has left; then the result is there, unless the first failed. So look
        with `get` inside. Raises OSError when the locked file cannot be made.
        """
        return self._flights.flight(key)

    def touch(self, entries: Iterable[Entry]) -> None:
        """Count results as used, in this order. It is written by `close`, in one transaction."""
        for entry in entries:
            self._used.pop(entry.id, None)
            self._used[entry.id] = None
            self._hits += 1

    def miss(self, count: int = 1) -> None:
        """Count tasks that had to run. It is written by `close`."""
        self._misses += count

    def close(self) -> None:
        """Write what was used, keep to the limits if something was added, save the digests, and close."""
        try:
            with self._thread:
                if self._hits or self._misses:
                    self._index.touch(list(self._used), self._clock(), self._hits, self._misses)
            if self._grown and self._is_over():
                self._collect(self._max_bytes, None, wait=False)
        finally:
            self.digests.save()
            self._index.close()

    # -- care

    def gc(self, *, max_bytes: int | None = None, unused_s: float | None = None) -> Collected:
        """Remove what is too old, was not used for `unused_s` seconds, and the least recently used beyond `max_bytes`.

        `max_bytes` is that of the cache unless given. Files that no result needs are removed with them; for that it
        waits until no process is just keeping a result.
        """
        return self._collect(self._max_bytes if max_bytes is None else max_bytes, unused_s, wait=True)

    def clear(self) -> Collected:
        """Remove all results, counts and digests."""
        with self._sole(wait=True), self._thread:
            self.digests.clear()
            entries = self._index.clear()
            return Collected(entries, *self._blobs.sweep(()))

    def stats(self) -> CacheStats:
        """What is in it, and how it was used; what this run used is counted once it is closed."""
        with self._thread:
            totals = self._index.totals()
        return CacheStats(totals.entries, totals.bytes, self._max_bytes, totals.hits, totals.misses, totals.oldest_at)

    def _collect(self, max_bytes: int, unused_s: float | None, *, wait: bool) -> Collected:
        with self._sole(wait=wait) as alone, self._thread:
            if not alone:
                return Collected(0, 0, 0)  # whoever ends last will do it
            used_since = -math.inf if unused_s is None else self._clock() - unused_s
            entries = self._index.evict(max_bytes, self._oldest(), used_since)
            return Collected(entries, *self._blobs.sweep(self._index.digests()))

    @contextlib.contextmanager
    def _sole(self, *, wait: bool) -> Iterator[bool]:
        """Hold off whoever wants to keep a result."""
        try:
            with locked(self._in_use, wait=wait) as alone:
                yield alone
        except OSError as error:
            raise CacheUnusable(self._directory, error) from error

    def _is_over(self) -> bool:
        with self._thread:
            totals = self._index.totals()
        return totals.bytes > self._max_bytes or (totals.oldest_at is not None and totals.oldest_at < self._oldest())

    def _oldest(self) -> float:
        """Results made before this moment are too old."""
        return -math.inf if self._ttl_s is None else self._clock() - self._ttl_s


def clear_cache(directory: str) -> Collected:
    """`ResultCache.clear` for a cache that may be damaged. Raises CacheUnusable when it cannot be made anew either."""
    try:
        return _cleared(directory)
    except CacheUnusable:
        remove_database(os.path.join(directory, DATABASE))
        return _cleared(directory)


def _cleared(directory: str) -> Collected:
    cache = ResultCache(directory)
    try:
        return cache.clear()
    finally:
        cache.close()


def _outputs(root: str, patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Files that are there, sorted, and names in full for which there is none."""
    tree = Tree()
    found: set[str] = set()
    missing = []
    for pattern in patterns:
        if not is_literal(pattern):
            found.update(tree.expand(root, pattern))
            continue
        name = os.path.normpath(pattern)
        path = _place(root, name)
        if os.path.isdir(path):
            found.update(tree.below(root, "" if name == "." else name, hidden=True))
        elif os.path.exists(path):
            found.add(name)
        else:
            missing.append(name)
    return sorted(found), missing


def _front(root: str) -> str:
    return os.path.join(os.path.abspath(root), "")


def _place(root: str, path: str) -> str:
    return root + path if path[0] != "/" else path


def _is_same(content: Content | None, output: Output) -> bool:
    return content is not None and content[5] == output.digest and (content[4] ^ output.mode) & 0o100 == 0
