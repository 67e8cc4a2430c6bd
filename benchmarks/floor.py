"""The floor under one terminal scenario: spawn on a pty, three expects, two sends, exit; nothing else.

    floor.py [SCENARIOS] [AT_ONCE]

Prints the seconds that all of them took.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

PROGRAM = 'printf "ready> "; read x; echo "got:$x"; read y; echo bye'


async def scenario(loop: asyncio.AbstractEventLoop) -> None:
    master, slave = os.openpty()
    pid = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", PROGRAM],
        os.environ,
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.ttyname(slave), os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ],
    )
    os.close(slave)
    os.set_blocking(master, False)
    seen, more, ended = bytearray(), asyncio.Event(), False

    def readable() -> None:
        nonlocal ended
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b""
        if not data:
            ended = True
            loop.remove_reader(master)
        seen.extend(data)
        more.set()

    loop.add_reader(master, readable)

    async def expect(text: bytes) -> None:
        while text not in seen:
            more.clear()
            await more.wait()

    await expect(b"ready> ")
    os.write(master, b"hello\n")
    await expect(b"got:hello")
    os.write(master, b"q\n")
    await expect(b"bye")
    while not ended:
        more.clear()
        await more.wait()
    pidfd, exited = os.pidfd_open(pid), loop.create_future()
    loop.add_reader(pidfd, lambda: exited.done() or exited.set_result(None))
    await exited
    loop.remove_reader(pidfd)
    os.close(pidfd)
    os.waitpid(pid, 0)
    os.close(master)


async def main(count: int, at_once: int) -> None:
    gate, loop = asyncio.Semaphore(at_once), asyncio.get_running_loop()

    async def one() -> None:
        async with gate:
            await scenario(loop)

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    print(time.perf_counter() - start)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
