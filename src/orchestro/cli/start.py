"""Where the command begins. Kept free of imports: `orchestro version` must cost little more than starting Python."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line that the process was given and return its exit code."""
    arguments = sys.argv[1:]
    if arguments in (["version"], ["--version"], ["-V"]):
        from orchestro import __version__

        sys.stdout.write(f"orchestro {__version__}\n")
        return 0
    from orchestro.cli.main import run

    return run(arguments)
