from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fake_kinds import Act, Left, Look, kinds

from orchestro.model import Source
from orchestro.scenario.document import CopyFile, OnlyOn, Scenario, WriteFile
from orchestro.scenario.loader import load_text

__all__ = ["kinds"]


def one(text: str, file: str = "login.yaml") -> Scenario:
    loaded = load_text(text, file)
    assert [str(problem) for problem in loaded.problems] == []
    (scenario,) = loaded.scenarios
    return scenario


def wrong(text: str) -> list[str]:
    loaded = load_text(text, "f.yaml")
    return [str(problem) for problem in loaded.problems]


def test_a_document_with_only_a_command_has_the_defaults() -> None:
    assert one("command: ls") == Scenario("login", ("ls",), source=Source("login.yaml", 1, 1))


def test_every_key_is_read() -> None:
    scenario = one(
        """
name: signs in
description: What it is for
command: [app, "--user", "a b"]
cwd: sub
workspace: fresh
files: {notes.txt: hello, run.sh: {text: "exit 0", mode: 755}}
env: {LANG: C, DEBUG: 1}
inherit_env: false
size: [100, 30]
timeout: 2s
total_timeout: 1m
retries: 2
tags: [smoke, slow]
priority: high
deadline: 5m
vars: {USER_NAME: anna}
setup: ["make && true", [git, init], {run: ls}]
teardown: rm -f x
skip: not ready
only_on: [linux, macos]
driver: pipe
steps:
  - send: hello
    raw: true
    expect: [a, b]
    timeout: 1s
    note: a remark
validations:
  - {type: path_exists, path: out.txt, description: it wrote}
"""
    )
    assert scenario.name == "signs in"
    assert scenario.command == ("app", "--user", "a b")
    assert (scenario.cwd, scenario.workspace) == ("sub", "fresh")
    assert scenario.files == (WriteFile("notes.txt", "hello"), WriteFile("run.sh", "exit 0", 0o755))
    assert scenario.env == {"LANG": "C", "DEBUG": "1"}
    assert not scenario.inherit_env
    assert scenario.size == (100, 30)
    assert (scenario.timeout_s, scenario.total_timeout_s, scenario.deadline_s) == (2.0, 60.0, 300.0)
    assert (scenario.retries, scenario.tags, scenario.priority) == (2, ("smoke", "slow"), 10)
    assert scenario.vars == {"USER_NAME": "anna"}
    assert scenario.setup == ("make && true", ("git", "init"), "ls")
    assert scenario.teardown == ("rm -f x",)
    assert scenario.skip_reason() == "not ready"
    assert scenario.only_on == OnlyOn(("linux", "macos"))
    assert scenario.driver == "pipe"
    (step,) = scenario.steps
    assert [clause.key for clause in step.clauses] == ["send", "expect"]
    assert step.clauses[0].value == Act("hello", raw=True)
    assert step.clauses[1].source == Source("login.yaml", 26, 5)
    assert (step.timeout_s, step.note, step.label, step.source.line) == (1.0, "a remark", "send: hello", 24)
    (validation,) = scenario.validations
    assert validation.value == Left("out.txt")
    assert (validation.label, validation.type) == ("it wrote", "path_exists")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("steps: []", "1:1: the key 'command' is missing, expected the program to run"),
        ("comand: ls", "1:1: comand: unknown key, expected one of the scenario keys (did you mean 'command'?)"),
        ("- command: ls", "1:1: expected a mapping with `command` and `steps`, got a list of 1"),
        (
            "command: 'say \"hi'",
            "1:10: command: cannot be split into words: no closing quotation (quote it as a shell would)",
        ),
        ("command: ' '", "1:10: command: expected a program to run, got an empty text"),
        ("command: []", "1:10: command: expected a list that is not empty, got an empty list"),
        ("command: [ls]\nshell: true", "1:10: command: expected a text, since 'shell' is true, got a list"),
        ("command: ls\nsize: [0, 24]", "2:8: size[0]: expected a whole number from 1 to 2000, got '0'"),
        ("command: ls\ntimeout: soon", "2:10: timeout: expected a duration such as 500ms, 30s or 2m, got 'soon'"),
        (
            "command: ls\nsend: x",
            "2:1: send: a key of a step, not of a scenario (put it under 'steps'",
        ),
        ("command: ls\ntags: [a b]", "2:8: tags[0]: expected a tag of letters, digits and _.:/+-, got 'a b'"),
        ("command: ls\ndriver: ppty", "2:9: driver: expected one of pipe, pty, got 'ppty' (did you mean 'pty'?)"),
        ("command: ls\nonly_on: linus", "2:10: only_on: expected"),
        ("command: ls\npriority: hihg", "2:11: priority: expected"),
        (
            "command: ls\nfiles: {a: b}",
            "2:8: files: files are placed in a fresh workspace only (add",
        ),
        (
            "command: ls\nworkspace: fresh\nfiles: {../a: b}",
            "3:8: files: expected a path inside the workspace, got '../a'",
        ),
        (
            "command: ls\nworkspace: fresh\nfiles: [nope.txt]",
            "3:8: files: there is no 'nope.txt' beside the scenario to copy",
        ),
        ("command: ls\nenv: {A=B: x}", "2:7: env: expected a name"),
        ("command: ls\nname: 'a\\x07'".replace("'", '"'), "2:7: name: expected a name of 1 to 200 printable"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_was_expected(text: str, problem: str) -> None:
    (said,) = wrong(text)
    assert said.startswith("f.yaml:" + problem)


def test_all_mistakes_are_reported_at_once_in_the_order_of_lines() -> None:
    said = wrong("command: ls\nsize: 5\nsteps:\n  - exepct: x\n  - send: [a]\ntimeout: x\n")
    assert [problem.split(":")[1] for problem in said] == ["2", "4", "5", "6"]
    assert said[1] == (
        "f.yaml:4:5: steps[0].exepct: unknown key, expected one of the step keys (did you mean 'expect'?)"
    )


# -- steps


def steps(text: str) -> str:
    return "command: ls\nsteps:\n" + text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "- send: a\n  press: b",
            "4:3: steps[0].press: a step has one action, and this one has 'send' and 'press' (make",
        ),
        ("- press: a\n  raw: true", "4:3: steps[0].raw: belongs to a step with 'send'"),
        ("- enter", "3:3: steps[0]: expected a step such as `- send: ls` or `- expect: done`, got 'enter' (write"),
        (
            "- send ls -l",
            "3:3: steps[0]: expected a step such as `- send: ls` or `- expect: done`, got 'send ls -l' (write `- send:",
        ),
        ("- {}", "3:3: steps[0]: expected a step such as"),
        ("- expect: a\n  pattern: b", "4:3: steps[0].pattern: 'pattern' and 'expect' are spellings of the same key"),
        ("- expect: (", "3:11: steps[0].expect: '(' is not a regular expression: missing ), unterminated"),
        ("- press: [a, entre]", "3:10: steps[0].press: unknown key 'entre' (did you mean 'enter'?)"),
        ("- send:", '3:8: steps[0].send: expected text, got nothing (write "" to mean the empty text)'),
        ("- see: {txt: a}", "3:9: steps[0].see.txt: unknown key, expected one of text, regex, row (did you mean"),
        ("- send: a\n  send: b", "4:3: steps[0].send: duplicate key, already given on line 3"),
        ("- note: []", "3:9: steps[0].note: expected text, got an empty list"),
    ],
)
def test_a_mistake_in_a_step_is_located(text: str, problem: str) -> None:
    (said,) = wrong(steps(text))
    assert said.startswith("f.yaml:" + problem)


