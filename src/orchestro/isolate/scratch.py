"""The temporary directory of a run. Its owner holds a lock on it; what a killed run left is removed by the next one."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator

from orchestro.trees import remove_tree

__all__ = ["Scratch"]

_PREFIX = "orchestro-run-"
_OWNER = "owner"
"""Name of the lock file in it, which also holds the mark of the run's processes."""


_PARTS = ("home", "tmp")


class Scratch:
    """Created empty; `close` removes it with everything in it."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        """What the environment of every process of the run contains."""
        self.path = tempfile.mkdtemp(prefix=f"{_PREFIX}{_process(os.getpid())}-")
        # Locked before it gets its name, so that nobody ever finds it unlocked.
        making = os.path.join(self.path, "owner.new")
        self._lock = os.open(making, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        _try_lock(self._lock)
        os.write(self._lock, mark.encode())
        os.replace(making, os.path.join(self.path, _OWNER))
        self._made = 0
        self._clean: list[str] = []

    def make(self) -> str:
        """A directory in it with empty directories ``home`` and ``tmp`` in turn; one that was given back, or a new one.

        Making and removing directories is most of what a small scenario would cost on a journaling file system.
        """
        if self._clean:
            return self._clean.pop()
        self._made += 1
        path = os.path.join(self.path, str(self._made))
        os.mkdir(path, 0o700)
        for name in _PARTS:
            os.mkdir(os.path.join(path, name), 0o700)
        return path

    def give_back(self, path: str) -> None:
        """Take back a directory that `make` gave: kept for the next when it is as it was, else removed."""
        if _is_untouched(path):
            self._clean.append(path)
        else:
            remove_tree(path)

    def close(self) -> None:
        """Remove everything. Twice is harmless."""
        if self._lock >= 0:
            remove_tree(self.path)
            os.close(self._lock)
            self._lock = -1

    @staticmethod
    def remove_stale() -> list[str]:
        """Remove the directories of runs that were killed, and end the processes that they left; returns the paths."""
        return [path for path in _scratch_directories() if _remove_if_stale(path)]


def _scratch_directories() -> Iterator[str]:
    folder = tempfile.gettempdir()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False):
                if sys.platform != "win32" and entry.stat(follow_symlinks=False).st_uid != os.getuid():
                    continue
                yield entry.path


def _remove_if_stale(path: str) -> bool:
    try:
        lock = os.open(os.path.join(path, _OWNER), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        # Its owner is making or removing it right now, or was killed while it did.
        if not _is_maker_gone(os.path.basename(path)):
            return False
        remove_tree(path)
        return True
    try:
        if not _try_lock(lock):
            return False
        mark = os.read(lock, 200).decode("ascii", "replace")
        if mark:
            _kill_marked(mark)
        remove_tree(path)
        return True
    finally:
        os.close(lock)


def _process(pid: int) -> str:
    """A name for a process that no later one gets: its number, when it started, and where the number holds.

    Raises OSError when there is no such process.
    """
    if sys.platform != "linux":
        return str(pid)
    with open(f"/proc/{pid}/stat", "rb") as file:
        # The name in parentheses may itself hold parentheses; the start is the 20th field after the last one.
        started = int(file.read(4096).rpartition(b")")[2].split()[19])
    return f"{pid}.{started:x}.{os.stat('/proc/self/ns/pid').st_ino & 0xFFFFFF:x}"


def _is_maker_gone(name: str) -> bool:
    maker = name[len(_PREFIX) :].rpartition("-")[0]
    pid = maker.partition(".")[0]
    if sys.platform != "linux" or not pid.isdecimal():
        return False
    try:
        return maker.rpartition(".")[2] == _process(os.getpid()).rpartition(".")[2] and maker != _process(int(pid))
    except OSError:
        return True  # nothing has that number


def _kill_marked(mark: str) -> None:
    if sys.platform == "win32":
        return
    from orchestro.terminal.process import strays

    for pid in strays(0, mark, set()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _try_lock(fd: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_untouched(path: str) -> bool:
    try:
        if set(os.listdir(path)) != set(_PARTS):
            return False
        for name in _PARTS:
            part = os.path.join(path, name)
            status = os.lstat(part)
            if not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) != 0o700 or os.listdir(part):
                return False
    except OSError:
        return False
    return True
