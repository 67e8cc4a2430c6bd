from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from orchestro.events import EVENT_TYPES
from orchestro.model import Outcome
from orchestro.observe.events_reference import events_reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "events.md"


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == events_reference(), (
        "run `python -m orchestro.observe.events_reference > docs/reference/events.md`"
    )


def test_every_event_field_and_outcome_is_in_it() -> None:
    text = events_reference()
    for name, cls in EVENT_TYPES.items():
        section = text.partition(f"### `{name}`\n")[2].partition("\n### ")[0]
        for field in fields(cls):
            assert f"| `{field.name}` |" in section
    for outcome in Outcome:
        assert f"| `{outcome.value}` |" in text
    assert "| `kind` | string | required | The key that names the step, e.g. `expect`. |" in text
