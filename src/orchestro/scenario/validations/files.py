"""What must hold of files and of the exit code after the program has ended."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from orchestro.records import dataclass
from orchestro.scenario.kinds import ValidationKind
from orchestro.scenario.shape import Int, Json, Regex, Str
from orchestro.scenario.stage import Aftermath, StepFailed
from orchestro.scenario.variables import Pattern
from orchestro.terminal.checks.command import trimmed
from orchestro.terminal.checks.diff import clip, clip_both, json_diff, json_differences, pretty, project, text_diff
from orchestro.terminal.checks.near import case_hint, literal_of, nearest_line
from orchestro.terminal.probe import Missing
from orchestro.terminal.process.exit_text import describe_exit

__all__ = ["KINDS"]

_MAX_FILE = 16 * 1024 * 1024
"""Bytes of a file that are looked at; a larger one fails the validation and says so."""
_SHOWN = 4000
# Characters of a file that a report shows.


def _fail(why: str, *, waited_for: str = "", diff: tuple[str, ...] = (), **texts: str) -> StepFailed:
    return StepFailed(Missing(why, **texts), waited_for=waited_for, diff=diff)


def _read(aftermath: Aftermath, path: str) -> str:
    full = os.path.join(aftermath.cwd, path)
    try:
        mode = os.stat(full).st_mode
        if not stat.S_ISREG(mode):  # a pipe would block, a device may never end
            raise _fail(f"{path} is {'a directory' if stat.S_ISDIR(mode) else 'no regular file'}")
        with open(full, "rb") as file:
            data = file.read(_MAX_FILE + 1)
    except FileNotFoundError:
        raise _absent(path, full) from None
    except OSError as error:
        raise _fail(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _MAX_FILE:
        raise _fail(f"{path} has more than the {_MAX_FILE >> 20} MiB that are looked at")
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _absent(path: str, full: str) -> StepFailed:
    near = nearest_line(os.path.basename(path), _siblings(full))
    hint = f"it is a link to {os.readlink(full)}, which does not exist" if os.path.islink(full) else ""
    return _fail(f"{path} does not exist", nearest=near, hint=hint)


def _shown(content: str) -> str:
    """What a report shows of a file; control characters of a binary one would spoil it."""
    return f"{len(content)} characters with NUL: a binary file" if "\0" in content else clip(content, _SHOWN)


def _siblings(full: str) -> list[str]:
    try:
        return sorted(os.listdir(os.path.dirname(full)))[:200]
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class PathExists:
    """A file or directory is there."""

    path: str

    def validate(self, aftermath: Aftermath) -> str:
        """Look."""
        full = os.path.join(aftermath.cwd, self.path)
        if not os.path.exists(full):
            raise _absent(self.path, full)
        return f"{self.path} exists"


@dataclass(frozen=True, slots=True)
class PathMissing:
    """Nothing is there."""

    path: str

    def validate(self, aftermath: Aftermath) -> str:
        """Look."""
        if os.path.lexists(os.path.join(aftermath.cwd, self.path)):
            raise _fail(f"{self.path} exists")
        return f"{self.path} does not exist"


@dataclass(frozen=True, slots=True)
class FileContains:
    """A file holds a text."""

    path: str
    text: str

    def validate(self, aftermath: Aftermath) -> str:
        """Look."""
        content = _read(aftermath, self.path)
        if self.text not in content:
            wanted = next(filter(str.strip, self.text.splitlines()), "")
            near = nearest_line(wanted, content.splitlines())
            raise _fail(
                f"{self.path} does not contain {_short(self.text)}",
                expected=self.text,
                actual=_shown(content),
                nearest=near,
                hint=case_hint(wanted, near),
            )
        return f"{self.path} contains it"


@dataclass(frozen=True, slots=True)
class FileMatches:
    """A file matches a regular expression."""

    path: str
    regex: Pattern

    def validate(self, aftermath: Aftermath) -> str:
        """Search."""
        content = _read(aftermath, self.path)
        match = self.regex.compile().search(content)
        if match is None:
            wanted = literal_of(self.regex.source)
            near = nearest_line(wanted, content.splitlines())
            raise _fail(
                f"{self.path} does not match {self.regex.source!r}",
                expected=self.regex.source,
                actual=_shown(content),
                nearest=near,
                hint=case_hint(wanted, near),
            )
        return f"{self.path} matches at character {match.start()}"


@dataclass(frozen=True, slots=True)
class FileEquals:
    """A file holds exactly a text."""

    path: str
    expected: str

    def validate(self, aftermath: Aftermath) -> str:
        """Compare as the output of commands is compared: blanks at line ends and empty last lines do not count."""
        expected, actual = trimmed(self.expected), trimmed(_read(aftermath, self.path))
        if expected != actual:
            why = f"{self.path} is not as expected"
            if "\0" in actual:
                raise _fail(why, expected=clip(expected, _SHOWN), actual=_shown(actual))
            shown, got = clip_both(expected, actual, _SHOWN)
            raise _fail(why, expected=shown, actual=got, diff=text_diff(expected, actual))
        return f"{self.path} is as expected"


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON file has at least certain keys and values."""

    path: str
    subset: Any

    def validate(self, aftermath: Aftermath) -> str:
        """Parse and compare."""
        content = _read(aftermath, self.path)
        try:
            actual = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise _fail(f"{self.path} is no JSON: {error}", actual=_shown(content)) from None
        differences = json_differences(self.subset, actual)
        if differences:
            expected, got = clip_both(pretty(self.subset), pretty(project(self.subset, actual)), _SHOWN)
            raise _fail(
                f"{self.path}: " + "; ".join(differences[:3]),
                expected=expected,
                actual=got,
                diff=json_diff(self.subset, actual),
            )
        return f"{self.path} has what is asked for"


@dataclass(frozen=True, slots=True)
class ExitCode:
    """The program ended with a code."""

    code: int

    def validate(self, aftermath: Aftermath) -> str:
        """Compare."""
        if aftermath.exit_code is None:
            raise _fail("the program had to be stopped, so it has no exit code", expected=describe_exit(self.code))
        if aftermath.exit_code != self.code:
            actual = describe_exit(aftermath.exit_code)
            raise _fail(f"the program ended with {actual}", expected=describe_exit(self.code), actual=actual)
        return f"ended with {describe_exit(self.code)}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


_PATH = Str(empty=False, nul=False)

KINDS = (
    ValidationKind("path_exists", {"path": _PATH}, PathExists, "A file or directory is there.", ("path",)),
    ValidationKind("path_missing", {"path": _PATH}, PathMissing, "Nothing is there.", ("path",)),
    ValidationKind(
        "file_contains",
        {"path": _PATH, "text": Str(empty=False)},
        FileContains,
        "A file holds a text.",
        ("path", "text"),
    ),
    ValidationKind(
        "file_matches",
        {"path": _PATH, "regex": Regex()},
        FileMatches,
        "A file matches a regular expression.",
        ("path", "regex"),
    ),
    ValidationKind(
        "file_equals",
        {"path": _PATH, "expected": Str()},
        FileEquals,
        "A file holds exactly a text; blanks at line ends and empty last lines do not count.",
        ("path", "expected"),
    ),
    ValidationKind(
        "json_file",
        {"path": _PATH, "subset": Json()},
        JsonFile,
        "A JSON file has at least these keys and values.",
        ("path", "subset"),
    ),
    ValidationKind(
        "exit_code",
        {"code": Int(-64, 255)},
        ExitCode,
        "The program ended with this code, negative for a signal.",
        ("code",),
    ),
)
