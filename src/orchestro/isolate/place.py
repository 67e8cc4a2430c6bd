"""Where one attempt happens: its private home and temporary directory, and its workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping

from orchestro.errors import InfrastructureError, UserError
from orchestro.isolate.environment import make_environment
from orchestro.isolate.scratch import Scratch
from orchestro.records import dataclass

__all__ = ["Place", "make_place"]


@dataclass(frozen=True, slots=True)
class Place:
    """Directories and environment; `clear` removes what is private to the attempt."""

    root: str
    home: str
    tmp: str
    cwd: str
    """Where the program and its set-up start."""
    workspace: str
    """The workspace; the same as `cwd` unless the scenario moves below it."""
    env: Mapping[str, str]
    scratch: Scratch

    def clear(self) -> None:
        """Give home and temporary directory back, and remove a fresh workspace."""
        self.scratch.give_back(self.root)


def make_place(
    scratch: Scratch,
    *,
    fresh: bool,
    workspace: str,
    cwd: str | None,
    env: Mapping[str, str],
    inherit_env: bool,
    mark: str,
) -> Place:
    """Make the directories of one attempt.

    `workspace` is the directory to work in when it is not `fresh`; `cwd` is relative to the workspace. Raises UserError
    when it leaves a fresh workspace or does not exist, InfrastructureError when the disk refuses.
    """
    try:
        root = scratch.make()
        home, tmp = os.path.join(root, "home"), os.path.join(root, "tmp")
        if fresh:
            workspace = os.path.join(root, "work")
            os.mkdir(workspace, 0o700)
    except OSError as error:
        raise InfrastructureError(f"no private directory to be had: {error}") from None
    place = workspace
    if cwd:
        place = os.path.normpath(os.path.join(workspace, os.path.expanduser(cwd)))
        if fresh and not (place + os.sep).startswith(workspace + os.sep):
            raise UserError(f"cwd {cwd!r} is outside the fresh workspace")
        if fresh:
            os.makedirs(place, exist_ok=True)
    return Place(
        root, home, tmp, place, workspace, make_environment(home, tmp, env, inherit=inherit_env, mark=mark), scratch
    )
