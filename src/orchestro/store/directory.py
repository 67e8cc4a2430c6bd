"""The state directory of a project: one directory a run, and the history."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator

from orchestro.errors import InfrastructureError
from orchestro.trees import remove_tree

__all__ = ["KEPT_RUNS", "StateDirectory"]

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

    def new_run(self) -> tuple[str, str]:
        """Make the directory of a new run; returns its id, which sorts by time, and its path."""
        now = time.time()
        # Two runs within a second sort by the milliseconds; the last part keeps two processes apart.
        moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + f"-{int(now % 1 * 1000):03}"
        run_id = f"{moment}-{secrets.token_hex(2)}"
        path = os.path.join(self.runs, run_id)
        try:
            os.makedirs(os.path.join(path, "recordings"))
            ignore = os.path.join(self.path, ".gitignore")
            if not os.path.exists(ignore):
                with open(ignore, "w", encoding="utf-8") as file:
                    file.write("*\n")
        except OSError as error:
            raise InfrastructureError(f"cannot write the record of the run to {path}: {error.strerror}") from None
        self._prune()
        return run_id, path

    def _prune(self) -> None:
        for run_id in list(self.run_ids())[:-KEPT_RUNS]:
            remove_tree(os.path.join(self.runs, run_id))

    def run_ids(self) -> Iterator[str]:
        """Ids of the runs that are kept, oldest first."""
        with contextlib.suppress(FileNotFoundError):
            yield from sorted(name for name in os.listdir(self.runs) if not name.startswith("."))

    def last_run(self) -> str | None:
        """Path of the newest run; None before the first."""
        ids = list(self.run_ids())
        return os.path.join(self.runs, ids[-1]) if ids else None
