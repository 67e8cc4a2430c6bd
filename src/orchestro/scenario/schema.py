"""The JSON Schema of a scenario, for editors: ``python -m orchestro.scenario.schema``.

`scenario.schema.json` beside this module is what it prints with ``--built-in``: without the steps of
installed packages.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from orchestro.scenario.document import KEYS
from orchestro.scenario.registry import step_kinds, validation_kinds
from orchestro.scenario.shape import described
from orchestro.scenario.step import step_schema, validation_schema

__all__ = ["SHIPPED", "scenario_schema", "schema_text"]

SHIPPED = os.path.join(os.path.dirname(__file__), "scenario.schema.json")
"""Path of the schema that comes with the package."""


def scenario_schema(*, installed: bool = True) -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of one document.

    It is what editors can check: what takes knowledge of other keys or files is left to `orchestro validate`.
    Raises UserError when an installed package cannot be loaded.
    """
    properties = {}
    for key, field in KEYS.items():
        if key in ("steps", "validations"):
            item = (
                step_schema(step_kinds(installed=installed))
                if key == "steps"
                else validation_schema(validation_kinds(installed=installed))
            )
            schema = {"type": "array", "items": item}
        else:
            schema = described(field)
        properties[key] = {**schema, "description": field.summary}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Orchestro scenario",
        "type": "object",
        "properties": properties,
        "required": ["command"],
        "additionalProperties": False,
    }


def schema_text(*, installed: bool = True) -> str:
    """The schema as JSON text that ends with a newline."""
    return json.dumps(scenario_schema(installed=installed), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Print the schema; with ``--built-in`` without that of installed packages."""
    sys.stdout.write(schema_text(installed="--built-in" not in arguments))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
