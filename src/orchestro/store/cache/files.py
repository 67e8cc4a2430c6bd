"""Digests of the content of files, remembered by what `stat` says, so that an unchanged file is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence

__all__ = ["DIGEST_BYTES", "DIRECTORY", "Content", "FileDigests", "content_digest"]

DIGEST_BYTES = 20
"""160 bits of BLAKE2b: no two files of any cache collide by chance, and none can be made to. It is keyless, in every
Python, as fast as SHA-256 with the processor's help (1.4 GB/s, 0.9 microseconds for a small file) and needs no such
help; the shorter digest makes the memo a third smaller."""

DIRECTORY = b"directory"
"""Stands for the digest of a directory. No digest: it is shorter."""

_OTHER = b"special"
"""Stands for the digest of a device, pipe or socket, which must not be read: that could block, or never end."""

Content = tuple[int, int, int, int, int, bytes]
"""Size in bytes, mtime and ctime in ns, inode, mode, digest. A plain tuple, as `marshal` takes no other."""

_FORMAT = b"orchestro file digests 1\n"
_CHECK_BYTES = 16
_MOST_KEPT = 400_000
"""Files that are remembered, about 40 MB on disk. Beyond, those that this run did not ask for are forgotten first."""

_TICK_NS = 20_000_000
"""Time stamps of files move on by the kernel's tick, at most 10 ms; twice that is safe."""
_COARSE_NS = 2_000_000_000
"""Where time stamps are whole seconds, as on HFS+ and FAT (2 s)."""
_CHUNK_BYTES = 1 << 20
_WORTH_THREADS_BYTES = 8 << 20
"""From here on reading in several threads gains more than starting them costs (hashing releases the interpreter)."""


