"""How help is laid out: as written where it fits, wrapped where the terminal is narrower."""

from __future__ import annotations

import argparse
import re
import textwrap

__all__ = ["HelpFormatter"]

_COLUMNS_APART = re.compile(r"(?<=\S) {2,}(?=\S)")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of examples, and fills paragraphs.

    A paragraph is what is not set in. An example that is too long gives its explanation a line of its own.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks: list[str] = []
        paragraph: list[str] = []

        def end_paragraph() -> None:
            if paragraph:
                blocks.append(
                    textwrap.fill(" ".join(paragraph), width, initial_indent=indent, subsequent_indent=indent)
                )
                paragraph.clear()

        for line in text.rstrip().splitlines():
            if line and not line.startswith(" "):
                paragraph.append(line)
                continue
            end_paragraph()
            blocks.append(indent + line if len(line) <= width else self._example(line, width))
        end_paragraph()
        return "\n".join(blocks) + "\n"

    def _example(self, line: str, width: int) -> str:
        front = line[: len(line) - len(line.lstrip())]
        command, *explanation = _COLUMNS_APART.split(line.strip(), maxsplit=1)
        rows = textwrap.wrap(
            command, width, initial_indent=front, subsequent_indent=front + "    ", break_on_hyphens=False
        )
        for text in explanation:
            rows += textwrap.wrap(text, width, initial_indent=front + "    ", subsequent_indent=front + "    ")
        return "\n".join(rows)
