"""A step that waits for a row of a table on the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import ListOf, Str
from orchestro.terminal.probe import Held, NotYet, Probe
from orchestro.terminal.terminal import Terminal

__all__ = ["KINDS"]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the screen holds these cells, in this order, with blanks or box drawing between."""

    cells: tuple[str, ...]

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"a row with {' | '.join(self.cells)}"

    def probe(self, terminal: Terminal) -> Probe:
        """Look once; orchestro asks again whenever something has changed."""
        for number, line in enumerate(terminal.screen.lines()):
            cells = re.split(r"\s{2,}|[│|┃]", line)
            if _in_order(self.cells, [cell.strip() for cell in cells if cell.strip()]):
                return Held(f"row {number}")
        return NotYet(f"no row has {' | '.join(self.cells)}")


def _in_order(wanted: tuple[str, ...], found: list[str]) -> bool:
    rest = iter(found)
    return all(cell in rest for cell in wanted)


KINDS = (
    StepKind(
        "expect_table_row",
        ListOf(Str(empty=False), 1),
        TableRow,
        "Waits until a row of the screen holds these cells in order.",
        "- expect_table_row: [bolt, '40']",
    ),
)
