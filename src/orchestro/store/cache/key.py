"""The key of a task's result: a digest of all that the result depends on."""

from __future__ import annotations

import hashlib
import marshal
import os
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from orchestro.model import CacheInputs, Task
from orchestro.store.cache.files import DIGEST_BYTES, DIRECTORY, Content, FileDigests
from orchestro.store.cache.patterns import Tree, is_literal

__all__ = ["KEY_FORMAT", "Keys", "tool_version"]

KEY_FORMAT = "orchestro result 1"
"""Part of every key. It goes up whenever what a key or an entry means changes: all older results then go unused."""

_Input = tuple[str, bytes | None, bool]
"""Path relative to the root, digest or None for what is not there, whether it is executable."""


class Keys:
    """Makes keys. `env` is the environment that tasks are started with.

    A key holds: the format, the command, path and content of every input (and that a named one is missing), the named
    variables (and that one is not set), the version of every tool, and the patterns of the outputs. It does not hold
    the root: a result is as good in another checkout. The parts are encoded by marshal, version 2, which writes the
    type and length of each before it and the same bytes for equal values, so that no two lists of parts look alike.

    What was found stands until `changed` is called: tasks that share their inputs cost one look at them.
    """

    def __init__(self, digests: FileDigests, env: Mapping[str, str], tree: Tree | None = None) -> None:
        self._digests = digests
        self._env = dict(env)  # os.environ encodes at every look
        self._tree = tree or Tree()
        self._inputs: dict[tuple[str, tuple[str, ...]], bytes] = {}
        self._tools: dict[tuple[str, str, str], Any] = {}
        self._versions: dict[tuple[tuple[str, ...], tuple[str, ...], str], tuple[Any, ...]] = {}
        self._variables: dict[tuple[str, ...], tuple[tuple[str, str | None], ...]] = {}
        self._roots: dict[str, str] = {}

    def changed(self) -> None:
        """Tell that a task has run, or outputs were put back: files, directories and tools are looked at again."""
        self._inputs.clear()
        self._tools.clear()
        self._versions.clear()
        self._tree.changed()

    def key(self, task: Task) -> str:
        """The key of a task that has `cache`, 40 hex digits. Raises ValueError for one that has not."""
        if task.cache is None:
            raise ValueError(f"task {task.id!r} depends on nothing that is known")
        return self.key_many((task,))[task.id]

    def key_many(self, tasks: Iterable[Task]) -> dict[str, str]:
        """Keys by the ids of the tasks; those without `cache` are left out."""
        wanted = [(task.id, task.cache) for task in tasks if task.cache is not None]
        self._look_at_inputs(cache for _, cache in wanted)
        digests = self._inputs
        keys = {}
        for task_id, cache in wanted:
            outputs = tuple(sorted(set(cache.outputs))) if len(cache.outputs) > 1 else cache.outputs
            env = self._variables.get(cache.env)
            if env is None:
                env = self._variables[cache.env] = self._values(cache.env)
            at = (cache.tools, cache.env, cache.root)
            tools = self._versions.get(at)
            if tools is None:
                tools = self._versions[at] = self._look_at_tools(cache)
            parts = (KEY_FORMAT, cache.command, digests[cache.root, cache.inputs], env, tools, outputs)
            keys[task_id] = hashlib.blake2b(_encoded(parts), digest_size=DIGEST_BYTES).hexdigest()
        return keys

    def _look_at_inputs(self, caches: Iterable[CacheInputs]) -> None:
        """Bring `_inputs` up to date, with one look at every file."""
        new: dict[tuple[str, tuple[str, ...]], list[tuple[str, str]]] = {}
        paths: list[str] = []
        for cache in caches:
            at = (cache.root, cache.inputs)
            if at in self._inputs or at in new:
                continue
            root = self._roots.get(cache.root)
            if root is None:
                root = self._roots[cache.root] = os.path.join(os.path.abspath(cache.root), "")
            names = []
            for pattern in cache.inputs:
                if is_literal(pattern):
                    name = os.path.normpath(pattern)
                    names.append((name, root + name if name[0] != "/" else name))
                else:
                    names += [(name, os.path.join(root, name)) for name in self._tree.expand(root, pattern)]
            new[at] = names
            paths += [path for _, path in names]
        contents = self._digests.content_many(paths)
        blake2b = hashlib.blake2b
        for at, names in new.items():
            inputs: list[_Input] = []
            for name, path in names:
                content = contents[path]
                if content is not None and content[5] == DIRECTORY:
                    inputs += self._inputs_below(at[0], name)
                else:
                    inputs.append(_input(name, content))
            if len(inputs) > 1:
                inputs = sorted(set(inputs), key=_name)
            self._inputs[at] = blake2b(_encoded(tuple(inputs)), digest_size=DIGEST_BYTES).digest()

    def _inputs_below(self, root: str, folder: str) -> list[_Input]:
        """A directory that is named stands for the files below it."""
        base = self._roots[root]
        names = list(self._tree.below(base, "" if folder == "." else folder, hidden=False))
        contents = self._digests.content_many(os.path.join(base, name) for name in names)
        return [_input(name, contents[os.path.join(base, name)]) for name in names]

    def _values(self, names: Iterable[str]) -> tuple[tuple[str, str | None], ...]:
        """``NAME`` takes the value of the environment, ``NAME=value`` says it."""
        found: dict[str, str | None] = {}
        for text in names:
            name, given, value = text.partition("=")
            found[name] = value if given else self._env.get(name)
        return tuple(sorted(found.items()))

    def _look_at_tools(self, cache: CacheInputs) -> tuple[Any, ...]:
        path = next((name[5:] for name in cache.env if name.startswith("PATH=")), self._env.get("PATH", os.defpath))
        versions = []
        for tool in sorted(set(cache.tools)):
            # A program that is named by its path is looked up from the root, any other is the same for all roots.
            at = (tool, path, cache.root if os.sep in tool else "")
            if at not in self._tools:
                self._tools[at] = self._version(tool, path, cache.root)
            versions.append((tool, self._tools[at]))
        return tuple(versions)

    def _version(self, tool: str, path: str, root: str) -> Any:
        if os.sep not in tool:
            return tool_version(tool, path)
        content = self._digests.content(os.path.join(os.path.abspath(root), tool))
        return _input(tool, content)


def tool_version(tool: str, path: str) -> tuple[str, str, int, int] | None:
    """What tells one version of a program from another; None when it is not on `path`.

    Where it was found, what that is in the end (for programs that are links), size in bytes and mtime in ns. An
    installer changes at least one of these. Asking the program (``--version``) would cost a process for each tool in
    every run, means something else to some programs, and does not tell two builds of one version apart.
    """
    found = shutil.which(tool, path=path)
    if found is None:
        return None
    real = os.path.realpath(found)
    try:
        state = os.stat(real)
    except OSError:
        return None
    return (found, real, state.st_size, state.st_mtime_ns)


def _input(name: str, content: Content | None) -> _Input:
    if content is None:
        return (name, None, False)
    return (name, content[5], content[4] & 0o100 != 0)


def _name(one: _Input) -> str:
    return one[0]


def _encoded(parts: tuple[Any, ...]) -> bytes:
    try:
        return marshal.dumps(parts, 2)
    except ValueError:  # a subclass of str, from a plugin
        return marshal.dumps(_plain(parts), 2)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return str(value) if isinstance(value, str) else value
