"""One at a time for each key: in this process by futures, among processes by locked files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator

__all__ = ["Flights", "locked"]


@contextlib.contextmanager
def locked(path: str, *, shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Hold a lock on the file `path`, which is made; False if another holds it and `wait` is not wanted.

    The system gives the lock back when the process dies, however it dies. On Windows there is no lock, and it is always
    given. Raises OSError.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC if sys.platform != "win32" else os.O_RDWR | os.O_CREAT)
    try:
        yield _lock(fd, shared=shared, wait=wait)
    finally:
        os.close(fd)


class Flights:
    """Lets one attempt at a key go ahead while the others wait for it.

    The directory holds an empty file for each key that is being worked on; one that a killed process left is harmless
    and is used again. Waiting for another process takes a thread (a lock on a file cannot be awaited, and asking again
    and again would be polling); there are never more of them than tasks that run at once.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._flying: dict[str, asyncio.Future[None]] = {}

    @contextlib.asynccontextmanager
    async def flight(self, key: str) -> AsyncIterator[bool]:
        """Have the key for oneself; gives whether another had it meanwhile, so that its result may be there now.

        Raises OSError when the locked file cannot be made.
        """
        waited = False
        while (other := self._flying.get(key)) is not None:
            waited = True
            await asyncio.shield(other)
        done = self._flying[key] = asyncio.get_running_loop().create_future()
        try:
            fd, waited_long = await self._acquire(os.path.join(self._directory, key))
            try:
                yield waited or waited_long
            finally:
                self._release(fd, key)
        finally:
            del self._flying[key]
            done.set_result(None)

    async def _acquire(self, path: str) -> tuple[int, bool]:
        """A descriptor that holds the lock, and whether another process had it."""
        waited = False
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
            try:
                if not _lock(fd, shared=False, wait=False):
                    waited = True
                    fd = await _wait_for(fd, path)
                if _is_at(fd, path):
                    return fd, waited
            except BaseException:
                with contextlib.suppress(OSError):
                    os.close(fd)
                raise
            os.close(fd)  # its last holder has removed the file: the lock on it is worth nothing

    def _release(self, fd: int, key: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self._directory, key))
        os.close(fd)


async def _wait_for(fd: int, path: str) -> int:
    """Wait in a thread of its own until the lock is given; returns a descriptor that holds it.

    The thread works on a duplicate, which it closes itself when nobody waits any more: a thread within `flock` cannot
    be stopped. It is a daemon, so that it does not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    given: asyncio.Future[int] = loop.create_future()
    own = os.dup(fd)

    def hand_over(error: OSError | None) -> None:
        if given.cancelled():
            os.close(own)
        elif error is not None:
            os.close(own)
            given.set_exception(error)
        else:
            given.set_result(own)

    def wait() -> None:
        failed: OSError | None = None
        try:
            _lock(own, shared=False, wait=True)
        except OSError as error:
            failed = error
        try:
            loop.call_soon_threadsafe(hand_over, failed)
        except RuntimeError:  # the loop has ended meanwhile
            os.close(own)

    threading.Thread(target=wait, name=f"waits for {os.path.basename(path)}", daemon=True).start()
    lock = await given
    os.close(fd)
    return lock


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(fd: int, *, shared: bool, wait: bool) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
