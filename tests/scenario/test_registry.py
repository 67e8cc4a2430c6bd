from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from fake_kinds import kinds

from orchestro.errors import UserError
from orchestro.scenario import registry
from orchestro.scenario.loader import load_text
from orchestro.terminal.pipe_driver import PipeDriver

__all__ = ["kinds"]

KIND = """
from orchestro.scenario.kinds import StepKind
from orchestro.scenario.shape import Str
class Wave:
    def __init__(self, value): self.value = value
    async def perform(self, stage): return "waved"
KINDS = (StepKind("wave", Str(), Wave, "Waves."),)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Give an installed package: the name of its module and its source."""
    monkeypatch.syspath_prepend(str(tmp_path))
    entries: list[EntryPoint] = []
    asked: list[str] = []

    def entry_points(group: str) -> list[EntryPoint]:
        asked.append(group)
        return [entry for entry in entries if entry.group == group]

    monkeypatch.setattr(registry, "_entry_points", entry_points)

    def add(module: str, source: str, group: str = "orchestro.test.steps", name: str = "", value: str = "") -> None:
        (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.delitem(sys.modules, module, raising=False)
        entries.append(EntryPoint(name or module, value or module, group))

    add.asked = asked  # type: ignore[attr-defined]  # what the packages were asked for, for one test
    return add


def problems(step: str) -> list[str]:
    return [str(problem) for problem in load_text(f"command: x\nsteps: [{step}]", "f").problems]


def test_a_step_of_an_installed_package_can_be_used(install: Install) -> None:
    install("waving", KIND)
    loaded = load_text("command: x\nsteps: [{wave: hello}]", "f")
    assert loaded.problems == ()
    assert loaded.scenarios[0].steps[0].label == "wave: hello"


def test_packages_are_asked_only_for_a_key_that_is_not_built_in(install: Any) -> None:
    install("waving", KIND)
    assert problems("{send: x, expect: y}") == []
    assert install.asked == []
    assert problems("{wave: x}") == []
    assert install.asked == ["orchestro.test.steps"]


def test_a_step_of_a_package_is_suggested(install: Install) -> None:
    install("waving", KIND)
    assert "did you mean 'wave'?" in problems("{wavee: x}")[0]


def test_a_package_that_cannot_be_imported_is_named_with_the_reason(install: Install) -> None:
    install("broken_steps", "import no_such_module_here")
    (problem,) = problems("{wave: x}")
    assert "the package 'broken_steps' could not be loaded: ModuleNotFoundError" in problem
    with pytest.raises(UserError, match="broken_steps"):
        registry.step_kinds()


@pytest.mark.parametrize("source", ["", "KINDS = (1,)", "KINDS = 3"])
def test_a_package_that_gives_something_else_is_named(install: Install, source: str) -> None:
    install("odd_steps", source)
    assert "the package 'odd_steps' could not be loaded: TypeError" in problems("{wave: x}")[0]


def test_two_packages_with_the_same_step_are_both_named(install: Install) -> None:
    install("waving_one", KIND)
    install("waving_two", KIND)
    (problem,) = problems("{wave: x}")
    assert "f:2:10: steps[0].wave: the packages 'waving_one' and 'waving_two' both define the step 'wave'" in problem


@pytest.mark.parametrize("name", ["send", "note"])
def test_a_package_cannot_override_a_built_in_key(install: Install, name: str) -> None:
    install("greedy", KIND.replace('"wave"', f'"{name}"'))
    with pytest.raises(UserError, match=f"'greedy' cannot override the built-in step '{name}'"):
        registry.step_kinds()


def test_an_entry_point_may_name_the_kinds_or_one_kind(install: Install) -> None:
    install("by_tuple", KIND, value="by_tuple:KINDS")
    install("by_one", KIND.replace('"wave"', '"nod"') + "\nNOD = KINDS[0]", value="by_one:NOD")
    assert problems("{wave: x}, {nod: y}") == []


def test_drivers_are_found_by_name(install: Install) -> None:
    assert registry.driver_named("pipe") is PipeDriver
    install("wire", "def drive(*arguments): ...", "orchestro.drivers", "wire", "wire:drive")
    assert registry.driver_named("wire").__name__ == "drive"
    with pytest.raises(UserError, match="unknown driver 'wird', did you mean 'wire'"):
        registry.driver_named("wird")
    install("broken_wire", "1/0", "orchestro.drivers", "other")
    with pytest.raises(UserError, match="the driver 'other' could not be loaded: ZeroDivisionError"):
        registry.driver_named("other")
