"""Private places, and what killed runs left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestro.errors import UserError
from orchestro.isolate.environment import make_environment
from orchestro.isolate.files import place_files
from orchestro.isolate.place import make_place
from orchestro.isolate.scratch import Scratch
from orchestro.scenario.document import CopyFile, WriteFile


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Scratch("test")


def test_the_environment_is_private_and_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/user/.config")
    monkeypatch.setenv("LC_ALL", "de_DE")
    env = make_environment("/h", "/t", {"A": "1"}, inherit=False, mark="M=x")
    assert (env["HOME"], env["TMPDIR"], env["XDG_RUNTIME_DIR"], env["A"], env["M"]) == (
        "/h",
        "/t",
        "/t",
        "1",
        "x",
    )
    assert (env["TERM"], env["LANG"], env["TZ"]) == ("xterm-256color", "C.UTF-8", "UTC")
    assert not {"TMUX", "XDG_CONFIG_HOME", "LC_ALL", "COLUMNS", "LINES"} & env.keys()
    assert "PATH" in env


def test_an_untouched_place_is_used_again_and_a_touched_one_is_not(scratch: Scratch) -> None:
    def place() -> object:
        return make_place(scratch, fresh=False, workspace="/", cwd=None, env={}, inherit_env=False, mark="M=x")

    first = place()
    first.clear()  # type: ignore[attr-defined]
    second = place()
    assert second.root == first.root  # type: ignore[attr-defined]
    Path(second.home, ".bash_history").write_text("x")  # type: ignore[attr-defined]
    second.clear()  # type: ignore[attr-defined]
    third = place()
    assert third.root != first.root  # type: ignore[attr-defined]
    assert os.listdir(third.home) == []  # type: ignore[attr-defined]
    assert not os.path.exists(second.root)  # type: ignore[attr-defined]
    scratch.close()
    assert not os.path.exists(scratch.path)


def test_a_cwd_outside_a_fresh_workspace_is_refused(scratch: Scratch) -> None:
    with pytest.raises(UserError, match="outside"):
        make_place(scratch, fresh=True, workspace="", cwd="../..", env={}, inherit_env=True, mark="M=x")
    scratch.close()


def test_read_only_leftovers_are_removed(scratch: Scratch) -> None:
    path = scratch.make()
    folder = Path(path, "home", "deep")
    folder.mkdir()
    (folder / "file").write_text("x")
    folder.chmod(0o500)
    scratch.give_back(path)
    scratch.close()
    assert not os.path.exists(scratch.path)


def test_files_are_copied_and_written(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "tool").write_text("#!/bin/sh\n")
    work = tmp_path / "work"
    work.mkdir()
    place_files(
        (WriteFile("a/b.txt", "text", 0o600), CopyFile("src", "copied"), CopyFile("src/tool", "t", 0o755)),
        str(work),
        str(tmp_path),
    )
    assert (work / "a" / "b.txt").read_text() == "text"
    assert (work / "copied" / "tool").exists()
    assert os.access(work / "t", os.X_OK)
    with pytest.raises(UserError, match="outside"):
        place_files((WriteFile("../x", "text"),), str(work), str(tmp_path))
    with pytest.raises(UserError, match="missing"):
        place_files((CopyFile("missing", "x"),), str(work), str(tmp_path))


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_uses_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = Scratch("living")
    script = (
        "import os, signal\n"
        "from orchestro.isolate.scratch import Scratch\n"
        "scratch = Scratch('dead')\n"
        "open(os.path.join(scratch.make(), 'home', 'x'), 'w').close()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert len(list(tmp_path.iterdir())) == 2
    removed = Scratch.remove_stale()
    assert len(removed) == 1
    assert [str(path) for path in tmp_path.iterdir()] == [living.path]
    living.close()