def test_a_note_alone_is_a_step() -> None:
    (step,) = one(steps("- note: remember")).steps
    assert (step.clauses, step.note, step.label) == ((), "remember", "note: remember")


def test_what_an_action_shows_can_be_captured_in_the_same_step() -> None:
    (step,) = one(steps("- {send: a, capture: {ID: x}}")).steps
    assert [clause.key for clause in step.clauses] == ["send", "capture"]


def test_another_spelling_is_the_same_key() -> None:
    (step,) = one(steps("- pattern: x")).steps
    assert step.clauses[0].key == "expect"
    assert isinstance(step.clauses[0].value, Look)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("- send: ls", "send: ls"),
        ("- {name: list, send: ls}", "list"),
        ("- press: [ctrl+c, enter]", "press: [ctrl+c, enter]"),
        ("- see: {text: a, row: 1}", "see: {text: a, row: 1}"),
        ("- expect: " + "x" * 100, "expect: " + "x" * 49 + "..."),
        ("- send: |\n    one\n    two", "send: one..."),
    ],
)
def test_a_label_is_the_step_as_people_would_call_it(text: str, label: str) -> None:
    assert one(steps(text)).steps[0].label == label


def test_steps_can_be_merged_from_an_anchor() -> None:
    scenario = one(steps("- &x {send: a, timeout: 1s}\n- {<<: *x, send: b}"))
    assert [(step.clauses[0].value, step.timeout_s) for step in scenario.steps] == [(Act("a"), 1.0), (Act("b"), 1.0)]


