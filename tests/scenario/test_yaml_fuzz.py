"""Whatever stands in a file: a scenario, or mistakes that say where they are; never an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestro.scenario.document import KEYS
from orchestro.scenario.loader import Loaded, load_text
from orchestro.scenario.registry import option_owners, step_kinds, validation_kinds
from orchestro.scenario.schema import scenario_schema

FUZZ = settings(suppress_health_check=[HealthCheck.too_slow], deadline=5000)

VALID = """\
name: base
command: bash --norc
workspace: fresh
files: {a.txt: hello, run.sh: {text: "exit 0", mode: 755}}
env: {LANG: C}
size: [100, 30]
timeout: 2s
tags: [smoke]
priority: high
matrix: {N: [1, 2], size: [[80, 24]], exclude: [{N: 1}]}
vars: {A: "${N}x"}
setup: ["make", [git, init]]
only_on: {os: linux, programs: [sh]}
steps:
  - &s {send: "echo ${A}", expect: [a, "b.*"], timeout: 1s}
  - <<: *s
    note: again
  - capture: {ID: "(.*)"}
  - see: {text: "${ID}", row: 3}
  - expect_json: {a: [1, null, {b: c}]}
validations:
  - {type: path_exists, path: a.txt}
---
command: x
needs: base
"""

WORDS = st.sampled_from(
    [
        *KEYS,
        *step_kinds(installed=False),
        *option_owners(),
        *[key for kind in validation_kinds(installed=False).values() for key in kind.fields],
        *["name", "note", "timeout", "type", "text", "regex", "row", "near", "at", "from", "to", "os", "region"],
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    WORDS,
    st.sampled_from(["${A}", "${", "$${A}", "[", "1h", "80x24", "linux", "fresh", "path_exists", "(", "a" * 5000]),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=5),
    max_leaves=25,
)
DOCUMENTS = st.fixed_dictionaries({"command": TREES}, optional={key: TREES for key in KEYS if key != "command"})
STEPS = st.lists(st.dictionaries(WORDS, TREES, max_size=4), max_size=4)


def check(text: str | bytes) -> Loaded:
    """Load it; every problem has a place inside the text."""
    loaded = load_text(text, "f.yaml")
    assert loaded.scenarios or loaded.problems
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    lines = len(data.decode("utf-8", "replace").splitlines()) + 1
    for problem in loaded.problems:
        assert problem.file == "f.yaml"
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.message
        assert len(str(problem)) < 2000
    return loaded


def test_the_document_that_is_mutated_is_valid() -> None:
    loaded = load_text(VALID, "f.yaml")
    assert loaded.problems == ()
    assert [one.name for one in loaded.scenarios] == ["base [N=2, size=80x24]", "f#2"]


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    check(data)


@FUZZ
@given(st.text(max_size=300))
@example("a: \ud800")
@example("{<<: {<<: {<<: [a]}}}")
@example("? {a: b}\n: c")
@example("command: !!null x")
@example("? !!binary x\n: y")
@example("command: 'x\x85\u2028y'\nsize: 1")
def test_any_text(text: str) -> None:
    check(text)


@FUZZ
@given(st.text(alphabet="abc:-[]{}&*!|>'\"#%@` \n\t?,$<", max_size=200))
def test_any_text_of_the_characters_that_mean_something(text: str) -> None:
    check("command: x\nsteps:\n" + text)


@FUZZ
@given(TREES)
def test_any_tree(tree: Any) -> None:
    check(json.dumps(tree))


@FUZZ
@given(DOCUMENTS)
def test_any_values_of_the_keys(document: dict[str, Any]) -> None:
    check(json.dumps(document))


@FUZZ
@given(STEPS)
def test_any_steps(steps: list[Any]) -> None:
    check(json.dumps({"command": "x", "steps": steps}))


@FUZZ
@given(st.data())
def test_a_valid_document_with_pieces_moved_removed_and_put_in(data: st.DataObject) -> None:
    text = VALID
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        piece = data.draw(
            st.sampled_from(["", " ", "\n", "\t", ":", "- ", "*s", "&s ", "[", "}", '"', "${X}", "!!int ", "\0", "é"])
            | st.just(text[end : end + 20])
        )
        text = text[:start] + piece + text[end:]
    check(text)


def test_every_key_is_in_the_schema() -> None:
    assert set(scenario_schema()["properties"]) == set(KEYS)
