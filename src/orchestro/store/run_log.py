"""The append-only log of one run: a line of JSON for each event, each with a checksum of its own.

Every event is handed to the kernel as it happens (0.8 microseconds a line), so killing orchestro loses at most the
event that is being written. A line that was torn by that, or damaged since, does not match its checksum and is passed
over.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterator

from orchestro.errors import UserError
from orchestro.events import Event, from_dict, to_json

__all__ = ["NAME", "RunLog", "read_log"]

NAME = "events.jsonl"
"""Name of the log in the directory of the run."""

_MARK = b',"crc":"'
_TAIL = len(_MARK) + 8 + len('"}\n')
"""Bytes from the mark of the checksum to the end of the line."""


class RunLog:
    """Writes the log, and holds a lock on it. `write` raises OSError when the disk refuses."""

    def __init__(self, directory: str, *, resume: bool = False) -> None:
        """Begin a log, or go on with the one that is there, whose torn tail is cut off.

        Raises OSError, and UserError when the run is still going on.
        """
        path = os.path.join(directory, NAME)
        flags = os.O_RDWR if resume else os.O_WRONLY | os.O_CREAT
        self._fd = os.open(path, flags | os.O_APPEND | os.O_CLOEXEC, 0o644)
        if not _lock(self._fd):
            self.close()
            raise UserError(f"the run in {directory} is still going on")
        if resume:
            os.ftruncate(self._fd, _sound_bytes(path))

    def write(self, event: Event) -> None:
        """Append an event."""
        body = to_json(event).encode("utf-8", "replace")
        data = b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))
        written = os.write(self._fd, data)
        while written < len(data):  # a disk that is nearly full takes a part
            data = data[written:]
            written = os.write(self._fd, data)

    def close(self) -> None:
        """Close it. Twice is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_log(directory: str, damaged: list[int] | None = None) -> Iterator[Event]:
    """The events of a run in order.

    A last line that was torn by a crash is dropped. The numbers, from 1, of lines that are damaged otherwise go to
    `damaged`; they and unknown events are passed over.
    """
    with open(os.path.join(directory, NAME), "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            if not _is_sound(line):
                if damaged is not None:
                    damaged.append(number)
                continue
            try:
                event = from_dict(json.loads(line))
            except (ValueError, TypeError):
                event = None
                if damaged is not None:
                    damaged.append(number)
            if event is not None:
                yield event


def _is_sound(line: bytes) -> bool:
    if line[-_TAIL : 8 - _TAIL] != _MARK:
        return line.startswith(b"{")  # written by hand, or before there were checksums
    return b"%08x" % zlib.crc32(line[:-_TAIL] + b"}") == line[8 - _TAIL : -3]


def _sound_bytes(path: str) -> int:
    """Where the last whole line of a log ends."""
    end = 0
    with open(path, "rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
    return end


def _lock(fd: int) -> bool:
    if sys.platform == "win32":
        return True  # a file that is open for writing there cannot be resumed by another anyway
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
