"""Keys: what changes them and what does not."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestro.model import CacheInputs, Task
from orchestro.store.cache.files import FileDigests
from orchestro.store.cache.key import Keys, tool_version

PER_TEST = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


def keys(tmp_path: Path, env: dict[str, str] | None = None) -> Keys:
    digests = FileDigests(str(tmp_path / ".digests"), clock_ns=lambda: time.time_ns() + 10_000_000_000)
    return Keys(digests, env if env is not None else {"PATH": "/bin:/usr/bin"})


def key(tmp_path: Path, inputs: CacheInputs, env: dict[str, str] | None = None) -> str:
    return keys(tmp_path, env).key(Task("t", "command", "t", cache=inputs))


@pytest.fixture
def base(tmp_path: Path) -> CacheInputs:
    (tmp_path / "src").mkdir()
    for name in ("a.c", "b.c", "c.h"):
        (tmp_path / "src" / name).write_text(name)
    (tmp_path / "tool.sh").write_text("#!/bin/sh\n")
    return CacheInputs(
        ("cc", "-O2"), str(tmp_path), ("src/*.c", "src/c.h", "none"), ("out/*.o",), ("LANG", "X=1"), ("sh", "./tool.sh")
    )


def test_the_same_has_the_same_key(tmp_path: Path, base: CacheInputs) -> None:
    assert key(tmp_path, base) == key(tmp_path, base)
    assert len(key(tmp_path, base)) == 40


@pytest.mark.parametrize(
    "changes",
    [
        {"command": ("cc", "-O3")},
        {"command": ("cc", "-O", "2")},
        {"inputs": ("src/*.c", "none")},
        {"outputs": ("out/*.d",)},
        {"outputs": ()},
        {"env": ("LANG",)},
        {"env": ("LANG", "X=2")},
        {"env": ("X=1",)},
        {"tools": ("sh",)},
        {"tools": ("sh", "no-such-tool", "./tool.sh")},
    ],
    ids=str,
)
def test_another_task_has_another_key(tmp_path: Path, base: CacheInputs, changes: dict[str, tuple[str, ...]]) -> None:
    assert key(tmp_path, replace(base, **changes)) != key(tmp_path, base)  # type: ignore[arg-type]  # mypy cannot see the names


def change_content(root: Path) -> None:
    (root / "src/a.c").write_text("other")


def swap(root: Path) -> None:
    os.rename(root / "src/a.c", root / "src/x")
    os.rename(root / "src/b.c", root / "src/a.c")
    os.rename(root / "src/x", root / "src/b.c")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change_content, id="content"),
        pytest.param(lambda root: os.rename(root / "src/a.c", root / "src/d.c"), id="name"),
        pytest.param(swap, id="contents of two files exchanged"),
        pytest.param(lambda root: (root / "src/n.c").write_text(""), id="new file"),
        pytest.param(lambda root: (root / "src/b.c").unlink(), id="file gone"),
        pytest.param(lambda root: (root / "src/c.h").unlink(), id="named file gone"),
        pytest.param(lambda root: (root / "none").write_text(""), id="missing file there, though empty"),
        pytest.param(lambda root: (root / "src/a.c").chmod(0o755), id="executable"),
        pytest.param(lambda root: (root / "tool.sh").write_text("#!/bin/sh\nexit\n"), id="tool of the project"),
    ],
)
def test_any_change_of_a_file_changes_the_key(tmp_path: Path, base: CacheInputs, change: object) -> None:
    made = keys(tmp_path)
    task = Task("t", "command", "t", cache=base)
    before = made.key(task)
    assert callable(change)
    change(tmp_path)
    made.changed()
    assert made.key(task) != before
    assert made.key(task) == key(tmp_path, base)


def test_a_variable_that_is_not_set_is_not_an_empty_one(tmp_path: Path, base: CacheInputs) -> None:
    made = {key(tmp_path, base, {"PATH": "/bin", **env}) for env in ({}, {"LANG": ""}, {"LANG": "C"})}
    assert len(made) == 3


def test_other_variables_do_not_count(tmp_path: Path, base: CacheInputs) -> None:
    assert key(tmp_path, base, {"PATH": "/bin", "OTHER": "1"}) == key(tmp_path, base, {"PATH": "/bin"})


def test_files_that_no_pattern_names_do_not_count(tmp_path: Path, base: CacheInputs) -> None:
    before = key(tmp_path, base)
    (tmp_path / "src/.hidden.c").write_text("x")
    (tmp_path / "src/d.h").write_text("x")
    assert key(tmp_path, base) == before


def test_another_checkout_has_the_same_key(tmp_path: Path) -> None:
    made = set()
    for root in ("one", "two"):
        (tmp_path / root / "src").mkdir(parents=True)
        (tmp_path / root / "src/a").write_text("a")
        made.add(key(tmp_path, CacheInputs(("cc",), str(tmp_path / root), ("src/*",))))
    assert len(made) == 1


def test_a_directory_that_is_named_stands_for_the_files_below(tmp_path: Path, base: CacheInputs) -> None:
    (tmp_path / "src/deep").mkdir()
    (tmp_path / "src/deep/x").write_text("x")
    whole = replace(base, inputs=("src",))
    before = key(tmp_path, whole)
    assert before == key(tmp_path, replace(base, inputs=("./src/**",)))
    (tmp_path / "src/deep/x").write_text("y")
    assert key(tmp_path, whole) != before
    assert key(tmp_path, replace(base, inputs=(".",))) != before


@PER_TEST
@given(st.randoms())
def test_the_order_of_patterns_does_not_matter(tmp_path: Path, base: CacheInputs, chance: random.Random) -> None:
    inputs = ["src/*.c", "src/a.c", "src/c.h", "src/**", "none"]
    outputs, env, tools = ["a", "b/*", "c"], ["A", "B=1", "C"], ["sh", "cat", "no-such"]
    whole = key(tmp_path, replace(base, inputs=(*inputs,), outputs=(*outputs,), env=(*env,), tools=(*tools,)))
    for some in (inputs, outputs, env, tools):
        chance.shuffle(some)
        some.append(some[0])
    mixed = replace(base, inputs=(*inputs,), outputs=(*outputs,), env=(*env,), tools=(*tools,))
    assert key(tmp_path, mixed) == whole


TEXTS = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=4), max_size=4).map(tuple)


@PER_TEST
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_two_commands_and_outputs_share_a_key(
    tmp_path: Path, one: tuple[str, ...], other: tuple[str, ...], out: tuple[str, ...], other_out: tuple[str, ...]
) -> None:
    first = key(tmp_path, CacheInputs(one, str(tmp_path), (), out))
    second = key(tmp_path, CacheInputs(other, str(tmp_path), (), other_out))
    assert (first == second) == (one == other and set(out) == set(other_out))


def test_tasks_that_share_their_inputs_cost_one_look(tmp_path: Path, base: CacheInputs) -> None:
    digests = FileDigests(str(tmp_path / ".digests"))
    made = Keys(digests, {})
    found = made.key_many(Task(str(n), "command", "t", cache=base) for n in range(50))
    assert len(set(found.values())) == 1
    assert digests.files_read == 4  # with the tool that the project holds


def test_a_task_without_inputs_has_no_key(tmp_path: Path) -> None:
    task = Task("t", "command", "t")
    assert keys(tmp_path).key_many([task]) == {}
    with pytest.raises(ValueError, match="'t'"):
        keys(tmp_path).key(task)


def test_the_version_of_a_tool_is_what_an_installer_changes(tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    seen = [tool_version("tool", str(tool.parent))]
    assert seen == [None]
    tool.write_text("one")
    tool.chmod(0o755)
    seen.append(tool_version("tool", str(tool.parent)))
    tool.write_text("longer")
    seen.append(tool_version("tool", str(tool.parent)))
    os.utime(tool, ns=(1, 1))
    seen.append(tool_version("tool", str(tool.parent)))
    os.rename(tool, tmp_path / "tool-2")
    os.symlink("../tool-2", tool)
    seen.append(tool_version("tool", str(tool.parent)))
    assert len(set(seen)) == 5


def test_a_tool_is_looked_up_on_the_path_that_the_task_is_given(tmp_path: Path, base: CacheInputs) -> None:
    tool = tmp_path / "bin" / "sh"
    tool.parent.mkdir()
    tool.write_text("one")
    tool.chmod(0o755)
    own = replace(base, env=(f"PATH={tool.parent}",), tools=("sh",))
    before = key(tmp_path, own)
    tool.write_text("another")
    assert key(tmp_path, own) != before


def test_a_subclass_of_str_is_as_good(tmp_path: Path, base: CacheInputs) -> None:
    class Text(str):
        __slots__ = ()

    assert key(tmp_path, replace(base, command=(Text("cc"), "-O2"))) == key(tmp_path, base)
