from __future__ import annotations

from pathlib import Path

import pytest
from fake_kinds import kinds

from orchestro.errors import DocumentError, UserError
from orchestro.scenario.finding import find_files
from orchestro.scenario.loader import load, load_or_raise, load_text

__all__ = ["kinds"]


def write(folder: Path, *names: str, text: str = "command: ls\n") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*paths: str) -> list[str]:
    return [scenario.name for scenario in load_or_raise(paths)]


def test_a_directory_gives_what_looks_like_a_scenario_in_the_order_of_names(folder: Path) -> None:
    write(folder, "t/b.yaml", "t/a.yml", "t/sub/c.scenario.yaml", "t/.git/x.yaml", "t/node_modules/y.yaml")
    write(folder, "t/compose.yaml", text="services: {}\n")
    write(folder, "t/notes.txt", "t/.hidden.yaml", "t/__snapshots__/z.yaml")
    assert names("t") == ["a", "b", "c"]


def test_a_file_that_is_named_is_taken_whatever_it_holds(folder: Path) -> None:
    write(folder, "compose.yaml", text="services: {}\n")
    (problem,) = [p for p in load(["compose.yaml"]).problems if p.key == "services"]
    assert str(problem).startswith("compose.yaml:1:1: services: unknown key")


def test_a_file_called_scenario_is_taken_even_if_it_lacks_everything(folder: Path) -> None:
    write(folder, "t/x.scenario.yaml", text="{}")
    assert "the key 'command' is missing" in str(load(["t"]).problems[0])


def test_a_pattern_gives_the_files_that_match(folder: Path) -> None:
    write(folder, "t/b.yaml", "t/a.yaml", "t/sub/c.yaml")
    assert names("t/*.yaml") == ["a", "b"]
    assert names("t/**/*.yaml") == ["a", "b", "c"]


def test_a_file_is_taken_once_however_often_it_is_named(folder: Path) -> None:
    write(folder, "t/a.yaml")
    assert names("t", "t/a.yaml", "./t/../t/a.yaml") == ["a"]


def test_missing_paths_are_all_named_with_the_nearest(folder: Path) -> None:
    write(folder, "tests/login.yaml")
    with pytest.raises(UserError) as caught:
        load(["tests/logon.yaml", "nowhere", "x/*.yaml"])
    assert str(caught.value).splitlines() == [
        "tests/logon.yaml: there is no such file or directory (did you mean 'tests/login.yaml'?)",
        "nowhere: there is no such file or directory",
        "x/*.yaml: no file matches",
    ]


def test_documents_are_numbered_unless_they_are_named() -> None:
    loaded = load_text("command: a\n---\ncommand: b\n---\nname: last\ncommand: c", "t/login.scenario.yaml")
    assert [one.name for one in loaded.scenarios] == ["login", "login#2", "last"]


def test_all_mistakes_of_all_files_come_together_in_order(folder: Path) -> None:
    write(folder, "a.yaml", text="command: ls\nsize: x\n---\ncommand: ls\ntimeout: x\n")
    write(folder, "b.yaml", text="command: [")
    with pytest.raises(DocumentError) as caught:
        load_or_raise(["b.yaml", "a.yaml"])
    assert [(p.file, p.line) for p in caught.value.problems] == [("b.yaml", 1), ("a.yaml", 2), ("a.yaml", 5)]


def test_a_name_that_is_taken_names_both_places(folder: Path) -> None:
    write(folder, "a/x.yaml", "b/x.yaml")
    (problem,) = load(["."]).problems
    assert str(problem) == (
        "b/x.yaml:1:1: name: the name 'x' is already taken at a/x.yaml:1 "
        "(give it a `name`, else it is called like its file)"
    )


def test_an_unknown_need_names_the_nearest() -> None:
    loaded = load_text("name: build\ncommand: a\n---\nname: b\ncommand: b\nneeds: [biuld]", "f")
    assert [str(p) for p in loaded.problems] == [
        "f:6:9: needs[0]: there is no scenario 'biuld' (did you mean 'build'?)"
    ]


def test_an_unknown_need_is_not_reported_while_the_needed_one_is_broken() -> None:
    loaded = load_text("name: build\ncommand: []\n---\nname: b\ncommand: b\nneeds: [build]", "f")
    assert [p.key for p in loaded.problems] == ["command"]


def test_needs_in_a_circle_are_shown_as_a_path() -> None:
    text = "\n---\n".join(f"name: {a}\ncommand: x\nneeds: [{b}]" for a, b in ("ab", "bc", "ca", "da"))
    (problem,) = load_text(text, "f").problems
    assert str(problem) == "f:11:9: needs[0]: the needs go in a circle: a -> b -> c -> a"


def test_a_scenario_cannot_need_itself() -> None:
    (problem,) = load_text("name: a\ncommand: x\nneeds: a", "f").problems
    assert str(problem) == "f:3:8: needs: a scenario cannot need itself"


def test_long_chains_of_needs_are_followed() -> None:
    text = "\n---\n".join(f"name: n{i}\ncommand: x\nneeds: [n{i + 1}]" for i in range(3000))
    loaded = load_text(text + "\n---\nname: n3000\ncommand: x", "f")
    assert loaded.problems == ()
    assert len(loaded.scenarios) == 3001


def test_a_mistake_behind_an_alias_is_told_once() -> None:
    loaded = load_text("command: x\nsteps:\n- &s {send: a, timeot: 1}\n- *s\n- *s", "f")
    assert len({(p.line, p.column) for p in loaded.problems}) == 1


def test_an_unreadable_file_is_a_problem_not_a_crash(folder: Path) -> None:
    (folder / "a.yaml").symlink_to(folder / "gone.yaml")
    assert list(find_files(["."])) == []
    (problem,) = load(["a.yaml"]).problems
    assert str(problem) == "a.yaml:1:1: cannot be read: No such file or directory"
