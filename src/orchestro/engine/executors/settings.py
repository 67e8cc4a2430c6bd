"""What every executor of a run is built from, and how it names its files."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from orchestro.isolate.scratch import Scratch
from orchestro.model import NOTHING
from orchestro.records import dataclass
from orchestro.store.recordings import RecordingWriter

__all__ = ["ExecutorSettings", "file_name"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._=+-]+")


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """What holds for every task of a run."""

    run_id: str
    run_dir: str
    """Where recordings and artifacts are written."""
    started_in: str
    """Directory where orchestro was started."""
    scratch: Scratch
    recordings: RecordingWriter
    options: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """What only the executor of one kind understands, e.g. ``snapshot_mode``."""

    @property
    def mark(self) -> str:
        """What the environment of every process of the run holds."""
        return self.scratch.mark


def file_name(task_id: str, number: int) -> str:
    """A name for the files of an attempt: readable, safe in every file system, and unlike that of any other."""
    name = _UNSAFE.sub("-", task_id).strip("-.")[:100]
    if name != task_id:  # another name may come to the same
        name = f"{name}-{zlib.crc32(task_id.encode('utf-8', 'surrogatepass')):08x}"
    return name if number == 1 else f"{name}.{number}"
