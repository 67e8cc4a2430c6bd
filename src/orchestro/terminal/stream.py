"""What a program printed, as text: since the last input, and as the output of the last command.

Keeps text only since the last Enter, at most `MAX_TEXT` characters of it; of more, the oldest goes and is counted.
"""

from __future__ import annotations

from orchestro.records import dataclass
from orchestro.terminal.cleaning import Cleaner
from orchestro.terminal.echo import Expected, Interval, find_echo, find_echo_again

__all__ = ["MAX_TEXT", "CommandOutput", "Stream"]

MAX_TEXT = 1 << 20
"""Characters kept; the limit is said in the report when it cut something off."""
_MAX_PROMPT = 4096


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What the last command printed."""

    text: str
    """Echo and prompt left out."""
    code: int | None
    """Exit code; None when it is not known (yet)."""
    finished: bool
    """Whether the command is known to have ended."""
    exact: bool
    """Known from shell marks or the program's own end, rather than from the prompt that came back."""


class Stream:
    """Collects output. Offsets inside count all characters ever printed, so that dropping text shifts nothing."""

    def __init__(self) -> None:
        self._cleaner = Cleaner()
        self._parts: list[str] = []
        self._base = 0
        self._total = 0
        self._line = ""
        self.cut = 0
        """Characters dropped since the last Enter because of the limit."""
        self.bracketed = False
        """Whether the program asked for bracketed paste."""
        self.alternate = False
        """Whether the alternate screen is on."""
        self.shell = "none"
        """By the marks: ``none`` seen, ``prompt``, ``input`` (a line is being typed) or ``running``."""
        self._input_at = 0
        self._command_at = 0
        self._entered_shell_line = False
        self._expected: Expected | None = None
        self._command_expected: Expected | None = None
        self._may_repeat = False
        self._editor_since = False
        self._accepted_at = -1
        self._waits_for_accept = False
        self._typing: list[tuple[int, int | None]] = []
        self._ran_at = -1
        self._done_at = -1
        self._code: int | None = None
        self._output: tuple[int, str] | None = None

    # -- filling

    def feed(self, data: bytes) -> bool:
        """Take output; True when it asked the terminal for an answer."""
        text, landmarks = self._cleaner.feed(data)
        for offset, name in landmarks:
            self._pass(self._total + offset, name)
        if text:
            self._parts.append(text)
            self._total += len(text)
            end = text.rfind("\n")
            self._line = text[end + 1 :] if end >= 0 else (self._line + text)[-_MAX_PROMPT:]
            if self._total - self._base > 2 * MAX_TEXT:
                self._drop_oldest()
        return self._cleaner.asked

    def _drop_oldest(self) -> None:
        text = "".join(self._parts)[-MAX_TEXT:]
        start = self._total - len(text)
        self.cut += start - self._base
        self._parts = [text]
        self._base = start

    def _pass(self, at: int, name: str) -> None:
        if name == "paste+":
            self.bracketed = True
        elif name == "paste-":
            self.bracketed = False
            if self._waits_for_accept:
                self._waits_for_accept = False
                self._accepted_at = at
        elif name in ("alt+", "alt-"):
            self.alternate = name == "alt+"
        else:
            self._pass_mark(at, name)

    def _pass_mark(self, at: int, name: str) -> None:
        kind = name[:1]
        if kind in "ACD" and self._typing and self._typing[-1][1] is None:
            self._typing[-1] = (self._typing[-1][0], at)
        if kind == "A":
            self.shell = "prompt"
            if self._entered_shell_line and self._ran_at < 0 and at >= self._command_at:
                self._done_at = at  # an empty line runs nothing
        elif kind == "B":
            self.shell = "input"
            self._typing.append((at, None))
        elif kind == "C":
            self.shell = "running"
            if self._done_at >= 0:
                # Nothing was entered since the last command ended: this one was typed ahead, while that one ran.
                self._entered_shell_line = True
                self._ran_at, self._done_at, self._code = at, -1, None
            elif self._ran_at < 0:
                self._ran_at = at
        elif kind == "D" and self.shell == "running":
            self.shell = "prompt"
            if self._done_at < 0:
                self._done_at = at
                code = name[2:].split(";")[0]
                self._code = int(code) if code.lstrip("-").isdigit() else None
        self._output = None

    @property
    def touched_modes(self) -> bool:
        """Whether the program ever set a terminal mode."""
        return self._cleaner.modes_set

    @property
    def bells(self) -> int:
        """How often the bell rang so far."""
        return self._cleaner.bells

    @property
    def knows_prompt(self) -> bool:
        """Whether text stood on the line where the last one was entered."""
        return self._entered_shell_line or bool(self._command_expected and self._command_expected.prompt.strip())

    @property
    def entered_in_editor(self) -> bool:
        """Whether the last line was entered at the prompt of a line editor without marks."""
        expected = self._command_expected
        return expected is not None and not expected.by_kernel and bool(expected.prompt.strip())

    @property
    def shows_new_prompt(self) -> bool:
        """Whether, since the last Enter, a line has ended and another was begun: a prompt, if an editor reads now."""
        return bool(self._line.strip()) and "\n" in self._since(self._command_at)

    @property
    def busy(self) -> bool:
        """Whether a line entered at a marked prompt has not come to its end."""
        return self._entered_shell_line and self._done_at < 0

    # -- inputs

    def mark_input(self, typed: str, *, entered: bool, canonical: bool, echo: bool) -> None:
        """An input is about to be written: from here on counts as output since the last input.

        `typed` is its echo as `caret` gives it, empty when it has none; the modes are those of the line discipline.
        """
        earlier = self._unseen()
        self._typing = self._typing[-1:] if self._typing and self._typing[-1][1] is None else []
        at_shell = self.shell in ("prompt", "input")
        if at_shell or self.alternate or (canonical and not echo):
            self._expected = None
        else:
            prompt = earlier.prompt if earlier else self._line
            typed = earlier.typed + typed if earlier else typed
            self._expected = Expected(typed, entered, canonical, prompt)
        self._may_repeat = canonical and echo and not at_shell
        self._editor_since = False
        self._accepted_at = -1
        self._waits_for_accept = entered and self.bracketed and not (canonical or at_shell or self.alternate)
        self._input_at = self._total
        self._output = None
        if entered:
            self._command_at = self._total
            self._entered_shell_line = at_shell
            self._command_expected = self._expected or Expected("", True, False, self._line)
            self._ran_at = self._done_at = -1
            self._code = None
            self.cut = 0
        if self._command_at > self._base:
            text = "".join(self._parts)[self._command_at - self._base :]
            self._base = self._total - len(text)
            self._parts = [text] if text else []

    def _unseen(self) -> Expected | None:
        """The echo of the previous input, as far as no Enter followed and it has not come yet."""
        expected = self._expected
        if expected is None or expected.entered or self.shell in ("prompt", "input"):
            return None
        found = find_echo(self._since(self._input_at), expected)
        return None if found and found[1] - found[0] >= len(expected.typed) else expected

    def needs_line_mode(self) -> bool:
        """Whether it matters if a line editor has taken over since the input; then call `editor_took_over`."""
        return self._may_repeat and not self._editor_since

    def editor_took_over(self) -> None:
        """The line discipline left canonical mode: what was typed ahead will be echoed a second time."""
        self._editor_since = True
        self._output = None

    # -- reading

    def _since(self, at: int) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        text = self._parts[0] if self._parts else ""
        return text[max(0, at - self._base) :]

    @property
    def total(self) -> int:
        """Characters printed so far."""
        return self._total

    @property
    def output(self) -> str:
        """Text since the last input, its echo left out."""
        if self._output is None or self._output[0] != self._total:
            self._output = (self._total, self._visible(self._input_at, self._total, self._expected))
        return self._output[1]

    def _visible(self, start: int, end: int, expected: Expected | None) -> str:
        start = max(start, self._base)
        text = self._since(start)[: end - start]
        hidden: list[Interval] = [
            (max(a, start) - start, (end if b is None else b) - start)
            for a, b in self._typing
            if (b is None or b > start) and a < end
        ]
        if self._accepted_at > start:
            hidden.append((0, self._accepted_at - start))
        elif expected is not None and not self.cut and (echo := find_echo(text, expected)) is not None:
            hidden.append(echo)
            if self._editor_since and (again := find_echo_again(text, echo[1], expected)) is not None:
                hidden.append(again)
        return _without(text, hidden) if hidden else text

    def command(self, ended: bool, exit_code: int | None) -> CommandOutput | None:
        """Output of the last line entered, or of the program as a whole before any; None while nothing was printed."""
        if self._entered_shell_line:
            return self._shell_command(ended, exit_code)
        end = self._total if self._done_at < 0 else self._done_at
        expected = self._command_expected
        text = self._visible(self._command_at, end, expected)
        if self._done_at >= 0:
            # The program that ran has ended. What was entered was meant for it, or for the shell: then it runs next.
            return CommandOutput(text, self._code, finished=True, exact=False)
        if ended:
            return CommandOutput(text, exit_code, finished=True, exact=True)
        prompt = expected.prompt if expected else ""
        if expected is not None and self._editor_since:
            prompt, text = self._after_second_echo(expected) or (prompt, text)
        body, _, last = text.rpartition("\n")
        if prompt.strip() and _same_prompt(last, prompt):
            return CommandOutput(body + "\n" if body else "", None, finished=True, exact=False)
        return CommandOutput(text, None, finished=False, exact=False)

    def _after_second_echo(self, expected: Expected) -> tuple[str, str] | None:
        """The prompt at which what was typed ahead was echoed again, and what was printed after that."""
        text = self._since(self._command_at)
        echo = find_echo(text, expected)
        again = find_echo_again(text, echo[1], expected) if echo is not None else None
        if again is None or text[again[1] : again[1] + 1] != "\n":
            return None
        return text[text.rfind("\n", 0, again[0]) + 1 : again[0]], text[again[1] + 1 :]

    def _shell_command(self, ended: bool, exit_code: int | None) -> CommandOutput:
        if self._ran_at < 0:
            code = exit_code if ended else None
            return CommandOutput("", code, finished=ended or self._done_at >= 0, exact=True)
        done = self._done_at >= 0
        text = self._since(self._ran_at)
        if done:
            text = text[: self._done_at - max(self._ran_at, self._base)]
        elif self._input_at > self._ran_at:
            text = self._visible(self._ran_at, self._total, None)
        return CommandOutput(text, self._code if done else exit_code, finished=done or ended, exact=True)


def _without(text: str, hidden: list[Interval]) -> str:
    parts = []
    position = 0
    for start, end in sorted(hidden):
        if start > position:
            parts.append(text[position:start])
        position = max(position, end)
    parts.append(text[position:])
    return "".join(parts)


def _same_prompt(line: str, prompt: str) -> bool:
    """Whether `line` is the prompt again; counters in it, as in ``In [7]:``, may have moved on."""
    if line == prompt:
        return True
    return len(line) < 200 and _without_digits(line) == _without_digits(prompt)


def _without_digits(text: str) -> str:
    return "".join(c for c in text if not c.isdigit())
