"""The process around the command: its standard streams, as odd as a caller can make them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestro import __version__

SCENARIO = "name: grüße\ncommand: echo hello\nsteps: [{expect: hello}]\n"


def start(redirection: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "orchestro", *arguments],
        capture_output=True,
        env={**os.environ, **env},
        timeout=60,
        check=False,
    )


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.scenario.yaml").write_text(SCENARIO, encoding="utf-8")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_run_does_without_streams_that_were_closed(closed: str) -> None:
    ended = start(closed, "run", "--json", "events.jsonl")
    assert ended.returncode == 0, ended.stderr
    assert b"Error" not in ended.stderr
    assert '"exit_code":0,"counts":[["passed",1]]' in Path("events.jsonl").read_text(encoding="utf-8")


def test_the_version_does_without_standard_output() -> None:
    ended = start(">&-", "version")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert start("", "version").stdout == f"orchestro {__version__}\n".encode()


def test_what_standard_output_cannot_encode_is_escaped() -> None:
    ended = start("", "list", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(rb"gr\xfc\xdfe  t.scenario.yaml:1")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_no_text_can_be_named() -> None:
    os.rename("t.scenario.yaml", b"t\xff.scenario.yaml")
    ended = start("", "list")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert rb"t\udcff.scenario.yaml:1" in ended.stdout


def test_a_command_imports_only_its_own_module() -> None:
    code = (
        "import sys; from orchestro.cli.main import make_parser; make_parser('list').parse_args(['list']);"
        "print(*sorted(name for name in sys.modules if name.startswith('orchestro.cli.')))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "orchestro.cli.inspect" in loaded
    assert not {f"orchestro.cli.{name}" for name in ("run", "show", "init", "doctor", "completion")} & set(loaded)
