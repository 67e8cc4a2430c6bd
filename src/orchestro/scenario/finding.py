"""Which files paths mean, and which of those that were found are scenarios. Reads none of them with care."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestro.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LARGEST_BYTES", "SCENARIO_NAMES", "SUFFIXES", "find_files", "looks_like_scenario"]

LARGEST_BYTES = 1 << 20
"""Of one file. A scenario is a few KB; a MiB composes in about a second."""
SUFFIXES = (".yaml", ".yml")
SCENARIO_NAMES = (".scenario.yaml", ".scenario.yml")
_LEFT_OUT = frozenset({"__pycache__", "__snapshots__", "node_modules", "venv"})
"""Directories that hold no scenarios of the user's; hidden ones are left out, too."""
_LOOKS_LIKE = re.compile(rb"""^(?:\xef\xbb\xbf)?["']?(?:command|steps)["']?[ \t]*:""", re.MULTILINE)


def looks_like_scenario(data: bytes) -> bool:
    """Whether the text of a file that was found in a directory is meant for a scenario."""
    return _LOOKS_LIKE.search(data) is not None


def find_files(paths: Sequence[str | Path]) -> Iterator[tuple[str, bool]]:
    """The YAML files that `paths` mean, each once, and whether it is to be taken whatever it holds.

    A directory gives those below it in the order of their names. Raises UserError, naming them all, for paths that are
    not there.
    """
    wanted = [os.fspath(path) for path in paths]
    missing = []
    found: list[tuple[str, bool]] = []
    for path in wanted:
        matches = [path] if os.path.exists(path) else sorted(glob.glob(path, recursive=True))
        if not matches:
            missing.append(_missing(path))
        for match in matches:
            found += _files_below(match) if os.path.isdir(match) else [(match, True)]
    if missing:
        raise UserError("\n".join(missing))
    seen: set[str] = set()
    for path, explicit in found:
        key = os.path.realpath(path)
        if key not in seen:
            seen.add(key)
            yield path, explicit


def _files_below(top: str) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    folders: list[str] = []
    try:
        with os.scandir(top) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{top}: cannot be read: {error.strerror or error}") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _LEFT_OUT:
                folders.append(entry.path)
        elif entry.name.endswith(SUFFIXES) and entry.is_file():
            found.append((os.path.normpath(entry.path), entry.name.endswith(SCENARIO_NAMES)))
    for folder in folders:
        found += _files_below(folder)
    return found


def _missing(path: str) -> str:
    if any(character in path for character in "*?["):
        return f"{path}: no file matches"
    folder, name = os.path.split(path.rstrip(os.sep))
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return f"{path}: there is no such file or directory"
    import difflib  # 6 ms that only a mistake costs

    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f" (did you mean {os.path.join(folder, near[0])!r}?)" if near else ""
    return f"{path}: there is no such file or directory{hint}"
