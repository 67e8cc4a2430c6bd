"""A validation that counts the rows of a CSV file."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from orchestro.scenario.kinds import ValidationKind
from orchestro.scenario.shape import Int, Str
from orchestro.scenario.stage import Aftermath, StepFailed
from orchestro.terminal.probe import Missing

__all__ = ["KINDS"]


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The file has so many rows, the header left out."""

    path: str
    count: int

    def validate(self, aftermath: Aftermath) -> str:
        """Say why it holds, or raise StepFailed."""
        try:
            with open(aftermath.cwd / self.path, newline="", encoding="utf-8") as file:
                rows = max(0, sum(1 for _ in csv.reader(file)) - 1)
        except OSError as error:
            raise StepFailed(Missing(f"{self.path} cannot be read: {error.strerror}")) from None
        if rows != self.count:
            raise StepFailed(Missing(f"{self.path} has {rows} rows", expected=str(self.count), actual=str(rows)))
        return f"{rows} rows"


KINDS = (
    ValidationKind(
        "csv_rows",
        {"path": Str(empty=False), "count": Int(0)},
        CsvRows,
        "A CSV file has so many rows, the header left out.",
        ("path", "count"),
    ),
)
