"""The pytest plugin: a `terminal` fixture for ordinary test functions, and collection of ``*.scenario.yaml``.

The scenarios of one file that pytest selected run at once, in parallel, when the first of them is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    import re

    from orchestro.model import Result
    from orchestro.terminal.mouse import Button
    from orchestro.terminal.screen.protocol import Screen
    from orchestro.terminal.terminal import Terminal

__all__ = ["SyncTerminal", "terminal"]

_T = TypeVar("_T")


class SyncTerminal:
    """A `Terminal` for functions that are not coroutines; every method is that of `Terminal` and waits for it."""

    def __init__(self, inner: Terminal, loop: asyncio.AbstractEventLoop) -> None:
        self.inner = inner
        self._loop = loop

    def _wait(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(coroutine)

    def send(self, text: str, *, enter: bool = True) -> None:
        """Type `text` and press Enter."""
        self._wait(self.inner.send(text, enter=enter))

    def type(self, text: str) -> None:
        """Type `text` as it is."""
        self._wait(self.inner.type(text))

    def press(self, *keys: str) -> None:
        """Press keys."""
        self._wait(self.inner.press(*keys))

    def paste(self, text: str) -> None:
        """Paste `text`."""
        self._wait(self.inner.paste(text))

    def click(self, col: int, row: int, button: Button = "left") -> None:
        """Click on a cell."""
        self._wait(self.inner.click(col, row, button))

    def resize(self, cols: int, rows: int) -> None:
        """Change the size."""
        self._wait(self.inner.resize(cols, rows))

    def signal(self, name: str) -> None:
        """Send a signal."""
        self._wait(self.inner.signal(name))

    def expect(self, *patterns: str | re.Pattern[str], timeout: float | None = None) -> re.Match[str]:
        """Wait until what was printed since the last input matches."""
        return self._wait(self.inner.expect(*patterns, timeout=timeout))

    def expect_next(self, *patterns: str | re.Pattern[str], timeout: float | None = None) -> re.Match[str]:
        """Like `expect`, from where the previous one ended."""
        return self._wait(self.inner.expect_next(*patterns, timeout=timeout))

    def see(self, text: str = "", *, timeout: float | None = None, **where: Any) -> None:
        """Wait until `text` is on the screen."""
        self._wait(self.inner.see(text, timeout=timeout, **where))

    def not_see(self, text: str = "", *, timeout: float | None = None, **where: Any) -> None:
        """Wait until `text` is not on the screen."""
        self._wait(self.inner.not_see(text, timeout=timeout, **where))

    def idle(self, seconds: float = 0.2, *, timeout: float | None = None) -> None:
        """Wait until the screen has not changed for so long."""
        self._wait(self.inner.idle(seconds, timeout=timeout))

    def exit(self, code: int | None = 0, *, timeout: float | None = None) -> int:
        """Wait until the program ends with `code`."""
        return self._wait(self.inner.exit(code, timeout=timeout))

    @property
    def output(self) -> str:
        """What was printed since the last input."""
        return self.inner.output

    @property
    def screen(self) -> Screen:
        """The screen as it was when the last wait ended."""
        return self.inner.screen

    @property
    def exit_code(self) -> int | None:
        """Once the program has ended: its code."""
        return self.inner.exit_code


@pytest.fixture
def terminal() -> Iterator[Callable[..., SyncTerminal]]:
    """Starts programs on terminals: ``t = terminal("vim", size=(80, 24))``; they are ended after the test."""
    from orchestro.terminal.terminal import Terminal

    loop = asyncio.new_event_loop()
    started: list[Terminal] = []

    def start(command: str | list[str], **options: Any) -> SyncTerminal:
        inner = Terminal(command, **options)
        loop.run_until_complete(inner.start())
        started.append(inner)
        return SyncTerminal(inner, loop)

    try:
        yield start
    finally:
        for inner in reversed(started):
            loop.run_until_complete(inner.close())
            inner.free()
        loop.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.scenario.yaml`` and ``*.scenario.yml``."""
    if file_path.name.endswith((".scenario.yaml", ".scenario.yml")):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """One YAML file of scenarios."""

    _results: dict[str, Result] | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each scenario, combinations of a matrix included."""
        from orchestro.app import RunOptions, load_tasks
        from orchestro.errors import UserError

        try:
            tasks = load_tasks([str(self.path)], RunOptions())
        except UserError as error:
            raise self.CollectError(str(error)) from None
        for task in tasks:
            item = ScenarioItem.from_parent(self, name=task.name)
            item.line = task.source.line
            yield item

    def results(self) -> dict[str, Result]:
        """How the selected scenarios of this file ended; runs them the first time it is asked."""
        if self._results is None:
            from orchestro.app import RunOptions, run
            from orchestro.selection import Selection

            names = frozenset(i.name for i in self.session.items if isinstance(i, ScenarioItem) and i.parent is self)
            report = run([str(self.path)], options=RunOptions(selection=Selection(only=names)))
            self._results = {result.name: result for result in report.results}
        return self._results


class ScenarioItem(pytest.Item):
    """One scenario."""

    line = 0

    def runtest(self) -> None:
        """Fail or skip as the scenario did."""
        from orchestro.model import Outcome

        if not isinstance(self.parent, ScenarioFile):
            raise TypeError("a scenario item belongs to a scenario file")
        result = self.parent.results()[self.name]
        if result.outcome in (Outcome.SKIPPED, Outcome.BLOCKED):
            pytest.skip(result.reason)
        if not result.outcome.ok:
            raise _ScenarioFailed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The failure as `orchestro run` prints it."""
        if isinstance(excinfo.value, _ScenarioFailed):
            return excinfo.value.text()
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line from 0, and name."""
        return self.path, max(0, self.line - 1), self.name


class _ScenarioFailed(Exception):
    def __init__(self, result: Result) -> None:
        self.result = result
        super().__init__(result.name)

    def text(self) -> str:
        failure = self.result.failure
        if failure is None:
            return f"{self.result.name}: {self.result.outcome}: {self.result.reason}"
        from orchestro.observe.failure_text import failure_lines

        return "\n".join([f"{self.result.name}: {self.result.outcome}", *failure_lines(failure)])
