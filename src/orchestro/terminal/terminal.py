"""One program on one terminal: the driver, the text it printed, its screen, its recording, and every wait."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal as signals
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from orchestro.errors import OrchestroError, TerminalClosed, UserError, WaitTimeout
from orchestro.model import Finding
from orchestro.terminal.driver import Driver, DriverFactory
from orchestro.terminal.echo import caret
from orchestro.terminal.keys import encode, normalise
from orchestro.terminal.probe import Check, Held, Missing, Never
from orchestro.terminal.process.exit_text import describe_exit
from orchestro.terminal.recording import Recording
from orchestro.terminal.screen.protocol import Modes, Screen
from orchestro.terminal.stream import CommandOutput, Stream

if TYPE_CHECKING:
    from types import TracebackType

    from orchestro.terminal.mouse import Action, Button

__all__ = ["MouseOff", "Terminal", "WaitFailed"]

_MAX_UNFED = 1 << 20
"""Bytes of output that may wait for the screen to be drawn before it is drawn anyway."""
_SCROLLBACK = 2000
"""Lines of history that a screen keeps."""
_LAST_INPUTS = 10
_SHELL_SETTLES_S = 0.25
"""How long a line at a shell's prompt may run before the next input is taken to be meant for it."""
_EDITOR_SETTLES_S = 1.0
"""How long a line entered in a line editor may run before the next input is typed ahead of its prompt."""
_STOP_GRACE_S = 0.5
"""How long a program gets to end after hang-up and TERM before it is killed."""


class WaitFailed(WaitTimeout):
    """Raised when a wait did not come true; `timed_out` is False when it could not come true any more."""

    def __init__(self, check: Check, missing: Missing, timeout_s: float, *, timed_out: bool) -> None:
        super().__init__(missing.why or check.what, timeout_s)
        self.check = check
        self.missing = missing
        self.timed_out = timed_out


class MouseOff(OrchestroError):
    """Raised when the mouse is used on a program that did not turn it on."""


