"""Finding a program and starting it with `posix_spawn`, which costs the same however large this process is."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from orchestro.errors import SpawnError

__all__ = ["exit_code", "find_program", "spawn"]

# Python ignores these two, and a child would inherit that; a shell that inherits an ignored SIGINT cannot undo it.
_DEFAULTED = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM]
_UNMOVED = frozenset({"MainThread", "RecordingWriter"})
"""Threads that never look at the working directory: the one that is here, and those that use absolute paths only."""
_TRAMPOLINE = 'cd -- "$1" || exit 126; shift; exec "$@"'


def find_program(name: str, cwd: str, path: str | None) -> str | None:
    """Absolute or cwd-relative file that `name` would start; None when there is none that may be executed."""
    if "/" in name:
        full = os.path.join(cwd, name)
        return full if os.access(full, os.X_OK) and not os.path.isdir(full) else None
    for folder in (path or os.defpath).split(os.pathsep):
        full = os.path.join(cwd, folder, name)
        if os.access(full, os.X_OK) and not os.path.isdir(full):
            return full
    return None


def spawn(argv: Sequence[str], cwd: str, env: Mapping[str, str], file_actions: Sequence[tuple[Any, ...]]) -> int:
    """Start `argv` in `cwd` as the leader of a new session; returns its pid. Raises SpawnError with a plain reason."""
    if not argv:
        raise SpawnError(argv, "the command is empty")
    if any("\0" in argument for argument in argv):
        raise SpawnError(argv, "the command holds a NUL character")
    start: Any = os.posix_spawnp
    program: str | None = argv[0]
    if "/" in argv[0] or env.get("PATH") != os.environ.get("PATH") or not argv[0]:
        # `posix_spawnp` would look along our own PATH, as fast as can be; here it is along that of the program.
        start = os.posix_spawn
        program = find_program(argv[0], cwd, env.get("PATH"))
        if program is None:
            raise SpawnError(argv, _why_not(argv, cwd))
    here = os.getcwd()
    moved = cwd not in (here, ".")
    arguments = list(argv)
    if moved and any(thread.name not in _UNMOVED for thread in threading.enumerate()):
        # posix_spawn cannot change the directory, and other threads must not see ours change.
        _check_program(argv, cwd, env)
        arguments = ["sh", "-c", _TRAMPOLINE, "sh", cwd, str(program), *argv[1:]]
        start, program, moved = os.posix_spawn, "/bin/sh", False
    try:
        if moved:
            os.chdir(cwd)
        try:
            pid: int = start(
                program, arguments, env, setsid=True, setsigmask=(), setsigdef=_DEFAULTED, file_actions=file_actions
            )
        finally:
            if moved:
                os.chdir(here)
    except OSError as error:
        _check_program(argv, cwd, env)
        if error.errno == errno.ENOEXEC:
            raise SpawnError(argv, "it is neither a binary nor a script with a #! line") from None
        raise SpawnError(argv, error.strerror or str(error)) from None
    except ValueError as error:
        raise SpawnError(argv, str(error)) from None
    return pid


def _check_program(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> None:
    """Raise SpawnError when the program, or the directory that it is to work in, is not there."""
    if not os.path.isdir(cwd) or find_program(argv[0], cwd, env.get("PATH")) is None:
        raise SpawnError(argv, _why_not(argv, cwd))


def _why_not(argv: Sequence[str], cwd: str) -> str:
    if not os.path.isdir(cwd):
        return f"its working directory {cwd} does not exist"
    name = argv[0]
    if "/" not in name:
        return "no such program on PATH"
    full = os.path.join(cwd, name)
    if os.path.isdir(full):
        return "it is a directory"
    return "it is not executable" if os.path.exists(full) else f"no such file (looked in {cwd})"


def exit_code(pid: int, *, reap: bool) -> int:
    """How the ended child `pid` ended: its code, or the negative number of the signal.

    Without `reap` it stays a zombie, so that its number cannot be given to another process.
    """
    flags = os.WEXITED if reap else os.WEXITED | os.WNOWAIT
    try:
        info = os.waitid(os.P_PID, pid, flags)
    except ChildProcessError:
        return -signal.SIGKILL  # reaped by someone else: how it ended is lost
    if info is None:
        return -signal.SIGKILL
    return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
