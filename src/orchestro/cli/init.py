"""`orchestro init`: start a program once, look at what it does, and write a scenario that holds."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from dataclasses import dataclass

from orchestro.cli.values import duration

__all__ = ["add_parser"]

_EXAMPLES = """\
examples:
  orchestro init -- my-program --flag      writes my-program.scenario.yaml
  orchestro init -o login.scenario.yaml -- ./login.sh
"""
_UNSTABLE = re.compile(
    r"\d{2}:\d{2}|\d{4}-\d\d|[0-9a-f]{12,}|/tmp/|\bpid\b|\d+(\.\d+)? ?(ms|s|%|[KMG]i?B)\b", re.IGNORECASE
)
"""Texts that will be different next time."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "init",
        help="write a first scenario for a program",
        description="Start COMMAND on a terminal, look at what it shows, and write a scenario that passes.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
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


def _init(options: argparse.Namespace) -> int:
    import asyncio

    from orchestro.errors import DocumentError, UserError
    from orchestro.scenario.loader import load

    command: list[str] = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not command:
        raise UserError("init needs the command to look at, e.g. orchestro init -- my-program")
    name = os.path.basename(shlex.split(command[0])[0] if len(command) == 1 else command[0]) or "program"
    path = options.output or f"{name}.scenario.yaml"
    if os.path.exists(path) and not options.force:
        raise UserError(f"{path} exists already; give another name with -o, or --force to write over it")
    argv = shlex.split(command[0]) if len(command) == 1 else command
    look = asyncio.run(_look_at(argv, options.wait))
    text = _scenario(name, argv, look)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
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
            try:
                await terminal.idle(0.5, timeout=wait_s)
            except WaitFailed:
                sys.stderr.write(f"{argv[0]} keeps changing its screen; what it showed after {wait_s:g} s is used\n")
            return _Look(
                terminal.screen.lines(),
                terminal.output,
                terminal.exit_code if terminal.ended else None,
                terminal.screen.modes.alternate_screen,
            )
    finally:
        scratch.close()


def _scenario(name: str, argv: list[str], look: _Look) -> str:
    import json

    from orchestro.scenario.schema import SHIPPED

    steps = []
    text = _stable(look.screen if look.full_screen else look.output.splitlines())
    if text:
        steps.append(
            f"  - see: {json.dumps(text, ensure_ascii=False)}"
            if look.full_screen or _prompts(look)
            else f"  - expect: {json.dumps(re.escape(text).replace(chr(92) + ' ', ' '), ensure_ascii=False)}"
        )
    if look.exit_code is not None:
        steps.append(f"  - exit: {look.exit_code}")
    else:
        steps += [
            "  # It waits for input now. Some things to do next:",
            "  # - send: text             types and presses Enter",
            "  # - press: [down, enter]   presses keys; ctrl+c, f5, alt+x, ...",
            "  # - expect: REGEX          waits until it has printed this",
            "  # - see: TEXT              waits until this is on the screen",
            "  # - exit: 0                waits until it ends",
        ]
    if not any(not step.lstrip().startswith("#") for step in steps):
        steps.insert(0, "  - idle: 200ms")
    command = json.dumps(argv, ensure_ascii=False)
    return "\n".join(
        [
            f"# yaml-language-server: $schema={SHIPPED}",
            f"name: {json.dumps(name, ensure_ascii=False)}",
            f"command: {command}",
            "steps:",
            *steps,
            "",
        ]
    )


def _prompts(look: _Look) -> bool:
    return look.exit_code is None


def _stable(lines: list[str]) -> str:
    """The first line that will probably be the same next time; empty when there is none."""
    for line in lines:
        text = line.strip()
        if len(text) > 1 and text.isprintable() and not _UNSTABLE.search(text):
            return text if len(text) <= 60 else text[:60].rpartition(" ")[0] or text[:60]
    return ""
