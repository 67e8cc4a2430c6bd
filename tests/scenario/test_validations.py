"""Validations: what a program left behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from orchestro.scenario.loader import load_text
from orchestro.scenario.registry import validation_kinds
from orchestro.scenario.stage import Aftermath, StepFailed
from orchestro.scenario.validations import files


def validate(folder: Path, text: str, code: int | None = 0) -> str:
    loaded = load_text(f"command: x\nvalidations:\n  - {{{text}}}\n", "f.yaml")
    assert [str(problem) for problem in loaded.problems] == []
    (judgement,) = loaded.scenarios[0].validations
    return judgement.value.validate(Aftermath(folder, code, {}, {}))


def failure(folder: Path, text: str, code: int | None = 0) -> Any:
    with pytest.raises(StepFailed) as caught:
        validate(folder, text, code)
    return caught.value.failure()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out.txt").write_text("one\nTwo 22\n")
    (tmp_path / "data.json").write_text('{"a": [1, {"b": 2}], "c": null}')
    (tmp_path / "sub").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "type: path_exists, path: out.txt",
        "type: path_exists, path: sub",
        "type: path_missing, path: other.txt",
        "type: file_contains, path: out.txt, text: Two",
        "type: file_matches, path: out.txt, regex: '^Two \\d+$'",
        'type: file_equals, path: out.txt, expected: "one  \\nTwo 22"',
        "type: json_file, path: data.json, subset: {a: [1, {b: 2}]}",
        "type: exit_code, code: 0",
    ],
)
def test_what_holds(folder: Path, text: str) -> None:
    assert validate(folder, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type: path_exists, path: out", "out does not exist"),
        ("type: path_missing, path: sub", "sub exists"),
        ("type: file_contains, path: out.txt, text: three", "out.txt does not contain 'three'"),
        ("type: file_contains, path: none.txt, text: a", "none.txt does not exist"),
        ("type: file_contains, path: sub, text: a", "sub is a directory"),
        ("type: file_matches, path: out.txt, regex: '^\\d'", "out.txt does not match '^\\\\d'"),
        ("type: file_equals, path: out.txt, expected: one", "out.txt is not as expected"),
        ("type: json_file, path: data.json, subset: {a: [1]}", "data.json: at $.a: expected 1 items, got 2"),
        ("type: json_file, path: out.txt, subset: {}", "out.txt is no JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_what_does_not_hold(folder: Path, text: str, message: str) -> None:
    assert failure(folder, text).message == message


def test_paths_may_be_absolute(folder: Path) -> None:
    assert validate(Path("/"), f"type: path_exists, path: '{folder}/out.txt'")


def test_the_nearest_line_and_name_are_shown(folder: Path) -> None:
    assert failure(folder, "type: file_contains, path: out.txt, text: two 22").nearest == "Two 22"
    assert failure(folder, "type: path_exists, path: out.text").nearest == "out.txt"


def test_a_file_that_differs_shows_a_diff(folder: Path) -> None:
    found = failure(folder, 'type: file_equals, path: out.txt, expected: "one\\nTwo 23"')
    assert found.diff[-2:] == ("-Two 23", "+Two 22")


def test_json_that_differs_shows_paths_and_a_diff(folder: Path) -> None:
    found = failure(folder, "type: json_file, path: data.json, subset: {a: [1, {b: 3}]}")
    assert found.diff[0] == "at $.a[1].b: expected 3, got 2"
    assert '-      "b": 3' in found.diff


def test_a_dangling_link_is_explained(folder: Path) -> None:
    (folder / "link").symlink_to("gone")
    found = failure(folder, "type: path_exists, path: link")
    assert found.hint == "it is a link to gone, which does not exist"
    assert failure(folder, "type: path_missing, path: link").message == "link exists"


def test_a_pipe_does_not_block(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert failure(folder, "type: file_contains, path: pipe, text: a").message == "pipe is no regular file"


def test_a_device_without_end_is_not_read() -> None:
    assert failure(Path("/"), "type: file_contains, path: /dev/zero, text: a").message == "/dev/zero is no regular file"


def test_a_huge_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MAX_FILE", 1 << 20)
    with open(folder / "big", "wb") as file:
        file.truncate((1 << 20) + 1)
    assert (
        failure(folder, "type: file_contains, path: big, text: a").message
        == "big has more than the 1 MiB that are looked at"
    )


def test_a_binary_file_spoils_no_report(folder: Path) -> None:
    (folder / "bin").write_bytes(b"\x7fELF\0\xff\x1b[2J")
    found = failure(folder, "type: file_equals, path: bin, expected: text")
    assert found.actual.endswith("a binary file")
    assert found.diff == ()
    assert "\x1b" not in failure(folder, "type: file_contains, path: bin, text: text").actual


def test_what_may_not_be_read_is_a_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert (
        failure(folder, "type: file_contains, path: out.txt, text: a").message
        == "out.txt cannot be read: Permission denied"
    )


def test_deep_json_is_a_failure_and_no_traceback(folder: Path) -> None:
    (folder / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
    assert "is no JSON" in failure(folder, "type: json_file, path: deep.json, subset: [1]").message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (1, "the program ended with exit code 1"),
        (-9, "the program ended with signal SIGKILL"),
        (None, "the program had to be stopped, so it has no exit code"),
    ],
)
def test_another_exit_code(folder: Path, code: int | None, message: str) -> None:
    found = failure(folder, "type: exit_code, code: 0", code)
    assert (found.message, found.expected) == (message, "exit code 0")


def test_every_type_needs_its_fields() -> None:
    for kind in validation_kinds(installed=False).values():
        problem = load_text(f"command: x\nvalidations:\n  - {{type: {kind.type}}}\n", "f.yaml").problems[0]
        assert f"the key '{kind.required[0]}' is missing" in problem.message
