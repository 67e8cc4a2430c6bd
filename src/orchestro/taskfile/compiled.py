"""Keeps what a large task file came to, so that it is read once and not at every run.

Reading YAML with the place of every mistake costs about 0.1 ms a task: a second for ten thousand. What it came to,
plain values, is loaded a hundred times faster. The kept file is called by the digest of the text: it cannot be stale.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
from dataclasses import asdict
from typing import Any

from orchestro import __version__
from orchestro.model import Backoff, Outcome, RetryPolicy, RetryRule
from orchestro.taskfile.file import TaskFile

__all__ = ["SMALLEST_BYTES", "keep", "kept"]

SMALLEST_BYTES = 4 << 10
"""Files below are read in a few milliseconds anyway."""
_MOST_KEPT = 16
"""Files that are kept; older ones are removed when another is added."""
_FORMAT = f"orchestro {__version__} 1\n".encode()


def kept(folder: str, text: bytes, file: str) -> TaskFile | None:
    """What the text came to earlier; None when it is not known."""
    try:
        with open(_path(folder, text), "rb") as stream:
            data = stream.read()
    except OSError:
        return None
    head, body = data[:32], data[32:]
    if hashlib.blake2b(body, digest_size=32).digest() != head:
        return None  # torn or tampered with; marshal must not see it
    found: dict[str, Any] = marshal.loads(body)  # noqa: S302  # written by `keep`, and its digest is right
    for task in found["tasks"].values():
        if isinstance(task.get("retries"), tuple):
            task["retries"] = _policy(task["retries"])
    return TaskFile(**{**found, "file": file})


def keep(folder: str, text: bytes, found: TaskFile) -> None:
    """Keep it; a disk that refuses costs only time."""
    if found.breakers:
        return  # rare, and not plain
    plain = {**asdict(found), "tasks": {name: _plain(task) for name, task in found.tasks.items()}}
    with contextlib.suppress(OSError, ValueError):
        body = marshal.dumps(plain)
        os.makedirs(folder, exist_ok=True)
        path = _path(folder, text)
        making = f"{path}.{os.getpid()}"
        with open(making, "wb") as stream:
            stream.write(hashlib.blake2b(body, digest_size=32).digest() + body)
        os.replace(making, path)
        others = sorted((entry for entry in os.scandir(folder)), key=lambda entry: entry.stat().st_mtime)
        for entry in others[:-_MOST_KEPT]:
            os.unlink(entry.path)


def _path(folder: str, text: bytes) -> str:
    return os.path.join(folder, hashlib.blake2b(_FORMAT + text, digest_size=16).hexdigest())


def _plain(task: dict[str, Any]) -> dict[str, Any]:
    policy = task.get("retries")
    if not isinstance(policy, RetryPolicy):
        return task
    rules = tuple(
        (outcome.value, rule.retries, rule.backoff.base_s, rule.backoff.factor, rule.backoff.cap_s, rule.backoff.jitter)
        for outcome, rule in policy.rules
    )
    return {**task, "retries": rules}


def _policy(rules: tuple[Any, ...]) -> RetryPolicy:
    return RetryPolicy(tuple((Outcome(kind), RetryRule(count, Backoff(*backoff))) for kind, count, *backoff in rules))