class Terminal:
    """Drives one program. Use as an async context manager, or call `start` and `close`.

    `command` is a list, or a string that is split as a shell would; no shell is involved unless it names one. Sizes are
    in cells, times in seconds, columns and rows count from 0.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (80, 24),
        timeout: float = 5.0,
        driver: DriverFactory | None = None,
        integrate_shell: bool = True,
        scratch: Path | None = None,
    ) -> None:
        self.argv = shlex.split(command) if isinstance(command, str) else list(command)
        self._cwd = os.fspath(cwd) if cwd is not None else os.getcwd()
        self._env = dict(os.environ if env is None else env)
        self.cols, self.rows = size
        self.timeout_s = timeout
        self.recording = Recording(*size)
        self.exit_code: int | None = None
        """Once the program has ended: its code, or the negative number of the signal that ended it."""
        self.ended = False
        """Whether the program has ended and all that it printed was read."""
        self.orphans: Sequence[int] = ()
        """After `close`: processes that outlived a program that had ended by itself."""
        self._make_driver = driver
        self._integrate = integrate_shell
        self._scratch = scratch
        self._own_scratch: tempfile.TemporaryDirectory[str] | None = None
        self._driver: Driver | None = None
        self._stream = Stream()
        self._screen: Screen | None = None
        self._unfed: list[bytes] = []
        self._unfed_size = 0
        self._hung_up = False
        self._waiter: asyncio.Future[None] | None = None
        self._inputs: deque[str] = deque(maxlen=_LAST_INPUTS)
        self._bells_before = 0
        self._fed_at = 0.0
        self._typed_at = 0.0
        self._changed_at = 0.0
        self._seen: tuple[object, ...] = ()
        self.consumed = 0
        """Offset in `output` up to which `expect_next` has consumed it."""
        self._is_shell = False
        self._time: Callable[[], float] = time.monotonic
        self.zero: float | None = None
        """When `now` is 0, on the clock of the event loop; None makes it the start of the program."""
        self._ended_by_itself = False
        self._closed = False

    # -- life

    async def start(self) -> None:
        """Start the program. Raises SpawnError when it cannot be, InfrastructureError when no terminal is to be had."""
        loop = asyncio.get_running_loop()
        self._time = loop.time
        argv, env = self.argv, self._env
        if self._make_driver is None:
            self._make_driver = _default_driver()
        if getattr(self._make_driver, "is_terminal", False):
            argv, env = self._integrated(argv, env)
        if self.zero is None:
            self.zero = loop.time()
        driver = self._make_driver(argv, self._cwd, env, (self.cols, self.rows), self)
        await driver.started()
        self._driver = driver

    def _integrated(self, argv: list[str], env: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        if not self._integrate or os.path.basename(argv[0] if argv else "").lstrip("-") not in ("bash", "zsh", "fish"):
            return argv, env
        from orchestro.terminal.shells import integrate

        if self._scratch is None:
            self._own_scratch = tempfile.TemporaryDirectory(prefix="orchestro-")
            self._scratch = Path(self._own_scratch.name)
        marked = integrate(argv, env, self._scratch)
        self._is_shell = marked is not None
        return marked or (argv, env)

    async def close(self, grace_s: float = _STOP_GRACE_S) -> None:
        """End the program and all that it left behind, and free the terminal. Twice is harmless."""
        if self._closed:
            return
        self._closed = True
        self._ended_by_itself = self.exit_code is not None
        try:
            if self._driver is not None:
                self.orphans = await self._driver.stop(grace_s)
        finally:
            last = None
            if self._screen is not None or self.recording.cut:
                last = self.screen.dump()
            self.recording.finish(self.now, last)
            if self._own_scratch is not None:
                self._own_scratch.cleanup()

    def free(self) -> None:
        """Free the screen, after its last use."""
        if self._screen is not None:
            self._screen.close()
            self._screen = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- what the driver tells (Sink)

    def received(self, data: bytes) -> None:
        """Output came."""
        self._fed_at = self.now
        self.recording.output(self._fed_at, data)
        asked = self._stream.feed(data)
        if self._stream.needs_line_mode() and self._driver is not None and not self._driver.line_mode()[0]:
            self._stream.editor_took_over()
        self._unfed.append(data)
        self._unfed_size += len(data)
        if asked:
            self._draw()
        elif self._unfed_size > _MAX_UNFED:
            self._relieve()
        self._wake()

    def hung_up(self) -> None:
        """No more output can come."""
        self._hung_up = True
        self.ended = self.exit_code is not None
        self._wake()

    def exited(self, code: int) -> None:
        """The program ended."""
        self.exit_code = code
        self.ended = self._hung_up
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- state

    @property
    def now(self) -> float:
        """Seconds since `zero`."""
        return self._time() - (self.zero or 0.0)

    @property
    def output(self) -> str:
        """What was printed since the last input: control sequences and the echo of the input removed."""
        return self._stream.output

    @property
    def output_cut(self) -> int:
        """Characters dropped from the head of `output` because of its bound of 1 MiB."""
        return self._stream.cut

    @property
    def command(self) -> CommandOutput | None:
        """The last line entered: its output and, when known, its exit code."""
        return self._stream.command(self.ended, self.exit_code)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The last ten inputs, oldest first, for people."""
        return tuple(self._inputs)

    @property
    def bells_since_input(self) -> int:
        """How often the bell rang since the last input."""
        return self._stream.bells - self._bells_before

    @property
    def knows_prompt(self) -> bool:
        """Whether a prompt stood where the last line was entered, so that its return tells the end of the command."""
        return self._stream.knows_prompt

    @property
    def printed_at(self) -> float:
        """`now` of the last output."""
        return self._fed_at

    @property
    def typed_at(self) -> float:
        """`now` of the last input."""
        return self._typed_at

    @property
    def ended_by_itself(self) -> bool:
        """After `close`: whether the program had ended before it was asked to."""
        return self._ended_by_itself

    @property
    def at_prompt(self) -> bool:
        """Whether the program is a shell that waits for a command: it will not end by itself."""
        return self._is_shell and self._stream.shell == "input" and not self._stream.busy

    @property
    def drawn(self) -> bool:
        """Whether anything has asked for the screen yet."""
        return self._screen is not None

    @property
    def screen(self) -> Screen:
        """The screen as it is now; the first use draws it."""
        return self._draw()

    def _draw(self) -> Screen:
        screen = self._screen
        if screen is None:
            from orchestro.terminal.screen import open_screen

            screen = self._screen = open_screen(self.recording.cols, self.recording.rows, scrollback=_SCROLLBACK)
            screen.on_reply(self._reply)
        if self._unfed:
            unfed, self._unfed, self._unfed_size = self._unfed, [], 0
            plain = self._driver is not None and not self._driver.is_terminal
            for data in unfed:
                screen.feed(data.replace(b"\n", b"\r\n") if plain else data)
        return screen

    def _relieve(self) -> None:
        """Much waits to be drawn: plain lines that have scrolled out of the history by now need not be."""
        data = b"".join(self._unfed)
        keep = _SCROLLBACK + self.rows
        if b"\x1b" in data or b"\x0e" in data or data.count(b"\n") <= keep:
            self._draw()
            return
        self._unfed = [b"\r\n" + b"\n".join(data.rsplit(b"\n", keep)[1:])]
        self._unfed_size = len(self._unfed[0])
        if self._unfed_size > _MAX_UNFED // 2:
            self._draw()

    def _reply(self, data: bytes) -> None:
        if self._driver is not None and self.exit_code is None and self._driver.is_terminal:
            try:
                self._driver.write(data)
            except TerminalClosed:
                return

    @property
    def changed_at(self) -> float:
        """`now` of the last change of the screen, or of the last input if that was later."""
        screen = self.screen
        seen = (screen.lines(), screen.cursor)
        if seen != self._seen:
            self._seen = seen
            self._changed_at = max(self._changed_at, self._fed_at)
        return self._changed_at

    def findings(self) -> list[Finding]:
        """After `close`: in what state a program that ended by itself left the terminal, and what it left running."""
        found = []
        if self._ended_by_itself and (self._screen is not None or self._stream.touched_modes):
            found = _left_on(self.screen)
        if self.orphans:
            pids = ", ".join(str(pid) for pid in self.orphans)
            found.append(Finding("orphan-process", f"left processes running, which were killed: {pids}"))
        if self._stream.cut:
            found.append(Finding("output-cut", f"{self._stream.cut} characters of output were too many to keep"))
        if self.recording.cut:
            found.append(Finding("recording-cut", f"{self.recording.cut} bytes of output were too many to record"))
        return found

    # -- input

    async def send(self, text: str, *, enter: bool = True) -> None:
        """Type `text` and press Enter (a line feed in it is Enter, too)."""
        await self._settle()
        self._say("send" if enter else "type", repr(text))
        lines = text.split("\n")
        for line in lines[:-1]:
            await self._type(line, entered=True)
            await self._settle()
        await self._type(lines[-1], entered=enter)

    async def type(self, text: str) -> None:
        """Type `text` as it is."""
        await self.send(text, enter=False)

    async def _type(self, text: str, *, entered: bool) -> None:
        data = text.encode("utf-8", "surrogateescape")
        self._input(data + self._key("enter") if entered else data, caret(text), entered=entered)

    async def press(self, *keys: str) -> None:
        """Press keys, e.g. ``ctrl+c`` or ``up``, encoded as the program asked for. Raises UnknownKey."""
        await self._settle()
        for name in keys:
            key = normalise(name)
            self._say("press", name)
            plain = len(key) == 1
            control = len(key) == 6 and key.startswith("ctrl+")
            typed = key if plain else " " if key == "space" else "^" + key[-1].upper() if control else ""
            canonical = self._line_mode()[0]
            self._input(self._key(key), typed if canonical else "", entered=key in ("enter", "kp_enter"))

    def _key(self, key: str) -> bytes:
        if self._screen is None and (
            len(key) == 1 or key in _PLAIN_KEYS or (key.startswith("ctrl+") and len(key) == 6)
        ):
            # No screen yet means that no keyboard mode was asked for that changes these keys.
            return encode(key, Modes())
        screen = self.screen
        encoded = screen.encode_key(key)
        return encode(key, screen.modes) if encoded is None else encoded

    async def paste(self, text: str) -> None:
        """Paste `text`: bracketed when the program asked for that, with every line end as Enter otherwise."""
        await self._settle()
        self._say("paste", repr(text))
        data = text.replace("\r\n", "\n").encode("utf-8", "surrogateescape")
        if self._stream.bracketed:
            data = b"\x1b[200~" + data.replace(b"\x1b", b"") + b"\x1b[201~"
            self._input(data, caret(text), entered=False)
        else:
            self._input(data.replace(b"\n", b"\r"), caret(text), entered=text.endswith("\n"))

    async def click(
        self, col: int, row: int, button: Button = "left", modifiers: Sequence[str] = (), *, count: int = 1
    ) -> None:
        """Press and release a mouse button. Raises MouseOff when the program did not turn the mouse on."""
        self._say("click", f"{button} at column {col}, row {row}")
        for _ in range(count):
            self._mouse("press", button, col, row, modifiers)
            self._mouse("release", button, col, row, modifiers)

    async def scroll(self, amount: int, col: int, row: int) -> None:
        """Turn the wheel by `amount` notches, negative upwards. Raises MouseOff."""
        self._say("scroll", f"{amount} at column {col}, row {row}")
        for _ in range(abs(amount)):
            self._mouse("press", "wheel_up" if amount < 0 else "wheel_down", col, row, ())

    def _mouse(self, action: Action, button: Button, col: int, row: int, modifiers: Sequence[str]) -> None:
        from orchestro.terminal.mouse import encode_mouse

        modes = self.screen.modes
        if modes.mouse == "off":
            raise MouseOff("the program did not turn the mouse on")
        data = encode_mouse(action, button, col, row, modes, tuple(modifiers))
        if data is not None:
            self._input(data, "", entered=False)

    async def resize(self, cols: int, rows: int) -> None:
        """Change the size of the terminal; the program gets SIGWINCH."""
        self._say("resize", f"{cols}x{rows}")
        if self._driver is None:
            raise TerminalClosed("the program was not started")
        self.screen.resize(cols, rows)
        self.cols, self.rows = cols, rows
        self.recording.resized(self.now, cols, rows)
        self._changed_at = self.now
        self._driver.resize(cols, rows)

    async def signal(self, name: str) -> None:
        """Send a signal, e.g. ``TERM``, to what runs in the foreground."""
        number = getattr(signals, f"SIG{name.upper().removeprefix('SIG')}", None)
        if not isinstance(number, signals.Signals):
            raise UserError(f"unknown signal {name!r}")
        self._say("signal", name)
        if self._driver is None or self.exit_code is not None:
            raise TerminalClosed("the program has ended")
        self._mark("", entered=False)
        self._driver.signal(number)

    def _say(self, verb: str, what: str) -> None:
        self._inputs.append(f"{verb} {what}")

    def _line_mode(self) -> tuple[bool, bool]:
        return self._driver.line_mode() if self._driver is not None else (True, False)

    def _mark(self, typed: str, *, entered: bool) -> None:
        canonical, echo = self._line_mode()
        self._stream.mark_input(typed, entered=entered, canonical=canonical, echo=echo)
        self._bells_before = self._stream.bells
        self.consumed = 0
        self._typed_at = self._changed_at = self.now

    def _input(self, data: bytes, typed: str, *, entered: bool) -> None:
        if self._driver is None:
            raise TerminalClosed("the program was not started")
        if self.exit_code is not None:
            raise TerminalClosed(f"the program has ended with {describe_exit(self.exit_code)}")
        self._mark(typed, entered=entered)
        self.recording.typed(self.now, data)
        self._driver.write(data)

    async def _settle(self) -> None:
        """Wait until a line can be typed: at a marked shell for its first prompt and the end of the previous line.

        A line editor that has handed its terminal over to run the previous line takes it back with its prompt; what is
        typed before would be echoed twice. Bounded, since the program may also read the next line itself.
        """
        stream = self._stream
        if self.exit_code is not None:
            return
        if self._is_shell:
            if stream.shell == "none":
                await self._until(lambda: stream.shell == "input", self.timeout_s)
            elif stream.busy or stream.shell == "prompt":
                # The shell itself always answers: it runs the line, or shows its prompt again.
                await self._until(
                    lambda: stream.shell in ("running", "input") and not self._is_unread(), self.timeout_s
                )
                await self._until(lambda: stream.shell == "input" or self._foreground_moved(), _SHELL_SETTLES_S)
        elif stream.entered_in_editor:
            await self._until(lambda: stream.shows_new_prompt, _EDITOR_SETTLES_S)

    def _is_unread(self) -> bool:
        """Whether the shell has not taken the last line yet."""
        return self._stream.busy and self._stream.shell == "input"

    def _foreground_moved(self) -> bool:
        """Whether the shell has handed the terminal to a program."""
        return self._driver is not None and self._driver.foreground() not in (0, self._driver.pid)

    async def _until(self, condition: Any, timeout_s: float) -> None:
        deadline = self._time() + timeout_s
        while not condition() and not self.ended and self._time() < deadline:
            await self._change(deadline)

    # -- waits

    async def wait_for(self, *checks: Check, timeout_s: float | None = None) -> list[Held]:
        """Wait until all `checks` hold at once. Raises WaitFailed with the first that does not."""
        limit = self.timeout_s if timeout_s is None else timeout_s
        deadline = self._time() + limit
        while True:
            held: list[Held] = []
            blocked: list[tuple[Check, Missing]] = []
            again: float | None = None
            for check in checks:
                answer = check.probe(self)
                if isinstance(answer, Held):
                    held.append(answer)
                    continue
                if isinstance(answer, Never):
                    raise self._failed(check, answer, limit, timed_out=False)
                blocked.append((check, answer))
                if answer.again_in_s is not None:
                    again = answer.again_in_s if again is None else min(again, answer.again_in_s)
            if not blocked:
                return held
            now = self._time()
            if now >= deadline:
                raise self._failed(*blocked[0], limit, timed_out=True)
            if self.ended and again is None:
                raise self._failed(*blocked[0], limit, timed_out=False)
            await self._change(deadline if again is None else min(deadline, now + again))

    def _failed(self, check: Check, missing: Missing, limit: float, *, timed_out: bool) -> WaitFailed:
        explain = getattr(check, "explain", None)
        if explain is not None:
            missing = explain(self, missing)
        return WaitFailed(check, missing, limit, timed_out=timed_out)

    async def _change(self, until: float) -> None:
        """Return when anything happened, or at `until` on the loop's clock."""
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = loop.call_at(until, self._wake)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    async def expect(self, *patterns: str | re.Pattern[str], timeout: float | None = None) -> re.Match[str]:
        """Wait until what was printed since the last input matches, several in order; the last match is returned."""
        from orchestro.terminal.checks import Expect

        held = await self.wait_for(Expect(_compiled(patterns)), timeout_s=timeout)
        match: re.Match[str] = held[0].value
        return match

    async def expect_next(self, *patterns: str | re.Pattern[str], timeout: float | None = None) -> re.Match[str]:
        """Like `expect`, but from where the previous `expect_next` ended."""
        from orchestro.terminal.checks import Expect

        held = await self.wait_for(Expect(_compiled(patterns), consume=True), timeout_s=timeout)
        match: re.Match[str] = held[0].value
        self.consumed = match.end()
        return match

    async def see(self, text: str = "", *, timeout: float | None = None, **where: Any) -> None:
        """Wait until `text` is on the screen; `where` takes the keys of the step ``see``."""
        from orchestro.terminal.checks import See

        await self.wait_for(See(text=text or None, **where), timeout_s=timeout)

    async def not_see(self, text: str = "", *, timeout: float | None = None, **where: Any) -> None:
        """Wait until `text` is not on the screen."""
        from orchestro.terminal.checks import NotSee, See

        await self.wait_for(NotSee(See(text=text or None, **where)), timeout_s=timeout)

    async def idle(self, seconds: float = 0.2, *, timeout: float | None = None) -> None:
        """Wait until the screen has not changed for so long."""
        from orchestro.terminal.checks import Idle

        await self.wait_for(Idle(seconds), timeout_s=timeout)

    async def exit(self, code: int | None = 0, *, timeout: float | None = None) -> int:
        """Wait until the program ends, with `code` unless that is None; returns the code."""
        from orchestro.terminal.checks import Exit

        held = await self.wait_for(Exit(code), timeout_s=timeout)
        ended_with: int = held[0].value
        return ended_with


