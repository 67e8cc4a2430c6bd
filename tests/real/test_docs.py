"""The scenarios in the documentation are valid, and those of the README and the tutorial pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import orchestro
from orchestro.scenario.loader import load

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
WHOLE = [
    (page, number, block)
    for page in PAGES
    if "reference" not in page.parts
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
    if re.search(r"^command:", block, re.MULTILINE)
]


@pytest.mark.parametrize(("page", "number", "block"), WHOLE, ids=[f"{p.name}-{n}" for p, n, _ in WHOLE])
def test_a_scenario_of_the_documentation_is_valid(page: Path, number: int, block: str, tmp_path: Path) -> None:
    file = tmp_path / "doc.scenario.yaml"
    file.write_text(block)
    assert load([str(file)]).problems == ()


@pytest.mark.needs("vim", "git", "bash")
@pytest.mark.parametrize(
    ("page", "number", "block"),
    [case for case in WHOLE if case[0].name in ("README.md", "tutorial.md")],
    ids=[f"{p.name}-{n}" for p, n, _ in WHOLE if p.name in ("README.md", "tutorial.md")],
)
def test_a_scenario_of_readme_and_tutorial_passes(
    page: Path, number: int, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "doc.scenario.yaml"
    file.write_text(block)
    report = orchestro.run([str(file)])
    assert report, [result.failure for result in report.results]


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "examples").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
