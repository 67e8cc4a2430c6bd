"""Step and validation kinds that do nothing: the loader is tested with them, whatever the built-in ones become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from orchestro.errors import UnknownKey
from orchestro.scenario import registry
from orchestro.scenario.kinds import StepKind, ValidationKind
from orchestro.scenario.shape import Bool, Duration, Fields, Int, Json, ListOf, MapOf, OneOf, Pattern, Regex, Str


@dataclass(frozen=True, slots=True)
class Act:
    value: Any
    raw: bool = False

    async def perform(self, stage: Any) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Look:
    value: Any
    near: str = ""
    what: str = "a look"

    def probe(self, terminal: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Capture:
    after_checks: ClassVar[bool] = True
    patterns: dict[str, Pattern]

    @property
    def binds(self) -> tuple[str, ...]:
        return tuple(self.patterns)

    async def perform(self, stage: Any) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Left:
    path: str
    text: str = ""

    def validate(self, aftermath: Any) -> str:
        return ""


def press(keys: tuple[str, ...]) -> Act:
    for key in keys:
        if key == "entre":
            raise UnknownKey(key, "enter")
    return Act(keys)


CELLS = Fields({"text": Str(), "regex": Regex(), "row": Int(0)}, one_of=("text", "regex"))
STEPS = (
    StepKind("send", Str(), Act, "Types a text.", "- send: ls", options={"raw": Bool()}),
    StepKind("press", ListOf(Str(), 1, or_single=True), press, "Presses keys."),
    StepKind("wait", Duration(), Act, "Waits."),
    StepKind("expect", ListOf(Regex(), 1, or_single=True), Look, "Waits for output.", aliases=("pattern",)),
    StepKind("see", ListOf(OneOf[Any](Str(), CELLS), 1, or_single=True), Look, "Looks.", options={"near": Str()}),
    StepKind("exit", Int(0, 255), Look, "Waits for the end."),
    StepKind("expect_json", Json(), Look, "Compares."),
    StepKind("capture", MapOf(Regex()), Capture, "Binds variables."),
)
VALIDATIONS = (
    ValidationKind("path_exists", {"path": Str(empty=False)}, Left, "A file is there.", required=("path",)),
    ValidationKind("file_contains", {"path": Str(), "text": Str()}, Left, "It holds.", required=("path", "text")),
)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registries with only the kinds above, and no packages."""
    steps = registry._Family("step", StepKind, (), "orchestro.test.steps", registry.RESERVED_STEP_KEYS)
    steps.built_in = {name: kind for kind in STEPS for name in (kind.key, *kind.aliases)}
    validations = registry._Family("validation", ValidationKind, (), "orchestro.test.validations")
    validations.built_in = {kind.type: kind for kind in VALIDATIONS}
    monkeypatch.setattr(registry, "_steps", steps)
    monkeypatch.setattr(registry, "_validations", validations)
