"""The step that compares the screen with a stored text file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from orchestro.model import Finding
from orchestro.records import dataclass
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Bool, Converted, Field, Fields, Int, ListOf, OneOf, Regex, Str
from orchestro.scenario.snapshot import Wanted, differences, draw, draw_rows, snapshot_path, write_snapshot
from orchestro.scenario.stage import Stage, StepFailed
from orchestro.scenario.variables import Pattern
from orchestro.terminal.checks import Idle
from orchestro.terminal.checks.diff import clip
from orchestro.terminal.probe import Held, Missing, NotYet, Probe
from orchestro.terminal.screen import MAX_SIDE
from orchestro.terminal.terminal import Terminal, WaitFailed

__all__ = ["KINDS", "Snapshot"]

_SETTLED_S = 0.2
# Before it is written, the screen must have been at rest for so long.

_MAX_FILE = 64 << 20
# Bytes of a stored file: what the largest screen can take, styles included, and far more than one that people read.


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the screen; what is not given reaches to the edge."""

    row: int = 0
    col: int = 0
    rows: int | None = None
    cols: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Compares the screen with the file of this name, or writes it."""

    after_checks: ClassVar[bool] = True

    name: str
    styles: bool = False
    cursor: bool = False
    title: bool = False
    mask: tuple[Pattern, ...] = ()
    region: Region = Region()

    async def perform(self, stage: Stage) -> str:
        """Compare within the time-out of the step; a missing file is written, in CI it is a failure."""
        path = snapshot_path(stage.snapshot_dir, stage.scenario, self.name)
        stage.snapshots_used.add(str(path.absolute()))
        region = self.region
        wanted = Wanted(
            self.styles,
            self.cursor,
            self.title,
            tuple(pattern.compile() for pattern in self.mask),
            region.row,
            region.col,
            region.rows,
            region.cols,
        )
        stored = _stored(path)
        if stored is None:
            if stage.ci and stage.snapshot_mode == "verify":
                hint = "write it with --snapshot record, look at it and commit it"
                raise StepFailed(Missing(f"there is no snapshot {path}", hint=hint))
            return await self._write(stage, path, wanted)
        if stage.snapshot_mode == "update":
            try:
                await stage.terminal.wait_for(_Same(wanted, stored), timeout_s=_SETTLED_S)
            except WaitFailed:
                return await self._write(stage, path, wanted)
            return "the screen is as stored"
        try:
            await stage.terminal.wait_for(_Same(wanted, stored), timeout_s=stage.timeout_s)
        except WaitFailed:
            actual = draw(stage.terminal.screen, wanted)
            stage.write_artifact("snapshot", self.name, ".actual.snap", actual.encode())
            raise StepFailed(
                Missing(
                    f"the screen is not as in the snapshot {self.name!r}",
                    expected=clip(stored),
                    actual=clip(actual),
                    hint=f"if the change is right, run with --snapshot update (stored in {path})",
                ),
                waited_for=f"the screen stored in {path}",
                diff=differences(stored, actual),
            ) from None
        return "the screen is as stored"

    async def _write(self, stage: Stage, path: Path, wanted: Wanted) -> str:
        await stage.terminal.wait_for(Idle(_SETTLED_S), timeout_s=max(stage.timeout_s, 2 * _SETTLED_S))
        text = draw(stage.terminal.screen, wanted)
        try:
            write_snapshot(path, text)
        except OSError as error:
            raise StepFailed(Missing(f"the snapshot {path} cannot be written: {error.strerror}")) from None
        stage.findings.append(Finding("snapshot-written", f"wrote the snapshot {path}"))
        return f"wrote {path}"


@dataclass(frozen=True, slots=True)
class _Same:
    wanted: Wanted
    stored: str

    @property
    def what(self) -> str:
        return "the stored screen"

    def probe(self, terminal: Terminal) -> Probe:
        screen = terminal.screen
        rows, _ = draw_rows(screen, self.wanted)
        # The rows first: reading the styles costs ten times as much.
        if self.stored.startswith(rows) and draw(screen, self.wanted) == self.stored:
            return Held("the screen is as stored")
        return NotYet("the screen is not as stored")


def _stored(path: Path) -> str | None:
    try:
        if path.stat().st_size > _MAX_FILE:
            raise StepFailed(Missing(f"the snapshot {path} is larger than {_MAX_FILE >> 20} MiB"))
        return path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StepFailed(Missing(f"the snapshot {path} cannot be read: {error}")) from None


_NAME = Str(empty=False)
_SIDE = Int(0, MAX_SIDE)
_REGION = Fields(
    {"row": _SIDE, "col": _SIDE, "rows": Int(1, MAX_SIDE), "cols": Int(1, MAX_SIDE)},
    make=Region,
    what="a region such as {row: 2, rows: 10}",
)
_SNAPSHOT: OneOf[Snapshot] = OneOf(
    Converted(_NAME, Snapshot),
    Fields(
        {
            "name": Field(_NAME, "What the snapshot is called."),
            "styles": Field(Bool(), "Compare colours and attributes, too."),
            "cursor": Field(Bool(), "Compare the place of the cursor, too."),
            "title": Field(Bool(), "Compare the window title, too."),
            "mask": Field(ListOf(Regex(flags=0), or_single=True), "What may change from run to run."),
            "region": Field(_REGION, "The part of the screen to compare."),
        },
        required=("name",),
        make=Snapshot,
    ),
    what="a name, or a mapping with name and styles, cursor, title, mask, region",
)

KINDS = (
    StepKind(
        "snapshot",
        _SNAPSHOT,
        lambda snapshot: snapshot,
        "Compares the screen with a text file stored beside the scenario.",
        "- snapshot: main menu",
    ),
)
