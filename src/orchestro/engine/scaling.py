"""Lets the number of workers of a dispatcher follow its queue: asked at every change, without polling."""

from __future__ import annotations

import asyncio

from orchestro.engine.autoscale import Autoscaler
from orchestro.engine.dispatcher import Dispatcher

__all__ = ["FollowQueue"]


class FollowQueue:
    """Joins an autoscaler and a dispatcher until it is closed."""

    def __init__(self, dispatcher: Dispatcher, autoscaler: Autoscaler) -> None:
        self._dispatcher = dispatcher
        self._autoscaler = autoscaler
        self._timer: asyncio.TimerHandle | None = None
        self._asking = False
        dispatcher.on_change = self.ask

    def ask(self) -> None:
        """Have as many workers as the rules want now; ask again when they may want another number."""
        if self._asking:  # resizing starts tasks, which is a change
            return
        self._asking = True
        try:
            one = self._dispatcher
            wanted, reason = self._autoscaler.decide(one.workers, one.queued, one.running)
            if wanted != one.workers:
                one.resize(wanted, reason)
        finally:
            self._asking = False
        wait_s = self._autoscaler.wait_s()
        if self._timer is None and wait_s > 0:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.ask()

    def close(self) -> None:
        """Leave the number as it is."""
        self._dispatcher.on_change = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
