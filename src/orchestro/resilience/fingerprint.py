"""What makes two failures the same failure: the task, and the message without what differs from run to run."""

from __future__ import annotations

import hashlib
import re

__all__ = ["fingerprint", "normalise"]

_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"), "<time>"),
    (re.compile(r"(?:/private)?(?:/tmp|/var/tmp|/var/folders|/dev/shm)/[^\s'\":,)]*"), "<tmp>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b"), "<hex>"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def normalise(message: str) -> str:
    """The message with numbers, times, addresses and temporary paths taken out."""
    for pattern, word in _VARYING:
        message = pattern.sub(word, message)
    return message.strip()


def fingerprint(task_name: str, message: str) -> str:
    """16 hexadecimal digits: the same for the same failure of the same task in every run.

    The name is taken as it is: ``shard 1`` and ``shard 2`` are different tasks.
    """
    text = f"{len(task_name)}:{task_name}{normalise(message)}"
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
