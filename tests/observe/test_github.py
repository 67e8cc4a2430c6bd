from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from run_script import NO_MATCH, RunScript

from orchestro.model import Failure, Finding, Outcome, Source
from orchestro.observe.github import MAX_ANNOTATIONS, MAX_SUMMARY_BYTES, GitHubReporter


def annotate(script: RunScript, env: dict[str, str] | None = None) -> list[str]:
    out = io.StringIO()
    reporter = GitHubReporter(out, env or {})
    for event in script.events:
        reporter.handle(event)
    assert out.getvalue() == "", "commands would be lost in the middle of the console's lines"
    reporter.close()
    return out.getvalue().splitlines()


def test_a_failure_is_an_error_at_its_line() -> None:
    lines = annotate(RunScript().plan("vim saves").runs("vim saves", Outcome.TIMED_OUT, failure=NO_MATCH).finish(1))
    said = (
        "::error file=examples/vim.yaml,line=14,title=vim saves timed out::no text on the screen matched 'saved' "
        "within 5 s%0Awaited for: saved%0Anearest: row 4: -- INSERT --%0Ahint: the program is still in insert mode"
    )
    assert lines == [said]


def test_what_separates_is_escaped() -> None:
    failure = Failure("100% bad\r\n::error::no, really", Source("a,b:c%.yaml", 2))
    lines = annotate(RunScript().plan("x: y, z").runs("x: y, z", Outcome.FAILED, failure=failure).finish(1))
    assert lines == [
        "::error file=a%2Cb%3Ac%25.yaml,line=2,title=x%3A y%2C z failed::100%25 bad%0D%0A::error::no, really"
    ]


def test_flaky_ones_and_findings_are_warnings() -> None:
    script = RunScript().plan("a", "b", line=7).flakes("a", NO_MATCH)
    lines = annotate(script.runs("b", findings=(Finding("cursor-hidden", "left hidden"),)).finish())
    assert lines == [
        f"::warning file=examples/vim.yaml,line=14,title=a is flaky::passed at attempt 2; before: {NO_MATCH.message}",
        "::warning file=examples/demo.yaml,line=7,title=b%3A cursor-hidden::left hidden",
    ]


def test_a_run_that_passes_says_nothing() -> None:
    assert annotate(RunScript().plan("a").runs("a").finish()) == []


@pytest.mark.parametrize(("failures", "shown", "more"), [(10, 10, ""), (11, 9, "2 more errors"), (50, 9, "41 more")])
def test_the_last_annotation_that_github_shows_counts_the_rest(failures: int, shown: int, more: str) -> None:
    names = [f"t{n}." for n in range(failures)]
    script = RunScript().plan(*names)
    for name in names:
        script.runs(name, Outcome.FAILED, failure=NO_MATCH)
    lines = annotate(script.finish(1))
    assert len(lines) == MAX_ANNOTATIONS
    assert sum("title=t" in line for line in lines) == shown
    assert more in lines[-1]


def test_paths_are_relative_to_the_repository() -> None:
    script = RunScript(cwd="/repo/sub").plan("a", file="t.yaml", line=2).runs("a", Outcome.FAILED).finish(1)
    assert "file=sub/t.yaml,line=2" in annotate(script, {"GITHUB_WORKSPACE": "/repo"})[0]
    assert "file=t.yaml,line=2" in annotate(script, {"GITHUB_WORKSPACE": "/elsewhere"})[0]


def test_the_summary_is_appended_to_the_file_of_the_step(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    evil = replace(NO_MATCH, output="```\n</details>\n````\n" + "x\n")
    script = RunScript().plan("a <b>", "c").runs("a <b>", Outcome.FAILED, failure=evil).runs("c").finish(1)
    annotate(script, {"GITHUB_STEP_SUMMARY": str(path)})
    text = path.read_text()
    assert text.startswith("before\n### orchestro: 1 failed, 1 passed in 0.24 s\n")
    assert "| failed | 1 |" in text
    assert "<summary><b>a &lt;b&gt;</b> failed after 0.12 s</summary>" in text
    fences = re.findall("^`{5,}", text, re.MULTILINE)
    assert len(fences) == 2, "longer than any run of backticks within"


def test_the_summary_keeps_to_githubs_limit_with_what_stands_there_already(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("x" * (MAX_SUMMARY_BYTES // 2))
    names = [f"t{n}." for n in range(400)]
    script = RunScript().plan(*names)
    for name in names:
        script.runs(name, Outcome.FAILED, failure=replace(NO_MATCH, screen=("y" * 200,) * 24))
    annotate(script.finish(1), {"GITHUB_STEP_SUMMARY": str(path)})
    assert MAX_SUMMARY_BYTES // 2 < path.stat().st_size <= MAX_SUMMARY_BYTES
    assert re.search(r"\d+ more failures are left out", path.read_text())


def test_a_full_summary_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("x" * MAX_SUMMARY_BYTES)
    annotate(RunScript().plan("a").runs("a").finish(), {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.stat().st_size == MAX_SUMMARY_BYTES
