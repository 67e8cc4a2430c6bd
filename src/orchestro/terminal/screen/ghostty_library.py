"""Loads libghostty-vt out of the installed pyghostty without paying for pyghostty's own import.

`GhosttyScreen` is the only caller. The C interface comes from the generated `_ghostty_abi`; where pyghostty is of
another version than the one that was generated from, its own slower definitions are used instead.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import zlib
from typing import Any

from orchestro.records import dataclass

__all__ = ["Library", "load"]

_SUFFIXES = {"darwin": ".dylib", "win32": ".dll"}


@dataclass(frozen=True, slots=True)
class Library:
    """cffi's two halves of the library, and the one function whose argument needs a disguise."""

    ffi: Any
    lib: Any
    grid_ref: Any
    """`ghostty_terminal_grid_ref` taking the struct twin of the union `GhosttyPoint` by value."""
    point: str
    """The C name of that twin."""
    generated: bool
    """Whether the generated definitions fit the installed pyghostty."""


@functools.cache
def load() -> Library:
    """The library, loaded once a process. Raises ImportError or OSError where there is none for this machine."""
    spec = importlib.util.find_spec("pyghostty")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("pyghostty is not installed", name="pyghostty")
    folder = spec.submodule_search_locations[0]
    from orchestro.terminal.screen import _ghostty_abi

    with open(os.path.join(folder, "_cdef.py"), "rb") as source:
        digest = zlib.crc32(source.read())
    # A checksum, not a hash: it tells versions apart, and hashlib costs 2 ms to import.
    if digest != _ghostty_abi.CDEF_CRC32:
        return _load_pyghostty()
    path = os.environ.get("PYGHOSTTY_LIB") or os.path.join(
        folder, "_lib", "libghostty-vt" + _SUFFIXES.get(sys.platform, ".so")
    )
    ffi = _ghostty_abi.ffi
    lib = ffi.dlopen(path)
    grid_ref = ffi.cast("OrchestroGridRefFn", ffi.addressof(lib, "ghostty_terminal_grid_ref"))
    return Library(ffi, lib, grid_ref, "OrchestroPoint", generated=True)


def _load_pyghostty() -> Library:
    """The same through pyghostty's public raw layer: right for any version, but it parses C for 0.15 s."""
    from pyghostty._ffi import ffi, lib, union_fn

    signature = "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyGridRef*)"
    return Library(ffi, lib, union_fn("ghostty_terminal_grid_ref", signature), "GhosttyPointS", generated=False)