_PLAIN_KEYS = frozenset({"enter", "tab", "escape", "backspace", "space"})


def _compiled(patterns: Sequence[str | re.Pattern[str]]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p, re.MULTILINE) if isinstance(p, str) else p for p in patterns)


def _default_driver() -> DriverFactory:
    if sys.platform == "win32":
        from orchestro.terminal.pipe_driver import PipeDriver

        return PipeDriver
    from orchestro.terminal.pty_driver import PtyDriver

    return PtyDriver


def _left_on(screen: Screen) -> list[Finding]:
    modes = screen.modes
    left = [
        (modes.alternate_screen, "alternate-screen", "left the alternate screen on"),
        (not screen.cursor.visible, "cursor-hidden", "left the cursor hidden"),
        (modes.mouse != "off", "mouse-on", f"left mouse tracking on ({modes.mouse})"),
        (modes.bracketed_paste, "paste-mode-on", "left bracketed paste on"),
        (modes.focus_events, "focus-events-on", "left focus reporting on"),
        (modes.kitty_keyboard != 0, "keyboard-mode-on", "left the kitty keyboard protocol on"),
        (modes.application_cursor, "application-cursor-on", "left application cursor keys on"),
    ]
    return [Finding(code, f"the program {message} when it ended") for on, code, message in left if on]
