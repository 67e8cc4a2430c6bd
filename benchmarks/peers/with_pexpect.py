"""The same dialogue with pexpect, AT_ONCE threads. Prints the seconds that all of them took."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pexpect

PROGRAM = 'printf "ready> "; read x; echo "got:$x"; read y; echo bye'


def scenario(_: int) -> None:
    child = pexpect.spawn("/bin/sh", ["-c", PROGRAM], timeout=10)
    child.expect_exact("ready> ")
    child.sendline("hello")
    child.expect_exact("got:hello")
    child.sendline("q")
    child.expect_exact("bye")
    child.expect(pexpect.EOF)
    child.close()


if __name__ == "__main__":
    count, at_once = int(sys.argv[1]), int(sys.argv[2])
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(scenario, range(count)))
    print(time.perf_counter() - start)
