"""What all tests share: programs that a test needs, and what is missing where."""

from __future__ import annotations

import os
import shutil

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(*programs): programs on the PATH; without them the test is skipped, in CI it fails"
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        missing = [program for program in marker.args if shutil.which(program) is None]
        if missing:
            message = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            if os.environ.get("CI", "").lower() in ("1", "true"):
                pytest.fail(message, pytrace=False)
            pytest.skip(message)
