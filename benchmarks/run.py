"""Runs the benchmarks and prints what they compare with: `run.py [NAME...]`, see README.md."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = ROOT / ".venv-peers"
PYTHON = sys.executable
ORCHESTRO = str(Path(PYTHON).parent / "orchestro")
ROUNDS = 5


def seconds(argv: Sequence[str]) -> float:
    """What a script printed as its last line."""
    return float(subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()[-1])


def wall(argv: Sequence[str], **options: object) -> float:
    """Wall seconds of a whole process."""
    start = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    return time.perf_counter() - start


def in_turn(rounds: int, *runs: Callable[[], float]) -> list[list[float]]:
    """Results of each, taken A B C A B C: a machine that slows down slows all of them."""
    results: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for one, into in zip(runs, results, strict=True):
            into.append(one())
    return results


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the ratios, pair by pair."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def peer_python() -> str:
    """The interpreter of the peers' own environment, made at the first use."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        print("setting up the peers (pexpect, tui-test) ...", flush=True)
        subprocess.run([PYTHON, "-m", "venv", str(PEERS)], check=True)
        requirements = ["--require-hashes", "-r", str(HERE / "peers" / "requirements.txt")]
        subprocess.run([str(python), "-m", "pip", "install", "-q", *requirements], check=True)
    return str(python)


def verdict(ok: bool) -> str:
    return "ok" if ok else "MISSED"


def bench_scenarios() -> None:
    """(a) One dialogue, 200 times."""
    peer = peer_python()
    count = 200
    for at_once in (1, 8):
        small = 40 if at_once == 1 else count  # the peers take 100 ms and more each
        arguments = [str(count), str(at_once)]
        floor, ours = in_turn(
            ROUNDS,
            lambda a=arguments: seconds([PYTHON, str(HERE / "floor.py"), *a]) / count,  # type: ignore[misc]
            lambda a=arguments: seconds([PYTHON, str(HERE / "engine.py"), *a]) / count,  # type: ignore[misc]
        )
        few = [str(small), str(at_once)]
        pexpect, tui_test, again = in_turn(
            3,
            lambda a=few, n=small: seconds([peer, str(HERE / "peers/with_pexpect.py"), *a]) / n,  # type: ignore[misc]
            lambda a=few, n=small: seconds([peer, str(HERE / "peers/with_tui_test.py"), *a]) / n,  # type: ignore[misc]
            lambda a=arguments: seconds([PYTHON, str(HERE / "engine.py"), *a]) / count,  # type: ignore[misc]
        )
        print(f"\nscenarios, {at_once} at once, ms a scenario (median):")
        print(f"  floor      {statistics.median(floor) * 1e3:8.2f}")
        over = ratio(ours, floor)
        mine = statistics.median(ours) * 1e3
        print(f"  orchestro  {mine:8.2f}   {over:.2f}x the floor (aim: 2.5)  {verdict(over <= 2.5)}")
        for name, theirs in (("pexpect", pexpect), ("tui-test", tui_test)):
            faster = ratio(theirs, again)
            took = statistics.median(theirs) * 1e3
            print(f"  {name:9}  {took:8.2f}   orchestro is {faster:.1f}x as fast (aim: 5)  {verdict(faster >= 5)}")


def bench_files() -> None:
    """(b) 200 files from the command line."""
    from engine import SCENARIO

    with tempfile.TemporaryDirectory() as folder:
        for number in range(200):
            (Path(folder) / f"{number:03}.scenario.yaml").write_text(SCENARIO.format(number=number))
        took = [wall([ORCHESTRO, "run", "-j", "8", folder], cwd=folder) for _ in range(ROUNDS)]
    each = statistics.median(took) / 200 * 1e3
    print(f"\nfiles: 200 files, -j 8: {each:.2f} ms a scenario, all included (aim: 5)  {verdict(each <= 5)}")


def bench_waiting() -> None:
    """(c) 128 scenarios that wait 1 s."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "waiting.scenario.yaml"
        one = "name: wait {}\ncommand: [sleep, '1']\nsteps:\n  - exit: 0\n"
        file.write_text("---\n".join(one.format(number) for number in range(128)))
        for workers, aim in ((8, 7.8), (64, 55.0)):
            took = statistics.median(
                wall([ORCHESTRO, "run", "-j", str(workers), str(file)], cwd=folder) for _ in range(3)
            )
            print(
                f"\nwaiting: 128 scenarios of 1 s, {workers} workers: {took:.2f} s, speed-up {128 / took:.1f} "
                f"(aim: {aim})  {verdict(128 / took >= aim)}"
            )


def bench_startup() -> None:
    """(d) Starting."""
    empty, version = in_turn(21, lambda: wall([PYTHON, "-c", "pass"]), lambda: wall([ORCHESTRO, "version"]))
    over = ratio(version, empty)
    print(
        f"\nstartup: python -c pass {statistics.median(empty) * 1e3:.1f} ms, orchestro version "
        f"{statistics.median(version) * 1e3:.1f} ms: {over:.2f}x (aim: 2.5)  {verdict(over <= 2.5)}"
    )
    from engine import SCENARIO

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "one.scenario.yaml"
        file.write_text(SCENARIO.format(number=1))
        one = statistics.median(wall([ORCHESTRO, "run", str(file)], cwd=folder) for _ in range(11)) * 1e3
        print(f"startup: one scenario, all told: {one:.0f} ms (aim: 250)  {verdict(one <= 250)}")


FLOOD = """\
name: flood
command: {command}
timeout: 60
total_timeout: 120
steps:
  - exit: 0
"""
RAW = """\
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
start = time.perf_counter()
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
print(time.perf_counter() - start)
"""


def bench_flood() -> None:
    """(e) 100 MB of output."""
    size = 100_000_000
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        line = b"2026-01-01T00:00:00Z INFO worker-3 handled request 4711 in 12 ms, status 200, path /a/b\n"
        lines.write_bytes(line * (size // len(line)))
        file = Path(folder) / "flood.scenario.yaml"
        file.write_text(FLOOD.format(command=f"cat {lines}"))
        raw, ours = in_turn(
            3,
            lambda: seconds([PYTHON, "-c", RAW, "cat", str(lines)]),
            lambda: wall([ORCHESTRO, "run", str(file)], cwd=folder),
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        rate = size / 1e6 / statistics.median(ours)
        bare = size / 1e6 / statistics.median(raw)
        print(
            f"\nflood: 100 MB through a pty: {rate:.0f} MB/s (aim: 30)  {verdict(rate >= 30)}; "
            f"only reading the pty: {bare:.0f} MB/s ({ratio(ours, raw):.2f}x its time); "
            f"peak memory of any process {peak:.0f} MB"
        )


BENCHMARKS = {
    "scenarios": bench_scenarios,
    "files": bench_files,
    "waiting": bench_waiting,
    "startup": bench_startup,
    "flood": bench_flood,
}


def main(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"unknown benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    sys.path.insert(0, str(HERE))
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
