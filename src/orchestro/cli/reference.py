"""The reference of the command line, made from the parsers: `python -m orchestro.cli.reference`."""

from __future__ import annotations

import argparse
import os

from orchestro.exits import Exit

__all__ = ["reference"]


def reference() -> str:
    """The Markdown page."""
    from orchestro.cli.main import make_parser

    os.environ["COLUMNS"] = "100"
    parser = make_parser()
    parts = [
        "# The command line\n",
        "<!-- Written by `make docs` from the parsers. -->\n",
        f"```\n{parser.format_help().strip()}\n```\n",
        "## Exit codes\n",
        "| code | name | meaning |\n|---|---|---|",
        *(f"| {code.value} | {code.name.lower()} | {_meaning(code)} |" for code in Exit),
        "",
    ]
    for action in parser._actions:  # argparse has no public way to walk a parser
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                parts += [f"## orchestro {name}\n", f"```\n{command.format_help().strip()}\n```\n"]
                parts += _within(f"orchestro {name}", command)
    parts.append(_ENVIRONMENT)
    return "\n".join(parts)


def _within(name: str, command: argparse.ArgumentParser) -> list[str]:
    """The pages of the commands of a command."""
    return [
        f"### {name} {inner}\n\n```\n{parser.format_help().strip()}\n```\n"
        for action in command._actions
        if isinstance(action, argparse._SubParsersAction)
        for inner, parser in action.choices.items()
    ]


_MEANINGS = {
    Exit.PASSED: "everything that ran passed (flaky counts as passed)",
    Exit.FAILED: "at least one scenario failed, timed out or was blocked",
    Exit.USAGE: "bad usage or configuration: nothing was run",
    Exit.INTERNAL: "a bug in orchestro or in a plugin",
    Exit.NOTHING_SELECTED: "the selection left nothing to run",
    Exit.INFRASTRUCTURE: "only infrastructure errors: some scenario could not be started; "
    "or a report could not be written",
    Exit.INTERRUPTED: "stopped by Ctrl-C or SIGTERM",
}


def _meaning(code: Exit) -> str:
    return _MEANINGS[code]


_ENVIRONMENT = """\
## Environment

| variable | effect |
|---|---|
| `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` | no colours; colours without a terminal; no colours and no live view |
| `CI` | `true` makes a missing snapshot a failure, and turns the live view off |
| `GITHUB_ACTIONS` | `true` adds annotations and a job summary |
| `ORCHESTRO_STORE` | the store, where there is no `--store` |
| `ORCHESTRO_SCREEN` | `ghostty` or `pyte`: the terminal emulator |
| `ORCHESTRO_DEBUG` | shows the traceback of an internal error at once |
"""


if __name__ == "__main__":
    print(reference(), end="")
