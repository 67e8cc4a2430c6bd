"""`orchestro cache`: what the results that were kept take and save, and removing them."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import TYPE_CHECKING

from orchestro.cli.help import HelpFormatter
from orchestro.cli.values import folder

if TYPE_CHECKING:
    from orchestro.store.cache.cache import Collected, ResultCache

__all__ = ["add_parser", "age", "readable", "size"]

_EXAMPLES = """\
examples:
  orchestro cache stats                  how much is kept, and how often it was of use
  orchestro cache gc                     remove what is too old or too much
  orchestro cache gc --max-size 500MB    the same, with less room
  orchestro cache gc --older-than 7d     also what was not used for a week
  orchestro cache clear                  remove everything
"""

_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([kmgt]?)(i?)(b?)", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_AGE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def size(text: str) -> int:
    """Bytes of ``500MB``, ``2GiB`` or a plain number; a KB is 1000 bytes and a KiB 1024."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[3] and not match[2]):
        raise argparse.ArgumentTypeError(f"expected a size such as 500MB or 2GB, got {text!r}")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2].lower()])


def age(text: str) -> float:
    """Seconds of ``30d``, ``12h``, ``2w``. A unit is asked for: a plain number could mean days as well as seconds."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"expected an age such as 12h, 30d or 2w, got {text!r}")
    return float(match[1]) * _SECONDS[match[2]]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "cache",
        help="show or remove the results that were kept",
        description="The results of tasks with `inputs` are kept, so that nothing is run twice for the same inputs, "
        "command, variables and tools. This shows what they take, and removes them. Whatever is removed is made again "
        "when it is needed; a run that is going on may be left alone.",
        epilog=_EXAMPLES,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("what", choices=("stats", "gc", "clear"), metavar="stats|gc|clear", help="what to do")
    parser.add_argument("--json", action="store_true", help="with stats: print an object of JSON")
    parser.add_argument(
        "--max-size",
        type=size,
        metavar="SIZE",
        help="with gc: remove the least recently used beyond it (default: 5GiB)",
    )
    parser.add_argument(
        "--older-than", type=age, metavar="AGE", help="with gc: remove also what was not used for so long, e.g. 30d"
    )
    parser.add_argument("--output-dir", type=folder, default=".orchestro", metavar="DIR", help="where runs are kept")
    parser.set_defaults(action=_cache)


def _cache(options: argparse.Namespace) -> int:
    from orchestro.errors import UserError
    from orchestro.store.cache.cache import ResultCache
    from orchestro.store.cache.index import DATABASE
    from orchestro.store.directory import StateDirectory

    if options.json and options.what != "stats":
        raise UserError("--json goes with `orchestro cache stats`")
    if options.what != "gc" and (options.max_size is not None or options.older_than is not None):
        raise UserError("--max-size and --older-than go with `orchestro cache gc`")
    directory = StateDirectory(options.output_dir).results
    if not os.path.exists(os.path.join(directory, DATABASE)):
        # Looking must not make a state directory.
        if options.json:
            _print_json(None, directory)
        else:
            sys.stderr.write(f"orchestro: no result is kept in {directory}; tasks with `inputs` keep theirs\n")
        return 0
    if options.what == "clear":
        from orchestro.store.cache.cache import clear_cache

        _say_removed(clear_cache(directory))
        return 0
    cache = ResultCache(directory)
    try:
        if options.what == "gc":
            _say_removed(cache.gc(max_bytes=options.max_size, unused_s=options.older_than))
        elif options.json:
            _print_json(cache, directory)
        else:
            _print_stats(cache, directory)
    finally:
        cache.close()
    return 0


def _print_stats(cache: ResultCache, directory: str) -> None:
    import time

    stats = cache.stats()
    room = stats.bytes / stats.max_bytes
    print(f"directory  {directory}")
    print(f"results    {stats.entries}")
    print(f"size       {readable(stats.bytes)} of {readable(stats.max_bytes)} ({room:.0%})")
    if stats.oldest_at is not None:
        days = int((time.time() - stats.oldest_at) // 86400)
        print(f"oldest     {f'{days} days ago' if days > 1 else 'yesterday' if days else 'today'}")
    looked = stats.hits + stats.misses
    rate = "nothing was looked for yet" if stats.hit_rate is None else f"{stats.hit_rate:.1%} of {looked} tasks"
    print(f"hit rate   {rate}")


def _print_json(cache: ResultCache | None, directory: str) -> None:
    import json

    found: dict[str, object] = {"directory": directory, "entries": 0, "bytes": 0, "hits": 0, "misses": 0}
    found |= {"hit_rate": None, "oldest_at": None}
    if cache is not None:
        stats = cache.stats()
        found |= {"entries": stats.entries, "bytes": stats.bytes, "max_bytes": stats.max_bytes, "hits": stats.hits}
        found |= {"misses": stats.misses, "hit_rate": stats.hit_rate, "oldest_at": stats.oldest_at}
    print(json.dumps(found))


def _say_removed(collected: Collected) -> None:
    if not collected.entries and not collected.files:
        print("nothing to remove")
        return
    from orchestro.observe.wording import plural

    entries, files = plural(collected.entries, "result"), plural(collected.files, "file")
    print(f"removed {entries} and {files}, {readable(collected.bytes)}")


def readable(count: int) -> str:
    """Bytes for people: ``512 B``, ``1.5 MiB``."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1023.95:  # beyond, it would be written 1024.0
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
