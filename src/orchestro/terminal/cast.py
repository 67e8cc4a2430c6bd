"""asciicast v2: the recording of a terminal as a file, one JSON value a line."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from orchestro.terminal.recording import Entry

__all__ = ["read_cast", "write_cast"]


def write_cast(path: str, header: Mapping[str, Any], entries: Iterable[Entry]) -> None:
    """Write a recording atomically: whole or not at all.

    A character that was cut between two chunks of output goes whole into the later one; bytes that are no UTF-8 become
    U+FFFD. Raises OSError.
    """
    decoders = {code: codecs.getincrementaldecoder("utf-8")("replace") for code in "oi"}
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    lines = [dump(dict(header))]
    for at, code, data in entries:
        text = decoders[code].decode(data) if isinstance(data, bytes) else data
        if text:
            lines.append(dump([round(at, 6), code, text]))
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8", errors="replace") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(temporary, path)


def read_cast(path: str) -> tuple[dict[str, Any], list[tuple[float, str, str]]]:
    """Header and events. A line that was torn by a crash ends it; what is no event is passed over.

    Raises OSError, and ValueError for a file that is no asciicast v2.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        try:
            header = json.loads(file.readline())
        except ValueError:
            raise ValueError(f"{path} is no asciicast") from None
        if not isinstance(header, dict) or header.get("version") != 2:
            raise ValueError(f"{path} is no asciicast v2")
        events = []
        for line in file:
            try:
                at, code, data = json.loads(line)
                events.append((float(at), str(code), str(data)))
            except (ValueError, TypeError):
                continue
    return header, events
