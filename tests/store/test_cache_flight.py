"""One at a time for each key, in a process and among processes; and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestro.store.cache.cache import ResultCache
from orchestro.store.cache.flight import Flights, locked

HOLDER = """
import asyncio, sys
from orchestro.store.cache.flight import Flights
async def main():
    async with Flights(sys.argv[1]).flight("k"):
        print("held", flush=True)
        sys.stdin.readline()
asyncio.run(main())
"""

WRITER = """
import itertools, os, sys
from orchestro.store.cache.cache import ResultCache
directory, root = sys.argv[1:]
cache = ResultCache(directory, max_bytes=200_000)
print("begun", flush=True)
for n in itertools.count(int.from_bytes(os.urandom(4), "big")):
    for name, size in (("a", 2000), ("b", 2 << 20 if n % 5 == 0 else 10)):
        with open(os.path.join(root, name), "wb") as file:
            file.write(b"%d\\n" % n * (size // 8))
    cache.put(f"{n:x}", root, ("a", "b"), str(n), 1.0)
    if n % 7 == 0:
        cache.gc()
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_in_one_process_one_goes_ahead_and_the_others_follow(tmp_path: Path) -> None:
    flights = Flights(str(tmp_path))
    order: list[str] = []

    async def fly(name: str) -> bool:
        async with flights.flight("k") as waited:
            order.append(f"+{name}")
            for _ in range(5):
                await asyncio.sleep(0)
            order.append(f"-{name}")
            return waited

    async def main() -> list[bool]:
        return await asyncio.gather(*(fly(name) for name in "abc"))

    assert asyncio.run(main()) == [False, True, True]
    assert order == ["+a", "-a", "+b", "-b", "+c", "-c"]
    assert os.listdir(tmp_path) == []


def test_other_keys_do_not_wait(tmp_path: Path) -> None:
    flights = Flights(str(tmp_path))

    async def main() -> None:
        async with flights.flight("a") as first, flights.flight("b") as second:
            assert (first, second) == (False, False)

    asyncio.run(main())


def test_a_failure_lets_the_next_go(tmp_path: Path) -> None:
    flights = Flights(str(tmp_path))

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with flights.flight("k"):
                _ = 1 // 0
        async with flights.flight("k") as waited:
            assert not waited

    asyncio.run(main())


def test_who_gives_up_waiting_leaves_the_others_waiting(tmp_path: Path) -> None:
    flights = Flights(str(tmp_path))
    done = []

    async def fly(name: str) -> None:
        async with flights.flight("k"):
            done.append(name)

    async def main() -> None:
        async with flights.flight("k"):
            tasks = [asyncio.create_task(fly(name)) for name in "ab"]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
            assert done == []
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert done == ["b"]


@pytest.mark.parametrize("how", ["released", "killed"])
def test_another_process_is_waited_for_until_it_is_done_or_dead(tmp_path: Path, how: str) -> None:
    process = holder(tmp_path)

    async def main() -> bool:
        flights = Flights(str(tmp_path))
        turns = 0

        async def turn() -> None:  # the loop goes on meanwhile
            nonlocal turns
            while turns < 100:
                turns += 1
                await asyncio.sleep(0)
            assert process.stdin is not None
            if how == "killed":
                process.kill()
            else:
                process.stdin.write("\n")
                process.stdin.flush()

        releasing = asyncio.create_task(turn())
        async with flights.flight("k") as waited:
            assert turns == 100
        await releasing
        return waited

    try:
        assert asyncio.run(main())
    finally:
        end(process)


def test_giving_up_on_another_process_is_at_once_and_holds_nothing(tmp_path: Path) -> None:
    process = holder(tmp_path)

    async def main() -> None:
        flights = Flights(str(tmp_path))

        async def fly() -> None:
            async with flights.flight("k"):
                raise AssertionError

        flying = asyncio.create_task(fly())
        for _ in range(5):
            await asyncio.sleep(0)
        flying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flying
        process.kill()
        process.wait()
        async with flights.flight("k"):  # and is to be had, although that thread gets the lock first
            pass

    try:
        asyncio.run(main())
    finally:
        end(process)


def test_locks_that_are_shared_hold_off_one_that_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with locked(path, shared=True) as one, locked(path, shared=True) as two, locked(path, wait=False) as alone:
        assert (one, two, alone) == (True, True, False)
    with locked(path, wait=False) as alone:
        assert alone


def test_a_cache_is_sound_after_any_kill_of_two_writers(tmp_path: Path) -> None:
    chance = random.Random(20)
    directory = tmp_path / "cache"
    seen = 0
    for turn in range(20):
        writers = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir(exist_ok=True)
            arguments = [sys.executable, "-c", WRITER, str(directory), str(tmp_path / name)]
            writers.append(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True))
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "begun\n"
        select.select([], [], [], chance.uniform(0.0, 0.03))  # the moment of the kill, not something to wait for
        for writer in writers:
            assert writer.poll() is None, "a writer failed"
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
        cache = ResultCache(str(directory))
        keys = [row[0] for row in cache._index._db.execute("SELECT key FROM entry")]
        for key, entry in cache.get_many(keys).items():
            target = tmp_path / f"restored-{turn}"
            assert cache.restore(entry, str(target)), "an entry without its outputs"
            assert (target / "a").read_bytes().startswith(b"%d\n" % int(key, 16))
            assert cache.text(entry) == str(int(key, 16))
            seen += 1
        assert cache._index._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if turn % 5 == 4:
            cache.gc(max_bytes=0)
            files = [path for path in (directory / "blobs").rglob("*") if path.is_file()]
            assert files == []
        cache.close()
    assert seen > 20
