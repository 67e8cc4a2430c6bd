"""The result cache alone: what a no-op run of N cached tasks asks of it. `python benchmarks/cache.py [N]`."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orchestro.model import CacheInputs, Task
from orchestro.store.cache.cache import ResultCache
from orchestro.store.cache.key import Keys

PER_DIRECTORY = 100


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"  {what:32} {(time.perf_counter() - began) * 1e3:8.1f} ms")


def make(root: str, count: int) -> list[Task]:
    tasks = []
    for number in range(count):
        folder = f"src/{number // PER_DIRECTORY}"
        if number % PER_DIRECTORY == 0:
            os.makedirs(os.path.join(root, folder))
            os.makedirs(os.path.join(root, "out", str(number // PER_DIRECTORY)))
        with open(os.path.join(root, folder, f"{number}.c"), "w", encoding="utf-8") as file:
            file.write(f"int f{number}(void) {{ return {number}; }}\n" * 20)
        output = f"out/{number // PER_DIRECTORY}/{number}.o"
        with open(os.path.join(root, output), "w", encoding="utf-8") as file:
            file.write(f"object {number}\n")
        inputs = CacheInputs(
            ("cc", "-c", str(number)), root, (f"{folder}/{number}.c",), (output,), env=("CC",), tools=("sh",)
        )
        tasks.append(Task(str(number), "command", str(number), cache=inputs))
    return tasks


def no_op(directory: str, root: str, tasks: list[Task]) -> None:
    began = time.perf_counter()
    with timed("open"):
        cache = ResultCache(directory)
        keys = Keys(cache.digests, os.environ)
    with timed("keys"):
        found = keys.key_many(tasks)
    with timed("get_many"):
        entries = cache.get_many(list(found.values()))
    with timed("in_place"):
        placed = cache.in_place((entry, root) for entry in entries.values())
    with timed("touch, close"):
        cache.touch(entry for key, entry in entries.items() if key in placed)
        cache.close()
    spent = (time.perf_counter() - began) * 1e3
    print(f"  all: {spent:.1f} ms, {len(placed)} hits, {cache.digests.files_read} files read")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    root = tempfile.mkdtemp(prefix="orchestro-bench-")
    try:
        tasks = make(root, count)
        directory = os.path.join(root, ".cache")
        print(f"{count} tasks, run for the first time")
        with timed("keys"):
            cache = ResultCache(directory)
            keys = Keys(cache.digests, os.environ).key_many(tasks)
        with timed("put"):
            for task in tasks:
                assert task.cache is not None
                cache.put(keys[task.id], root, task.cache.outputs, "compiled\n", 0.1)
        with timed("close"):
            cache.close()
        for turn in ("second", "third", "fourth"):
            print(f"no-op, {turn} run")
            no_op(directory, root, tasks)
        print("outputs removed")
        shutil.rmtree(os.path.join(root, "out"))
        cache = ResultCache(directory)
        with timed("restore"):
            for entry in cache.get_many(list(keys.values())).values():
                assert cache.restore(entry, root)
        with timed("close"):
            cache.close()
        cache = ResultCache(directory)
        with timed("gc to nothing"):
            print(" ", cache.gc(max_bytes=0))
        cache.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
