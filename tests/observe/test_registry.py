from __future__ import annotations

import importlib.metadata
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestro.errors import UserError
from orchestro.observe.registry import BUILT_IN, GROUP, ReporterOptions, create, names
from orchestro.observe.reporter import Reporter


class TapReporter(Reporter):
    def __init__(self, options: ReporterOptions) -> None:
        self.target = options.target


def not_a_reporter(_: ReporterOptions) -> object:
    return object()


Install = Callable[[str, str], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    def add(name: str, value: str) -> None:
        entries = importlib.metadata.EntryPoints([importlib.metadata.EntryPoint(name, value, GROUP)])
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda **wanted: entries.select(**wanted))

    return add


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_each_built_in_reporter_can_be_made(name: str, tmp_path: Path) -> None:
    options = ReporterOptions(
        target=str(tmp_path / "out"), directory=str(tmp_path), stdout=io.StringIO(), stderr=io.StringIO()
    )
    reporter = create(name, options)
    assert isinstance(reporter, Reporter)
    reporter.close()


def test_an_installed_package_adds_a_reporter(install: Install) -> None:
    install("tap", f"{__name__}:TapReporter")
    assert "tap" in names()
    reporter = create("tap", ReporterOptions(target="x.tap"))
    assert isinstance(reporter, TapReporter)
    assert reporter.target == "x.tap"


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"unknown reporter 'jnuit'; there are console, github, .*junit"):
        create("jnuit", ReporterOptions())


def test_a_package_that_cannot_be_loaded_is_the_users_to_mend(install: Install) -> None:
    install("tap", "no_such_module:x")
    with pytest.raises(UserError, match=r"'tap' \(no_such_module:x\) cannot be loaded: No module"):
        create("tap", ReporterOptions())


def test_what_is_no_reporter_is_refused(install: Install) -> None:
    install("tap", f"{__name__}:not_a_reporter")
    with pytest.raises(UserError, match=r"is a object, not an orchestro\.observe\.Reporter"):
        create("tap", ReporterOptions())
