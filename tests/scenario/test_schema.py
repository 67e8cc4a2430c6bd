from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from orchestro.scenario.loader import load_text
from orchestro.scenario.reference import reference
from orchestro.scenario.registry import step_kinds, validation_kinds
from orchestro.scenario.schema import SHIPPED, scenario_schema, schema_text

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "scenario.md"


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = scenario_schema(installed=False)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_shipped_schema_is_what_the_shapes_say() -> None:
    wanted = schema_text(installed=False)
    assert Path(SHIPPED).read_text(encoding="utf-8") == wanted, (
        "run: python -m orchestro.scenario.schema --built-in > src/orchestro/scenario/scenario.schema.json"
    )


def test_the_reference_is_what_the_shapes_say() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), (
        "run: python -m orchestro.scenario.reference > docs/reference/scenario.md"
    )


def test_the_module_prints_the_schema() -> None:
    command = [sys.executable, "-m", "orchestro.scenario.schema", "--built-in"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == schema_text(installed=False)


def test_every_kind_says_what_it_is_for() -> None:
    assert [key for key, kind in step_kinds(installed=False).items() if not kind.summary.endswith(".")] == []
    assert [key for key, kind in validation_kinds(installed=False).items() if not kind.summary.endswith(".")] == []


def test_every_example_of_a_step_loads_and_passes_the_schema(validator: Any) -> None:
    for kind in step_kinds(installed=False).values():
        assert kind.example.startswith("- "), kind.key
        text = f"command: sh\nsteps:\n{kind.example}\n"
        assert load_text(text, kind.key).problems == ()
        assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "command: ls",
        "command: [ls, -l]\nsize: [100, 30]\ntimeout: 500ms\ntotal_timeout: 90\npriority: high\nskip: later",
        "command: ls\nsteps: [{send: ls, raw: true, expect: [a, b], timeout: 1s}, {send: 123}, {note: x}]",
        "command: ls\nmatrix: {N: [1, 2], size: [[80, 24]], env: {LANG: [C]}, exclude: [{N: 1}]}",
        "command: ls\nvalidations: [{type: path_exists, path: x, description: y}, {type: exit_code, code: 0}]",
        "command: ls\nfiles: {a: b, c: {from: d}}\nonly_on: {os: linux, programs: [vim]}\nsetup: [a, [b, c]]",
    ],
)
def test_good_documents_pass(validator: Any, text: str) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "steps: []",
        "command: ls\nsise: [80, 24]",
        "command: ls\nsize: [80]",
        "command: ls\nsize: [0, 24]",
        "command: ls\ntimeout: soon",
        "command: ls\nsteps: [{exepct: x}]",
        "command: ls\nsteps: [{send: [a]}]",
        "command: ls\nvalidations: [{type: path_exists}]",
        "command: ls\nvalidations: [{path: x}]",
        "command: ls\npriority: urgent",
    ],
)
def test_wrong_documents_do_not(validator: Any, text: str) -> None:
    assert not validator.is_valid(yaml.safe_load(text))
