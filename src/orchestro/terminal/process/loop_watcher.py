"""Watching descriptors where there is no epoll: through the event loop itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Watcher"]


class Watcher:
    """Calls back when descriptors can be read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Watcher:
        """One for that loop."""
        return cls(loop)

    def add(self, fd: int, ready: Callable[[], None]) -> None:
        """Call `ready` whenever `fd` can be read, until it is removed, which must be before it is closed."""
        self._loop.add_reader(fd, ready)

    def remove(self, fd: int) -> None:
        """Call nothing for `fd` any more. Twice is harmless."""
        self._loop.remove_reader(fd)
