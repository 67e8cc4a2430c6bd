"""Write src/orchestro/terminal/screen/_ghostty_abi.py: the part of libghostty-vt's C interface that Orchestro calls.

`import pyghostty` parses 80 KB of C at every start, about 0.15 s. This does it once, for the functions listed here and
whatever types they need, and writes the result as a cffi out-of-line ABI module, which loads in about a millisecond.
Run it after moving to another pyghostty: `python tools/generate_ghostty_abi.py [OUTPUT]`.
"""

from __future__ import annotations

import importlib.util
import re
import runpy
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from cffi import FFI

MODULE = "orchestro.terminal.screen._ghostty_abi"
OUTPUT = Path(__file__).resolve().parent.parent / "src" / "orchestro" / "terminal" / "screen" / "_ghostty_abi.py"

WANTED = (
    "ghostty_cell_get",
    "ghostty_grid_ref_hyperlink_uri",
    "ghostty_key_encoder_encode",
    "ghostty_key_encoder_free",
    "ghostty_key_encoder_new",
    "ghostty_key_encoder_setopt_from_terminal",
    "ghostty_key_event_free",
    "ghostty_key_event_new",
    "ghostty_key_event_set_action",
    "ghostty_key_event_set_consumed_mods",
    "ghostty_key_event_set_key",
    "ghostty_key_event_set_mods",
    "ghostty_key_event_set_unshifted_codepoint",
    "ghostty_key_event_set_utf8",
    "ghostty_render_state_free",
    "ghostty_render_state_get",
    "ghostty_render_state_new",
    "ghostty_render_state_row_cells_free",
    "ghostty_render_state_row_cells_get",
    "ghostty_render_state_row_cells_new",
    "ghostty_render_state_row_cells_select",
    "ghostty_render_state_row_get",
    "ghostty_render_state_row_iterator_free",
    "ghostty_render_state_row_iterator_new",
    "ghostty_render_state_row_iterator_next",
    "ghostty_render_state_update",
    "ghostty_terminal_free",
    "ghostty_terminal_get",
    "ghostty_terminal_get_multi",
    "ghostty_terminal_grid_ref",
    "ghostty_terminal_new",
    "ghostty_terminal_resize",
    "ghostty_terminal_selection_format_buf",
    "ghostty_terminal_set",
    "ghostty_terminal_vt_write",
    # Types behind void pointers, which no signature names.
    "GhosttyCellContentTag",
    "GhosttyCellWide",
    "GhosttyCellsView",
    "GhosttyColorPaletteIndex",
    "GhosttyColorRgb",
    "GhosttyColorScheme",
    "GhosttyRenderStateCursorVisualStyle",
    "GhosttySizeReportSize",
    "GhosttyString",
    "GhosttyStyle",
    "GhosttyStyleId",
    "GhosttyTerminalBellFn",
    "GhosttyTerminalColorSchemeFn",
    "GhosttyTerminalModeConfig",
    "GhosttyTerminalScreen",
    "GhosttyTerminalSizeFn",
    "GhosttyTerminalWritePtyFn",
)

# cffi's ABI mode cannot pass a union by value. A struct of the same size and alignment above 16 bytes travels the same
# way on x86-64 (in memory) and on arm64 (by reference), so the call is made through this twin of GhosttyPoint.
TWINS = """
typedef struct { uint16_t x; uint32_t y; uint64_t _padding; } OrchestroPointValue;
typedef struct { GhosttyPointTag tag; OrchestroPointValue value; } OrchestroPoint;
typedef GhosttyResult (*OrchestroGridRefFn)(GhosttyTerminal terminal, OrchestroPoint point, GhosttyGridRef *out_ref);
"""

_NAME = re.compile(r"\b(?:Ghostty|ghostty_)\w+")


def split(cdef: str) -> Iterator[str]:
    """The top-level declarations of `cdef`, each with its semicolon."""
    depth = start = 0
    text = re.sub(r"/\*.*?\*/", "", cdef, flags=re.DOTALL)
    for at, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == ";" and depth == 0:
            yield text[start : at + 1].strip()
            start = at + 1


def declared(declaration: str) -> str:
    """The name that a declaration is for: its function, its function pointer type or its type."""
    bare = re.sub(r"\{.*\}", "{}", declaration, flags=re.DOTALL)
    pointer = re.search(r"\(\*\s*(\w+)\)\s*\(", bare)
    function = re.search(r"(ghostty_\w+)\s*\(", bare)
    if pointer or function:
        return (pointer or function).group(1)  # type: ignore[union-attr]  # one of them matched
    return _NAME.findall(bare)[-1]


def shake(cdef: str, wanted: Iterable[str]) -> str:
    """The declarations that `wanted` names and what they depend on, in the order of `cdef`."""
    declarations = list(split(cdef))
    named: dict[str, list[int]] = {}
    for index, declaration in enumerate(declarations):
        named.setdefault(declared(declaration), []).append(index)
    keep: set[int] = set()
    pending = list(wanted)
    while pending:
        name = pending.pop()
        for index in named.get(name, ()):
            if index not in keep:
                keep.add(index)
                pending.extend(_NAME.findall(declarations[index]))
    missing = [name for name in wanted if name not in named]
    if missing:
        raise SystemExit(f"this pyghostty does not declare: {', '.join(missing)}")
    # Of the thousands of *_MAX_VALUE sentinels none is needed, yet they fix the size of an enum at 32 bits: kept.
    return "\n".join(declarations[index] for index in sorted(keep))


def generate() -> str:
    """The text of the module for the installed pyghostty."""
    spec = importlib.util.find_spec("pyghostty")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pyghostty is not installed")
    source = Path(spec.submodule_search_locations[0], "_cdef.py")
    cdef = runpy.run_path(str(source))["CDEF"]
    ffi = FFI()
    ffi.cdef(shake(cdef, WANTED) + TWINS)
    ffi.set_source(MODULE, None)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "abi.py")
        ffi.emit_python_code(str(target))
        body = target.read_text().split("\n", 1)[1]
    digest = zlib.crc32(source.read_bytes())
    return (
        '"""libghostty-vt\'s C interface for cffi. Generated by tools/generate_ghostty_abi.py: do not edit."""\n\n'
        "# fmt: off\n# ruff: noqa: E501 - one table of bytes a line\n\n"
        "import _cffi_backend\n\n"
        f"CDEF_CRC32 = {digest}\n\n"
        f"{body.replace('import _cffi_backend', '').strip()}\n"
    )


def main(arguments: list[str]) -> None:
    target = Path(arguments[0]) if arguments else OUTPUT
    target.write_text(generate(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