# -- validations


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- {path: x}", "3:3: validations[0]: the key 'type' is missing, expected one of file_contains, path_exists"),
        ("- {type: path_exist, path: x}", "3:10: validations[0].type: expected one of file_contains, path_exists, got"),
        ("- {type: path_exists}", "3:3: validations[0]: the key 'path' is missing, expected text"),
        ("- {type: path_exists, path: x, text: y}", "3:32: validations[0].text: unknown key"),
        ("- path_exists", "3:3: validations[0]: expected a validation such as"),
    ],
)
def test_a_mistake_in_a_validation_is_located(text: str, problem: str) -> None:
    (said,) = wrong("command: ls\nvalidations:\n" + text)
    assert said.startswith("f.yaml:" + problem)


# -- variables


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "command: ls\nvars: {USER_NAME: x}\nsteps: [{send: '${USER_NAM}'}]",
            "3:10: steps[0].send: no value is known for ${USER_NAM} (did you mean 'USER_NAME'?)",
        ),
        (
            "command: ls\nsteps: [{send: '${PATH}'}]",
            "2:10: steps[0].send: no value is known for ${PATH} (write $${PATH} for the text itself)",
        ),
        (
            "command: ls\nsteps: [{send: '${ID}'}, {capture: {ID: x}}]",
            "2:10: steps[0].send: no value is known for ${ID}",
        ),
        ("command: ls ${X}", "1:10: command: no value is known for ${X}"),
        (
            "command: ls\nenv: {A: '${WORKSPACE}'}",
            "2:6: env: no value is known for ${WORKSPACE} (only names in 'vars' and 'matrix' have a value here)",
        ),
        (
            "command: ls\nvars: {A: '${B}', B: x}",
            "2:7: vars.A: no value is known for ${B} (a variable may use only those above it)",
        ),
        ("command: ls\nvalidations: [{type: path_exists, path: '${X}'}]", "2:15: validations[0]: no value is known"),
    ],
)
def test_a_variable_that_will_have_no_value_is_reported(text: str, problem: str) -> None:
    (said,) = wrong(text)
    assert said.startswith("f.yaml:" + problem)


def test_variables_that_will_have_a_value_are_accepted() -> None:
    scenario = one(
        """
command: app ${WORKSPACE}/${A}
vars: {A: x, B: "${A}y"}
env: {E: "${B}"}
cwd: ${A}
steps:
  - capture: {ID: "id=(.*)"}
  - {send: "${ID} ${SCENARIO} ${HOME} $${x} $y", expect: "${B}"}
teardown: kill ${ID}
validations: [{type: path_exists, path: "${ID}"}]
"""
    )
    assert scenario.vars == {"A": "x", "B": "xy"}
    assert (scenario.env, scenario.cwd) == ({"E": "xy"}, "x")
    assert scenario.command == ("app", "${WORKSPACE}/${A}")


# -- files and machines


def test_files_can_be_copied_from_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "in.txt").write_text("x")
    text = """
command: ls
workspace: fresh
files: [data/in.txt, {from: data, to: other, mode: 700}, {path: new.txt, text: y}]
"""
    assert one(text, str(tmp_path / "s.yaml")).files == (
        CopyFile("data/in.txt", "in.txt"),
        CopyFile("data", "other", 0o700),
        WriteFile("new.txt", "y"),
    )


def test_a_missing_program_is_a_reason_to_skip() -> None:
    scenario = one("command: ls\nonly_on: {programs: [sh, no-such-program-here]}")
    assert scenario.skip_reason() == "no-such-program-here is not installed"


def test_another_system_is_a_reason_to_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = one("command: ls\nonly_on: macos")
    monkeypatch.setattr(sys, "platform", "linux")
    assert scenario.skip_reason() == "only on macos, this is linux"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert scenario.skip_reason() == ""


def test_skip_may_be_true_or_a_reason_or_false() -> None:
    assert one("command: ls\nskip: true").skip_reason()
    assert one("command: ls\nskip: later").skip_reason() == "later"
    assert one("command: ls\nskip: false").skip_reason() == ""
