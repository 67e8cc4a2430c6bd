"""`orchestro dlq`: what was given up, to look at and to throw away."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestro.cli.help import HelpFormatter
from orchestro.cli.lines import say
from orchestro.cli.store_option import add_store_option, open_store
from orchestro.cli.values import age, at_least_one, folder

if TYPE_CHECKING:
    from orchestro.model import DeadLetter
    from orchestro.store.dead_letters import DeadLetters

__all__ = ["add_parser"]

_EXAMPLES = """\
examples:
  orchestro dlq list                     what was given up, newest first
  orchestro dlq show 3fa9                all about one, by the beginning of its fingerprint
  orchestro dlq list --json | jq length
  orchestro dlq purge --older-than 7d    drop what did not come again for a week
  orchestro dlq list --store postgresql://ci@db.example/orchestro
"""
_SHORT = 12
"""Characters of a fingerprint in the list: enough to tell 10,000 letters apart."""
_SHOWN = 50
"""Letters in a list, unless told otherwise."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "dlq",
        help="look at what was given up (dead letters)",
        description="Look at the dead letters: what failed too often, or had nobody to handle it, and was given up.",
        epilog=_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    actions = parser.add_subparsers(dest="dlq_action", metavar="ACTION", required=True)
    listing = actions.add_parser(
        "list", help="list the dead letters", description="List the dead letters, those that came last first."
    )
    listing.add_argument(
        "--limit", type=at_least_one, default=_SHOWN, metavar="N", help=f"show so many (default: {_SHOWN})"
    )
    _add_common(listing, _list)
    showing = actions.add_parser("show", help="show one", description="Show all about one dead letter.")
    showing.add_argument("fingerprint", metavar="FINGERPRINT", help="as the list shows it, or the beginning of it")
    _add_common(showing, _show)
    purging = actions.add_parser("purge", help="drop old ones, or all", description="Drop dead letters for good.")
    which = purging.add_mutually_exclusive_group(required=True)
    which.add_argument("--older-than", type=age, metavar="AGE", help="that did not come again for so long, e.g. 7d")
    which.add_argument("--all", action="store_true", help="every one")
    _add_common(purging, _purge)


def _add_common(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_store_option(parser)
    parser.add_argument("--output-dir", type=folder, default=".orchestro", metavar="DIR", help="where runs are kept")
    parser.set_defaults(action=action)


@contextmanager
def _letters(options: argparse.Namespace) -> Iterator[DeadLetters | None]:
    from orchestro.store.dead_letters import DeadLetters

    database = open_store(options)
    if database is None:
        yield None
        return
    try:
        yield DeadLetters(database)
    finally:
        database.close()


def _list(options: argparse.Namespace) -> int:
    with _letters(options) as letters:
        shown = letters.list(options.limit) if letters is not None else []
        total = len(letters) if letters is not None else 0
    if options.json:
        print(json.dumps([_plain(letter) for letter in shown], indent=2, ensure_ascii=False))
    elif not shown:
        sys.stderr.write("orchestro: there are no dead letters: nothing was given up\n")
    else:
        from orchestro.observe.columns import clean

        for letter in shown:
            front = f"{clean(letter.fingerprint[:_SHORT]):{_SHORT}}  {_moment(letter.last_at)}  {letter.count:>3}x"
            say(f"{front}  {clean(letter.name)}: {clean(letter.reason or letter.error)}")
    if total > len(shown):
        sys.stderr.write(f"orchestro: {total - len(shown)} more; --limit {total} shows all\n")
    return 0


def _show(options: argparse.Namespace) -> int:
    from orchestro.errors import UserError

    with _letters(options) as letters:
        if letters is None:
            raise UserError(f"there is no dead letter {options.fingerprint!r}: nothing was given up")
        letter = letters.get(options.fingerprint)
    if options.json:
        print(json.dumps(_plain(letter), indent=2, ensure_ascii=False))
        return 0
    from orchestro.observe.columns import clean
    from orchestro.observe.wording import plural

    stage = f", in stage {letter.stage}" if letter.stage else ""
    came = f"{plural(letter.count, 'time')}, first {_moment(letter.first_at)}, last {_moment(letter.last_at)}"
    facts = (
        ("fingerprint", letter.fingerprint),
        ("task", f"{letter.task_id} ({letter.kind}){stage}"),
        ("where", str(letter.source)),
        ("reason", letter.reason),
        ("attempts", f"{letter.attempts} in run {letter.run_id}" if letter.run_id else str(letter.attempts)),
        ("came", came),
    )
    say(clean(letter.name))
    for name, text in facts:
        if text:
            say(f"  {name:11}  {clean(text)}", indent=15)
    for name, text in (("error", letter.error), ("payload", _pretty(letter.payload))):
        if text:
            say(f"  {name}")
            for line in text.splitlines():
                say(f"    {clean(line)}")
    return 0


def _purge(options: argparse.Namespace) -> int:
    from orchestro.observe.wording import plural

    with _letters(options) as letters:
        removed = letters.purge(options.older_than) if letters is not None else 0
    if options.json:
        print(json.dumps({"removed": removed}))
    else:
        say(f"dropped {plural(removed, 'dead letter')}" if removed else "there was nothing to drop")
    return 0


def _moment(at: float) -> str:
    # UTC, as in the ids of runs.
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at))


def _decoded(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload


def _pretty(payload: str) -> str:
    value = _decoded(payload)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _plain(letter: DeadLetter) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(letter), "payload": _decoded(letter.payload)}
