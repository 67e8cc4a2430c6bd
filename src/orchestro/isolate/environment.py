"""The environment of a program under test: inherited where that is wished, but private and fixed where it matters."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["DROPPED", "FIXED", "make_environment"]

FIXED = {
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
}
"""The same for every run on every machine; `env` of the scenario may say otherwise."""

DROPPED = frozenset(
    {
        # The size comes from the terminal: curses programs would take these for it and ignore a resize.
        "COLUMNS",
        "LINES",
        # What the user's own terminal, multiplexer or colour taste says must not change what a program draws.
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "NO_COLOR",
        "ITERM_SESSION_ID",
        "KITTY_WINDOW_ID",
        "STY",
        "TERMINFO",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "TMUX",
        "TMUX_PANE",
        "VTE_VERSION",
        "WINDOWID",
        # It may hold a password, and an orchestro under test must not write into the store of this one.
        "ORCHESTRO_STORE",
        # Files of the user outside HOME.
        "BASH_ENV",
        "ENV",
        "HISTFILE",
        "INPUTRC",
        "PROMPT_COMMAND",
        "PS0",
        "PS1",
        "PS2",
        "ZDOTDIR",
        # The locale is LANG alone.
        "LANGUAGE",
        "LC_ALL",
        "LC_COLLATE",
        "LC_CTYPE",
        "LC_MESSAGES",
        "LC_MONETARY",
        "LC_NUMERIC",
        "LC_TIME",
    }
)
"""Variables that are never inherited."""

_ALWAYS = ("PATH", "SYSTEMROOT", "COMSPEC", "PATHEXT")
"""Kept even when nothing is inherited: nothing could be started without them."""

_inherited: dict[str, str] | None = None


def make_environment(home: str, tmp: str, env: Mapping[str, str], *, inherit: bool, mark: str) -> dict[str, str]:
    """The whole environment of the programs of one attempt; `home` and `tmp` are its private directories.

    The other XDG variables are left out: without them programs use, and make, the usual directories below HOME.
    `mark` is an entry ``NAME=value`` by which its processes are found again.
    """
    global _inherited
    if inherit:
        if _inherited is None:
            _inherited = {k: v for k, v in os.environ.items() if k not in DROPPED and not k.startswith("XDG_")}
        base = _inherited
    else:
        base = {name: os.environ[name] for name in _ALWAYS if name in os.environ}
    name, _, value = mark.partition("=")
    return {
        **base,
        **FIXED,
        "HOME": home,
        "TMPDIR": tmp,
        "XDG_RUNTIME_DIR": tmp,
        **env,
        name: value,
    }
