"""Putting the files that a scenario asks for into its workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from orchestro.errors import UserError
from orchestro.scenario.document import CopyFile, FileSpec

__all__ = ["place_files"]


def place_files(files: Iterable[FileSpec], workspace: str, folder: str) -> None:
    """Copy and write `files` into `workspace`; sources are relative to `folder`.

    Raises UserError for a source that is not there, and a target that is outside or
    cannot be written.
    """
    for spec in files:
        target = os.path.normpath(os.path.join(workspace, spec.path))
        if not target.startswith(workspace + os.sep):
            raise UserError(f"{spec.path} is outside the workspace")
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if isinstance(spec, CopyFile):
                _copy(os.path.join(folder, spec.source), target)
            else:
                with open(target, "w", encoding="utf-8", newline="") as file:
                    file.write(spec.text)
            if spec.mode is not None:
                os.chmod(target, spec.mode)
        except OSError as error:
            where = f" to {spec.path}" if isinstance(spec, CopyFile) else ""
            name = spec.source if isinstance(spec, CopyFile) else spec.path
            raise UserError(f"cannot put {name}{where} into the workspace: {error.strerror or error}") from None


def _copy(source: str, target: str) -> None:
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
