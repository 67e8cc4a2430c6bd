"""The live view: a few lines below the permanent ones, redrawn in place.

It changes no mode of the terminal that outlives one write, so a crash or a kill at any moment leaves nothing to
restore. Lines are drawn with automatic wrapping off, so that a misjudged width cannot shift the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestro.model import Outcome
from orchestro.observe.columns import clean, clip, pad, width
from orchestro.observe.paint import Paint
from orchestro.observe.run_view import Running, RunView
from orchestro.observe.summary import BROKEN
from orchestro.observe.wording import clock, counted, seconds

__all__ = ["LiveRegion", "live_lines"]

_BEGIN = "\x1b[?2026h"
"""Synchronised output: terminals that know it show the frame at once, others ignore it."""
_END = "\x1b[?2026l"
_NO_WRAP = "\x1b[?7l"
_WRAP = "\x1b[?7h"
_MAX_FAILED = 3
"""Failed scenarios named in the live view; all of them stand above it in full."""


class LiveRegion:
    """The lines at the bottom that `draw` replaces. The cursor rests behind the last one."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._widths: list[int] = []
        self._shown: list[str] = []

    def draw(self, permanent: Sequence[str], lines: Sequence[tuple[str, int]], *, columns: int, rows: int) -> None:
        """Add the `permanent` lines above and show `lines`, each a painted text and its columns, as one write.

        `columns` and `rows` are the window as it is now: where it became narrower, the terminal has folded the old
        lines, and all that they take now is erased.
        """
        texts = [text for text, _ in lines]
        if not permanent and texts == self._shown:
            return
        parts: list[str] = []
        if self._widths:
            taken = sum(max(1, -(-size // columns)) for size in self._widths)
            up = min(taken, rows) - 1
            parts.append("\r" + (f"\x1b[{up}A" if up > 0 else "") + ("\x1b[J" if permanent else ""))
        parts += [line + "\n" for line in permanent]
        if texts:
            parts.append(_NO_WRAP + "\x1b[K\n".join(texts) + "\x1b[K" + _WRAP)
        if self._widths or texts:
            parts.append("\x1b[J")
            text = _BEGIN + "".join(parts) + _END
        else:
            text = "".join(parts)
        self._shown = texts
        self._widths = [size for _, size in lines]
        if text:
            self._write(text)


def live_lines(view: RunView, now: float, *, columns: int, rows: int, paint: Paint) -> list[tuple[str, int]]:
    """The frame for the moment `now`: what failed, what runs, the progress. At most half the window's rows."""
    room = columns - 1
    budget = max(1, rows // 2)
    lines: list[tuple[str, int]] = []
    if budget > 1:
        broken = [event for event in view.ended.values() if event.outcome in BROKEN] if _any_broken(view) else []
        failed_rows = min(len(broken), _MAX_FAILED, max(0, (budget - 2) // 3))
        running_rows = budget - 1 - failed_rows
        lines += _running_lines(list(view.running.values()), now, running_rows, room, paint)
        if failed_rows:
            more = len(broken) - failed_rows
            for index, event in enumerate(broken[-failed_rows:]):
                tail = f" (+{more} more)" if more and index == failed_rows - 1 else ""
                name = clip(clean(event.name), room - 2 - len(tail), paint.ellipsis)
                sign = paint.sign(event.outcome)
                text = f"{sign} {name}"
                lines.append((paint.outcome(event.outcome, text) + paint.dim(tail), width(text) + len(tail)))
    lines.append(_progress(view, now, room, paint))
    return lines


def _any_broken(view: RunView) -> bool:
    return any(view.counts.get(outcome) for outcome in BROKEN)


def _running_lines(running: list[Running], now: float, rows: int, room: int, paint: Paint) -> list[tuple[str, int]]:
    """The longest running first, each with its step; what does not fit is counted."""
    shown = running if len(running) <= rows else running[: max(rows - 1, 0)]
    names = [clean(one.name) for one in shown]
    times = [
        f"{now - one.started_at:6.1f} s" if now - one.started_at < 1000 else f"{clock(now - one.started_at):>8}"
        for one in shown
    ]
    left = room - 10
    longest = max((width(name) for name in names), default=0)
    # The step gets what the names leave, at least two fifths where the window is wide enough for both.
    name_room = min(longest, left if left < 36 else max(left * 3 // 5, 20))
    lines = []
    for one, name, time in zip(shown, names, times, strict=True):
        text = f"{time}  {pad(clip(name, name_room, paint.ellipsis), name_room)}"
        step_room = left - name_room - 2
        step = _step(one, now, step_room, paint) if step_room >= 12 else ""
        if step:
            lines.append((text + paint.dim(f"  {step}"), width(text) + 2 + width(step)))
        else:
            lines.append((text, width(text)))
    if len(shown) < len(running) and rows > 0:
        text = f"{'':8}  +{len(running) - len(shown)} more running"
        text = clip(text, room, paint.ellipsis)
        lines.append((paint.dim(text), width(text)))
    return lines


def _step(one: Running, now: float, room: int, paint: Paint) -> str:
    """The step that runs, with how long it has when that is worth a look, and the attempt when not the first."""
    if not one.step:
        return ""
    since = now - one.step_at
    tail = f"  {seconds(since) if since < 10 else clock(since)}" if since >= 1 else ""
    if one.number > 1:
        tail += f"  attempt {one.number}"
    if room - len(tail) < 8:
        tail = ""
    return clip(clean(one.step), room - len(tail), paint.ellipsis) + tail


def _progress(view: RunView, now: float, room: int, paint: Paint) -> tuple[str, int]:
    """``[bar] 24/60  2 failed, 22 passed  0:12  about 0:20 left``; parts that do not fit are left out, least first."""
    done, total = len(view.ended), view.total
    left = view.remaining_s(now) if not view.interrupted else None
    parts: list[tuple[int, str, str]] = [(0, f"{done}/{total}", "1")]
    counts = counted(view.counts)
    words = [(0 if o in BROKEN else 2 if o is Outcome.PASSED else 3, text, paint.codes(o)) for o, text in counts]
    parts += words
    parts.append((1, clock(view.elapsed_s(now)), ""))
    if view.interrupted:
        parts.append((0, "stopping", paint.codes(Outcome.INTERRUPTED)))
    elif left is not None and done < total:
        parts.append((1, f"~{clock(max(left, 1) + 0.5)} left", "2"))
    while len(parts) > 1 and _taken(parts) > room:
        worst = max(range(1, len(parts)), key=lambda n: (parts[n][0], n))
        del parts[worst]
    bar_room = min(room - _taken(parts) - 2, 30)
    bar, size = "", 0
    if bar_room >= 8:
        bar, size = _bar(view, bar_room, paint) + "  ", bar_room + 2
    text = bar + "  ".join(paint.sgr(codes, part) for _, part, codes in parts)
    taken = size + _taken(parts)
    if taken > room:
        text = clip(parts[0][1], room, "")
        taken = width(text)
    return text, taken


def _taken(parts: Sequence[tuple[int, str, str]]) -> int:
    return sum(len(text) for _, text, _ in parts) + 2 * (len(parts) - 1)


def _bar(view: RunView, columns: int, paint: Paint) -> str:
    """Filled as far as tasks have their verdict, red from the right end of it for those that failed."""
    full, empty = ("━", "─") if paint.unicode else ("#", ".")
    total = max(view.total, 1)
    broken = sum(view.counts.get(outcome, 0) for outcome in BROKEN)
    filled = min(columns, len(view.ended) * columns // total)
    red = min(filled, -(-broken * columns // total)) if broken else 0
    return paint.good(full * (filled - red)) + paint.bad(full * red) + paint.dim(empty * (columns - filled))
