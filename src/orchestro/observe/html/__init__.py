"""The report of a run as one HTML file: `report` gathers the events, `replay` turns recordings into frames.

`page` puts both into `report.html` with `report.css` and `report.js`, which lie beside it and are inlined. The file
opens from disk and never asks the network for anything.
"""

from orchestro.observe.html.page import write_report

__all__ = ["write_report"]
