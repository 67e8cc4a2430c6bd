"""A terminal whose program is a script and whose clock is ticked: checks and steps run on it without any process.

Everything but the program and the clock is the real thing: the stream, the screen, the waits. A wait that has nothing
to wait for but time lets the clock jump, so a test never takes as long as it says.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence

from orchestro.terminal.terminal import Terminal

__all__ = ["FakeTerminal"]

_TICK_S = 1e-6
# The clock always moves on: a check may ask to be asked again after a time too small to change it.

Event = Callable[[], object]
"""Something that happens at a moment of the script."""


class FakeTerminal(Terminal):
    """A started `Terminal` with a scripted program.

    `on_input` is called with every input that is written, and may print, end the program or plan what comes later.
    `canonical` and `echo` are the modes of the line discipline; the fake echoes nothing by itself.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = (80, 24),
        timeout: float = 5.0,
        canonical: bool = True,
        echo: bool = False,
        on_input: Callable[[FakeTerminal, bytes], object] | None = None,
    ) -> None:
        super().__init__(["fake"], size=size, timeout=timeout, integrate_shell=False, env={})
        self.line_discipline = (canonical, echo)
        self.typed: list[bytes] = []
        """What was written to the program, an item an input."""
        self.signals: list[int] = []
        """Numbers of the signals that were sent."""
        self.sizes: list[tuple[int, int]] = []
        """Sizes that the program was told of."""
        self.on_input = on_input
        self.clock_s = 0.0
        """What `now` is."""
        self.zero = 0.0
        self._time = lambda: self.clock_s
        self._driver = _FakeDriver(self)
        self._planned: list[tuple[float, int, Event]] = []
        self._order = itertools.count()

    # -- the script

    def prints(self, text: str | bytes, *, after_s: float = 0.0) -> None:
        """The program prints, now or so many seconds from now. Line feeds of a text become CR LF, as a pty makes them.

        Bytes are taken as they are.
        """
        data = text.replace("\n", "\r\n").encode() if isinstance(text, str) else text
        self._at(after_s, lambda: self.received(data))

    def ends(self, code: int = 0, *, after_s: float = 0.0) -> None:
        """The program ends, now or later; negative for a signal."""

        def end() -> None:
            self.exited(code)
            self.hung_up()

        self._at(after_s, end)

    def _at(self, after_s: float, event: Event) -> None:
        if after_s <= 0:
            event()
        else:
            heapq.heappush(self._planned, (self.clock_s + after_s, next(self._order), event))

    def tick(self, seconds: float) -> None:
        """Let time pass; what was planned until then happens at its moment."""
        self._advance(self.clock_s + seconds)

    def _advance(self, until: float) -> None:
        while self._planned and self._planned[0][0] <= until:
            self.clock_s, _, event = heapq.heappop(self._planned)
            event()
        self.clock_s = max(self.clock_s, until)

    # -- what differs from a real terminal

    async def start(self) -> None:
        """Nothing to start: it is started when it is made."""

    async def _change(self, until: float) -> None:
        """Go to the next moment of the script, or to `until` when nothing is planned before it."""
        if self._planned and self._planned[0][0] <= until:
            until = self._planned[0][0]
        self._advance(max(until, self.clock_s + _TICK_S))


class _FakeDriver:
    """Implements `Driver` over the script."""

    pid = 1
    is_terminal = True

    def __init__(self, terminal: FakeTerminal) -> None:
        self._terminal = terminal

    async def started(self) -> None:
        return

    def write(self, data: bytes) -> None:
        terminal = self._terminal
        terminal.typed.append(data)
        if terminal.on_input is not None:
            terminal.on_input(terminal, data)

    def line_mode(self) -> tuple[bool, bool]:
        return self._terminal.line_discipline

    def foreground(self) -> int:
        return 0

    def resize(self, cols: int, rows: int) -> None:
        self._terminal.sizes.append((cols, rows))

    def signal(self, number: int) -> None:
        self._terminal.signals.append(number)

    async def stop(self, grace_s: float) -> Sequence[int]:
        del grace_s
        if self._terminal.exit_code is None:
            self._terminal.ends(-15)
        return ()
