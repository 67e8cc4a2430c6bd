"""Writes the parts of the documentation that are made from the code; the tests prove that they are fresh."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = {
    "src/orchestro/scenario/scenario.schema.json": ["orchestro.scenario.schema", "--built-in"],
    "docs/reference/scenario.md": ["orchestro.scenario.reference"],
    "docs/reference/events.md": ["orchestro.observe.events_reference"],
    "docs/reference/cli.md": ["orchestro.cli.reference"],
}


def main() -> None:
    for path, module in MADE.items():
        made = subprocess.run([sys.executable, "-m", *module], check=True, capture_output=True, text=True).stdout
        (ROOT / path).write_text(made, encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
