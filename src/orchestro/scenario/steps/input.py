"""Steps that type, point, resize and signal."""

from __future__ import annotations

import signal as signals
from typing import Any

from orchestro.records import dataclass
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Bool, Choice, Converted, Fields, Int, ListOf, OneOf, Pair, Str
from orchestro.scenario.stage import Stage, StepFailed
from orchestro.terminal.checks import MouseOn, See
from orchestro.terminal.keys import normalise
from orchestro.terminal.mouse import Button
from orchestro.terminal.probe import Missing
from orchestro.terminal.screen import MAX_SIDE

__all__ = ["KINDS"]


@dataclass(frozen=True, slots=True)
class Send:
    """Types, and presses Enter unless `raw`."""

    text: str
    raw: bool = False

    async def perform(self, stage: Stage) -> str:
        """Type it."""
        await stage.terminal.send(self.text, enter=not self.raw)
        return f"typed {_short(self.text)}" + ("" if self.raw else " and Enter")


@dataclass(frozen=True, slots=True)
class Press:
    """Presses keys one after the other."""

    keys: tuple[str, ...]

    async def perform(self, stage: Stage) -> str:
        """Press them."""
        await stage.terminal.press(*self.keys)
        return f"pressed {', '.join(self.keys)}"


@dataclass(frozen=True, slots=True)
class Paste:
    """Pastes, bracketed when the program asked for it."""

    text: str

    async def perform(self, stage: Stage) -> str:
        """Paste it."""
        await stage.terminal.paste(self.text)
        return f"pasted {_short(self.text)}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to point: a text on the screen, or a cell."""

    text: str = ""
    at: tuple[int, int] | None = None

    async def locate(self, stage: Stage) -> tuple[int, int]:
        """Column and row, once the program takes the mouse; of a text its middle, which is waited for as well."""
        if self.at is not None:
            await stage.terminal.wait_for(MouseOn(), timeout_s=stage.timeout_s)
            return self.at
        held = await stage.terminal.wait_for(See(text=self.text), MouseOn(), timeout_s=stage.timeout_s)
        spots = held[0].value
        if len(spots) > 1:
            places = ", ".join(f"[{spot.col}, {spot.row}]" for spot in spots[:5])
            raise StepFailed(
                Missing(f"{self.text!r} is {len(spots)} times on the screen, at {places}", hint="point at one cell")
            )
        return spots[0].col + (spots[0].width - 1) // 2, spots[0].row


@dataclass(frozen=True, slots=True)
class Click:
    """Clicks a mouse button."""

    target: Target
    button: Button = "left"
    count: int = 1

    async def perform(self, stage: Stage) -> str:
        """Click."""
        col, row = await self.target.locate(stage)
        await stage.terminal.click(col, row, self.button, count=self.count)
        return f"clicked {self.button} at column {col}, row {row}"


@dataclass(frozen=True, slots=True)
class Scroll:
    """Turns the mouse wheel, up for negative numbers."""

    target: Target
    lines: int = 1

    async def perform(self, stage: Stage) -> str:
        """Turn it."""
        col, row = await self.target.locate(stage)
        await stage.terminal.scroll(self.lines, col, row)
        return f"turned the wheel by {self.lines} at column {col}, row {row}"


@dataclass(frozen=True, slots=True)
class Resize:
    """Gives the terminal another size."""

    size: tuple[int, int]

    async def perform(self, stage: Stage) -> str:
        """Resize."""
        await stage.terminal.resize(*self.size)
        return f"resized to {self.size[0]}x{self.size[1]}"


@dataclass(frozen=True, slots=True)
class Signal:
    """Sends a signal to what runs in the foreground."""

    name: str

    async def perform(self, stage: Stage) -> str:
        """Send it."""
        await stage.terminal.signal(self.name)
        return f"sent SIG{self.name}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _control(key: str) -> Press:
    return Press((normalise(f"ctrl+{key}"),))


def _signal_name(text: str) -> str:
    name = text.upper().removeprefix("SIG")
    if f"SIG{name}" not in signals.Signals.__members__:
        raise ValueError(f"expected a signal such as TERM, INT or WINCH, got {text[:40]!r}")
    return name


_TEXT = Str(nul=False)
_KEY = Converted(Str(empty=False), normalise, what="a key such as enter, ctrl+c or up")
_CELL = Pair(Int(0, MAX_SIDE), Int(0, MAX_SIDE), names=("col", "row"))
_WHERE: dict[str, Any] = {"text": Str(empty=False), "at": _CELL}
_BUTTON = Choice("left", "middle", "right")


def _click(text: str = "", at: tuple[int, int] | None = None, button: Button = "left", count: int = 1) -> Click:
    return Click(Target(text, at), button, count)


def _scroll(text: str = "", at: tuple[int, int] | None = None, lines: int = 1) -> Scroll:
    return Scroll(Target(text, at), lines)


_CLICK: OneOf[Click] = OneOf(
    Converted(Str(empty=False), lambda text: Click(Target(text))),
    Converted(_CELL, lambda at: Click(Target(at=at))),
    Fields({**_WHERE, "button": _BUTTON, "count": Int(1, 3)}, one_of=("text", "at"), make=_click),
    what="a text on the screen, [col, row], or {text or at, button, count}",
)
_SCROLL: OneOf[Scroll] = OneOf(
    Converted(Str(empty=False), lambda text: Scroll(Target(text))),
    Converted(_CELL, lambda at: Scroll(Target(at=at))),
    Fields({**_WHERE, "lines": Int(-1000, 1000)}, one_of=("text", "at"), make=_scroll),
    what="a text on the screen, [col, row], or {text or at, lines}",
)


def _itself(value: Any) -> Any:
    return value


KINDS = (
    StepKind(
        "send",
        _TEXT,
        Send,
        "Types a text and presses Enter; with `raw: true` types it as it is.",
        "- send: ls -l",
        options={"raw": Bool()},
    ),
    StepKind("type", _TEXT, lambda text: Send(text, raw=True), "Types a text as it is.", "- type: hello"),
    StepKind(
        "press",
        ListOf(_KEY, 1, or_single=True),
        Press,
        "Presses a key or several, e.g. `enter`, `ctrl+c`, `shift+tab`, in the encoding that the program asked for.",
        "- press: [down, down, enter]",
        aliases=("keystroke",),
    ),
    StepKind("control", Str(empty=False), _control, "Presses Ctrl and a key.", "- control: c"),
    StepKind("paste", _TEXT, Paste, "Pastes a text, bracketed when the program asked for it.", "- paste: two lines"),
    StepKind(
        "click",
        _CLICK,
        _itself,
        "Clicks on a text or on `[col, row]`; the program must have turned the mouse on.",
        "- click: Save",
    ),
    StepKind(
        "scroll",
        _SCROLL,
        _itself,
        "Turns the mouse wheel over a text or `[col, row]`.",
        "- scroll: {at: [10, 5], lines: 3}",
    ),
    StepKind(
        "resize",
        Pair(Int(1, MAX_SIDE), Int(1, MAX_SIDE), names=("cols", "rows")),
        Resize,
        "Gives the terminal another size, in columns and rows.",
        "- resize: [40, 10]",
    ),
    StepKind(
        "signal",
        Converted(Str(empty=False), _signal_name, what="a signal such as TERM"),
        Signal,
        "Sends a signal to what runs in the foreground.",
        "- signal: TERM",
    ),
)
