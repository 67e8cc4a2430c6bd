from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_script import NO_MATCH, RunScript

from orchestro.model import Failure, Outcome
from orchestro.observe.junit import MAX_TEXT, JUnitReporter

# The rules of junit-10.xsd of the Jenkins xUnit plugin: attributes, which of them are required, and children.
# `file` and `line` of testcase are the one extension: GitLab reads them, pytest's xunit1 family writes them.
RERUN = ({"message", "type"}, {"type"}, {"stackTrace", "system-out", "system-err"})
RESULT = ({"type", "message"}, set(), set())
TEXT: tuple[set[str], set[str], set[str]] = (set(), set(), set())
RULES: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"}
        | {"file", "log", "url"},
        {"name", "tests", "failures", "errors"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name", "time", "classname", "group", "file", "line"},
        {"name"},
        {"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out"}
        | {"system-err"},
    ),
    "failure": RESULT,
    "error": RESULT,
    "skipped": RESULT,
    "rerunFailure": RERUN,
    "rerunError": RERUN,
    "flakyFailure": RERUN,
    "flakyError": RERUN,
    "stackTrace": TEXT,
    "system-out": TEXT,
    "system-err": TEXT,
}
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def check(element: Element) -> None:
    allowed, required, children = RULES[element.tag]
    assert set(element.keys()) <= allowed, element.tag
    assert required <= set(element.keys()), element.tag
    if element.get("time") is not None:
        assert TIME.fullmatch(element.get("time", ""))
    order = [child.tag for child in element]
    assert set(order) <= children, element.tag
    if element.tag in ("rerunFailure", "rerunError", "flakyFailure", "flakyError"):
        assert order == [tag for tag in ("stackTrace", "system-out", "system-err") if tag in order], "a sequence"
    if element.tag == "testsuite":
        cases = element.findall("testcase")
        assert int(element.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(attribute, "")) == sum(case.find(tag) is not None for case in cases)
    if element.tag == "testcase":
        # GitLab takes the first of these as the verdict, so there must not be two.
        assert sum(tag in ("failure", "error", "skipped") for tag in order) <= 1
    for child in element:
        check(child)


def write(script: RunScript, path: Path) -> Element:
    reporter = JUnitReporter(str(path))
    for event in script.events:
        reporter.handle(event)
    reporter.close()
    root = fromstring(path.read_bytes())
    check(root)
    for attribute in ("tests", "failures", "errors"):
        assert int(root.get(attribute, "")) == sum(int(suite.get(attribute, "")) for suite in root)
    return root


def case(root: Element, name: str) -> Element:
    return next(case for case in root.iter("testcase") if case.get("name") == name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "junit.xml"


def test_a_suite_is_a_file_and_a_case_knows_its_line(path: Path) -> None:
    script = RunScript().plan("a", "b", file="examples/deep/one.scenario.yaml", line=4).plan("c", file="two.yml")
    root = write(script.runs("a").runs("b").runs("c").finish(), path)
    assert [suite.get("name") for suite in root] == ["examples/deep/one.scenario.yaml", "two.yml"]
    a = case(root, "a")
    assert (a.get("classname"), a.get("file"), a.get("line")) == (
        "examples.deep.one",
        "examples/deep/one.scenario.yaml",
        "4",
    )
    assert (a.get("time"), root.get("time"), root[0].get("time")) == ("0.120", "0.360", "0.240")
    assert root[0].get("timestamp") == "2023-11-14T22:13:20"
    assert root[0].get("hostname")


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [(Outcome.FAILED, "failure"), (Outcome.TIMED_OUT, "failure"), (Outcome.ERROR, "error")],
    ids=str,
)
def test_what_did_not_pass_carries_its_failure_and_the_screen(path: Path, outcome: Outcome, tag: str) -> None:
    root = write(RunScript().plan("a").runs("a", outcome, failure=NO_MATCH).finish(1), path)
    element = case(root, "a").find(tag)
    assert element is not None
    assert element.get("type") == outcome.value
    assert element.get("message") == NO_MATCH.message
    assert "examples/vim.yaml:14, step 3 (see: saved)" in (element.text or "")
    assert "run again    orchestro run examples/demo.yaml -k a" in (element.text or "")
    assert "hello wörld" in (case(root, "a").findtext("system-out") or "")


def test_what_did_not_run_is_skipped_with_the_reason(path: Path) -> None:
    script = RunScript().plan("a", "b", "c", "d").skipped("a", "needs vim").blocked("b", "x").never_run("c")
    root = write(script, path)
    messages = [case(root, name)[0].get("message") for name in "abcd"]
    assert messages == [
        "skipped: needs vim",
        "blocked: needs 'x', which failed",
        "interrupted: the run was interrupted",
        "interrupted: the run broke off before its verdict",
    ]


def test_a_flaky_scenario_passes_with_its_failed_attempts_beside(path: Path) -> None:
    root = write(RunScript().plan("a").flakes("a", NO_MATCH).finish(), path)
    assert [child.tag for child in case(root, "a")] == ["flakyFailure"]
    assert root.get("failures") == "0"
    assert NO_MATCH.message in (case(root, "a")[0].findtext("stackTrace") or "")


def test_retries_that_failed_too_are_reruns(path: Path) -> None:
    script = RunScript().plan("a")
    for number, outcome in ((1, Outcome.ERROR), (2, Outcome.TIMED_OUT), (3, Outcome.TIMED_OUT)):
        failure = replace(NO_MATCH, message=f"attempt {number}")
        script.starts("a", number=number).ends("a", outcome, number=number, failure=failure)
    root = write(script.verdict("a", Outcome.TIMED_OUT, attempts=3).finish(1), path)
    children = [(child.tag, child.get("message")) for child in case(root, "a")]
    assert children == [
        ("failure", "attempt 2"),
        ("rerunError", "attempt 1"),
        ("rerunFailure", "attempt 3"),
        ("system-out", None),
    ]


def test_texts_are_bounded(path: Path) -> None:
    failure = replace(NO_MATCH, output="x" * 10 * MAX_TEXT, message="m" * 10 * MAX_TEXT)
    write(RunScript().plan("a").runs("a", Outcome.FAILED, failure=failure).finish(1), path)
    assert path.stat().st_size < 4 * MAX_TEXT


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40))
def test_any_text_gives_valid_xml(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    failure = Failure(text, step=text, waited_for=text, screen=(text,), cursor=(1, 0), output=text, diff=(text,))
    script = RunScript().plan(text, file=text).runs(text, Outcome.FAILED, failure=failure).finish(1)
    write(script, tmp_path_factory.getbasetemp() / "any.xml")


def test_the_file_is_replaced_whole_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    path.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", refuse)
    reporter = JUnitReporter(str(path))
    with pytest.raises(OSError, match="disk full"):
        reporter.close()
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["junit.xml"]