def content_digest(data: bytes) -> bytes:
    """The digest of a whole content."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


class FileDigests:
    """Remembers the digest of each file, in the file `path` also between runs.

    A digest is trusted while size, mtime, ctime, inode and mode are what they were, and only if the file was not
    changed within a tick of the file system before it was read: a change after that would have left the same time
    stamps (git calls such entries racy). The memo is dropped whole when it is damaged. One process writes it at a time,
    the last wins; what is lost is only read again.
    """

    def __init__(self, path: str, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._clock_ns = clock_ns
        self._known = _load(path)
        self._asked: set[str] = set()
        self._changed = False
        self.files_read = 0
        """How many files had to be read since it was made."""

    def content(self, path: str) -> Content | None:
        """What is at an absolute path; None when there is nothing."""
        return self.content_many((path,))[path]

    def content_many(self, paths: Iterable[str]) -> dict[str, Content | None]:
        """What is at absolute paths; None for what is not there.

        What is there but cannot be read gets a digest that is never given again, so that it never counts as unchanged.
        """
        found: dict[str, Content | None] = {}
        known = self._known.get
        look = os.stat
        to_read: list[tuple[str, os.stat_result]] = []
        for path in paths:
            try:
                now = look(path)
            except (FileNotFoundError, NotADirectoryError):
                found[path] = None
                continue
            except (OSError, ValueError):
                found[path] = _unreadable()
                continue
            entry = known(path)
            if (
                entry is not None
                and entry[1] == now.st_mtime_ns
                and entry[0] == now.st_size
                and entry[2] == now.st_ctime_ns
                and entry[3] == now.st_ino
                and entry[4] == now.st_mode
            ):
                found[path] = entry
            elif stat.S_ISREG(now.st_mode):
                to_read.append((path, now))
            else:
                digest = DIRECTORY if stat.S_ISDIR(now.st_mode) else _OTHER
                found[path] = (0, 0, 0, 0, now.st_mode, digest)
        self._asked.update(found)
        if to_read:
            self._read(to_read, found)
        return found

    def digest_many(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """Digests of the files at absolute paths; None for what is not there, `DIRECTORY` for a directory."""
        return {path: content[5] if content else None for path, content in self.content_many(paths).items()}

    def learn(self, path: str, digest: bytes, state: os.stat_result, since_ns: int) -> None:
        """Remember what another has read or written at `path`: `state` was so when it began, at `since_ns`."""
        self._keep(path, (*_signature(state), digest), since_ns)

    def recall(self, path: str, state: os.stat_result) -> bytes | None:
        """The digest of a file that is in this state, if it is known without reading it."""
        entry = self._known.get(path)
        return entry[5] if entry is not None and entry[:5] == _signature(state) else None

    def now_ns(self) -> int:
        """The clock that time stamps of files are compared with."""
        return self._clock_ns()

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
        self._changed = True

    def save(self) -> None:
        """Write the memo if there is something new. A disk that refuses costs only time."""
        if not self._changed:
            return
        if len(self._known) > _MOST_KEPT:
            self._forget()
        body = marshal.dumps(self._known, 2)
        draft = f"{self._path}.{os.getpid()}.tmp"
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with open(draft, "wb") as file:
                file.write(_FORMAT + _check(body) + body)
            os.replace(draft, self._path)
            self._changed = False
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(draft)

    def _read(self, files: Sequence[tuple[str, os.stat_result]], found: dict[str, Content | None]) -> None:
        self.files_read += len(files)
        if len(files) > 1 and sum(state.st_size for _, state in files) >= _WORTH_THREADS_BYTES:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
                found.update(zip((path for path, _ in files), threads.map(self._read_one, files), strict=True))
            return
        for one in files:
            found[one[0]] = self._read_one(one)

    def _read_one(self, file: tuple[str, os.stat_result]) -> Content | None:
        path, before = file
        since_ns = self._clock_ns()
        try:
            fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                if before.st_size < _CHUNK_BYTES:
                    data = os.read(fd, _CHUNK_BYTES)
                    digest = content_digest(data) if len(data) == before.st_size else _digest_rest(fd, data)
                else:
                    digest = _digest_rest(fd, b"")
                after = os.fstat(fd)
            finally:
                os.close(fd)
        except FileNotFoundError:
            return None
        except OSError:
            return _unreadable()
        content = (*_signature(after), digest)
        if _signature(before) == content[:5]:  # else it was changed while it was read
            self._keep(path, content, since_ns)
        else:
            self._known.pop(path, None)
        return content

    def _keep(self, path: str, content: Content, since_ns: int) -> None:
        changed_ns = max(content[1], content[2])
        coarse = content[1] % 1_000_000_000 == 0 and content[2] % 1_000_000_000 == 0
        self._changed = True
        if changed_ns < since_ns - (_COARSE_NS if coarse else _TICK_NS):
            self._known[path] = content
        else:
            self._known.pop(path, None)

    def _forget(self) -> None:
        unasked = [path for path in self._known if path not in self._asked]
        for path in unasked[: len(self._known) - _MOST_KEPT]:
            del self._known[path]
        for path in list(self._known)[: len(self._known) - _MOST_KEPT]:
            del self._known[path]


def _signature(state: os.stat_result) -> tuple[int, int, int, int, int]:
    return (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_mode)


def _unreadable() -> Content:
    return (0, 0, 0, 0, 0, os.urandom(DIGEST_BYTES))


def _digest_rest(fd: int, data: bytes) -> bytes:
    state = hashlib.blake2b(data, digest_size=DIGEST_BYTES)
    while data := os.read(fd, _CHUNK_BYTES):
        state.update(data)
    return state.digest()


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES).digest()


def _load(path: str) -> dict[str, Content]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return {}
    begin = len(_FORMAT) + _CHECK_BYTES
    body = memoryview(data)[begin:]
    if not data.startswith(_FORMAT) or _check(bytes(body)) != data[len(_FORMAT) : begin]:
        return {}  # torn, tampered with or of another version: marshal must not see it
    known: dict[str, Content] = marshal.loads(body)  # noqa: S302  # written by `save`, and its checksum is right
    return known
