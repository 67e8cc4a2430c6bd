"""`orchestro doctor` on terminals and without one."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from orchestro.cli.main import run
from orchestro.terminal.terminal import Terminal

COMMAND = [sys.executable, "-m", "orchestro", "doctor"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"TERM": "xterm-256color"}, "✓ live progress      on xterm-256color, 90x30, with colours"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "without colours, as NO_COLOR is set"),
        ({"TERM": "dumb"}, "! live progress      TERM=dumb knows no cursor movement"),
        ({"TERM": "xterm-256color", "CI": "true"}, "plain lines, as CI is set"),
    ],
    ids=["capable", "no colours", "dumb", "CI"],
)
def test_it_tells_what_the_terminal_can(env: dict[str, str], said: str, tmp_path: Path) -> None:
    async def look() -> None:
        inherited = {k: v for k, v in os.environ.items() if k not in ("CI", "NO_COLOR", "FORCE_COLOR")}
        async with Terminal(COMMAND, env={**inherited, **env}, cwd=tmp_path, size=(90, 30)) as terminal:
            await terminal.exit(0, timeout=30)
            assert said in "\n".join(terminal.screen.lines())

    asyncio.run(look())


def test_it_tells_that_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["doctor"]) == 0
    assert "as standard output is no terminal" in capsys.readouterr().out


def test_a_directory_that_cannot_be_written_is_a_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert run(["doctor"]) != 0
    out = capsys.readouterr().out
    assert "✗ state directory" in out or "NO state directory" in out
    assert "see --output-dir" in out
