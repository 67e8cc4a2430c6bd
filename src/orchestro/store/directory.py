"""The state directory of a project: one directory a run, and the history."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator

from orchestro.errors import InfrastructureError
from orchestro.trees import remove_tree

__all__ = ["KEPT_RUNS", "StateDirectory"]

_ID = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{4}")
KEPT_RUNS = 20
"""Runs that are kept; older ones are removed when a new one begins."""


class StateDirectory:
    """``.orchestro`` in the directory where orchestro was started, unless told otherwise."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)

    @property
    def runs(self) -> str:
        """The directory that holds one directory a run."""
        return os.path.join(self.path, "runs")

    @property
    def history(self) -> str:
        """The file of the history."""
        return os.path.join(self.path, "history.db")

    @property
    def cache(self) -> str:
        """The directory of what can be made again: results, read task files."""
        return os.path.join(self.path, "cache")

    @property
    def results(self) -> str:
        """The result cache."""
        return os.path.join(self.cache, "results")

    def prepare(self) -> None:
        """Make the directory, hidden from git, if it is not there; else leave it as it is. Raises OSError."""
        if os.path.isdir(self.path):
            return
        os.makedirs(self.path, exist_ok=True)
        with open(os.path.join(self.path, ".gitignore"), "w", encoding="utf-8") as file:
            file.write("*\n")

    def new_run(self) -> tuple[str, str]:
        """Make the directory of a new run; returns its id, which sorts by time, and its path."""
        now = time.time()
        # Two runs within a second sort by the milliseconds; the last part keeps two processes apart.
        moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + f"-{int(now % 1 * 1000):03}"
        run_id = f"{moment}-{os.urandom(2).hex()}"
        path = os.path.join(self.runs, run_id)
        try:
            self.prepare()
            os.makedirs(os.path.join(path, "recordings"))
        except OSError as error:
            raise InfrastructureError(f"cannot write the record of the run to {path}: {error.strerror}") from None
        self._prune()
        return run_id, path

    def _prune(self) -> None:
        for run_id in list(self.run_ids())[:-KEPT_RUNS]:
            remove_tree(os.path.join(self.runs, run_id))

    def run_ids(self) -> Iterator[str]:
        """Ids of the runs that are kept, oldest first; other directories that may stand there are no runs."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            yield from sorted(name for name in os.listdir(self.runs) if _ID.fullmatch(name))

    def last_run(self) -> str | None:
        """Path of the newest run; None before the first."""
        ids = list(self.run_ids())
        return os.path.join(self.runs, ids[-1]) if ids else None
