from __future__ import annotations

import pytest
from fake_kinds import kinds

from orchestro.scenario.loader import load_text

__all__ = ["kinds"]

HEAD = "name: base\ncommand: ls\n"


def wrong(text: str) -> str:
    (problem,) = load_text(HEAD + text, "f.yaml").problems
    return str(problem)


def test_every_combination_is_a_scenario_of_its_own() -> None:
    loaded = load_text(HEAD + "matrix: {N: [1, 2], size: [[80, 24], [40, 10]], env: {LANG: [C]}}\nenv: {LANG: x, A: b}")
    assert loaded.problems == ()
    assert [one.name for one in loaded.scenarios] == [
        "base [N=1, size=80x24, LANG=C]",
        "base [N=1, size=40x10, LANG=C]",
        "base [N=2, size=80x24, LANG=C]",
        "base [N=2, size=40x10, LANG=C]",
    ]
    second = loaded.scenarios[1]
    assert (second.size, second.env, second.vars) == ((40, 10), {"LANG": "C", "A": "b"}, {"N": "1"})
    assert (second.group, second.params) == ("base", {"N": "1", "size": "40x10", "LANG": "C"})
    assert second.matrix is None


def test_variables_may_be_made_of_the_values_of_the_matrix() -> None:
    loaded = load_text(HEAD + "matrix: {vars: {N: [1, 2]}}\nvars: {FILE: 'f${N}.txt', N: 0}\nenv: {F: '${FILE}'}")
    assert [one.env["F"] for one in loaded.scenarios] == ["f1.txt", "f2.txt"]
    assert [one.vars for one in loaded.scenarios] == [{"N": "1", "FILE": "f1.txt"}, {"N": "2", "FILE": "f2.txt"}]


def test_combinations_can_be_left_out() -> None:
    loaded = load_text(HEAD + "matrix: {A: [1, 2], size: [[80, 24], [40, 10]], exclude: [{A: 1, size: [40, 10]}]}")
    assert [one.params for one in loaded.scenarios] == [
        {"A": "1", "size": "80x24"},
        {"A": "2", "size": "80x24"},
        {"A": "2", "size": "40x10"},
    ]


def test_to_need_the_base_is_to_need_all_combinations() -> None:
    text = HEAD + "matrix: {N: [1, 2]}\n---\nname: all\ncommand: ls\nneeds: base\n---\n"
    text += "name: some\ncommand: ls\nneeds: 'base [N=2]'"
    needs = {one.name: one.needs for one in load_text(text).scenarios}
    assert needs["all"] == ("base [N=1]", "base [N=2]")
    assert needs["some"] == ("base [N=2]",)


def test_long_values_and_those_of_several_lines_still_give_different_names() -> None:
    loaded = load_text(HEAD + f'matrix: {{N: ["{"x" * 60}a", "{"x" * 60}b", "p\\nq"]}}')
    names = [one.name for one in loaded.scenarios]
    assert len(set(names)) == 3
    assert all(name.isprintable() and len(name) < 60 for name in names)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("matrix: {}", "3:9: matrix: expected a mapping such as"),
        ("matrix: [a]", "3:9: matrix: expected a mapping such as"),
        ("matrix: {N: []}", "3:13: matrix.N: expected a list that is not empty, got an empty list"),
        ("matrix: {N: 1}", "3:13: matrix.N: expected a list of texts, got '1'"),
        ("matrix: {N: [1, 1]}", "3:17: matrix.N[1]: the same value stands twice"),
        ("matrix: {size: [80, 24]}", "3:17: matrix.size[0]: expected [columns, rows], got '80'"),
        ("matrix: {1x: [a]}", "3:10: matrix: expected a name such as NAME or name_2, got '1x'"),
        ("matrix: {N: [1], vars: {N: [2]}}", "3:25: matrix.vars: 'N' stands twice in the matrix"),
        ("matrix: {N: [1], exclude: [{N: 1}]}", "3:27: matrix: leaves no combination"),
        ("matrix: {N: [1], exclude: [{M: 1}]}", "3:28: matrix.M: unknown key, expected one of N"),
        ("matrix: {N: [1], exclude: [{N: 3}]}", "3:28: matrix: '3' is not a value of 'N' in the matrix"),
    ],
)
def test_a_mistake_in_a_matrix_is_located(text: str, problem: str) -> None:
    said = load_text(HEAD + text, "f.yaml").problems
    assert str(said[0]).startswith("f.yaml:" + problem)


def test_too_many_combinations_are_refused() -> None:
    values = ", ".join(str(number) for number in range(32))
    said = wrong(f"matrix: {{A: [{values}], B: [{values}]}}")
    assert said == "f.yaml:3:9: matrix: expected at most 1000 combinations, got 1024"
