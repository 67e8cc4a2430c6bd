"""Steps that look at the screen, and the picture of it."""

from __future__ import annotations

from typing import Any, ClassVar

from orchestro.records import dataclass
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Bool, Converted, Fields, Int, OneOf, Pair, Regex, Str
from orchestro.scenario.stage import Stage
from orchestro.scenario.variables import Pattern
from orchestro.terminal.checks import CursorAt, NotSee, See
from orchestro.terminal.checks.screen import parse_color
from orchestro.terminal.screen import MAX_SIDE, Color

__all__ = ["KINDS"]


@dataclass(frozen=True, slots=True)
class SeeStep:
    """Waits for something on the screen."""

    text: str | None = None
    regex: Pattern | None = None
    row: int | None = None
    col: int | None = None
    near: str | None = None
    fg: Color | str = None
    bg: Color | str = None
    bold: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    reverse: bool | None = None
    count: int | None = None

    def resolve(self) -> See:
        """The check."""
        return See(
            self.text,
            None if self.regex is None else self.regex.compile(),
            self.row,
            self.col,
            self.near,
            self.fg,
            self.bg,
            self.bold,
            self.italic,
            self.underline,
            self.reverse,
            self.count,
        )


@dataclass(frozen=True, slots=True)
class NotSeeStep:
    """Waits until something is gone from the screen."""

    see: SeeStep

    def resolve(self) -> NotSee:
        """The check."""
        return NotSee(self.see.resolve())


@dataclass(frozen=True, slots=True)
class Screenshot:
    """Keeps a picture of the screen, as SVG and PNG."""

    after_checks: ClassVar[bool] = True

    name: str

    async def perform(self, stage: Stage) -> str:
        """Draw it now."""
        from orchestro.terminal.render import screen_png, screen_svg

        screen = stage.terminal.screen
        svg = screen_svg(screen.styled(), screen.size[0], screen.cursor, title=screen.title)
        stage.write_artifact("screenshot-svg", self.name, ".svg", svg.encode())
        png = screen_png(svg)
        path = stage.write_artifact("screenshot-png", self.name, ".png", png)
        return f"wrote {path.name}"


_TEXT = Str(empty=False)
_COLOR: Converted[Color | str] = Converted(Str(empty=False), parse_color, what="a colour such as red, 208 or #ff8700")
_FIELDS: dict[str, Any] = {
    "text": _TEXT,
    "regex": Regex(flags=0),
    "row": Int(-MAX_SIDE, MAX_SIDE),
    "col": Int(0, MAX_SIDE),
    "near": _TEXT,
    "fg": _COLOR,
    "bg": _COLOR,
    "bold": Bool(),
    "italic": Bool(),
    "underline": Bool(),
    "reverse": Bool(),
}


def _plain(text: str) -> SeeStep:
    return SeeStep(text=text)


_SEE: OneOf[SeeStep] = OneOf(
    Converted(_TEXT, _plain),
    Fields({**_FIELDS, "count": Int(0, 10_000)}, one_of=("text", "regex"), make=SeeStep),
    what="a text, or a mapping with text or regex and row, col, near, fg, bg, bold, underline, reverse, count",
)
_NOT_SEE: OneOf[SeeStep] = OneOf(
    Converted(_TEXT, _plain),
    Fields(_FIELDS, one_of=("text", "regex"), make=SeeStep),
    what="a text, or a mapping with text or regex and row, col, near, fg, bg, bold, underline, reverse",
)


def _itself(value: SeeStep) -> SeeStep:
    return value


def _cursor(at: tuple[int, int]) -> CursorAt:
    return CursorAt(*at)


KINDS = (
    StepKind(
        "see",
        _SEE,
        _itself,
        "Waits until a text is on the screen, at a place and in a style if asked for. Rows and columns count from 0, "
        "negative rows from the bottom.",
        "- see: {text: Saved, row: -1, fg: green}",
    ),
    StepKind("not_see", _NOT_SEE, NotSeeStep, "Waits until a text is not on the screen.", "- not_see: Loading"),
    StepKind(
        "cursor",
        Pair(Int(0, MAX_SIDE), Int(0, MAX_SIDE), names=("col", "row")),
        _cursor,
        "Waits until the cursor is at this column and row.",
        "- cursor: [0, 3]",
    ),
    StepKind(
        "screenshot",
        _TEXT,
        Screenshot,
        "Writes the screen as SVG and PNG into the artifacts of the run.",
        "- screenshot: menu",
    ),
)
