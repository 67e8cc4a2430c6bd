"""The completion scripts in the shells that they are for, with the tabulator key."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from orchestro.cli.completion import script
from orchestro.terminal.terminal import Terminal

STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], ["source ./c"]),
    "zsh": (["zsh", "-f", "-i"], ["autoload -U compinit; compinit -u -D", "source ./c"]),
    "fish": (["fish", "--no-config", "-i"], ["source ./c"]),
}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
@pytest.mark.parametrize("shell", [pytest.param(name, marks=pytest.mark.needs(name)) for name in STARTS])
def test_the_tabulator_completes(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two words.yaml").write_text("")
    Path("c").write_text(script(shell), encoding="utf-8")
    asyncio.run(_complete(shell, tmp_path))


async def _complete(shell: str, home: Path) -> None:
    argv, setup = STARTS[shell]
    env = {**os.environ, "HOME": str(home), "TERM": "xterm-256color"}
    async with Terminal(argv, env=env, size=(100, 24)) as terminal:
        for line in (*setup, "echo rea''dy"):
            await terminal.send(line)
        await terminal.see("ready")
        for typed, completed in (
            ("orchestro val", "orchestro validate"),
            ("orchestro run --htm", "orchestro run --html"),
            ("orchestro run --snapshot u", "orchestro run --snapshot update"),
            ("orchestro completion z", "orchestro completion zsh"),
            ("orchestro run -v two", r"orchestro run -v two\ words.yaml"),
        ):
            await terminal.type(typed)
            await terminal.press("tab")
            await terminal.see(completed)
            await terminal.press("ctrl+u")
            await terminal.not_see(typed)
