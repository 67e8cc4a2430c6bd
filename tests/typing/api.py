"""Uses the public names as a user would; mypy checks it, nothing runs it."""

from __future__ import annotations

import re

import orchestro
from orchestro import Outcome, Report, Result, RunOptions, Selection, Terminal, WaitFailed
from orchestro.events import Event
from orchestro.testing.pytest_plugin import SyncTerminal


class Counting:
    def __init__(self) -> None:
        self.seen = 0

    def handle(self, event: Event) -> None:
        self.seen += event.at > 0


def run_and_read() -> list[str]:
    report: Report = orchestro.run(["tests/"], workers=8, observers=[Counting()])
    failed: list[Result] = [result for result in report.results if result.outcome is not Outcome.PASSED]
    return [result.failure.message for result in failed if result.failure is not None]


async def run_in_a_loop() -> int:
    report = await orchestro.run("tests/", options=RunOptions(selection=Selection(tags="fast and not slow")))
    again: Report = await orchestro.run_async(["tests/"])
    return report.exit_code + again.exit_code


async def drive() -> str:
    async with Terminal(["vim", "--clean"], size=(80, 24), timeout=2.0) as vim:
        await vim.see("VIM", bold=True, row=-1)
        await vim.press("i", "ctrl+c")
        match: re.Match[str] = await vim.expect(r"\d+", timeout=1.0)
        try:
            code: int = await vim.exit(0)
        except WaitFailed as failed:
            return failed.missing.why
        return f"{match[0]} {code} {vim.screen.lines()[0]} {vim.screen.cursor.col}"


def drive_in_pytest(terminal: SyncTerminal) -> None:
    terminal.send("hello")
    terminal.expect("hello", re.compile("world"))
