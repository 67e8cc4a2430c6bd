"""`orchestro init`: start a program once, look at what it does, and write a scenario that holds."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex

from orchestro.cli.help import HelpFormatter
from orchestro.cli.values import duration
from orchestro.records import dataclass

__all__ = ["add_parser"]

_EXAMPLES = """\
examples:
  orchestro init -- my-program --flag      writes my-program.scenario.yaml
  orchestro init -o login.scenario.yaml -- ./login.sh
"""
_SEPARATOR = re.compile(r" {2,}|[\u2500-\u259f\ue000-\uf8ff]+|\t")
"""What lies between texts of a screen: gaps, lines of boxes, symbols of fonts."""
_UNSTABLE = re.compile(r"\d:\d\d|\d{4}-\d\d-\d\d|[0-9a-f]{12,}", re.IGNORECASE)
"""Times, dates and hashes: two looks within the same second do not tell them apart from what stays."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_ESCAPED = r"\\\g<0>"
_LONGEST = 60
"""Characters; a longer text is cut at a blank."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "init",
        help="write a first scenario for a program",
        usage="orchestro init [options] -- COMMAND...",
        description="Start COMMAND on a terminal, twice, look at what it shows both times, and write a scenario that "
        "passes.",
        epilog=_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("program", nargs=argparse.REMAINDER, metavar="COMMAND", help="the program and its arguments")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: PROGRAM.scenario.yaml)")
    parser.add_argument("--force", action="store_true", help="write over an existing file")
    parser.add_argument(
        "--wait", type=duration, default=3.0, metavar="S", help="how long to look at it at most (default: 3s)"
    )
    parser.set_defaults(action=_init)


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen of the program."""

    screen: list[str]
    output: str
    exit_code: int | None
    full_screen: bool
    idle: bool
    """Whether its screen came to rest."""

    @property
    def silent(self) -> bool:
        """Whether it waits without having shown anything."""
        return self.exit_code is None and not any(line.strip() for line in self.screen)

    @property
    def lines(self) -> list[str]:
        return self.screen if self.full_screen or self.exit_code is None else self.output.splitlines()


def _init(options: argparse.Namespace) -> int:
    import asyncio

    from orchestro.cli.reports import check_file
    from orchestro.errors import DocumentError, SpawnError, UserError
    from orchestro.scenario.loader import load

    command: list[str] = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not command:
        raise UserError("init needs the command to look at, e.g. orchestro init -- my-program")
    name = os.path.basename(shlex.split(command[0])[0] if len(command) == 1 else command[0]) or "program"
    path = options.output or f"{name}.scenario.yaml"
    check_file("--output", path)
    if os.path.exists(path) and not options.force:
        raise UserError(f"{path} exists already; give another name with -o, or --force to write over it")
    argv = shlex.split(command[0]) if len(command) == 1 else command
    try:
        look = asyncio.run(_look_at(argv, options.wait))
        # What showed nothing has nothing to compare.
        again = look if look.silent else asyncio.run(_look_at(argv, options.wait))
    except SpawnError as error:
        raise UserError(str(error)) from None  # what was typed, not the machine, is at fault
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(_scenario(name, argv, look, again))
    except OSError as error:
        raise UserError(f"--output {path}: cannot be written: {error.strerror}") from None
    problems = load([path]).problems
    if problems:
        raise DocumentError(problems)
    print(f"wrote {path}; try it with: orchestro run {shlex.quote(path)}")
    return 0


async def _look_at(argv: list[str], wait_s: float) -> _Look:
    from orchestro.isolate.environment import make_environment
    from orchestro.isolate.scratch import Scratch
    from orchestro.terminal.process import MARK
    from orchestro.terminal.terminal import Terminal, WaitFailed

    scratch = Scratch(f"init-{os.getpid()}")
    try:
        root = scratch.make()
        env = make_environment(
            os.path.join(root, "home"), os.path.join(root, "tmp"), {}, inherit=True, mark=f"{MARK}={scratch.mark}/look"
        )
        async with Terminal(argv, env=env) as terminal:
            idle = True
            with contextlib.suppress(WaitFailed):
                # A program that takes its time to start has come to rest only once it has shown something.
                await terminal.expect(r"\S", timeout=wait_s)
            try:
                await terminal.idle(0.5, timeout=wait_s)
            except WaitFailed:
                idle = False
            return _Look(
                terminal.screen.lines(),
                terminal.output,
                terminal.exit_code if terminal.ended else None,
                terminal.screen.modes.alternate_screen,
                idle,
            )
    finally:
        scratch.close()


def _scenario(name: str, argv: list[str], look: _Look, again: _Look) -> str:
    import json

    from orchestro.scenario.schema import SHIPPED

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    steps = []
    text = _stable(look.lines, again.lines)
    ended = look.exit_code is not None and again.exit_code is not None
    if text and (look.full_screen or not ended):
        steps.append(f"  - see: {quoted(text)}")
    elif text:
        # re.escape escapes for every use of a pattern; what means nothing in this one is easier to read bare.
        steps.append(f"  - expect: {quoted(_SPECIAL.sub(_ESCAPED, text))}")
    if not ended:
        if not text and look.idle and again.idle:
            steps.append("  - idle: 200ms")
        elif not text:
            steps.append("  - expect: '\\S'  # nothing that it shows stays the same")
        steps += _NEXT
    elif look.exit_code == again.exit_code:
        steps.append(f"  - exit: {look.exit_code}")
    else:
        steps.append(f"  - exit: any  # was {look.exit_code}, then {again.exit_code}")
    return "\n".join(
        [
            f"# yaml-language-server: $schema={SHIPPED}",
            f"name: {quoted(name)}",
            f"command: {json.dumps(argv, ensure_ascii=False)}",
            "steps:",
            *steps,
            "",
        ]
    )


_NEXT = (
    "  # It waits for input now. Some things to do next:",
    "  # - send: text             types and presses Enter",
    "  # - press: [down, enter]   presses keys; ctrl+c, f5, alt+x, ...",
    "  # - expect: REGEX          waits until it has printed this",
    "  # - see: TEXT              waits until this is on the screen",
    "  # - exit: 0                waits until it ends",
)


def _stable(lines: list[str], again: list[str]) -> str:
    """The text to wait for: shown both times, and best without digits, for these change most; empty if there is none.

    Of equally good ones the first is taken.
    """
    best, best_rank = "", 0
    for line in lines:
        for piece in _SEPARATOR.split(line):
            text = piece.strip()
            if len(text) < 2 or not text.isprintable() or _UNSTABLE.search(text):
                continue
            if not any(text in other for other in again):
                continue
            rank = 1 + bool(_WORD.search(text)) + 2 * (not any(character.isdigit() for character in text))
            if rank > best_rank:
                best, best_rank = text, rank
    return best if len(best) <= _LONGEST else best[:_LONGEST].rpartition(" ")[0] or best[:_LONGEST]
