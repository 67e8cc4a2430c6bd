"""Finding the echo of an input in what came back, so that no wait is ever satisfied by the input itself.

Three hands may echo: the kernel (canonical mode with echo: at once, exactly what was written), a line editor (raw mode:
the text on the prompt's line, perhaps wrapped and redrawn), or nobody (a password, a full-screen program). Shells with
integration marks need none of this: the marks say where the input line begins and ends.
"""

from __future__ import annotations

from orchestro.records import dataclass

__all__ = ["Expected", "Interval", "caret", "find_echo", "find_echo_again"]

Interval = tuple[int, int]
"""Start and end offsets."""

_MAX_PARTIAL = 512
"""Characters of a half-arrived echo that are looked for at the end of the output."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The echo that is to be expected for an input."""

    typed: str
    """As echoed: control characters in caret notation; without the line feed of Enter."""
    entered: bool
    """Whether Enter was pressed after it."""
    by_kernel: bool
    """Echoed by the line discipline rather than by a line editor."""
    prompt: str = ""
    """What stood on the line before the input: a redrawn line begins with it."""


def caret(text: str) -> str:
    """`text` as the kernel echoes it (ECHOCTL): control characters as ``^C``, except tab and line feed."""
    if text.isprintable():
        return text
    return "".join(f"^{chr(ord(c) ^ 64)}" if (c < " " and c not in "\t\n") or c == "\x7f" else c for c in text)


def find_echo(output: str, expected: Expected) -> Interval | None:
    """Where the echo stands in `output`, the text since the input; None while it has not come.

    An echo that has arrived in part, up to the end of `output`, counts as far as it has come.
    """
    if expected.by_kernel:
        return _find_kernel_echo(output, expected)
    return _find_editor_echo(output, expected) if expected.typed else None


def _find_kernel_echo(output: str, expected: Expected) -> Interval | None:
    whole = expected.typed + "\n" if expected.entered else expected.typed
    if not whole:
        return None
    at = output.find(whole)
    if at >= 0:
        return at, at + len(whole)
    return _partial(output, whole)


def _find_editor_echo(output: str, expected: Expected) -> Interval | None:
    typed = expected.typed
    at = output.find(typed)
    while at >= 0:
        end = at + len(typed)
        if _on_input_line(output, at, expected.prompt) and (
            not expected.entered or output[end : end + 1] in ("", "\n")
        ):
            # Behind a redrawn prompt the line end stays: the prompt stays, too.
            alone = at == 0 or output[at - 1] == "\n"
            return at, end + 1 if expected.entered and alone and end < len(output) else end
        at = output.find(typed, at + 1)
    return _find_wrapped(output, expected) or _partial(output, typed)


def _on_input_line(output: str, at: int, prompt: str) -> bool:
    """Whether the text at `at` stands on the line where the input was typed, or on a redrawing of it."""
    start = output.rfind("\n", 0, at) + 1
    return not output[:start].strip() or (bool(prompt.strip()) and output.startswith(prompt.strip(), start))


def _find_wrapped(output: str, expected: Expected) -> Interval | None:
    """The echo of a long line: editors break it at the right edge with blanks and line ends of their own."""
    typed = "".join(expected.typed.split())
    if len(typed) < 8:
        return None
    positions = [i for i, c in enumerate(output[: 4 * len(expected.typed) + 400]) if not c.isspace()]
    compact = "".join(output[i] for i in positions)
    at = compact.find(typed)
    if at < 0 or compact[:at].strip() not in ("", "".join(expected.prompt.split())):
        return None
    end = positions[at + len(typed) - 1] + 1
    if expected.entered:
        after = output.find("\n", end)
        end = after + 1 if after >= 0 and not output[end:after].strip() else end
    return positions[at], end


def _partial(output: str, whole: str) -> Interval | None:
    """A beginning of `whole` at the very end of `output`, when it stands at the start of a line."""
    start = output.rfind("\n") + 1
    tail = output[start:] or (output[output.rfind("\n", 0, start - 1) + 1 :] if start else "")
    if tail and len(tail) <= _MAX_PARTIAL and whole.startswith(tail):
        return len(output) - len(tail), len(output)
    return None


def find_echo_again(output: str, after: int, expected: Expected) -> Interval | None:
    """A second echo: what was typed ahead is echoed by the kernel at once and by a line editor that starts later.

    Only a prompt stands before it on its line, and it ends the line or has come in part.
    """
    typed = expected.typed
    if not typed or not expected.entered:
        return None
    at = output.find(typed, after)
    while at >= 0:
        end = at + len(typed)
        if output[end : end + 1] in ("", "\n") and _looks_like_prompt(output[output.rfind("\n", 0, at) + 1 : at]):
            return at, end
        at = output.find(typed, at + 1)
    start = output.rfind("\n") + 1
    line = output[start:]
    for length in range(min(len(typed), len(line), _MAX_PARTIAL), 0, -1):
        if start >= after and line.endswith(typed[:length]) and _looks_like_prompt(line[:-length]):
            return len(output) - length, len(output)
    return None


def _looks_like_prompt(text: str) -> bool:
    return len(text) > 1 and text.endswith(" ") and not text[:-1].endswith(" ")
