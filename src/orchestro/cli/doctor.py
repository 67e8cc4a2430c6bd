"""`orchestro doctor`: what this machine has and lacks, found out by trying."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator

from orchestro.cli.lines import say
from orchestro.records import dataclass

__all__ = ["add_parser"]


class _LackError(Exception):
    """Raised when something is there but not good enough; says why."""


@dataclass(frozen=True, slots=True)
class _Finding:
    what: str
    ok: bool
    detail: str
    advice: str = ""
    """What to do when it is not."""
    required: bool = False


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what this machine has and lacks",
        description="Try what orchestro needs and uses. Exits with 0 unless something that it needs is missing.",
    )
    parser.set_defaults(action=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    del options
    good, bad, note = ("✓", "✗", "!") if (sys.stdout.encoding or "").lower().startswith("utf") else ("ok", "NO", "!")
    failed = False
    for finding in _findings():
        sign = good if finding.ok else bad if finding.required else note
        failed = failed or (finding.required and not finding.ok)
        advice = "" if finding.ok or not finding.advice else f": {finding.advice}"
        say(f"{sign} {finding.what:18} {finding.detail}{advice}", indent=21)
    return 1 if failed else 0


def _findings() -> Iterator[_Finding]:
    from orchestro import __version__

    version = ".".join(map(str, sys.version_info[:3]))
    yield _Finding("orchestro", True, __version__)
    yield _Finding("python", sys.version_info >= (3, 11), version, "3.11 or newer is needed", required=True)
    for what, test, advice, required in (
        ("pseudo-terminal", _terminal, "only programs that need no terminal can be run (driver: pipe)", True),
        ("screen", _screen, "install pyghostty or pyte", True),
        ("pictures (PNG)", _png, "install resvg_py; SVG works without it", False),
        ("state directory", _state, "orchestro run needs to write there; see --output-dir", True),
    ):
        yield _tried(what, test, advice, required=required)
    if sys.platform == "linux":
        yield _tried("pidfd", _pidfd, "Linux 5.3 or newer is needed, and a sandbox that allows it", required=True)
    yield _tried("locale", _locale, "set LANG=C.UTF-8", required=False)
    yield _tried("live progress", _live, "set TERM to what this terminal is", required=False)
    from orchestro.app import default_workers, usable_processors

    yield _Finding(
        "processors", True, f"{usable_processors():g} usable, so {default_workers()} scenarios at once by default"
    )
    shells = [name for name in ("bash", "zsh", "fish") if shutil.which(name)]
    yield _Finding(
        "shells with marks",
        bool(shells),
        ", ".join(shells) or "none",
        "exit codes of commands are only known in bash, zsh and fish",
    )
    for program, use in (("git", "used by some examples"),):
        path = shutil.which(program)
        yield _Finding(program, path is not None, path or "not found", use)


def _tried(what: str, test: Callable[[], str], advice: str, *, required: bool) -> _Finding:
    try:
        return _Finding(what, True, test(), required=required)
    except _LackError as error:
        return _Finding(what, False, str(error), advice, required=required)
    except Exception as error:  # noqa: BLE001  # whatever goes wrong here is the finding
        return _Finding(what, False, f"{type(error).__name__}: {error}", advice, required=required)


def _terminal() -> str:
    import asyncio

    from orchestro.terminal.terminal import Terminal

    async def run() -> str:
        async with Terminal(["sh", "-c", "stty size; read x; echo got:$x"], size=(61, 17)) as terminal:
            await terminal.expect("17 61")
            await terminal.send("it works")
            await terminal.expect("got:it works")
            await terminal.exit(0)
        return "a program ran on it and answered"

    return asyncio.run(run())


def _screen() -> str:
    from orchestro.terminal.screen import open_screen

    screen = open_screen(20, 2)
    try:
        screen.feed("\x1b[1mdrawn ✓".encode())
        if screen.lines()[0] != "drawn ✓":
            raise _LackError(f"draws {screen.lines()[0]!r}")
        name = type(screen).__module__.rpartition(".")[2].removesuffix("_screen")
    finally:
        screen.close()
    from importlib.metadata import version

    package = {"ghostty": "pyghostty"}.get(name, name)
    return f"{name} ({package} {version(package)})" + (
        "" if name == "ghostty" else ", slower and less exact than ghostty"
    )


def _png() -> str:
    from orchestro.terminal.render import screen_png, screen_svg
    from orchestro.terminal.screen import PLAIN, StyledRun

    picture = screen_png(screen_svg([[StyledRun("x", PLAIN, 1)]], 2, None))
    return f"drawn ({len(picture)} bytes)"


def _pidfd() -> str:
    os.close(os.pidfd_open(os.getpid()))
    return "tells the end of programs"


def _live() -> str:
    if not sys.stdout.isatty():
        return "plain lines, as standard output is no terminal"
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        raise _LackError(f"TERM={term} knows no cursor movement, so there are plain lines")
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return "plain lines, as CI is set"
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    colors = "without colours, as NO_COLOR is set" if os.environ.get("NO_COLOR") else "with colours"
    return f"on {term}, {columns}x{rows}, {colors}"


def _locale() -> str:
    import locale

    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") != "utf8":
        raise _LackError(f"{encoding} cannot show every character")
    return encoding


def _state() -> str:
    import tempfile

    folder = os.path.abspath(".orchestro") if os.path.isdir(".orchestro") else os.getcwd()
    with tempfile.TemporaryFile(dir=folder):
        return f"{folder} can be written"
