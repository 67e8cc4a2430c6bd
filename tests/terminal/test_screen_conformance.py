"""The conformance suite on every back end; what one is known not to do is an expected failure with its reason."""

from __future__ import annotations

import importlib.util

import pytest

from orchestro.terminal.screen import BACKENDS, Screen, open_screen
from orchestro.testing.screen_conformance import CHECKS, Check

LIMITS = {
    "ghostty": {
        "soft_reset_keeps_text_and_ends_modes": "libghostty-vt ignores DECSTR",
        "tab_cleared_without_parameter": "libghostty-vt clears a tab stop by CSI 0 g, not by CSI g",
    },
    "pyte": {
        "resize_reflows": "pyte does not remember which rows were wrapped",
    },
}


def cases() -> list[object]:
    found = []
    for backend in BACKENDS:
        for check in CHECKS:
            marks = []
            if backend == "ghostty" and importlib.util.find_spec("pyghostty") is None:
                marks.append(pytest.mark.skip(reason="no pyghostty for this platform"))
            elif reason := LIMITS[backend].get(check.name):
                marks.append(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
            found.append(pytest.param(backend, check, id=f"{backend}-{check}", marks=marks))
    return found


@pytest.mark.parametrize(("backend", "check"), cases())
def test_a_back_end_conforms(backend: str, check: Check) -> None:
    def make(cols: int, rows: int) -> Screen:
        return open_screen(cols, rows, backend=backend)

    check(make)


def test_every_limit_names_a_check() -> None:
    names = {check.name for check in CHECKS}
    assert set().union(*LIMITS.values()) <= names
    assert len(names) == len(CHECKS)


def test_a_screen_that_does_nothing_fails_the_checks() -> None:
    class Dead:
        """Takes everything and shows nothing."""

        def __init__(self, cols: int, rows: int) -> None:
            self.size = (cols, rows)

        def __getattr__(self, name: str) -> object:
            return lambda *_: []

    def fails(check: Check) -> bool:
        try:
            check(Dead)  # type: ignore[arg-type]  # that it is no screen is the point
        except (AssertionError, AttributeError, IndexError, TypeError):
            return True
        return False

    assert [check.name for check in CHECKS if not fails(check)] == ["close_twice_is_harmless"]
