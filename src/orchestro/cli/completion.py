"""`orchestro completion`: scripts for bash, zsh and fish, made from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from orchestro.cli.help import HelpFormatter

__all__ = ["add_parser", "script"]

_EXAMPLES = """\
to use it:
  bash:  eval "$(orchestro completion bash)"            in ~/.bashrc
  zsh:   eval "$(orchestro completion zsh)"             in ~/.zshrc, after compinit
  fish:  orchestro completion fish > ~/.config/fish/completions/orchestro.fish
"""
_SHELLS = ("bash", "zsh", "fish")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "completion",
        help="print a completion script for a shell",
        description="Print a completion script.",
        epilog=_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("shell", choices=_SHELLS)
    parser.set_defaults(action=_completion)


def _completion(options: argparse.Namespace) -> int:
    print(script(options.shell), end="")
    return 0


def script(shell: str) -> str:
    """The script for ``bash``, ``zsh`` or ``fish``."""
    commands = dict(_commands())
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


_Options = list[tuple[str, str, bool, tuple[str, ...]]]
"""(spelling, help, whether it takes a value, its choices)."""


def _commands() -> Iterator[tuple[str, tuple[str, _Options]]]:
    from orchestro.cli.main import make_parser

    for action in make_parser()._actions:  # argparse has no public way to walk a parser
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, parser in action.choices.items():
                options: _Options = []
                for option in parser._actions:
                    choices = tuple(map(str, option.choices)) if option.choices else ()
                    for spelling in option.option_strings:
                        options.append((spelling, option.help or "", option.nargs != 0, choices))
                    if not option.option_strings and choices:
                        options += [(choice, "", False, ()) for choice in choices]
                yield name, (helps.get(name, ""), options)


def _bash(commands: dict[str, tuple[str, _Options]]) -> str:
    cases = "\n".join(
        f"        {name}) words='{' '.join(spelling for spelling, *_ in options)}' ;;"
        for name, (_, options) in commands.items()
    )
    values = "\n".join(
        f"        {name}:{spelling}) COMPREPLY=($(compgen -W '{' '.join(choices)}' -- \"$word\")); return ;;"
        for name, (_, options) in commands.items()
        for spelling, _, takes, choices in options
        if takes and choices
    )
    return f"""\
_orchestro() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W '{" ".join(commands)} --help --version' -- "$word"))
        return
    fi
    case ${{COMP_WORDS[1]}}:$before in
{values}
    esac
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
    if [[ $word == -* ]] || [ "${{COMP_WORDS[1]}}" = completion ]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    else
        COMPREPLY=()  # bash completes the names of files itself then, those with blanks too
    fi
}}
complete -o bashdefault -o default -F _orchestro orchestro
"""


def _zsh(commands: dict[str, tuple[str, _Options]]) -> str:
    names = " ".join(_quoted(f"{name}:{text.replace(':', ' ')}") for name, (text, _) in commands.items())
    cases = "\n".join(
        f"        {name}) options=({' '.join(_quoted(spelling) for spelling, *_ in options)}) ;;"
        for name, (_, options) in commands.items()
    )
    values = "\n".join(
        f"        {name}:{spelling}) compadd -- {' '.join(map(_quoted, choices))}; return ;;"
        for name, (_, options) in commands.items()
        for spelling, _, takes, choices in options
        if takes and choices
    )
    return f"""\
#compdef orchestro
_orchestro() {{
    local -a commands options
    if (( CURRENT == 2 )); then
        commands=({names})
        _describe command commands
        return
    fi
    case $words[2]:$words[CURRENT-1] in
{values}
    esac
    case $words[2] in
{cases}
    esac
    if [[ $words[CURRENT] == -* || $words[2] == completion ]]; then
        compadd -- $options
    else
        _files
    fi
}}
compdef _orchestro orchestro
"""


def _fish(commands: dict[str, tuple[str, _Options]]) -> str:
    lines = [
        f"complete -c orchestro -n __fish_use_subcommand -f -a {name} -d {_quoted(text)}"
        for name, (text, _) in commands.items()
    ]
    for name, (_, options) in commands.items():
        for spelling, text, takes, choices in options:
            if not spelling.startswith("-"):
                lines.append(f"complete -c orchestro -n '__fish_seen_subcommand_from {name}' -f -a {spelling}")
                continue
            flag = f"-l {spelling[2:]}" if spelling.startswith("--") else f"-s {spelling[1:]}"
            value = " -r" if takes else ""
            chosen = f" -f -a {_quoted(' '.join(choices))}" if choices else ""
            seen = f"-n '__fish_seen_subcommand_from {name}'"
            lines.append(f"complete -c orchestro {seen} {flag}{value}{chosen} -d {_quoted(text)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "'\\''").replace("\n", " ") + "'"
