"""Removing directories: mostly they are empty, and sometimes a program has made them hard to remove."""

from __future__ import annotations

import contextlib
import os

__all__ = ["remove_tree"]


def remove_tree(path: str) -> None:
    """Remove a directory with all in it, also what was made read-only; what cannot be removed stays silently."""
    try:
        os.rmdir(path)  # mostly it is empty already, and this is the fast way to find out
    except FileNotFoundError:
        return
    except OSError:
        _remove_full(path)


def _remove_full(path: str) -> None:
    try:
        with os.scandir(path) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    remove_tree(entry.path)
                else:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)
        os.rmdir(path)
    except OSError:
        with contextlib.suppress(OSError):
            os.chmod(path, 0o700)
        import shutil

        shutil.rmtree(path, ignore_errors=True)
