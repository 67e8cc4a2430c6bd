"""Orchestro: everything that has to hold before software ships, in parallel, with one live view and one record.

The layout is drawn in `docs/design/architecture.md`. Public names load on first use, so that the command starts fast.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
