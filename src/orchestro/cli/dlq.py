"""`orchestro dlq`: what was given up, to look at, to try again and to throw away."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestro.cli.help import HelpFormatter
from orchestro.cli.lines import say
from orchestro.cli.store_option import add_store_option, open_store
from orchestro.cli.values import age, at_least_one, folder, rate

if TYPE_CHECKING:
    from orchestro.model import DeadLetter
    from orchestro.store.dead_letters import DeadLetters

__all__ = ["add_parser"]

_EXAMPLES = """\
examples:
  orchestro dlq list                     what was given up, newest first
  orchestro dlq show 3fa9                all about one, by the beginning of its fingerprint
  orchestro dlq list --json | jq length
  orchestro dlq replay 3fa9              try it again; when it passes, the letter is gone
  orchestro dlq replay --all --rate 2    all of them, at most two a second
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
    replaying = actions.add_parser(
        "replay",
        help="try them again",
        description="Run the tasks of dead letters again. The letter of one that passes is dropped; one that fails is "
        "kept, counted from 1.",
    )
    replaying.add_argument(
        "fingerprint", nargs="*", metavar="FINGERPRINT", help="which ones, or the beginnings of them"
    )
    replaying.add_argument("--all", action="store_true", help="every one")
    replaying.add_argument("--rate", type=rate, metavar="N", help="start at most so many a second, e.g. 2 or 0.1")
    _add_common(replaying, _replay)
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


def _replay(options: argparse.Namespace) -> int:
    import asyncio

    from orchestro.errors import UserError
    from orchestro.exits import Exit

    if bool(options.fingerprint) == options.all:
        raise UserError("say which dead letters to replay: some fingerprints, or --all")
    with _letters(options) as letters:
        if letters is None:
            chosen = []
        else:
            chosen = letters.list(len(letters)) if options.all else [letters.get(one) for one in options.fingerprint]
        for letter in chosen:
            if letters is not None:
                letters.reset_count(letter.fingerprint)
    if not chosen:
        sys.stderr.write("orchestro: there are no dead letters: nothing was given up\n")
        return Exit.NOTHING_SELECTED
    passed = asyncio.run(_replay_all(options, chosen))
    with _letters(options) as letters:
        for letter in passed:
            if letters is not None:
                letters.remove(letter.fingerprint)
    if options.json:
        told = {letter.fingerprint: letter in passed for letter in chosen}
        print(json.dumps(told, indent=2))
    return Exit.PASSED if len(passed) == len(chosen) else Exit.FAILED


async def _replay_all(options: argparse.Namespace, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Run the tasks one after the other; returns the letters of those that passed."""
    import asyncio

    from orchestro.app import RunOptions, run_async
    from orchestro.errors import OrchestroError
    from orchestro.observe.wording import verdict
    from orchestro.selection import Selection

    passed = []
    loop = asyncio.get_running_loop()
    next_at = loop.time()
    for letter in letters:
        if options.rate is not None:
            await asyncio.sleep(max(0.0, next_at - loop.time()))  # the pace that the user asks for
            next_at = loop.time() + 1 / options.rate
        payload = _decoded(letter.payload)
        chosen = RunOptions(
            selection=Selection(only=frozenset({payload["task"]})),
            output_dir=options.output_dir,
            store=options.store or "",
            cache=False,
        )
        try:
            report = await run_async(payload["path"], chosen)
        except OrchestroError as error:
            say(f"{letter.fingerprint[:_SHORT]}  {letter.name}: {error}")
            continue
        result = next(result for result in report.results if result.name == payload["task"])
        said = verdict(result.outcome, result.duration_s, attempts=len(result.attempts), reason=result.reason)
        words = said if result.outcome.ok is False else f"passed, {said}"
        if not options.json:
            say(f"{letter.fingerprint[:_SHORT]}  {letter.name}: {words}")
        if result.outcome.ok:
            passed.append(letter)
    return passed


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
