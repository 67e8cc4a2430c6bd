"""asciicast v2: the recording of a terminal as a file, one JSON value a line."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

from orchestro.terminal.recording import Entry

__all__ = ["read_cast", "write_cast"]


def write_cast(path: str, header: Mapping[str, Any], entries: Iterable[Entry]) -> None:
    """Write a recording; a crash may leave a torn last line, which `read_cast` passes over.

    A character that was cut between two chunks of output goes whole into the later one; bytes that are no UTF-8 become
    U+FFFD. Raises OSError.
    """
    decoders = {code: codecs.getincrementaldecoder("utf-8")("replace") for code in "oi"}
    lines = [json.dumps(dict(header), ensure_ascii=False, separators=(",", ":"))]
    for at, code, data in entries:
        text = decoders[code].decode(data) if isinstance(data, bytes) else data
        if text:
            lines.append(f'[{at:.6f},"{code}",{encode_basestring(text)}]')
    lines.append("")
    data = "\n".join(lines).encode("utf-8", "replace")
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        while data:
            data = data[os.write(file, data) :]
    finally:
        os.close(file)


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
