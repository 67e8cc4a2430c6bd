"""Where the command begins. Kept free of imports: `orchestro version` must cost little more than starting Python."""

from __future__ import annotations

import gc
import sys

__all__ = ["enter", "main"]


def enter() -> None:
    """Be the command: run it, and leave without taking down an interpreter that nobody needs any more.

    Freeing the tasks and modules one by one would take as long as running twenty commands.
    """
    code = main()
    import atexit
    import os
    import threading

    if threading.active_count() > 1:
        sys.exit(code)  # a thread that still works may hold what is not written yet
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # which complains as usual
    os._exit(code)


def main() -> int:
    """Run the command line that the process was given and return its exit code."""
    _mend_streams()
    arguments = sys.argv[1:]
    if arguments in (["version"], ["--version"], ["-V"]):
        from orchestro import __version__

        sys.stdout.write(f"orchestro {__version__}\n")
        return 0
    # Planning makes hundreds of thousands of objects, none of them garbage; looking through them again and again takes
    # a tenth of a run of many tasks.
    gc.set_threshold(50_000, 20, 50)
    try:
        from orchestro.cli.main import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130  # exits.Exit.INTERRUPTED, whose import may be what was interrupted


def _mend_streams() -> None:
    """Make the standard streams such that no write to them is a bug.

    A descriptor that the caller has closed is given to /dev/null: else the next file or terminal that is opened would
    get its number, and what programs under test and libraries write to it. A character that standard output cannot
    encode, or half of one in the name of a file, is written as an escape, as Python does on standard error.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Lowest number first: each gets the lowest free one, its own. It stays open as long as the process.
            setattr(sys, name, open("/dev/null" if sys.platform != "win32" else "nul", mode, encoding="utf-8"))  # noqa: SIM115
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
