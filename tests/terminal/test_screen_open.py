from __future__ import annotations

import importlib.util
import os
import runpy
import subprocess
import sys
import types
from pathlib import Path

import pytest

from orchestro.terminal.keys import KEY_NAMES, encode, normalise
from orchestro.terminal.screen import MAX_SIDE, Modes, open_screen
from orchestro.terminal.screen.pyte_screen import PyteScreen

ROOT = Path(__file__).resolve().parents[2]

needs_ghostty = pytest.mark.skipif(
    importlib.util.find_spec("pyghostty") is None, reason="no pyghostty for this platform"
)


@pytest.mark.parametrize("size", [(0, 24), (80, 0), (-1, 24), (MAX_SIDE + 1, 24), (80, MAX_SIDE + 1)])
def test_an_impossible_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="columns and rows"):
        open_screen(*size)


def test_an_unknown_back_end_is_refused() -> None:
    with pytest.raises(ValueError, match="auto, ghostty or pyte"):
        open_screen(80, 24, backend="xterm")


def test_the_environment_chooses_for_auto_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRO_SCREEN", "pyte")
    assert isinstance(open_screen(80, 24), PyteScreen)
    monkeypatch.setenv("ORCHESTRO_SCREEN", "nonsense")
    with pytest.raises(ValueError, match="nonsense"):
        open_screen(80, 24)
    assert isinstance(open_screen(80, 24, backend="pyte"), PyteScreen)


def test_without_pyghostty_auto_takes_pyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHESTRO_SCREEN", raising=False)
    monkeypatch.setitem(sys.modules, "orchestro.terminal.screen.ghostty", None)
    assert isinstance(open_screen(80, 24), PyteScreen)
    with pytest.raises(ImportError):
        open_screen(80, 24, backend="ghostty")


@needs_ghostty
def test_opening_a_screen_imports_neither_pyghostty_nor_pyte() -> None:
    code = (
        "import sys; from orchestro.terminal.screen import open_screen; s = open_screen(80, 24, backend='ghostty');"
        "s.feed(b'x'); s.styled(); print(sorted({'pyghostty', 'pyte', 'cffi', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_ghostty
def test_the_generated_interface_is_that_of_the_installed_pyghostty() -> None:
    generate = runpy.run_path(str(ROOT / "tools" / "generate_ghostty_abi.py"))["generate"]
    stored = ROOT / "src" / "orchestro" / "terminal" / "screen" / "_ghostty_abi.py"
    assert stored.read_text(encoding="utf-8") == generate(), "run tools/generate_ghostty_abi.py"


@needs_ghostty
def test_the_generator_names_what_a_pyghostty_does_not_declare() -> None:
    shake = runpy.run_path(str(ROOT / "tools" / "generate_ghostty_abi.py"))["shake"]
    with pytest.raises(SystemExit, match="ghostty_gone"):
        shake("typedef int GhosttyResult; GhosttyResult ghostty_here(void);", ["ghostty_here", "ghostty_gone"])
    text = "typedef int GhosttyResult; GhosttyResult ghostty_here(void); void ghostty_other(void);"
    assert "ghostty_other" not in shake(text, ["ghostty_here"])


@needs_ghostty
def test_another_version_of_pyghostty_is_read_through_its_own_definitions() -> None:
    code = (
        "from orchestro.terminal.screen import _ghostty_abi, open_screen; _ghostty_abi.CDEF_CRC32 = -1;"
        "from orchestro.terminal.screen.ghostty_library import load; assert not load().generated;"
        "s = open_screen(20, 2, backend='ghostty'); s.feed(b'\\x1b[1mhi');"
        "print(s.lines()[0], s.styled()[0][0].style.bold)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("hi True", "")


@needs_ghostty
def test_cells_laid_out_otherwise_are_read_field_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestro.terminal.screen import ghostty_cells

    screen = open_screen(20, 2, backend="ghostty")
    screen.feed("a\x1b[1;31m\u4e16\x1b[0;44m\x1b[2X\x1b[2C\x1b[48;2;9;8;7m\x1b[2X\x1b]8;;x:y\x07e\u0301".encode())
    in_place = screen.styled()
    assert ghostty_cells._in_place is True
    monkeypatch.setattr(ghostty_cells, "_in_place", False)
    assert screen.styled() == in_place


@needs_ghostty
def test_a_dropped_screen_is_freed() -> None:
    import gc

    from orchestro.terminal.screen import ghostty

    gc.collect()
    before = len(ghostty._screens)
    screen = open_screen(80, 24, backend="ghostty")
    screen.feed(b"x")
    screen.styled()
    del screen
    gc.collect()
    assert len(ghostty._screens) == before


@needs_ghostty
def test_the_library_encodes_kitty_keys_as_the_protocol_says() -> None:
    """Our own encoder, which back ends without one use, agrees with the library's where both follow the protocol."""
    screen = open_screen(80, 24, backend="ghostty")
    screen.feed(b"\x1b[>9u")
    modes = Modes(kitty_keyboard=9)
    keys = {normalise(f"{prefix}{name}") for name in [*KEY_NAMES, *"az[/\u00e9"] for prefix in ("", "ctrl+", "alt+")}
    differing = {key for key in keys if (found := screen.encode_key(key)) is not None and found != encode(key, modes)}
    assert differing == set()


@needs_ghostty
@pytest.mark.parametrize(
    ("setup", "key", "expected"),
    [
        (b"", "ctrl+a", None),
        (b"", "up", None),
        (b"\x1b[>1u", "ctrl+a", b"\x1b[97;5u"),
        (b"\x1b[>1u", "escape", b"\x1b[27u"),
        (b"\x1b[>1u\x1b[<u", "escape", None),
        (b"\x1b[>3u", "ctrl+up", b"\x1b[1;5:1A"),
        (b"\x1b[>4;2m", "ctrl+i", b"\x1b[27;5;105~"),
        (b"\x1b[>4;2m", "shift+enter", b"\x1b[27;2;13~"),
        (b"\x1b[>4;2m", "ctrl+up", None),
        (b"\x1b[>4;2m\x1b[>4m", "ctrl+i", None),
    ],
)
def test_the_library_encodes_keys_only_under_extended_protocols(setup: bytes, key: str, expected: bytes | None) -> None:
    screen = open_screen(80, 24, backend="ghostty")
    screen.feed(setup)
    assert screen.encode_key(key) == expected


@needs_ghostty
def test_the_library_may_be_named_by_the_environment(tmp_path: Path) -> None:
    code = "from orchestro.terminal.screen import open_screen; print(type(open_screen(9, 9)).__name__)"
    environment = os.environ | {"PYGHOSTTY_LIB": str(tmp_path / "none.so")}
    environment.pop("ORCHESTRO_SCREEN", None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "PyteScreen", "a library that cannot be loaded leaves pyte"


def test_the_protocol_is_what_back_ends_offer() -> None:
    from orchestro.terminal.screen.protocol import Screen

    wanted = {name for name, value in vars(Screen).items() if isinstance(value, (types.FunctionType, property))}
    wanted = {name for name in wanted if not name.startswith("_")}
    assert wanted
    assert wanted <= set(dir(PyteScreen))
