"""The events as they are, one JSON object a line, for programs that want to know everything at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, TextIO

from orchestro.events import Event, to_json
from orchestro.observe.reporter import Reporter

if TYPE_CHECKING:
    from orchestro.observe.registry import ReporterOptions

__all__ = ["JsonLinesReporter", "build"]


class JsonLinesReporter(Reporter):
    """Writes each event to the `target`, a path or ``-`` for `stdout`, and flushes it, so that it can be followed.

    The first line is a `run_started` whose ``schema`` is the version of the vocabulary. Raises OSError when the file
    cannot be opened. Half a character that a program printed is written as an escape (``\\udc80``), so each line is
    valid UTF-8.
    """

    def __init__(self, target: str, stdout: TextIO) -> None:
        self._file: BinaryIO | None = None
        self._text: TextIO | None = None
        self._owned = target != "-"
        if self._owned:
            os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
            self._file = open(target, "wb")  # noqa: SIM115  # closed in `close`
        else:
            self._file = getattr(stdout, "buffer", None)
            self._text = stdout

    def handle(self, event: Event) -> None:
        line = to_json(event) + "\n"
        if self._file is not None:
            self._file.write(line.encode("utf-8", "backslashreplace"))
            self._file.flush()
        elif self._text is not None:
            self._text.write(line)
            self._text.flush()

    def close(self) -> None:
        if self._owned and self._file is not None:
            self._file.close()
        self._file = self._text = None


def build(options: ReporterOptions) -> JsonLinesReporter:
    """The factory of the registry."""
    return JsonLinesReporter(options.target or "-", options.stdout)
