"""A standard stream whose reader may go away: `orchestro run | head` runs on in silence and keeps its exit code."""

from __future__ import annotations

import os
from typing import Any, TextIO, cast

__all__ = ["lasting"]


class _Lasting:
    """Passes everything on, as text or bytes; once the reader has gone, what is written is dropped."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._stream, name)
        return _Lasting(value) if name == "buffer" else value

    def write(self, data: str | bytes) -> int:
        try:
            return int(self._stream.write(data))
        except BrokenPipeError:
            self._mute()
            return len(data)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._mute()

    def _mute(self) -> None:
        # The descriptor stays in use, so that neither what is still buffered nor the exit raises again.
        silence = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(silence, self._stream.fileno())
        finally:
            os.close(silence)


def lasting(stream: TextIO) -> TextIO:
    """`stream`, except that a `BrokenPipeError` silences it instead of being raised."""
    return cast(TextIO, _Lasting(stream))
