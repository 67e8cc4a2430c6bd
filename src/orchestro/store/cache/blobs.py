"""The content of outputs, one file for each distinct content, named by its digest."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Collection, Iterator
from itertools import count
from typing import NamedTuple

from orchestro.store.cache.files import DIGEST_BYTES, FileDigests, content_digest

__all__ = ["Blobs", "Kept"]

_CHUNK_BYTES = 1 << 20
"""Files below are handled whole, in one read and one write; others in pieces of this size."""
_FICLONE = 0x40049409
"""The ioctl of Linux that makes a file share the blocks of another until one of them is written (Btrfs, XFS, ...)."""

_numbers = count()


class Kept(NamedTuple):
    """A file that was taken in."""

    digest: bytes
    mode: int
    size: int


class Blobs:
    """A directory of blobs. Methods raise OSError.

    A blob is written beside and renamed, so that one that has its name is whole, unless the power failed; therefore its
    digest is taken again as it is copied out. It is a copy or shares blocks, never a hard link: the user's file may be
    changed in place. Nothing is synced to the disk: what a power failure takes is made again.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._drafts = os.path.join(directory, "tmp")
        self._shares_blocks = sys.platform == "linux"

    def prepare(self) -> None:
        """Make the directories."""
        os.makedirs(self._drafts, exist_ok=True)

    def path(self, digest: bytes) -> str:
        """Where a blob is, or would be."""
        name = digest.hex()
        return os.path.join(self._directory, name[:2], name[2:])

    def has(self, digest: bytes, size: int) -> bool:
        """Whether there is a blob of that digest, and as long as it must be."""
        try:
            return os.stat(self.path(digest)).st_size == size
        except OSError:
            return False

    def take_in(self, path: str, digests: FileDigests) -> Kept:
        """Keep the content of a file. What is kept is what its digest says, also when the file changes meanwhile."""
        since_ns = digests.now_ns()
        fd = os.open(path, _READ)
        try:
            before = os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                raise OSError(errno.EINVAL, "not a regular file, so it cannot be kept", path)
            known = digests.recall(path, before)
            if known is not None and self.has(known, before.st_size):
                return Kept(known, before.st_mode & 0o777, before.st_size)
            if before.st_size < _CHUNK_BYTES:
                data = _read_whole(fd)
                digest, size = content_digest(data), len(data)
                if not self.has(digest, size):
                    draft = self._draft()
                    _write_whole(draft, data, 0o444)
                    self._place(draft, digest)
            else:
                digest, size = self._take_in_pieces(fd)
            after = os.fstat(fd)
            if (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns):
                digests.learn(path, digest, after, since_ns)
            return Kept(digest, after.st_mode & 0o777, size)
        finally:
            os.close(fd)

    def put_out(self, kept: Kept, path: str, digests: FileDigests) -> bool:
        """Copy a blob to `path`, whole or not at all; False, and the blob is gone, if it is not what it should be."""
        folder = os.path.dirname(path)
        draft = os.path.join(folder, f".orchestro-{os.getpid()}-{next(_numbers)}.tmp")
        try:
            source = os.open(self.path(kept.digest), os.O_RDONLY | _BINARY)
        except FileNotFoundError:
            return False
        try:
            os.makedirs(folder, exist_ok=True)
            since_ns = digests.now_ns()
            if kept.size < _CHUNK_BYTES:
                data = _read_whole(source)
                right = content_digest(data) == kept.digest
                if right:
                    _write_whole(draft, data, kept.mode)
            else:
                right = self._copy(source, draft, kept.mode)[0] == kept.digest
            if not right:
                os.unlink(self.path(kept.digest))
                return False
            os.replace(draft, path)
            digests.learn(path, kept.digest, os.stat(path), since_ns)
            return True
        finally:
            os.close(source)
            with contextlib.suppress(OSError):
                os.unlink(draft)

    def sweep(self, wanted: Collection[bytes]) -> tuple[int, int]:
        """Remove all blobs but those `wanted`, and every draft; returns how many blobs, and their bytes.

        Nobody may take in anything meanwhile: `ResultCache` sees to that.
        """
        removed = freed = 0
        names = {digest.hex() for digest in wanted}
        for folder, name, size in self._files():
            if folder + name not in names:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self._directory, folder, name))
                    if folder != "tmp":
                        removed += 1
                        freed += size
        return removed, freed

    def _files(self) -> Iterator[tuple[str, str, int]]:
        with os.scandir(self._directory) as folders:
            names = [folder.name for folder in folders if folder.is_dir(follow_symlinks=False)]
        for name in names:
            with os.scandir(os.path.join(self._directory, name)) as files:
                for file in files:
                    yield name, file.name, file.stat(follow_symlinks=False).st_size

    def _take_in_pieces(self, fd: int) -> tuple[bytes, int]:
        draft = self._draft()
        try:
            digest, size = self._copy(fd, draft, 0o444)
            if not self.has(digest, size):
                self._place(draft, digest)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)
        return digest, size

    def _copy(self, source: int, target: str, mode: int) -> tuple[bytes, int]:
        """Copy an open file to a new one; returns digest and size of what has arrived there."""
        fd = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        try:
            shared = self._clone(source, fd)
            state = hashlib.blake2b(digest_size=DIGEST_BYTES)
            size = 0
            while data := os.read(fd if shared else source, _CHUNK_BYTES):
                state.update(data)
                size += len(data)
                if not shared:
                    _write(fd, data)
            _set_mode(fd, target, mode)
        finally:
            os.close(fd)
        return state.digest(), size

    def _clone(self, source: int, target: int) -> bool:
        if not self._shares_blocks:
            return False
        import fcntl

        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError:
            self._shares_blocks = False  # most file systems cannot; asking once is enough
        return self._shares_blocks

    def _draft(self) -> str:
        return os.path.join(self._drafts, f"{os.getpid()}-{next(_numbers)}")

    def _place(self, draft: str, digest: bytes) -> None:
        path = self.path(digest)
        try:
            os.replace(draft, path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.replace(draft, path)


_BINARY: int = getattr(os, "O_BINARY", 0)
_READ: int = os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0)
"""Opening a named pipe would wait for a writer otherwise."""


def _read_whole(fd: int) -> bytes:
    data = os.read(fd, _CHUNK_BYTES)
    if len(data) < _CHUNK_BYTES:
        return data
    pieces = [data]
    while data := os.read(fd, _CHUNK_BYTES):  # it has grown since
        pieces.append(data)
    return b"".join(pieces)


def _write_whole(path: str, data: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        _write(fd, data)
        _set_mode(fd, path, mode)
    finally:
        os.close(fd)


def _write(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):  # a disk that is nearly full takes a part
        data = data[written:]
        written = os.write(fd, data)


def _set_mode(fd: int, path: str, mode: int) -> None:
    if sys.platform == "win32":
        os.chmod(path, mode)
    else:
        os.fchmod(fd, mode)
