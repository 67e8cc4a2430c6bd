"""What the values of options may be. A wrong one is named with what was expected."""

from __future__ import annotations

import argparse

__all__ = [
    "age",
    "amount",
    "at_least_one",
    "count",
    "duration",
    "folder",
    "positive_duration",
    "rate",
    "shard",
    "workers",
]


def count(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def at_least_one(text: str) -> int:
    """A whole number, 1 or more."""
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def workers(text: str) -> tuple[int, int | None] | None:
    """How many at once, and up to how many when that follows the queue; None for ``auto``."""
    if text == "auto":
        return None
    fewest, dots, most = text.partition("..")
    if not _is_number(fewest) or (dots and not (_is_number(most) and int(most) >= int(fewest))):
        raise argparse.ArgumentTypeError(
            f"expected a whole number of at least 1, two such as 2..10, or auto, got {text!r}"
        )
    return int(fewest), int(most) if dots else None


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5 and int(text) >= 1


def amount(text: str) -> tuple[str, float]:
    """``NAME=N``, N such as 2, 0.5 or 512MB."""
    from orchestro.taskfile.document import parse_amount

    name, _, value = text.partition("=")
    try:
        return name, parse_amount(value if name else "")
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=N, e.g. db=2 or mem=8GB, got {text!r}") from None


def rate(text: str) -> float:
    """How many a second, above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e6:
        raise argparse.ArgumentTypeError(f"expected how many a second, e.g. 2 or 0.1, got {text!r}")
    return value


def shard(text: str) -> tuple[int, int]:
    """``i/n``, i from 1 to n."""
    number, _, total = text.partition("/")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        raise argparse.ArgumentTypeError(f"expected i/n with i from 1 to n, e.g. 2/5, got {text!r}")
    return int(number), int(total)


def folder(text: str) -> str:
    """The path of a directory, which may not exist yet. An empty one is a variable that a script forgot to set."""
    if not text:
        raise argparse.ArgumentTypeError("expected the path of a directory, got ''")
    return text


def duration(text: str) -> float:
    """Seconds of ``500ms``, ``30s``, ``2m`` or a plain number."""
    from orchestro.scenario.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected a duration such as 500ms, 30s or 2m, got {text!r}: {error}"
        ) from None


def age(text: str) -> float:
    """Seconds of a `duration` that may begin with days: ``7d``, ``1d12h``, ``30m``."""
    days, mark, rest = text.partition("d")
    if not mark:
        return duration(text)
    if not days.isdecimal() or len(days) > 5:
        raise argparse.ArgumentTypeError(f"expected an age such as 7d, 12h or 30m, got {text!r}")
    return int(days) * 86400.0 + (duration(rest) if rest else 0.0)


def positive_duration(text: str) -> float:
    """A `duration` above 0."""
    seconds = duration(text)
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"expected a duration above 0, got {text!r}")
    return seconds
