"""The order of the packages, lean starts, and public names."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import orchestro

SOURCE = Path(orchestro.__file__).parent
ORDER = (
    "records",
    "errors",
    "exits",
    "model",
    "events",
    "graph",
    "schedule",
    "resilience",
    "trees",
    "store",
    "selection",
    "terminal",
    "scenario",
    "isolate",
    "engine",
    "taskfile",
    "observe",
    "app",
    "cli",
    "testing",
)
"""A package imports only those before it; docs/design/architecture.md says what each holds."""
MODULES = [name for _, name, _ in pkgutil.walk_packages([str(SOURCE)], "orchestro.") if not name.endswith("__main__")]
ELSEWHERE = {"linux": "orchestro.terminal.process.posix"}.get(sys.platform, "orchestro.terminal.process.linux")
"""Holds nothing on this platform."""


def imported(path: Path) -> Iterator[str]:
    """Modules of ours that a file imports, also inside functions; not those for type checking only."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending += node.orelse
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("orchestro"):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" if module == "orchestro" else module for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("orchestro"))
        pending += ast.iter_child_nodes(node)


def test_every_part_has_its_place_in_the_order() -> None:
    parts = {path.stem for path in SOURCE.iterdir() if path.name not in ("__pycache__", "py.typed")}
    assert parts - {"__init__", "__main__"} == set(ORDER)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_imports_only_what_comes_before_it(path: Path) -> None:
    part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if part in ("__init__", "__main__"):
        return
    for module in imported(path):
        other = module.split(".")[1]
        if other == "__version__":
            continue
        assert ORDER.index(other) <= ORDER.index(part), f"{path.relative_to(SOURCE)} imports {module}"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_for_and_its_public_names_exist(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    if name == ELSEWHERE:
        return
    for public in getattr(module, "__all__", []):  # in order: RUF022 of ruff sees to that
        assert hasattr(module, public)


def test_the_public_names_of_the_package_load_on_first_use() -> None:
    for name in orchestro.__all__:
        assert getattr(orchestro, name) is not None
    with pytest.raises(AttributeError):
        _ = orchestro.no_such_name


@pytest.mark.parametrize(
    ("start", "heavy"),
    [
        ("import orchestro", ("asyncio", "yaml", "dataclasses")),
        (
            "import orchestro.app, orchestro.observe.console",
            ("rich", "pyghostty", "pyte", "sqlite3", "xml", "hypothesis"),
        ),
        ("import orchestro.observe.console", ("asyncio", "yaml")),
    ],
)
def test_starting_is_lean(start: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys; {start}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(heavy).isdisjoint(loaded)
