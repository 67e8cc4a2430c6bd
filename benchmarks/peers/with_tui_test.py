"""The same dialogue with tui-test, AT_ONCE at a time. Prints the seconds that all of them took."""

from __future__ import annotations

import asyncio
import sys
import time

from tui_test import TuiTest

PROGRAM = 'printf "ready> "; read x; echo "got:$x"; read y; echo bye'


async def scenario() -> None:
    async with TuiTest.ephemeral() as terminal:
        await terminal.run("/bin/sh", "-c", PROGRAM)
        await terminal.get_by_text("ready> ").expect()
        await terminal.submit("hello")
        await terminal.get_by_text("got:hello").expect()
        await terminal.submit("q")
        await terminal.get_by_text("bye").expect()
        await terminal.wait_exit()


async def main(count: int, at_once: int) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with gate:
            await scenario()

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    print(time.perf_counter() - start)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
