"""Integration marks (OSC 133) for bash, zsh and fish, without touching the user's files.

The shell is started with one start-up file of ours, which reads the user's own first and then adds marks to the prompt:
A before it, B after it, C before a command's output, D with the exit code after it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["integrate", "shell_name"]

_BASH = r"""
[ -n "$ORCHESTRO_USER_RC" ] && [ -r "$ORCHESTRO_USER_RC" ] && . "$ORCHESTRO_USER_RC"
unset ORCHESTRO_USER_RC
__orchestro_prompt() {
    local code=$?
    if [ -n "$__orchestro_ran" ]; then builtin printf '\e]133;D;%s\a' "$code"; else __orchestro_ran=1; fi
    case $PS1 in
        *'133;B'*) ;;
        *) PS1='\[\e]133;A\a\]'"$PS1"'\[\e]133;B\a\]' ;;
    esac
    case $PS0 in
        *'133;C'*) ;;
        *) PS0="$PS0"'\e]133;C\a' ;;
    esac
    return "$code"
}
if [ "$(builtin type -t __orchestro_user_prompt)" != function ]; then
    PROMPT_COMMAND=(__orchestro_prompt "${PROMPT_COMMAND[@]}")
fi
"""

_ZSH = r"""
if [[ -n $ORCHESTRO_USER_ZDOTDIR ]]; then ZDOTDIR=$ORCHESTRO_USER_ZDOTDIR; else unset ZDOTDIR; fi
unset ORCHESTRO_USER_ZDOTDIR
if [[ -n $ORCHESTRO_USER_RC && -r $ORCHESTRO_USER_RC ]]; then . "$ORCHESTRO_USER_RC"; fi
unset ORCHESTRO_USER_RC
__orchestro_precmd() {
    local code=$?
    [[ -n $__orchestro_ran ]] && builtin printf '\e]133;D;%s\a' "$code"
    __orchestro_ran=
    [[ $PS1 == *'133;B'* ]] || PS1=$'%{\e]133;A\a%}'"$PS1"$'%{\e]133;B\a%}'
    return $code
}
__orchestro_preexec() { __orchestro_ran=1; builtin printf '\e]133;C\a' }
precmd_functions=(__orchestro_precmd $precmd_functions)
preexec_functions+=(__orchestro_preexec)
unsetopt prompt_sp
"""

_FISH = r"""
functions -q fish_prompt; and functions -c fish_prompt __orchestro_user_prompt
function fish_prompt
    set -l code $status
    printf '\e]133;A\a'
    if functions -q __orchestro_user_prompt
        __orchestro_status $code
        __orchestro_user_prompt
    else
        printf '> '
    end
    printf '\e]133;B\a'
end
function __orchestro_status; return $argv[1]; end
function __orchestro_preexec --on-event fish_preexec; printf '\e]133;C\a'; end
function __orchestro_postexec --on-event fish_postexec; printf '\e]133;D;%s\a' $status; end
"""

_NOT_INTERACTIVE = {"-", "--", "--version", "--help", "--posix"}
_OPTIONS_WITH_VALUE = {"-O", "+O", "-o", "+o", "--rcfile", "--init-file"}


def shell_name(argv: Sequence[str]) -> str | None:
    """``bash``, ``zsh`` or ``fish`` when `argv` starts one interactively; None for a script, ``-c`` and all else."""
    name = os.path.basename(argv[0]).lstrip("-") if argv else ""
    if name not in ("bash", "zsh", "fish"):
        return None
    arguments = iter(argv[1:])
    for argument in arguments:
        if argument in _OPTIONS_WITH_VALUE:
            next(arguments, None)
            continue
        runs_something_else = not argument.startswith(("-", "+")) or argument in _NOT_INTERACTIVE
        if runs_something_else or (argument[1:2] != "-" and "c" in argument[1:]):
            return None
    return name


def integrate(argv: Sequence[str], env: Mapping[str, str], folder: Path) -> tuple[list[str], dict[str, str]] | None:
    """Command and environment that start the same shell with marks; None for what is no such shell.

    `folder` is private to the scenario; the start-up file is written there.
    """
    name = shell_name(argv)
    if name == "bash":
        return _integrate_bash(list(argv), dict(env), folder)
    if name == "zsh":
        return _integrate_zsh(list(argv), dict(env), folder)
    if name == "fish":
        script = _written(folder / "orchestro.fish", _FISH)
        return [*argv, "--init-command", f"source '{script}'"], dict(env)
    return None


def _integrate_bash(argv: list[str], env: dict[str, str], folder: Path) -> tuple[list[str], dict[str, str]] | None:
    if any(a in ("-l", "--login") for a in argv):
        return None  # a login shell reads no file that could be named
    user_rc = os.path.join(env.get("HOME", ""), ".bashrc")
    rest = []
    arguments = iter(argv[1:])
    for argument in arguments:
        if argument in ("--rcfile", "--init-file"):
            user_rc = next(arguments, "")
        elif argument == "--norc":
            user_rc = ""
        else:
            rest.append(argument)
    script = _written(folder / "orchestro.bash", _BASH)
    # Long options must come before short ones.
    long = [a for a in rest if a.startswith("--")]
    short = [a for a in rest if not a.startswith("--")]
    return [argv[0], *long, "--rcfile", str(script), *short], {**env, "ORCHESTRO_USER_RC": user_rc}


def _integrate_zsh(argv: list[str], env: dict[str, str], folder: Path) -> tuple[list[str], dict[str, str]]:
    dotdir = env.get("ZDOTDIR", "")
    user_rc = os.path.join(dotdir or env.get("HOME", ""), ".zshrc")
    rest = []
    for argument in argv[1:]:
        if argument in ("-f", "--no-rcs"):
            user_rc = ""
            rest.append("-d")  # still without the system-wide files
        else:
            rest.append(argument)
    (folder / "zdotdir").mkdir(exist_ok=True)
    _written(folder / "zdotdir" / ".zshrc", _ZSH)
    env |= {"ZDOTDIR": str(folder / "zdotdir"), "ORCHESTRO_USER_ZDOTDIR": dotdir, "ORCHESTRO_USER_RC": user_rc}
    return [argv[0], *rest], env


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
